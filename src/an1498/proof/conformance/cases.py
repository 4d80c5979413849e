"""A case of the conformance suite: Sigma rules (the last one is the correlation), flat events with a `time`, the alerts to expect, and why.

The suite knows nothing of this pack: anyone can run it against another converter or engine (conformance/README.md has the format).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from an1498.errors import ContentError, Location, UsageError
from an1498.model import CorrelationType
from an1498.proof.reference import Firing
from an1498.replay.table import epoch_microseconds

PRODUCT, SERVICE = "conformance", "events"
_KEYS = {"case", "topics", "why", "rules", "events", "expect"}
_REMEDY = "see conformance/README.md for the format"


@dataclass(frozen=True, slots=True)
class ConformanceCase:
    """One case. `documents` are the Sigma rules as mappings, the correlation last; `events` are (milliseconds since the epoch, fields
    without `time`) in order of arrival."""

    name: str
    topics: tuple[str, ...]
    why: str
    documents: tuple[Mapping[str, Any], ...]
    events: tuple[tuple[int, Mapping[str, Any]], ...]
    expected: frozenset[Firing]

    @property
    def document(self) -> Mapping[str, Any]:
        """The rule that is tested."""
        return self.documents[-1]

    @property
    def correlation(self) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self.document["correlation"]
        return body

    @property
    def type(self) -> CorrelationType:
        return CorrelationType(self.correlation["type"])

    @property
    def group_by(self) -> tuple[str, ...]:
        return group_by(self.document)


def group_by(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The group-by names of a correlation document."""
    names = document["correlation"].get("group-by", ())
    return (names,) if isinstance(names, str) else tuple(names)


def key_text(value: Any) -> str:
    """A group key as the expectations write it: text as it is, numbers and booleans as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value)


def load_cases(directory: Path) -> list[ConformanceCase]:
    """All cases of a directory, by name. Raises ContentError for a file that is not a case, UsageError where there is none."""
    if not directory.is_dir():
        raise UsageError(f"{directory} is not a directory with conformance cases")
    paths = sorted(directory.glob("*.yml"))
    if not paths:
        raise UsageError(f"{directory} has no conformance case (*.yml)")
    return [load_case(path) for path in paths]


def load_case(path: Path) -> ConformanceCase:
    """One case. Raises ContentError."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        if unknown := set(data) - _KEYS:
            raise KeyError(f"unknown key {', '.join(sorted(unknown))}")
        documents = tuple(data["rules"])
        keys = group_by(documents[-1])
        CorrelationType(documents[-1]["correlation"]["type"])
        return ConformanceCase(
            name=data["case"],
            topics=tuple(data["topics"]),
            why=data["why"],
            documents=documents,
            events=tuple(_events(data["events"])),
            expected=frozenset(
                (tuple(key_text(alert["group"][key]) for key in keys), epoch_microseconds(alert["time"]) // 1000)
                for alert in data["expect"]
            ),
        )
    except (yaml.YAMLError, UsageError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise ContentError(Location(str(path)), f"not a conformance case ({error})", _REMEDY) from error


def _events(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for record in records:
        fields = {key: value for key, value in record.items() if key != "time"}
        yield epoch_microseconds(record["time"]) // 1000, fields
