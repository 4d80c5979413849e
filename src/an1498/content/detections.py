"""The detection part of rules and filters: structure, modifiers, values, placeholders (Sigma specification 2.1, "Detection").

What passes here can be read by pySigma without an error of its own, so that a mistake is reported once, with its place.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from an1498.content.conditions import check_condition
from an1498.content.node import Node, suggestion

# Sigma specification 2.1, appendix "Modifiers", as far as pySigma 1.5 knows them.
# fmt: off
MODIFIERS = frozenset(
    {
        "all", "base64", "base64offset", "cased", "cidr", "contains", "day", "dotall", "endswith", "exists", "expand", "fieldref",
        "gt", "gte", "hour", "i", "ignorecase", "lt", "lte", "m", "minute", "month", "multiline", "neq", "re", "s", "startswith",
        "utf16", "utf16be", "week", "wide", "windash", "year",
    }
)
# fmt: on
PLACEHOLDER = re.compile(r"(?<!\\)%([A-Za-z0-9_]+)%")

_NUMERIC = frozenset({"gt", "gte", "lt", "lte"})
_REGEX_FLAGS = frozenset({"i", "ignorecase", "m", "multiline", "s", "dotall"})
_TEXT_ONLY = frozenset({"contains", "startswith", "endswith", "re", "cidr", "base64", "base64offset", "fieldref"})


@dataclass(frozen=True, slots=True)
class FieldTest:
    """One `field|modifiers: values` of a detection; `field` is empty for a keyword. `node` is the place of the key."""

    selection: str
    field: str
    modifiers: tuple[str, ...]
    values: tuple[Any, ...]
    node: Node

    @property
    def placeholders(self) -> tuple[str, ...]:
        if "expand" not in self.modifiers:
            return ()
        return tuple(name for value in self.values if isinstance(value, str) for name in PLACEHOLDER.findall(value))


def field_tests(detection: Node, other_keys: Collection[str] = ("condition",)) -> Iterator[FieldTest]:
    """All field tests of a `detection` or `filter` mapping that has been checked."""
    for name, selection in detection.entries().items():
        if name not in other_keys:
            yield from _selection_tests(name, selection)


def _selection_tests(name: str, node: Node) -> Iterator[FieldTest]:
    if isinstance(node.value, Mapping):
        for key, value in node.entries().items():
            field, *modifiers = key.split("|")
            values = value.value if isinstance(value.value, list) else [value.value]
            yield FieldTest(name, field, tuple(modifiers), tuple(values), value)
    elif isinstance(node.value, list):
        for item in node.items():
            yield from _selection_tests(name, item)
    else:
        yield FieldTest(name, "", (), (node.value,), node)


def check_detection(detection: Node, other_keys: Collection[str] = ("condition",)) -> None:
    """Raises ContentError where a `detection` (or `filter`) mapping is malformed."""
    entries = detection.entries()
    condition = detection.require("condition")
    selections = {name: node for name, node in entries.items() if name not in other_keys}
    if not selections:
        raise detection.error(f"'{detection.name}' has no selection", "add a selection and name it in the condition", "missing-key")
    for name, node in selections.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise node.error(f"selection name '{name}' has characters other than letters, digits, _ and -", "rename it")
        _check_selection(node)
    if isinstance(condition.value, list):
        raise condition.error("'condition' is a list", "write one condition; join alternatives with 'or'", "wrong-type")
    check_condition(condition, selections, what="selection")


def _check_selection(node: Node) -> None:
    if isinstance(node.value, Mapping):
        tests = node.entries()
        if not tests:
            raise node.error(f"'{node.name}' is an empty mapping, which would match every event", "add a field, or remove it")
        for key, value in tests.items():
            _check_test(key, value)
    elif isinstance(node.value, list):
        items = node.items()
        if not items:
            raise node.error(f"'{node.name}' is an empty list", "add an item, or remove it")
        for item in items:
            if isinstance(item.value, list):
                raise item.error(f"'{item.name}' is a list inside a list", "write a mapping (field: value)", "wrong-type")
            if isinstance(item.value, Mapping):
                _check_selection(item)
            else:
                _check_value(item, (), keyword=True)
    else:
        raise node.wrong_type("a mapping of fields or a list", "write 'field: value' below the selection's name")


def _check_test(key: str, node: Node) -> None:
    field, *modifiers = key.split("|")
    if field != field.strip() or any(character.isspace() for character in field):
        raise node.error(f"field name '{field}' has a space", "remove it")
    for number, modifier in enumerate(modifiers):
        if modifier not in MODIFIERS:
            raise node.error(f"unknown modifier '{modifier}'", suggestion(modifier, MODIFIERS), "unknown-key")
        if modifier in modifiers[:number]:
            raise node.error(f"modifier '{modifier}' stands twice", "remove one", "duplicate")
    if "re" in modifiers and "expand" in modifiers:
        raise node.error("'re' and 'expand' stand together, which would read parameters as regular expressions", "use contains|expand")
    if _REGEX_FLAGS.intersection(modifiers) and "re" not in modifiers:
        raise node.error("a regular expression flag stands without 're'", "add 're' before it, or remove the flag")
    if "all" in modifiers and not isinstance(node.value, list):
        raise node.error("'all' needs a list of values", "write a list, or remove 'all'")
    values = node.items() if isinstance(node.value, list) else [node]
    if not values:
        raise node.error(f"'{node.name}' is an empty list, which matches nothing", "add a value, or remove the field")
    for value in values:
        _check_value(value, modifiers)
    if "expand" in modifiers and not any(isinstance(value.value, str) and PLACEHOLDER.search(value.value) for value in values):
        raise node.error("'expand' has no %parameter% in its values", "write a parameter's name between percent signs, or remove 'expand'")


def _check_value(node: Node, modifiers: Collection[str], *, keyword: bool = False) -> None:
    value = node.value
    if isinstance(value, list | Mapping):
        raise node.wrong_type("a single value", "write text, a number, true, false or null")
    if value is None and (keyword or set(modifiers) - {"neq"}):
        raise node.error(
            f"'{node.name}' is null, which cannot go with a modifier or stand alone", "write a value, or 'field: null'", "wrong-type"
        )
    if isinstance(value, str) and "\0" in value:
        raise node.error(f"'{node.name}' holds a NUL character", "remove it")
    if "exists" in modifiers and not isinstance(value, bool):
        raise node.wrong_type("true or false")
    if _NUMERIC.intersection(modifiers) and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise node.wrong_type("a number", "write a number without quotes")
    if _TEXT_ONLY.intersection(modifiers) and not isinstance(value, str):
        raise node.wrong_type("text", "put the value in quotes")
    if isinstance(value, str):
        _check_text(node, value, modifiers)


def _check_text(node: Node, value: str, modifiers: Collection[str]) -> None:
    if {"contains", "startswith", "endswith"}.intersection(modifiers) and not value:
        raise node.error("an empty text with contains, startswith or endswith matches every event", "write a text")
    if "cidr" in modifiers and "expand" not in modifiers:
        try:
            ipaddress.ip_network(value)
        except ValueError as error:
            raise node.error(f"'{value}' is not a network: {error}", "write it as 10.0.0.0/8 or fd00::/8, without host bits") from None
    if "re" in modifiers:
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise node.error(f"'{value[:60]}' is not a regular expression: {error}", "correct it") from None
