"""The reference itself, against cases worked by hand from design.md section 4."""

from __future__ import annotations

import pytest

from an1498.model import Condition, CorrelationType
from an1498.proof.reference import Firing, Observation, Spec, Value, firings


def at(seconds: float, *rules: str, group: str | None = "h", **values: Value | None) -> Observation:
    return Observation(round(seconds * 1000), dict.fromkeys(rules, None if group is None else (group,)), values)


def fired(*moments: float, group: str = "h") -> set[Firing]:
    return {((group,), round(moment * 1000)) for moment in moments}


ORDERED_CASES = {
    "pair": ([at(0, "a"), at(5, "b")], fired(5)),
    "exactly W": ([at(0, "a"), at(300, "b")], fired(300)),
    "W + 1 ms": ([at(0, "a"), at(300.001, "b")], set()),
    "reversed": ([at(0, "b"), at(5, "a")], set()),
    "tie": ([at(5, "a"), at(5, "b")], set()),
    "tie hides no earlier stage": ([at(0, "a"), at(5, "a"), at(5, "b")], fired(5)),
    "two ties complete once": ([at(0, "a"), at(5, "b"), at(5, "b")], fired(5)),
    "consumed": ([at(0, "a"), at(5, "b"), at(6, "b")], fired(5)),
    "newer replaces": ([at(0, "a"), at(200, "a"), at(400, "b")], fired(400)),
    "other group": ([at(0, "a"), at(5, "b", group="x")], set()),
    "missing key": ([at(0, "a", group=None), at(5, "b", group=None)], set()),
    "any arrival order": ([at(5, "b"), at(0, "a")], fired(5)),
    "one event, both stages": ([at(0, "a", "b"), at(5, "a", "b")], fired(5)),
}


@pytest.mark.parametrize("case", ORDERED_CASES, ids=str)
def test_two_stages(case: str) -> None:
    events, expected = ORDERED_CASES[case]
    assert firings(Spec(CorrelationType.TEMPORAL_ORDERED, ("a", "b"), 300_000), events) == expected


def test_three_stages_carry_the_first_time() -> None:
    spec = Spec(CorrelationType.TEMPORAL_ORDERED, ("a", "b", "c"), 10_000)
    assert firings(spec, [at(0, "a"), at(1, "b"), at(2, "a"), at(3, "c")]) == fired(3)
    assert firings(spec, [at(0, "a"), at(9, "b"), at(10.001, "c")]) == set()
    assert firings(spec, [at(0, "a"), at(1, "b"), at(4, "a"), at(5, "b"), at(14, "c")]) == fired(14)


def test_skew_orders_by_shifted_time_and_measures_real_time() -> None:
    spec = Spec(CorrelationType.TEMPORAL_ORDERED, ("a", "b"), 10_000, skew_ms=2_000, sensors={"a": "mac", "b": "zeek"})
    assert firings(spec, [at(2, "a"), at(0.5, "b")]) == fired(0.5)
    assert firings(spec, [at(2, "a"), at(0, "b")]) == set()
    assert firings(spec, [at(0, "a"), at(10.001, "b")]) == set()


def test_count_fires_on_rising_edges_only() -> None:
    spec = Spec(CorrelationType.EVENT_COUNT, ("a",), 10_000, Condition((("gte", 3),)))
    burst = [at(0, "a"), at(1, "a"), at(10, "a"), at(11, "a"), at(21.001, "a"), at(22, "a"), at(23, "a")]
    assert firings(spec, burst) == fired(10, 23)
    assert firings(spec, [at(0, "a"), at(1, "a"), at(10.001, "a")]) == set()
    assert firings(spec, [at(0, "a"), at(0, "a"), at(0, "a")]) == fired(0)


def test_distinct_values_ignore_missing_ones() -> None:
    spec = Spec(CorrelationType.VALUE_COUNT, ("a",), 10_000, Condition((("gte", 2),), ("d",)))
    assert firings(spec, [at(0, "a", d="x"), at(1, "a", d="x"), at(2, "a", d=None), at(3, "a", d="y")]) == fired(3)


def test_boolean_condition() -> None:
    spec = Spec(CorrelationType.TEMPORAL, ("a", "b", "c"), 5_000, Condition(expression="a and not (b or c)"))
    assert firings(spec, [at(0, "b"), at(1, "a"), at(6, "a")]) == fired(6)
