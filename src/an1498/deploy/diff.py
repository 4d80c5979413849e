"""Differences that a person can read: field by field, as unified lines."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from an1498.deploy.objects import same


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field; `lines` begin with `-`, `+`, a blank, or are `@@ … @@`."""

    field: str
    lines: tuple[str, ...]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldDiff, ...]:
    """The fields of `new` that differ from `old`, sorted by name."""
    return tuple(FieldDiff(field, _lines(old.get(field), new[field])) for field in sorted(new) if not same(old.get(field), new[field]))


def _lines(old: Any, new: Any) -> tuple[str, ...]:
    found = list(difflib.unified_diff(_text(old), _text(new), n=1, lineterm=""))[2:]
    # A single hunk needs no place.
    return tuple(found[1:] if sum(line.startswith("@@") for line in found) == 1 else found)


def _text(value: Any) -> list[str]:
    if value is None:
        return []
    text = value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    return [printable(line) for line in text.split("\n")]


def printable(text: str) -> str:
    """What a terminal may be given: a SIEM's texts can hold control sequences."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
