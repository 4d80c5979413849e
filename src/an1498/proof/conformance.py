"""The conformance suite: correlation cases as data, and who passes them.

A case is a YAML file: Sigma rules (the last one is the correlation), flat events with a `time`, and the alerts to expect with the
reason why. The suite knows nothing of this pack: anyone can run it against another converter or engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule, SigmaExtendedCorrelationCondition
from sigma.rule import SigmaRule

from an1498.errors import ContentError, Location
from an1498.model import Condition, CorrelationType
from an1498.proof.reference import Firing, Group, Observation, Spec, firings
from an1498.proof.sigma_match import matcher
from an1498.replay.table import epoch_microseconds


@dataclass(frozen=True, slots=True)
class ConformanceCase:
    """One case. `documents` are the Sigma rules as mappings, the correlation last; events keep their fields without `time`."""

    name: str
    topics: tuple[str, ...]
    why: str
    documents: tuple[Mapping[str, Any], ...]
    events: tuple[tuple[int, Mapping[str, Any]], ...]
    group_by: tuple[str, ...]
    expected: frozenset[Firing]

    @property
    def correlation(self) -> Mapping[str, Any]:
        return self.documents[-1]


def load_cases(directory: Path) -> list[ConformanceCase]:
    """All cases of a directory, by name. Raises ContentError for a file that is not a case."""
    return [_load(path) for path in sorted(directory.glob("*.yml"))]


def reference_firings(case: ConformanceCase) -> frozenset[Firing]:
    """What design.md section 4 says of the case, by the brute-force reference."""
    collection = SigmaCollection.from_dicts([dict(document) for document in case.documents])
    rule = collection[str(case.correlation["name"])]
    if not isinstance(rule, SigmaCorrelationRule):
        raise ContentError(Location(case.name), "the last rule of a case is not a correlation")
    return frozenset(_correlate(rule, case.events))


def _correlate(rule: SigmaCorrelationRule, events: Sequence[tuple[int, Mapping[str, Any]]]) -> set[Firing]:
    observations: list[Observation] = []
    detections = [(ref.rule, matcher(ref.rule)) for ref in rule.referenced_rules if isinstance(ref.rule, SigmaRule)]
    for time, fields in events:
        groups = {_name(child): _group(rule, child, fields) for child, matches in detections if matches(fields)}
        observations.append(Observation(time, groups, {**fields}))
    for ref in rule.referenced_rules:
        if isinstance(ref.rule, SigmaCorrelationRule):
            keys = tuple(ref.rule.group_by or ())
            for group, time in _correlate(ref.rule, events):
                fields = dict(zip(keys, group, strict=True))
                observations.append(Observation(time, {_name(ref.rule): _group(rule, ref.rule, fields)}, fields))
    return firings(_spec(rule), observations)


def _spec(rule: SigmaCorrelationRule) -> Spec:
    condition = rule.condition
    names = tuple(_name(ref.rule) for ref in rule.referenced_rules)
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        meaning = Condition(expression=condition.expression)
    elif rule.type.name.startswith("TEMPORAL"):
        meaning = Condition()
    else:
        fields = condition.fieldref or ()
        meaning = Condition(
            ((condition.op.name.lower(), float(condition.count)),),
            (fields,) if isinstance(fields, str) else tuple(fields),
            condition.percentile,
        )
    return Spec(CorrelationType(rule.type.name.lower()), names, rule.timespan.seconds * 1000, meaning)


def _group(rule: SigmaCorrelationRule, child: SigmaRule | SigmaCorrelationRule, fields: Mapping[str, Any]) -> Group | None:
    aliases = {alias.alias: field for alias in rule.aliases for ref, field in alias.mapping.items() if ref.reference == _name(child)}
    values = [fields.get(aliases.get(key, key)) for key in rule.group_by or ()]
    return None if None in values else tuple(str(value) for value in values)


def _name(rule: SigmaRule | SigmaCorrelationRule) -> str:
    return str(rule.name)


def _load(path: Path) -> ConformanceCase:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        documents = tuple(data["rules"])
        group_by = tuple(documents[-1]["correlation"].get("group-by", ()))
        return ConformanceCase(
            name=data["case"],
            topics=tuple(data["topics"]),
            why=data["why"],
            documents=documents,
            events=tuple(_events(data["events"])),
            group_by=group_by,
            expected=frozenset(
                (tuple(str(alert["group"][key]) for key in group_by), epoch_microseconds(alert["time"]) // 1000) for alert in data["expect"]
            ),
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ContentError(Location(str(path)), f"not a conformance case ({error})", "see conformance/README.md for the format") from error


def _events(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for record in records:
        fields = {key: value for key, value in record.items() if key != "time"}
        yield epoch_microseconds(record["time"]) // 1000, fields
