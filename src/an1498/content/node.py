"""One value of a content file together with its place, and typed reading of it.

Loaders ask a node for what they need (`text`, `integer`, `entries`, …); a value of another type, an unknown key or a missing
one becomes one ContentError that points at the value.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from an1498.errors import ContentError, Location

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `locations` maps a path of keys and indexes to the place of that key or item; () is the file's first value."""

    file: str
    value: Any
    locations: Mapping[Path, Location]

    def location(self, path: Path = ()) -> Location:
        """The place of a path, or of its nearest ancestor that has one."""
        while path and path not in self.locations:
            path = path[:-1]
        return self.locations.get(path, Location(self.file))

    @property
    def root(self) -> Node:
        return Node(self, (), self.value)


@dataclass(frozen=True, slots=True)
class Node:
    """The value at `path` of `document`."""

    document: Document
    path: Path
    value: Any

    @property
    def location(self) -> Location:
        return self.document.location(self.path)

    @property
    def name(self) -> str:
        """How messages call the value: its dotted path, list items in brackets."""
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path]
        return "".join(parts).removeprefix(".") or "the document"

    def error(self, problem: str, remedy: str, code: str = "bad-value") -> ContentError:
        return ContentError(self.location, problem, remedy, code)

    def wrong_type(self, wanted: str, remedy: str = "") -> ContentError:
        return self.error(f"'{self.name}' is {kind(self.value)}, not {wanted}", remedy or f"write {wanted}", "wrong-type")

    # Mappings

    def entries(self) -> dict[str, Node]:
        """The mapping's values by key."""
        if not isinstance(self.value, Mapping):
            raise self.wrong_type("a mapping (key: value)")
        return {key: Node(self.document, (*self.path, key), value) for key, value in self.value.items()}

    def keys(self, known: Collection[str], required: Iterable[str] = ()) -> dict[str, Node]:
        """As `entries`; a key that is not `known`, or a missing one, is an error."""
        entries = self.entries()
        for key, node in entries.items():
            if key not in known:
                raise node.unknown_key(known)
        for key in required:
            if key not in entries:
                raise self.missing(key)
        return entries

    def get(self, key: str) -> Node | None:
        if not isinstance(self.value, Mapping):
            raise self.wrong_type("a mapping (key: value)")
        return Node(self.document, (*self.path, key), self.value[key]) if key in self.value else None

    def require(self, key: str) -> Node:
        node = self.get(key)
        if node is None:
            raise self.missing(key)
        return node

    def missing(self, key: str) -> ContentError:
        return self.error(f"'{self.name}' has no '{key}'" if self.path else f"has no '{key}'", f"add '{key}'", "missing-key")

    def unknown_key(self, known: Collection[str]) -> ContentError:
        """The error for this node's own key, with the nearest known key or the list of them."""
        key = str(self.path[-1])
        within = f" in '{Node(self.document, self.path[:-1], None).name}'" if len(self.path) > 1 else ""
        return self.error(f"unknown key '{key}'{within}", suggestion(key, known), "unknown-key")

    # Lists

    def items(self) -> list[Node]:
        """The list's items."""
        if not isinstance(self.value, list | tuple):
            raise self.wrong_type("a list")
        return [Node(self.document, (*self.path, index), value) for index, value in enumerate(self.value)]

    def texts(self, *, empty: bool = False) -> tuple[str, ...]:
        """A list of texts without repetitions."""
        items = self.items()
        if not items and not empty:
            raise self.error(f"'{self.name}' is an empty list", "give at least one item, or remove the key")
        seen: set[str] = set()
        for item in items:
            text = item.text()
            if text in seen:
                raise item.error(f"'{text}' is listed twice in '{self.name}'", "remove one", "duplicate")
            seen.add(text)
        return tuple(item.value for item in items)

    # Scalars

    def text(self, *, longest: int = 256, lines: bool = False) -> str:
        """A text that is not blank; `lines` allows line breaks."""
        if not isinstance(self.value, str):
            raise self.wrong_type("text", "put the value in quotes" if isinstance(self.value, bool | int | float) else "write text")
        if not self.value.strip():
            raise self.error(f"'{self.name}' is blank", "write a text, or remove the key")
        if len(self.value) > longest:
            raise self.error(f"'{self.name}' has {len(self.value):,} characters, more than {longest:,}", "shorten it")
        if not lines and any(ord(character) < 32 for character in self.value):
            raise self.error(f"'{self.name}' holds a line break or control character", "write it in one line")
        return self.value

    def one_of(self, choices: Iterable[str]) -> str:
        """A text out of `choices`."""
        text = self.text()
        names = sorted(choices)
        if text not in names:
            raise self.error(f"'{self.name}' is '{text}', which is not one of the values it may have", suggestion(text, names))
        return text

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong_type("true or false")
        return self.value

    def integer(self, *, low: int, high: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong_type("a whole number")
        return int(self._within(self.value, low, high))

    def number(self, *, low: float, high: float) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong_type("a number")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise self.error(f"'{self.name}' is {self.value}, which is not a finite number", "write a number")
        return self._within(self.value, low, high)

    def _within(self, number: float, low: float, high: float) -> float:
        if not low <= number <= high:
            raise self.error(f"'{self.name}' is {number}, outside {low:,} … {high:,}", "give a value inside that range")
        return number


def kind(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "a date or time"


def suggestion(word: str, known: Iterable[str]) -> str:
    """A remedy for an unknown word: the nearest known one, or else all of them."""
    names = sorted(known)
    folded = {name.lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{folded[near[0]]}'?"
    if not names:
        return "there is none to choose from"
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"use one of: {listed}"
