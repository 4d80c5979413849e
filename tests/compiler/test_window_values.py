"""Sums, averages, medians and percentiles over random streams, against the reference: ranges, all operators, text, no drift."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from an1498.compiler import compile_search
from an1498.model import CorrelationType, Language
from an1498.proof import synthetic
from an1498.proof.differential import TARGET_OF, compare, execute
from an1498.proof.reference import Observation, firings
from an1498.proof.streams import draw
from an1498.proof.synthetic import MAC, ZEEK
from an1498.replay.alerts import index_streams

TARGETS = {language: TARGET_OF[language] for language in (Language.SPL, Language.ESQL)}
STREAMS = 120
SUM, AVERAGE = CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG
MEDIAN, PERCENTILE = CorrelationType.VALUE_MEDIAN, CorrelationType.VALUE_PERCENTILE


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        (SUM, {"gte": 900}),
        (SUM, {"gt": 443, "lte": 8443}),
        (SUM, {"lt": 444}),
        (AVERAGE, {"gte": 300}),
        (AVERAGE, {"lte": 10.5}),
        (MEDIAN, {"gte": 5}),
        (MEDIAN, {"gt": 10, "lt": 443}),
        (MEDIAN, {"eq": 443}),
        (MEDIAN, {"neq": 10}),
        (PERCENTILE, {"gte": 443, "percentile": 95}),
        (PERCENTILE, {"lte": 9, "percentile": 12.5}),
        (PERCENTILE, {"lt": 8443, "percentile": 100}),
        (PERCENTILE, {"gte": 10, "percentile": 0}),
    ],
)
@pytest.mark.parametrize("sensors", [(ZEEK,), (MAC, MAC)], ids=["zeek", "macos"])
def test_random_streams(kind: CorrelationType, condition: Mapping[str, Any], sensors: Sequence[str]) -> None:
    case = synthetic.case(kind, sensors, window_s=300, condition={**condition, "field": "number"})
    found = compare(case, seed=3, streams=STREAMS, longest=16, targets=TARGETS)
    assert found.alerts > 20
    assert found.streams == {Language.SPL: STREAMS, Language.ESQL: STREAMS}
    assert not found.differences
    assert not found.declared


@pytest.mark.parametrize(
    ("kind", "condition", "choices"),
    [
        # Text that is no number is no value, but its event is an event time.
        (SUM, {"gte": 15}, ("12", "3.5", "007", "abc", "", "1 2", None)),
        (MEDIAN, {"gte": 5}, ("12", "3.5", "007", "abc", "-4", None)),
        # A value of 10^15 leaves no rounding error behind in a sum of tenths.
        (SUM, {"gte": 0.85}, ("0.1", "0.2", "0.7", "1000000000000000")),
        (AVERAGE, {"lt": 0.145}, ("0.1", "0.2", "0.7", "1000000000000000")),
    ],
)
def test_splunk_reads_numbers_from_text(
    kind: CorrelationType, condition: Mapping[str, Any], choices: Sequence[str | None], tmp_path: Path
) -> None:
    case = synthetic.case(kind, (ZEEK,), window_s=300, condition={**condition, "field": "text"})
    [name] = case.spec.condition.fields
    case = replace(case, population=replace(case.population, values={name: choices}))
    built = synthetic.load(case, tmp_path)
    rng = random.Random(8)
    drawn = [draw(case.spec, case.population, rng, 16) for _ in range(STREAMS)]
    wanted = [firings(case.spec, [_numbers(event.observation, name) for event in stream]) for stream in drawn]
    events = [[synthetic.native_event(case, event) for event in stream] for stream in drawn]
    table = index_streams(duckdb.connect(), built.targets["splunk"], events)
    assert execute(built, compile_search(built, synthetic.NAME, "splunk", Language.SPL), table) == wanted
    assert sum(map(len, wanted)) > 20


def _numbers(event: Observation, name: str) -> Observation:
    try:
        number = float(str(event.values[name]))
    except ValueError:
        return replace(event, values={name: None})
    return replace(event, values={name: number if math.isfinite(number) else None})


@pytest.mark.parametrize(
    ("kind", "sensors", "condition"),
    [
        (CorrelationType.EVENT_COUNT, (MAC, ZEEK), {"gte": 2, "lt": 4}),
        (CorrelationType.EVENT_COUNT, (ZEEK,), {"neq": 2}),
        (CorrelationType.VALUE_COUNT, (ZEEK,), {"gte": 2, "lt": 3, "field": "text"}),
        (CorrelationType.VALUE_COUNT, (ZEEK, ZEEK), {"gt": 1, "lte": 3, "field": ["text", "second", "number"]}),
        (CorrelationType.VALUE_COUNT, (MAC,), {"eq": 0, "field": ["text", "second"]}),
        (CorrelationType.TEMPORAL, (MAC, ZEEK), {"gte": 1, "lt": 2}),
    ],
)
def test_ranges_and_combinations_of_counts(kind: CorrelationType, sensors: Sequence[str], condition: Mapping[str, Any]) -> None:
    case = synthetic.case(kind, sensors, window_s=300, condition=condition)
    found = compare(case, seed=4, streams=STREAMS, longest=16, targets=TARGETS)
    assert found.alerts > 20
    assert found.streams == {Language.SPL: STREAMS, Language.ESQL: STREAMS}
    assert not found.differences


@pytest.mark.parametrize(("kind", "condition"), [(SUM, {"gte": 900}), (CorrelationType.VALUE_COUNT, {"gte": 2}), (MEDIAN, {"lt": 300})])
def test_an_alias_names_a_value_of_each_sensor(kind: CorrelationType, condition: Mapping[str, Any], tmp_path: Path) -> None:
    own = {MAC: "threadID", ZEEK: "id.resp_p"}
    case = synthetic.case(kind, (MAC, ZEEK), window_s=300, condition={**condition, "field": "number"})
    aliases = {**case.correlation["aliases"], "amount": {rule: own[sensor] for rule, sensor in case.spec.sensors.items()}}
    body = {**case.correlation, "aliases": aliases, "condition": {**condition, "field": "amount"}}
    choices = case.population.values["threadID"]
    case = replace(case, correlation=body, population=replace(case.population, values=dict.fromkeys(own.values(), choices)))
    built = synthetic.load(case, tmp_path)
    rng = random.Random(6)
    drawn = [draw(case.spec, case.population, rng, 16) for _ in range(STREAMS)]
    [name] = case.spec.condition.fields
    # Each event has its own sensor's field only, under the name that the reference's condition has.
    seen = [
        [replace(event.observation, values={name: event.observation.values[own[event.sensor]]}) for event in stream] for stream in drawn
    ]
    wanted = [firings(case.spec, stream) for stream in seen]
    events = [
        [
            synthetic.native_event(
                case,
                replace(
                    event,
                    observation=replace(event.observation, values={own[event.sensor]: event.observation.values[own[event.sensor]]}),
                ),
            )
            for event in stream
        ]
        for stream in drawn
    ]
    for language, target in ((Language.SPL, "splunk"), (Language.ESQL, "elastic")):
        table = index_streams(duckdb.connect(), built.targets[target], events)
        assert execute(built, compile_search(built, synthetic.NAME, target, language), table) == wanted
    assert sum(map(len, wanted)) > 20
