"""Zeek's JSON logs: one object a line, dotted keys or nested objects, underscores instead of dots where a shipper changed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from an1498.telemetry.reject import Malformed
from an1498.telemetry.zeek_logs import FIELD_TYPES, OTHER_TYPES, OTHER_UNDOTTED, UNDOTTED
from an1498.telemetry.zeek_values import json_value


def record(log: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an object under their native names; null is left out, `_path` too. Known fields are checked. Raises Malformed."""
    types, undotted = FIELD_TYPES.get(log, OTHER_TYPES), UNDOTTED.get(log, OTHER_UNDOTTED)
    found: dict[str, Any] = {}
    for key, value in _leaves(document, "", types):
        name = undotted.get(key, key)
        if name in found:
            raise Malformed(f"the field '{name}' stands in the record twice", "write each field once, under one spelling")
        try:
            found[name] = json_value(types[name], value) if name in types else value
        except Malformed as error:
            raise Malformed(f"'{name}': {error.problem}", error.remedy) from None
    found.pop("_path", None)
    return found


def _leaves(document: Mapping[str, Any], prefix: str, types: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        name = prefix + key
        if isinstance(value, dict) and name not in types:
            yield from _leaves(value, f"{name}.", types)
        elif value is not None:
            yield name, value
