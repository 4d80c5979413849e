"""Commands. Elasticsearch reference: "ES|QL source commands", "ES|QL processing commands", one page per command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from an1498.model import FieldType
from an1498.replay.esql import prepare
from an1498.replay.lookup import Lookup
from an1498.replay.table import load

Replay = Callable[..., list[dict[str, Any]]]


def test_from_gives_every_field_by_name_and_leaves_metadata_out(replay: Replay) -> None:
    rows = replay("FROM logs-*", [{"_id": "x", "b": 1, "a": {"c": 2}}, {"b": 3}])
    assert rows == [{"a.c": 2, "b": 1}, {"a.c": None, "b": 3}]
    assert list(rows[0]) == ["a.c", "b"]


def test_metadata_gives_the_id_or_the_place_of_the_event(replay: Replay) -> None:
    rows = replay("FROM logs-* METADATA _id, _index, _version | KEEP _id, _index, _version", [{"_id": "x", "a": 1}, {"a": 2}])
    assert rows == [{"_id": "x", "_index": None, "_version": 1}, {"_id": "1", "_index": None, "_version": 1}]


def test_an_index_pattern_keeps_documents_of_other_indices_out_where_they_name_one(replay: Replay) -> None:
    events = [
        {"_index": "logs-a-1", "n": 0},
        {"_index": "metrics", "n": 1},
        {"n": 2},
        {"data_stream": {"type": "logs", "dataset": "b", "namespace": "default"}, "n": 3},
    ]
    assert [row["n"] for row in replay("FROM logs-a* | KEEP n", events)] == [0, 2]
    assert [row["n"] for row in replay("FROM logs-*,-logs-b-* | KEEP n", events)] == [0, 2]
    assert [row["n"] for row in replay('FROM "logs-b-default", metrics | KEEP n', events)] == [1, 2, 3]


def test_row_gives_one_row(replay: Replay) -> None:
    assert replay('ROW a = 1, b = "two", c = null, 10') == [{"a": 1, "b": "two", "c": None, "10": 10}]
    assert replay("row a = 1, b = 2 | eval b = a + 1 | eval a = b + 1 | where a > 0") == [{"b": 2, "a": 3}]


def test_eval_reads_earlier_columns_of_the_same_command_and_names_by_text(replay: Replay) -> None:
    rows = replay("ROW a = 1 | EVAL b = a + 1, c = b * 10, a + 1, a = 9, d = a")
    assert rows == [{"b": 2, "c": 20, "a + 1": 2, "a": 9, "d": 9}]
    assert list(rows[0]) == ["b", "c", "a + 1", "a", "d"]


def test_fields_named_like_internal_columns_stay_apart(replay: Replay) -> None:
    events = [{"v1": 1, "v2": {"x": 2}, "element of a list": ["3", "4"]}]
    search = "FROM e | EVAL a = v1 + 1, b = v2.x + 1 | EVAL c = a + v1 | EVAL d = TO_LONG(`element of a list`) | KEEP a, b, c, d, v1, v2.x"
    assert replay(search, events) == [{"a": 2, "b": 3, "c": 3, "d": [3, 4], "v1": 1, "v2.x": 2}]


def test_keep_orders_columns_and_the_more_precise_pattern_wins(replay: Replay) -> None:
    events = [{"first_name": 1, "last_name": 2, "name": 3, "other": 4}]
    assert list(replay("FROM e | KEEP first_name, last_name, first_name*", events)[0]) == ["first_name", "last_name"]
    assert list(replay("FROM e | KEEP first_name*, last_name, first_na*", events)[0]) == ["last_name", "first_name"]
    assert list(replay("FROM e | KEEP *, first_name", events)[0]) == ["last_name", "name", "other", "first_name"]
    assert list(replay("FROM e | KEEP *_name", events)[0]) == ["first_name", "last_name"]


def test_drop_and_rename(replay: Replay) -> None:
    events = [{"a": 1, "b": 2, "bc": 3}]
    assert replay("FROM e | DROP b*", events) == [{"a": 1}]
    assert replay("FROM e | RENAME a AS x, b AS y", events) == [{"x": 1, "y": 2, "bc": 3}]
    assert replay("FROM e | RENAME a AS b", events) == [{"b": 1, "bc": 3}]
    assert replay("FROM e | RENAME x = a | KEEP x", events) == [{"x": 1}]


def test_sort_puts_nulls_last_ascending_and_first_descending(replay: Replay) -> None:
    events: list[dict[str, object]] = [{"a": 2}, {"b": 0}, {"a": 1}]

    def order(search: str) -> list[object]:
        return [row["a"] for row in replay(f"FROM e | SORT {search} | KEEP a", events)]

    assert order("a") == [1, 2, None]
    assert order("a DESC") == [None, 2, 1]
    assert order("a NULLS FIRST") == [None, 1, 2]
    assert order("a DESC NULLS LAST") == [2, 1, None]
    assert order("-a") == [2, 1, None]


def test_a_multivalued_field_sorts_by_its_least_value_ascending_and_its_greatest_descending(replay: Replay) -> None:
    events = [{"n": 0, "f": [1, 9]}, {"n": 1, "f": [2, 3]}]
    assert [row["n"] for row in replay("FROM e | SORT f | KEEP n", events)] == [0, 1]
    assert [row["n"] for row in replay("FROM e | SORT f DESC | KEEP n", events)] == [0, 1]


def test_addresses_sort_as_addresses(replay: Replay) -> None:
    events = [{"ip": "10.0.0.1"}, {"ip": "9.0.0.1"}, {"ip": "::1"}]
    assert [row["ip"] for row in replay("FROM e | SORT ip", events, mapping={"ip": "ip"})] == ["::1", "9.0.0.1", "10.0.0.1"]


def test_without_limit_there_are_a_thousand_rows_and_never_more_than_ten_thousand(replay: Replay) -> None:
    events = [{"n": number} for number in range(10_050)]
    assert len(replay("FROM e | KEEP n", events)) == 1000
    assert len(replay("FROM e | KEEP n | LIMIT 10050", events)) == 10_000
    assert len(replay("FROM e | KEEP n | LIMIT 7", events)) == 7
    assert replay("FROM e | STATS c = COUNT(*)", events) == [{"c": 10_050}]


def test_mv_expand_gives_a_row_per_value_and_keeps_rows_without_one(replay: Replay) -> None:
    assert replay('ROW a = [1, 2], b = "b", j = ["x", "y"] | MV_EXPAND a') == [
        {"a": 1, "b": "b", "j": ["x", "y"]},
        {"a": 2, "b": "b", "j": ["x", "y"]},
    ]
    assert replay("FROM e | SORT n | MV_EXPAND f | KEEP n, f", [{"n": 0, "f": ["p", "q"]}, {"n": 1}]) == [
        {"n": 0, "f": "p"},
        {"n": 0, "f": "q"},
        {"n": 1, "f": None},
    ]


def test_comments_case_and_backquotes(replay: Replay) -> None:
    search = "from e // one\n| /* two\nlines */ wHeRe `a-b` == 1 | eval `x y` = `a-b`, b=a.`c.d` | keep `x y`, b"
    assert replay(search, [{"a-b": 1, "a.c.d": 5}]) == [{"x y": 1, "b": 5}]


def test_a_keyword_multi_field_reads_its_parent(replay: Replay) -> None:
    events = [{"message": "Hello World"}]
    assert replay('FROM e | WHERE message.keyword == "Hello World"', events, mapping={"message": "text"}) == events


ASSETS = Lookup(
    "assets",
    ("ip", "host", "owner"),
    (("10.0.0.1", "mac-1", "ann"), ("10.0.0.1", "mac-2", None), ("10.0.0.2", "mac-3", "bob")),
)


def test_lookup_join_is_a_left_join_whose_columns_replace(replay: Replay) -> None:
    events = [{"ip": "10.0.0.1", "host": "?"}, {"ip": "10.0.0.9"}, {"ip": ["10.0.0.1", "10.0.0.2"]}, {"host": "no ip"}]
    rows = replay("FROM e | LOOKUP JOIN assets ON ip | KEEP ip, host, owner", events, mapping={"ip": "ip"}, lookups={"assets": ASSETS})
    assert rows == [
        {"ip": "10.0.0.1", "host": "mac-1", "owner": "ann"},
        {"ip": "10.0.0.1", "host": "mac-2", "owner": None},
        {"ip": "10.0.0.9", "host": None, "owner": None},
        {"ip": ["10.0.0.1", "10.0.0.2"], "host": None, "owner": None},
        {"ip": None, "host": None, "owner": None},
    ]


def test_a_lookup_index_with_types(replay: Replay) -> None:
    """ "LOOKUP JOIN": one row per match; columns have the types of the lookup index's fields, so dates compare with dates."""
    table = Lookup(
        "t",
        ("ip", "since", "host"),
        (("10.0.0.1", "1000", "a"), ("10.0.0.1", "2000", "b")),
        types={"ip": FieldType.IP, "since": FieldType.DATE},
    )
    events = [{"@timestamp": "1970-01-01T00:00:01.500Z", "ip": "10.0.0.1"}]
    query = "FROM e | LOOKUP JOIN t ON ip | WHERE @timestamp >= since | KEEP host, since"
    rows = replay(query, events, mapping={"ip": "ip"}, lookups={"t": table})
    assert rows == [{"host": "a", "since": "1970-01-01T00:00:01.000Z"}]


def test_enrich_gathers_several_matches_in_one_row(replay: Replay) -> None:
    events = [{"source.ip": "10.0.0.1"}, {"source.ip": "10.0.0.9"}]
    rows = replay("FROM e | ENRICH assets ON source.ip WITH machine = host, owner", events, lookups={"assets": ASSETS})
    assert rows == [
        {"source.ip": "10.0.0.1", "machine": ["mac-1", "mac-2"], "owner": "ann"},
        {"source.ip": "10.0.0.9", "machine": None, "owner": None},
    ]


@pytest.mark.parametrize(
    ("search", "fields"),
    [
        ("FROM e | WHERE a.keyword == 1 | STATS c = COUNT(*) BY b", {"a.keyword", "a", "b"}),
        ("FROM e | EVAL x = a + 1 | SORT x | KEEP x, c", {"a", "x", "c"}),
        ("FROM e | WHERE a == 1", None),
        ("FROM e | KEEP a*", None),
        ("FROM e | DROP a", None),
    ],
)
def test_the_fields_that_a_search_reads(search: str, fields: set[str] | None) -> None:
    found = prepare(search).fields
    if fields is None:
        assert found is None
    else:
        assert found is not None
        assert {name for name in found if not name.startswith(("_", "data_stream"))} == fields


def test_streams_do_not_meet() -> None:
    connection = duckdb.connect()
    table = load(connection, "events", [[{"a": 1}, {"a": 2}], [], [{"a": 5}]], flavour="elastic")
    rows = prepare("FROM e | STATS s = SUM(a), c = COUNT(*)").execute(table)
    assert [(row.stream, dict(row.values)) for row in rows] == [(0, {"s": 3, "c": 2}), (1, {"s": None, "c": 0}), (2, {"s": 5, "c": 1})]
    assert [(row.stream, row.values["a"]) for row in prepare("FROM e | LIMIT 1").execute(table)] == [(0, 1), (2, 5)]
