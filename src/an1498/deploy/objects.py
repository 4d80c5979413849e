"""What is deployed: objects of a SIEM, each with a key, a body of named fields, and a state that two readings can be compared by.

A body holds only what a person or the build decided: fields that the SIEM computes (ids, times, counters) are dropped when an object
is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Body = Mapping[str, Any]

VERSION = "version"
"""The field that counts an object's contents; it says nothing about the content itself."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """`kind` is one of the SIEM's `order`; `name` is what the SIEM finds the object by."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @staticmethod
    def parse(text: str) -> Key:
        kind, _, name = text.partition("/")
        return Key(kind, name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object as the build has it. `title` is for people."""

    key: Key
    title: str
    body: Body


@dataclass(frozen=True, slots=True)
class Live:
    """An object as the SIEM has it now. `revision` is the SIEM's own counter or version token, None where it has none; `reference` is the
    SIEM's id of the object, where requests need one."""

    key: Key
    body: Body
    revision: str | None = None
    reference: str | None = None

    @property
    def state(self) -> str:
        """Differs between two readings if the object was changed between them."""
        return digest({"body": self.body, "revision": self.revision})


@dataclass(frozen=True, slots=True)
class Write:
    """One object to create (`live` is None) or to replace."""

    key: Key
    body: Body
    live: Live | None


class Siem(Protocol):
    """What planning and applying need of a SIEM. Methods raise ExternalError, or Unsure where a request's outcome is not known."""

    @property
    def identity(self) -> str:
        """Which SIEM and which space or app this is, for people and for the lock file."""

    @property
    def order(self) -> Sequence[str]:
        """The kinds, in the order of writing."""

    def ready(self, files: Mapping[str, bytes]) -> list[str]:
        """Notes before a build's files are planned. Raises UsageError where the SIEM lacks what deployment stands on."""

    def batch(self, kind: str) -> int:
        """How many objects of a kind one request may write."""

    def tunable(self, key: Key, field: str) -> bool:
        """Whether a field belongs to the people who run the SIEM once the object is there."""

    def kept(self, key: Key, field: str, wanted: Any, live: Any) -> Any:
        """The value of a tuned field that an update writes."""

    def occupied(self, live: Live) -> str:
        """What people put inside an object, which a deletion would take with it; empty where there is nothing."""

    def irreplaceable(self, live: Live) -> str:
        """What is inside an object that no deletion may take, whoever asks for it; empty where there is nothing."""

    def check(self, live: Live, wanted: Body) -> None:
        """Raises UsageError, with a remedy, where no update can make an object what the build wants."""

    def read(self, keys: Sequence[Key]) -> dict[Key, Live]:
        """The objects that are there."""

    def write(self, writes: Sequence[Write]) -> dict[Key, str]:
        """Write objects of one kind; returns what the SIEM refused, in its words."""

    def delete(self, live: Live) -> str:
        """Delete an object; one that is gone already is deleted. Returns what the SIEM refused, else an empty text."""

    def close(self) -> None:
        """Close the connections."""


def canonical(value: object) -> bytes:
    """The same value gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


def content(body: Body) -> str:
    """The hash of a body without its version."""
    return digest({field: value for field, value in body.items() if field != VERSION})


def empty(value: object) -> bool:
    """SIEMs answer with an empty value where a field was never set."""
    return value is None or value in ("", [], {})


def same(one: object, other: object) -> bool:
    """Equal, or both not set, at every depth: a SIEM may add empty fields inside what it was sent."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(same(one.get(field), other.get(field)) for field in {*one, *other})
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other or (empty(one) and empty(other))


def holds(live: Body, sent: Body) -> bool:
    """Whether an object reads back as it was sent; what the SIEM added does not count."""
    return all(same(live.get(field), value) for field, value in sent.items())
