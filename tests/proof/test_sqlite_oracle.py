"""The reference against pysigma-backend-sqlite, an independent implementation of Sigma correlations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from an1498.model import CorrelationType
from an1498.proof.oracles import sqlite
from an1498.proof.synthetic import MAC, ZEEK, case

CASES: dict[CorrelationType, tuple[tuple[str, ...], Mapping[str, Any] | None]] = {
    CorrelationType.TEMPORAL_ORDERED: ((MAC, ZEEK), None),
    CorrelationType.TEMPORAL: ((MAC, ZEEK), None),
    CorrelationType.EVENT_COUNT: ((MAC,), {"gte": 3}),
    CorrelationType.VALUE_COUNT: ((ZEEK,), {"gte": 2, "field": "text"}),
    CorrelationType.VALUE_SUM: ((ZEEK,), {"gte": 500, "field": "number"}),
    CorrelationType.VALUE_AVG: ((ZEEK,), {"lt": 400, "field": "number"}),
    CorrelationType.VALUE_MEDIAN: ((ZEEK,), {"gte": 10, "field": "number"}),
    CorrelationType.VALUE_PERCENTILE: ((ZEEK,), {"gt": 443, "field": "number", "percentile": 90}),
}


@pytest.mark.parametrize("kind", CASES, ids=str)
def test_it_agrees(kind: CorrelationType) -> None:
    sensors, condition = CASES[kind]
    verdict = sqlite.compare(case(kind, sensors, window_s=300, condition=condition), seed=1498, streams=200, longest=14)
    assert verdict.comparisons == 200
    assert verdict.differences == ()
