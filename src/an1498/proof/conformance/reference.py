"""What design.md section 4 says of a case, by the brute-force reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sigma.rule import SigmaRule

from an1498.content.durations import seconds
from an1498.model import Condition, CorrelationType
from an1498.proof.conformance.cases import ConformanceCase, group_by, key_text
from an1498.proof.reference import Firing, Group, Observation, Spec, firings
from an1498.proof.sigma_match import matcher

_OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")


def reference_firings(case: ConformanceCase) -> frozenset[Firing]:
    """The alerts of the case's last rule."""
    by_name = {str(document["name"]): document for document in case.documents}
    return frozenset(_correlate(case.document, by_name, case))


def _correlate(document: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]], case: ConformanceCase) -> set[Firing]:
    names = tuple(document["correlation"]["rules"])
    detections = {name: matcher(SigmaRule.from_dict(dict(by_name[name]))) for name in names if "detection" in by_name[name]}
    observations = [
        Observation(time, {name: _group(document, name, fields) for name, matches in detections.items() if matches(fields)}, fields)
        for time, fields in case.events
    ]
    for name in names:
        if name in detections:
            continue
        keys = group_by(by_name[name])
        for group, time in _correlate(by_name[name], by_name, case):
            fields = dict(zip(keys, group, strict=True))
            observations.append(Observation(time, {name: _group(document, name, fields)}, fields))
    return firings(_spec(document), observations)


def _spec(document: Mapping[str, Any]) -> Spec:
    body = document["correlation"]
    span = seconds(str(body["timespan"]))
    if span is None:
        raise ValueError(f"timespan {body['timespan']}")
    return Spec(CorrelationType(body["type"]), tuple(body["rules"]), span * 1000, _condition(body.get("condition")))


def _condition(condition: Mapping[str, Any] | str | None) -> Condition:
    if condition is None:
        return Condition()
    if isinstance(condition, str):
        return Condition(expression=condition)
    fields = condition.get("field", ())
    return Condition(
        tuple((operator, float(condition[operator])) for operator in _OPERATORS if operator in condition),
        (fields,) if isinstance(fields, str) else tuple(fields),
        condition.get("percentile"),
    )


def _group(document: Mapping[str, Any], name: str, fields: Mapping[str, Any]) -> Group | None:
    aliases = document["correlation"].get("aliases", {})
    values = [fields.get(aliases[key].get(name, key) if key in aliases else key) for key in group_by(document)]
    return None if None in values else tuple(key_text(value) for value in values)
