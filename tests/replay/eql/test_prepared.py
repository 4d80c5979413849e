"""The interface: fields, options, ids, streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from an1498.errors import SearchSyntaxError
from an1498.model import Language
from an1498.replay.eql import prepare
from an1498.replay.table import load

Replay = Callable[..., list[dict[str, Any]]]


def test_fields_are_those_that_the_search_may_read() -> None:
    text = "sequence by a [x where b.keyword == 1 and length(?c) > 1] by d [any where not e in (1)] by f until [any where g] by h"
    prepared = prepare(text, tiebreaker="rank")
    expected = {"@timestamp", "rank", "event.category", "_id", "a", "b", "b.keyword", "c", "d", "e", "f", "g", "h"}
    assert prepared.fields == expected
    assert prepared.language is Language.EQL
    assert "event.category" not in prepare("any where true").fields


def test_events_come_in_time_order_under_their_id_or_number(replay: Replay) -> None:
    assert [row["events"] for row in replay("any where true", [{"@timestamp": 2}, {"@timestamp": 1}])] == [[1], [0]]
    named = [{"@timestamp": 1, "_id": "abc"}, {"@timestamp": 2}]
    assert replay("any where true", named) == [{"events": ["abc"], "join_keys": []}, {"events": [1], "join_keys": []}]


def test_streams_never_meet() -> None:
    streams = [[{"@timestamp": 1, "a": 1}], [{"@timestamp": 2, "a": 2}, {"@timestamp": 3, "a": 1}, {"@timestamp": 4, "a": 2}]]
    table = load(duckdb.connect(), "two", streams, flavour="elastic")
    rows = prepare("sequence [any where a == 1] [any where a == 2]").execute(table)
    assert [(row.stream, row.values["events"]) for row in rows] == [(1, [1, 2])]
    kept = prepare("any where true | head 1").execute(table)
    assert [(row.stream, row.values["events"]) for row in kept] == [(0, [0]), (1, [0])]


def test_head_and_tail_of_events(replay: Replay) -> None:
    events = [{"@timestamp": number} for number in range(5)]
    assert [row["events"][0] for row in replay("any where true | head 2", events)] == [0, 1]
    assert [row["events"][0] for row in replay("any where true | tail 2", events)] == [3, 4]
    assert [row["events"][0] for row in replay("any where true | tail 4 | head 2", events)] == [1, 2]
    assert replay("any where true | head 0", events) == []


def test_the_apis_field_parameters(replay: Replay) -> None:
    events = [{"t": 2, "cat": "x", "seq": 1}, {"t": 2, "cat": "x", "seq": 0}, {"t": 1, "cat": "y", "seq": 9}]
    options = {"timestamp_field": "t", "event_category_field": "cat", "tiebreaker": "seq"}
    assert [row["events"] for row in replay("x where true", events, **options)] == [[1], [0]]
    assert [row["events"] for row in replay("sequence [y where true] [x where seq == 0]", events, **options)] == [[2, 1]]


def test_missing_special_fields_are_unknown_columns(replay: Replay) -> None:
    with pytest.raises(SearchSyntaxError, match=r"Unknown column \[@timestamp\]"):
        replay("any where true", [{"a": 1}])
    with pytest.raises(SearchSyntaxError, match=r"search:1:1: eql: Unknown column \[event.category\]"):
        replay("process where true", [{"@timestamp": 1}])
    with pytest.raises(SearchSyntaxError, match=r"Unknown column \[rank\]"):
        replay("any where true", [{"@timestamp": 1}], tiebreaker="rank")


def test_no_events_give_no_rows(replay: Replay) -> None:
    assert replay("sequence by a [x where b == 1] [any where true]", []) == []


def test_hundreds_of_values_execute(replay: Replay) -> None:
    wanted = " or ".join(f'name : "value{number}*"' for number in range(400))
    assert [row["events"] for row in replay(f"any where {wanted}", [{"@timestamp": 1, "name": "VALUE399"}])] == [[0]]
