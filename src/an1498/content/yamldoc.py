"""One YAML file → plain values, each with its file:line:column.

The C parser composes nodes once; values and places come from the same walk. Refused: several documents, a repeated key, a key
that is not text, tags (`!x`), aliases that expand to too much or to themselves, deep nesting. Dates stay text, as the Sigma
schemas ask. Scalars mean what PyYAML's safe loader says (YAML 1.1), because pySigma reads the same files with it.
"""

from __future__ import annotations

import math
from pathlib import Path as FilePath
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from an1498.content.node import Document, Path
from an1498.content.text import label, read_text
from an1498.errors import ContentError, Location

MAX_VALUES = 50_000
MAX_DEPTH = 40

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"


def read_yaml(path: FilePath) -> Document:
    """The one document of a YAML file. Raises ContentError."""
    return parse_yaml(read_text(path), label(path))


def parse_yaml(text: str, file: str) -> Document:
    """The one document of a YAML text; `file` is shown in messages. Raises ContentError."""
    loader = yaml.CSafeLoader(text)
    try:
        if not loader.check_node():
            raise ContentError(Location(file, 1, 1), "is empty", "write a document, or remove the file", "yaml-syntax")
        node: Any = loader.get_node()
        if loader.check_node():
            second = _place(file, loader.get_node())
            raise ContentError(second, "has a second YAML document", "put each document in a file of its own", "yaml-syntax")
    except yaml.YAMLError as error:
        raise _syntax_error(file, error) from None
    finally:
        loader.dispose()
    walk = _Walk(file)
    value = walk.value(node, (), 0)
    return Document(file, value, walk.locations)


def _place(file: str, node: Any) -> Location:
    return Location(file, node.start_mark.line + 1, node.start_mark.column + 1)


def _syntax_error(file: str, error: yaml.YAMLError) -> ContentError:
    marks = [getattr(error, name, None) for name in ("problem_mark", "context_mark")]
    if "end of stream" in str(getattr(error, "problem", "")):
        marks.reverse()  # where the unfinished text starts says more than where the file ends
    mark = marks[0] or marks[1]
    location = Location(file, mark.line + 1, mark.column + 1) if mark is not None else Location(file)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
    remedy = "correct the syntax"
    if "cannot start any token" in said:
        remedy = "indent with spaces, and quote texts that start with a special character"
    elif "mapping values are not allowed" in said:
        remedy = "quote a text that holds ': ', or correct the indentation"
    elif "end of stream" in said:
        remedy = "close the quote or bracket that starts here"
    elif "undefined alias" in said:
        remedy = "define the anchor (&name) before its alias, or quote a text that starts with '*'"
    return ContentError(location, f"is not valid YAML: {said}", remedy, "yaml-syntax")


class _Walk:
    """Values and places of one node graph."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.locations: dict[Path, Location] = {}
        self._constructor = SafeConstructor()
        self._open: set[int] = set()
        self._count = 0

    def value(self, node: yaml.Node, path: Path, depth: int) -> Any:
        self.locations.setdefault(path, _place(self.file, node))
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._error(node, f"expands to more than {MAX_VALUES:,} values", "use fewer aliases, or split the file")
        if depth > MAX_DEPTH:
            raise self._error(node, f"is nested more than {MAX_DEPTH} levels deep", "flatten it")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._error(node, "has an alias inside the value that it names", "remove the alias (*name)")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                self._plain_tag(node, "seq")
                return [self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)
            self._plain_tag(node, "map")
            return self._mapping(node, path, depth)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged.extend(value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node])
                continue
            key = self._key(key_node)
            if key in result:
                raise self._error(key_node, f"has the key '{key}' twice in one mapping", "remove or rename one", "duplicate")
            self.locations[(*path, key)] = _place(self.file, key_node)
            result[key] = self.value(value_node, (*path, key), depth + 1)
        for source in merged:
            # YAML merge key: what the mapping says itself wins, and an earlier source wins over a later one.
            if not isinstance(source, yaml.MappingNode):
                raise self._error(source, "merges ('<<') something that is not a mapping", "merge an alias of a mapping")
            inherited = _Walk(self.file)
            inherited._open = self._open
            inherited._count = self._count
            values = inherited.value(source, path, depth + 1)
            self._count = inherited._count
            for key, value in values.items():
                if key not in result:
                    result[key] = value
                    for inner, location in inherited.locations.items():
                        if inner[: len(path) + 1] == (*path, key):
                            self.locations.setdefault(inner, location)
        return result

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "has a list or mapping as a key", "use text as the key; quote a text that starts with '{', '[' or '?'")
        key = self._scalar(node)
        if not isinstance(key, str):
            raise self._error(
                node, f"has the key {node.value or 'null'!r}, which YAML reads as {_kind(key)}", "put the key in quotes", "wrong-type"
            )
        return key

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        kind = node.tag.removeprefix(_TAG)
        try:
            match kind:
                case "str" | "timestamp":
                    return node.value
                case "null":
                    return None
                case "bool":
                    return self._constructor.construct_yaml_bool(node)
                case "int":
                    return self._constructor.construct_yaml_int(node)
                case "float":
                    number = self._constructor.construct_yaml_float(node)
                    if math.isfinite(number):
                        return number
        except (ValueError, KeyError, OverflowError):
            pass
        if kind in ("bool", "int", "float"):
            raise self._error(node, f"has {_shortened(node.value)!r}, which is not a usable number", "write a number, or quote the text")
        raise self._error(
            node,
            f"has a value with the tag '{node.tag.replace(_TAG, '!!')}'",
            "remove the tag, or quote a text that starts with '!' or '='",
        )

    def _plain_tag(self, node: yaml.Node, kind: str) -> None:
        if node.tag != _TAG + kind:
            raise self._error(node, f"has a value with the tag '{node.tag.replace(_TAG, '!!')}'", "remove the tag")

    def _error(self, node: yaml.Node, problem: str, remedy: str, code: str = "yaml-syntax") -> ContentError:
        return ContentError(_place(self.file, node), problem, remedy, code)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return "a truth value" if isinstance(value, bool) else "a number"


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
