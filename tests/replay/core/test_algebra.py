"""Each operator of the algebra on small relations, two streams at a time."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from an1498.errors import UsageError
from an1498.replay.algebra import (
    Aggregate,
    Case,
    Cast,
    Col,
    Expr,
    Extend,
    Filter,
    GroupBy,
    Join,
    Lambda,
    Limit,
    ListOf,
    Lit,
    Relation,
    Select,
    Sort,
    SortKey,
    Union,
    Unnest,
    Window,
    WindowCall,
    call,
)
from an1498.replay.table import EventTable, load, run

FIRST = [{"k": "a", "n": 3}, {"k": "b", "n": 1}, {"k": "a", "n": 2}]
SECOND = [{"k": "a", "n": 7}]


@pytest.fixture
def table() -> EventTable:
    return load(duckdb.connect(), "t", [FIRST, SECOND, []], flavour="elastic")


def rows(table: EventTable, relation: Relation) -> list[tuple[Any, ...]]:
    return [(row.stream, *row.values.values()) for row in run(table, relation)]


def value(expr: Expr) -> Any:
    table = load(duckdb.connect(), "t", [[{"x": "1"}]], flavour="elastic")
    return run(table, Select(table.scan(), (("v", expr),)))[0].values["v"]


def test_sort_is_stable_and_stays_within_a_stream(table: EventTable) -> None:
    result = Select(Sort(table.scan(), (SortKey("k"),)), (("n", Col("n")),))
    assert rows(table, result) == [(0, 3), (0, 2), (0, 1), (1, 7)]


def test_limit_counts_per_stream_and_per_group(table: EventTable) -> None:
    kept = (("n", Col("n")),)
    assert rows(table, Select(Limit(table.scan(), 1), kept)) == [(0, 3), (1, 7)]
    assert rows(table, Select(Limit(table.scan(), 1, by=("k",)), kept)) == [(0, 3), (0, 1), (1, 7)]


def test_group_by_keeps_the_first_rows_order(table: EventTable) -> None:
    grouped = GroupBy(table.scan(), ("k",), (("n", Aggregate("list", (Col("n"),), ordered=True)),))
    assert rows(table, grouped) == [(0, "a", [3, 2]), (0, "b", [1]), (1, "a", [7])]


def test_group_without_keys_answers_for_a_stream_without_rows(table: EventTable) -> None:
    large = Filter(table.scan(), call("gt", Col("n"), Lit(2)))
    counted = GroupBy(large, (), (("c", Aggregate("count_rows")), ("s", Aggregate("sum", (Col("n"),)))))
    assert rows(table, counted) == [(0, 1, 3), (1, 1, 7), (2, 0, None)]


def test_window_frames(table: EventTable) -> None:
    previous = WindowCall("last_value", (Col("n"),), partition=("k",), start=None, end=1)
    near = WindowCall("count_rows", order=(SortKey("n"),), frame="range", start=1, end=0)
    some = WindowCall("sum", (Col("n"),), start=None, end=None, where=call("gt", Col("n"), Lit(1)))
    result = Select(Window(table.scan(), (("p", previous), ("c", near), ("s", some))), tuple((c, Col(c)) for c in "npcs"))
    assert rows(table, result) == [(0, 3, None, 2, 5), (0, 1, None, 1, 5), (0, 2, 3, 2, 5), (1, 7, None, 1, 7)]


def test_extend_reads_the_columns_before_it_replaces_them(table: EventTable) -> None:
    swapped = Extend(table.scan(), (("n", call("add", Col("n"), Lit(1))), ("m", call("add", Col("n"), Lit(2)))))
    assert rows(table, Select(swapped, (("n", Col("n")), ("m", Col("m")))))[0] == (0, 4, 5)


def test_union_fills_missing_columns_and_keeps_the_inputs_order(table: EventTable) -> None:
    left = Select(table.scan(), (("n", Col("n")),))
    right = Select(table.scan(), (("k", Col("k")), ("tags", ListOf((Col("k"),)))))
    assert [row for row in rows(table, Union((left, right))) if row[0] == 1] == [(1, 7, None, None), (1, None, "a", ["a"])]


def test_unnest_keeps_or_drops_the_empty_list() -> None:
    table = load(duckdb.connect(), "t", [[{"a": [1, 2], "b": "x"}, {"b": "y"}]], flavour="elastic")
    kept = Select(Unnest(table.scan(), "a"), (("a", Col("a")), ("b", Col("b"))))
    assert rows(table, kept) == [(0, 1, "x"), (0, 2, "x"), (0, None, "y")]
    dropped = Select(Unnest(table.scan(), "a", keep_empty=False), (("a", Col("a")),))
    assert rows(table, dropped) == [(0, 1), (0, 2)]


def test_join_meets_only_rows_of_the_same_stream(table: EventTable) -> None:
    right = Select(table.scan(), (("rk", Col("k")), ("rn", Col("n"))))
    joined = Join(Select(table.scan(), (("k", Col("k")), ("n", Col("n")))), right, call("eq", Col("k"), Col("rk")))
    assert sorted(row[2::2] for row in rows(table, joined) if row[0] == 0) == [(1, 1), (2, 2), (2, 3), (3, 2), (3, 3)]
    assert [row for row in rows(table, joined) if row[0] == 1] == [(1, "a", 7, "a", 7)]


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (call("neg", Lit(-1)), 1),
        (call("sub", Lit(1), Lit(-1)), 2),
        (Lit(-(2**63)), -(2**63)),
        (Lit(2**64), 2**64),
        (call("length", Lit("a\0'b")), 4),
        (call("eq", Lit("a\0b"), Lit("a\0b")), True),
        (Case(()), None),
        (Case(((Lit(None), Lit(1)),), Lit(2)), 2),
        (call("div", Lit(1), Lit(0)), None),
        (call("mod", Lit(1), Lit(0)), None),
        (Cast(Lit("x"), "BIGINT"), None),
        (Lit(None, "VARCHAR"), None),
        (call("list_filter", ListOf((Lit(1), Lit(5))), Lambda("X", call("gt", Col("X"), Lit(2)))), [5]),
        (call("identical", Lit(None), Lit(None)), True),
        (call("ipv4_number", Lit("10.0.0.255")), 10 * 2**24 + 255),
        (call("ipv4_number", Lit("10.0.0.256")), None),
        (call("ipv4_number", Lit("10.0.0")), None),
        (call("ipv6_digits", Lit("::")), "0" * 32),
        (call("ipv6_digits", Lit("FE80::1")), "fe80" + "0" * 27 + "1"),
        (call("ipv6_digits", Lit("1:2:3:4:5:6:7:8")), "00010002000300040005000600070008"),
        (call("ipv6_digits", Lit("1::2::3")), None),
        (call("ipv6_digits", Lit("1:2:3")), None),
        (call("ipv6_digits", Lit("::ffff:10.0.0.1")), None),
    ],
)
def test_expressions(expr: Expr, expected: object) -> None:
    assert value(expr) == expected


def test_a_search_that_cannot_be_computed_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="cannot be executed over these events"):
        value(call("fail", Lit("two answers")))


def test_names_that_differ_in_case_are_different_columns() -> None:
    table = load(duckdb.connect(), "t", [[{"Host": "a", "host": "b", '"q^Q': "c"}]], flavour="elastic")
    assert dict(run(table, table.scan())[0].values) == {"_row": 0, '"q^Q': "c", "Host": "a", "host": "b"}
