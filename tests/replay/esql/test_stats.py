"""STATS and INLINE STATS. Elasticsearch reference: "STATS", "ES|QL aggregation functions"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from an1498.errors import SearchSyntaxError, UnsupportedConstruct

Replay = Callable[..., list[dict[str, Any]]]

EVENTS: list[dict[str, Any]] = [
    {"g": "x", "n": 1, "d": 0.5, "ip": "9.0.0.1", "m": ["p", "q"]},
    {"g": "x", "n": 3, "d": 1.5, "ip": "10.0.0.1", "m": "p"},
    {"g": "y", "n": 5, "ip": "10.0.0.2"},
    {"n": 7, "m": ["q", "r"]},
]
MAPPING = {"ip": "ip"}


def stats(replay: Replay, aggregates: str) -> dict[str, Any]:
    rows = replay(f"FROM e | STATS {aggregates}", EVENTS, mapping=MAPPING)
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [
        ("COUNT(*)", 4),
        ("COUNT()", 4),
        ("COUNT(d)", 2),
        ("COUNT(m)", 5),
        ("COUNT(n > 2 OR null)", 3),
        ("COUNT_DISTINCT(m)", 3),
        ("COUNT_DISTINCT(g)", 2),
        ("SUM(n)", 16),
        ("SUM(d)", 2.0),
        ("AVG(n)", 4.0),
        ("AVG(d)", 1.0),
        ("MIN(d)", 0.5),
        ("MAX(g)", "y"),
        ("MAX(ip)", "10.0.0.2"),
        ("MIN(ip)", "9.0.0.1"),
        ("MIN(m)", "p"),
        ("MEDIAN(n)", 4.0),
        ("PERCENTILE(n, 25)", 2.5),
        ("PERCENTILE(n, 100)", 7.0),
        ("VALUES(g)", ["x", "y"]),
        ("VALUES(m)", ["p", "q", "r"]),
        ('TOP(n, 2, "desc")', [7, 5]),
        ("MAX(n) - MIN(n)", 6),
        ("ROUND(AVG(n) / 3, 2)", 1.33),
        ("SUM(n) + 1", 17),
    ],
)
def test_aggregates_ignore_nulls_and_count_every_value(replay: Replay, aggregate: str, value: object) -> None:
    assert stats(replay, f"x = {aggregate}") == {"x": value}


def test_without_rows_there_is_one_row_of_zero_counts_and_nulls(replay: Replay) -> None:
    search = "FROM e | WHERE n > 100 | STATS COUNT(*), COUNT(n), COUNT_DISTINCT(n), SUM(n), AVG(n), MAX(n), VALUES(g), MEDIAN(n)"
    assert list(replay(search, EVENTS)[0].values()) == [0, 0, 0, None, None, None, None, None]
    assert replay("FROM e | WHERE n > 100 | STATS COUNT(*) BY g", EVENTS) == []


def test_by_gives_the_aggregates_then_the_keys_and_null_is_a_group(replay: Replay) -> None:
    rows = replay("FROM e | STATS c = COUNT(*), s = SUM(n) BY g | SORT g", EVENTS)
    assert rows == [{"c": 2, "s": 4, "g": "x"}, {"c": 1, "s": 5, "g": "y"}, {"c": 1, "s": 7, "g": None}]
    assert list(rows[0]) == ["c", "s", "g"]


def test_a_row_counts_once_for_each_value_of_a_multivalued_key(replay: Replay) -> None:
    rows = replay("FROM e | STATS c = COUNT(*), v = VALUES(n) BY m | SORT m", EVENTS)
    assert rows == [
        {"c": 2, "v": [1, 3], "m": "p"},
        {"c": 2, "v": [1, 7], "m": "q"},
        {"c": 1, "v": 7, "m": "r"},
        {"c": 1, "v": 5, "m": None},
    ]


def test_equal_values_of_a_multivalued_key_count_a_row_once(replay: Replay) -> None:
    assert replay("FROM e | STATS c = COUNT(*) BY k", [{"k": [1, 1, 2]}]) == [{"c": 1, "k": 1}, {"c": 1, "k": 2}]


def test_each_aggregate_has_its_own_filter(replay: Replay) -> None:
    row = stats(replay, 'a = COUNT(*) WHERE n > 2, b = SUM(n) WHERE g == "x", c = AVG(n) WHERE g != "x"')
    assert row == {"a": 3, "b": 4, "c": 5.0}
    rows = replay("FROM e | STATS c = COUNT(*) WHERE n > 4 BY g | SORT g", EVENTS)
    assert rows == [{"c": 0, "g": "x"}, {"c": 1, "g": "y"}, {"c": 1, "g": None}]


def test_a_key_may_be_computed_and_an_unnamed_column_has_its_text(replay: Replay) -> None:
    rows = replay("FROM e | STATS COUNT(*), MAX(n) BY n % 2 == 1", EVENTS)
    assert rows == [{"COUNT(*)": 4, "MAX(n)": 7, "n % 2 == 1": True}]
    rows = replay("FROM e | STATS COUNT(*)  Where n > 4", EVENTS)
    assert rows == [{"COUNT(*)  Where n > 4": 2}]
    rows = replay("FROM e | STATS x = n + COUNT(*) BY n | SORT n | LIMIT 1", EVENTS)
    assert rows == [{"x": 2, "n": 1}]
    assert replay("FROM e | STATS u = TO_UPPER(g), COUNT(*) BY g | SORT g | LIMIT 1", EVENTS) == [{"u": "X", "COUNT(*)": 2, "g": "x"}]


def test_by_alone_gives_distinct_keys(replay: Replay) -> None:
    assert replay("FROM e | STATS BY g | SORT g", EVENTS) == [{"g": "x"}, {"g": "y"}, {"g": None}]


def test_an_average_of_whole_numbers_is_a_fraction_and_a_sum_too_large_is_null(replay: Replay) -> None:
    assert replay("FROM e | STATS AVG(n)", [{"n": 1}, {"n": 2}]) == [{"AVG(n)": 1.5}]
    assert replay("FROM e | STATS SUM(n)", [{"n": 2**62}, {"n": 2**62}, {"n": 2**62}]) == [{"SUM(n)": None}]


def test_dates_print_as_dates_in_every_aggregate(replay: Replay) -> None:
    events = [{"@timestamp": "2026-01-15T10:00:00.250Z"}, {"@timestamp": "2026-01-15T11:00:00Z"}]
    row = replay("FROM e | STATS a = MIN(@timestamp), b = VALUES(@timestamp)", events)[0]
    assert row == {"a": "2026-01-15T10:00:00.250Z", "b": ["2026-01-15T10:00:00.250Z", "2026-01-15T11:00:00.000Z"]}


def test_inline_stats_keeps_the_rows_and_joins_null_keys(replay: Replay) -> None:
    rows = replay("FROM e | KEEP g, n | INLINE STATS most = MAX(n) BY g | SORT n", EVENTS)
    assert rows == [
        {"n": 1, "most": 3, "g": "x"},
        {"n": 3, "most": 3, "g": "x"},
        {"n": 5, "most": 5, "g": "y"},
        {"n": 7, "most": 7, "g": None},
    ]
    rows = replay("FROM e | KEEP n | INLINE STATS c = COUNT(*) | SORT n | LIMIT 1", EVENTS)
    assert rows == [{"n": 1, "c": 4}]


def test_estimates_are_refused(replay: Replay) -> None:
    many = [{"n": number} for number in range(3001)]
    with pytest.raises(UnsupportedConstruct, match="COUNT_DISTINCT of more than 3000 values"):
        replay("FROM e | STATS COUNT_DISTINCT(n)", many)
    assert replay("FROM e | STATS c = COUNT_DISTINCT(n, 4000)", many) == [{"c": 3001}]
    with pytest.raises(UnsupportedConstruct, match="percentile of more than 20000 values"):
        replay("FROM e | STATS MEDIAN(n)", [{"n": number} for number in range(20_001)])


@pytest.mark.parametrize(
    ("search", "error", "place"),
    [
        ("FROM e | WHERE MAX(n) > 1", SearchSyntaxError, "search:1:16"),
        ("FROM e | STATS d, COUNT(*) BY g", SearchSyntaxError, "search:1:16"),
        ("FROM e | STATS WEIGHTED_AVG(n, n)", UnsupportedConstruct, "search:1:16"),
        ("FROM e | STATS SUM(g)", SearchSyntaxError, "search:1:16"),
        ("FROM e | STATS PERCENTILE(n, 101)", SearchSyntaxError, "search:1:16"),
        ("FROM e | STATS a = COUNT(*), a = SUM(n)", UnsupportedConstruct, "search:1:30"),
        ("FROM e | INLINE STATS COUNT(*) BY m", UnsupportedConstruct, "search:1:10"),
    ],
)
def test_wrong_aggregates_are_refused_at_their_place(replay: Replay, search: str, error: type[Exception], place: str) -> None:
    with pytest.raises(error, match=place):
        replay(search, EVENTS, mapping=MAPPING)
