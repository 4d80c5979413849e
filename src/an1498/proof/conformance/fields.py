"""The fields of a case, with the types that a store of types gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from an1498.model import FieldType
from an1498.proof.conformance.cases import ConformanceCase


def field_types(case: ConformanceCase) -> dict[str, FieldType]:
    """Every field that an event has or a rule names, sorted; one without values is a keyword."""
    found = _values(case)
    return {name: _type(found.get(name, [])) for name in sorted({*found, *_named(case)})}


def _values(case: ConformanceCase) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for _, fields in case.events:
        for name, value in fields.items():
            found.setdefault(name, []).append(value)
    return found


def _named(case: ConformanceCase) -> Iterator[str]:
    """Fields that the rules name though no event may have them."""
    for document in case.documents:
        body = document.get("correlation", {})
        aliases = body.get("aliases", {})
        groups = body.get("group-by", [])
        yield from (name for name in ([groups] if isinstance(groups, str) else groups) if name not in aliases)
        for mapping in aliases.values():
            yield from mapping.values()
        condition = body.get("condition")
        if isinstance(condition, Mapping) and "field" in condition:
            yield from [condition["field"]] if isinstance(condition["field"], str) else condition["field"]
        for name, selection in document.get("detection", {}).items():
            if name != "condition" and isinstance(selection, Mapping):
                yield from (key.split("|")[0] for key in selection)


def _type(values: list[Any]) -> FieldType:
    kinds = {type(item) for value in values for item in (value if isinstance(value, list) else [value])}
    if kinds == {bool}:
        return FieldType.BOOLEAN
    if kinds == {int}:
        return FieldType.LONG
    return FieldType.DOUBLE if kinds and kinds <= {int, float} else FieldType.KEYWORD
