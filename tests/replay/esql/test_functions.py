"""Scalar functions. Elasticsearch reference: "ES|QL functions and operators", one page per function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from an1498.errors import UnsupportedConstruct

Evaluate = Callable[[str], Any]
Replay = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('CONCAT("a", "b", "c")', "abc"),
        ('CONCAT("a", null)', None),
        ('LENGTH("añ🤦")', 3),
        ('TO_LOWER("AbÇ")', "abç"),
        ('TO_UPPER("abç")', "ABÇ"),
        ('TO_LOWER(["A", "B"])', ["a", "b"]),
        ('STARTS_WITH("abc", "ab")', True),
        ('ENDS_WITH("abc", "ab")', False),
        ('CONTAINS("abc", "b")', True),
        ('SUBSTRING("abcdef", 2, 3)', "bcd"),
        ('SUBSTRING("abcdef", -3)', "def"),
        ('SUBSTRING("abcdef", 0, 2)', "ab"),
        ('SUBSTRING("abcdef", -9, 2)', "ab"),
        ('SUBSTRING("abc", 9)', ""),
        ('LEFT("abc", 2)', "ab"),
        ('LEFT("abc", -1)', ""),
        ('RIGHT("abc", 2)', "bc"),
        ('RIGHT("abc", 9)', "abc"),
        ('LOCATE("hello", "l")', 3),
        ('LOCATE("hello", "x")', 0),
        ('REPLACE("a.b.c", "\\\\.", "-")', "a-b-c"),
        ('REPLACE("a1b22", "[0-9]+", "#")', "a#b#"),
        ('TRIM("  a b\t")', "a b"),
        ('LTRIM("  a ")', "a "),
        ('RTRIM(" a  ")', " a"),
        ('SPLIT("a;b;c", ";")', ["a", "b", "c"]),
        ('REPEAT("ab", 2)', "abab"),
    ],
)
def test_strings(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ABS(-2)", 2),
        ("CEIL(1.2)", 2.0),
        ("FLOOR(-1.2)", -2.0),
        ("FLOOR(3)", 3),
        ("ROUND(-123.5)", -124.0),
        ("ROUND(1.23, 1)", 1.2),
        ("ROUND(5)", 5),
        ("POW(2, 10)", 1024.0),
        ("SQRT(9)", 3.0),
        ("SQRT(-1)", None),
        ("LOG10(100)", 2.0),
        ("LOG(0)", None),
        ("SIGNUM(-3)", -1.0),
        ("GREATEST(1, 3, 2)", 3),
        ("GREATEST(1, null)", None),
        ('LEAST("b", "a")', "a"),
        ("COALESCE(null, 2, 3)", 2),
        ("COALESCE(null, [1, 2])", [1, 2]),
        ("COALESCE(null, null)", None),
    ],
)
def test_numbers(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('CASE(true, "a", "b")', "a"),
        ('CASE(null, "a", "b")', "b"),
        ('CASE([true, true], "a", "b")', "b"),
        ('CASE([true], "a", "b")', "a"),
        ('CASE(false, "a")', None),
        ('CASE(false, "a", true, "b", "c")', "b"),
        ("CASE(false, 1, null)", None),
        ("CASE(true, 1, 2.5)", 1.0),
        ("CASE(true, [1, 2], 3)", [1, 2]),
        ("CASE(false, [1, 2], 3)", 3),
    ],
)
def test_case_takes_the_first_true_condition(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('TO_LONG("2147483648.2")', 2147483648),
        ('TO_LONG("foo")', None),
        ("TO_LONG(1e19)", None),
        ("TO_LONG(2.5)", 3),
        ("TO_LONG(-2.5)", -2),
        ("TO_LONG(true)", 1),
        ('TO_INTEGER("2147483648")', None),
        ("TO_INTEGER([5013792, 2147483647, 501379200000])", [5013792, 2147483647]),
        ('TO_INTEGER(["1", "two"])', 1),
        ('TO_INTEGER(["one", "two"])', None),
        ('TO_DOUBLE("5.20128E11")', 520128000000.0),
        ('TO_DOUBLE("x")', None),
        ('TO_BOOLEAN("TRUE")', True),
        ('TO_BOOLEAN("yes")', False),
        ("TO_BOOLEAN(0)", False),
        ("TO_STRING(10)", "10"),
        ("TO_STRING(1.0)", "1.0"),
        ("TO_STRING(true)", "true"),
        ('TO_STRING("2024-01-01"::datetime)', "2024-01-01T00:00:00.000Z"),
        ('TO_DATETIME("1964-06-02T00:00:00.000Z")', "1964-06-02T00:00:00.000Z"),
        ('TO_DATETIME("2024-01-01T02:00:00+02:00")', "2024-01-01T00:00:00.000Z"),
        ('TO_DATETIME("1964-06-02 00:00:00")', None),
        ("TO_DATETIME(1000)", "1970-01-01T00:00:01.000Z"),
        ('TO_LONG("1970-01-01T00:00:01Z"::datetime)', 1000),
        ('TO_IP("1.1.1.1")', "1.1.1.1"),
        ('TO_IP("2001:DB8:0:0::1")', "2001:db8::1"),
        ('TO_IP("foo")', None),
        ("1::STRING::LONG::BOOL", True),
    ],
)
def test_conversions_drop_what_cannot_be_converted(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


def test_conversions_of_columns_agree_with_those_of_literals(replay: Replay) -> None:
    texts = ["10", "1.5", "x", "10.0.0.1", "2001:DB8::0:1", "2024-01-01T00:00:00.5Z", "TRUE", "300.1.1.1"]
    search = "FROM e | EVAL l = TO_LONG(t), d = TO_DOUBLE(t), i = TO_IP(t), m = TO_DATETIME(t), b = TO_BOOLEAN(t) | KEEP l, d, i, m, b"
    rows = replay(search, [{"t": text} for text in texts])
    assert [row["l"] for row in rows] == [10, 2, None, None, None, None, None, None]
    assert [row["d"] for row in rows] == [10.0, 1.5, None, None, None, None, None, None]
    assert [row["i"] for row in rows] == [None, None, None, "10.0.0.1", "2001:db8::1", None, None, None]
    assert [row["m"] for row in rows] == [None, None, None, None, None, "2024-01-01T00:00:00.500Z", None, None]
    assert [row["b"] for row in rows] == [False, False, False, False, False, False, True, False]


def test_an_address_in_mixed_notation_in_a_column_is_refused(replay: Replay) -> None:
    with pytest.raises(UnsupportedConstruct, match="IPv6 address that ends like an IPv4 address"):
        replay("FROM e | EVAL i = TO_IP(t)", [{"t": "::ffff:1.2.3.4"}])


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("MV_COUNT([1, 1, 2])", 3),
        ("MV_COUNT(1)", 1),
        ("MV_COUNT(null)", None),
        ("MV_MIN([2, 1])", 1),
        ('MV_MAX(["a", "c", "b"])', "c"),
        ("MV_SUM([1, 2, 3])", 6),
        ("MV_AVG([1, 2])", 1.5),
        ("MV_MEDIAN([1.0, 3.0, 2.0])", 2.0),
        ("MV_FIRST([3, 1, 2])", 3),
        ("MV_LAST([3, 1, 2])", 2),
        ("MV_SORT([4, 2, -3, 2])", [-3, 2, 2, 4]),
        ('MV_SORT([4, 2, 3], "desc")', [4, 3, 2]),
        ("MV_DEDUPE([1, 2, 2, 3])", [1, 2, 3]),
        ("MV_APPEND(1, 2)", [1, 2]),
        ("MV_APPEND([1, 2], [2, 3])", [1, 2, 2, 3]),
        ("MV_APPEND(1, null)", None),
        ('MV_CONCAT(["foo", "zoo", "bar"], ", ")', "foo, zoo, bar"),
        ('MV_CONTAINS(["a", "b", "c"], "a")', True),
        ('MV_CONTAINS(["a", "c"], ["a", "b"])', False),
        ('MV_CONTAINS("a", null)', True),
        ('MV_CONTAINS(null, "a")', False),
        ("MV_SLICE([1, 2, 2, 3], 1, 2)", [2, 2]),
        ("MV_SLICE([1, 2, 2, 3], 1)", 2),
        ("MV_SLICE([1, 2, 2, 3], -2, -1)", [2, 3]),
        ("MV_SLICE([1, 2], 5, 6)", None),
        ('MV_ZIP(["x", "y", "z"], ["1", "2"], "-")', ["x-1", "y-2", "z"]),
    ],
)
def test_multivalues(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('DATE_TRUNC(1 hour, "2024-05-17T10:59:59.999Z"::datetime)', "2024-05-17T10:00:00.000Z"),
        ('DATE_TRUNC(5 minutes, "2024-05-17T10:59:59Z")', "2024-05-17T10:55:00.000Z"),
        ('DATE_TRUNC(1 week, "2024-05-17")', "2024-05-13T00:00:00.000Z"),
        ('DATE_TRUNC(1 month, "2024-05-17")', "2024-05-01T00:00:00.000Z"),
        ('DATE_TRUNC(1 year, "1969-05-17")', "1969-01-01T00:00:00.000Z"),
        ('DATE_TRUNC(1 minute, "1969-12-31T23:59:30Z")', "1969-12-31T23:59:00.000Z"),
        ('DATE_DIFF("minutes", "2024-01-01T00:00:00Z", "2024-01-01T01:00:30Z")', 60),
        ('DATE_DIFF("hours", "2024-01-01T00:59:00Z", "2024-01-01T00:00:00Z")', 0),
        ('DATE_EXTRACT("day_of_week", "2024-05-17"::datetime)', 5),
        ('BUCKET("2024-05-17T10:59:00Z"::datetime, 30 minutes)', "2024-05-17T10:30:00.000Z"),
        ("BUCKET(59, 20)", 40.0),
    ],
)
def test_dates(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


def test_cidr_match_takes_several_blocks_of_both_families(replay: Replay) -> None:
    events = [{"ip": "10.1.2.3"}, {"ip": "11.0.0.1"}, {"ip": "2001:db8::7"}, {"ip": "::ffff:10.0.0.9"}, {}]
    search = 'FROM e | EVAL m = CIDR_MATCH(ip, "10.0.0.0/8", "2001:db8::/32") | KEEP m'
    assert [row["m"] for row in replay(search, events, mapping={"ip": "ip"})] == [True, False, True, True, None]


@pytest.mark.parametrize(
    "expression",
    [
        "NOW()",
        "TO_STRING(1e10)",
        'TO_LOWER("ΟΔΟΣ")',
        'TO_UPPER("straße")',
        'REPLACE("ab", "(a)", "$1")',
        'REPLACE("ab", "a|b", "")',
        'SPLIT("a", "ab")',
        'DATE_DIFF("month", "2024-01-01"::datetime, "2024-02-01"::datetime)',
        'DATE_TRUNC(2 months, "2024-01-01")',
        "MV_MEDIAN([1, 2])",
        'DATE_FORMAT("yyyy", "2024-01-01"::datetime)',
        "CASE(true, 1 day, 2 days)",
    ],
)
def test_what_cannot_be_computed_exactly_is_refused(evaluate: Evaluate, expression: str) -> None:
    with pytest.raises(UnsupportedConstruct):
        evaluate(expression)
