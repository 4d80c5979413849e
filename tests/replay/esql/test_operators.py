"""Operators. Elasticsearch reference: "ES|QL operators", "ES|QL multivalued fields", "ES|QL implicit casting"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Evaluate = Callable[[str], Any]
Kept = Callable[..., list[int]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7 / 2.0", 3.5),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("10 - 2 - 3", 5),
        ("-2 * -3", 6),
        ("2147483647 + 1", None),
        ("2147483647 + TO_LONG(1)", 2147483648),
        ("2147483648 * 2", 4294967296),
        ("9223372036854775807 + 1", None),
        ("-9223372036854775807 - 2", None),
        ("9223372036854775807 * 2", None),
        ("1 / 0", None),
        ("1 % 0", None),
        ("1.0 / 0", None),
        ("1e308 * 10", None),
        ("1 + null", None),
        ("null * 2.0", None),
    ],
)
def test_arithmetic_keeps_types_and_gives_null_where_a_number_does_not_fit(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("true AND null", None),
        ("false AND null", False),
        ("true OR null", True),
        ("false OR null", None),
        ("NOT null", None),
        ("null == null", None),
        ('"a" != null', None),
        ("1 IN (2, null)", None),
        ("1 IN (1, null)", True),
        ("1 NOT IN (2, 3)", True),
        ("null IN (1)", None),
        ("null IS NULL", True),
        ("1 IS NOT NULL", True),
        ("NOT true OR true", True),
        ("NOT (true OR true)", False),
        ("true OR false AND false", True),
        ("NOT 1 == 2", True),
    ],
)
def test_logic_is_three_valued_and_not_binds_before_and_before_or(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"foobar" LIKE "foo*"', True),
        ('"foobar" LIKE "foo"', False),
        ('"foobar" LIKE "Foo*"', False),
        ('"bar" LIKE "ba?"', True),
        ('"ba" LIKE "ba?"', False),
        ('"a*c" LIKE "a\\\\*c"', True),
        ('"abc" LIKE "a\\\\*c"', False),
        ('"abc" LIKE """a?c"""', True),
        ('"a\\nb" LIKE "a*b"', True),
        ('"ü" LIKE "?"', True),
        ('"foobar" LIKE ("x*", "*bar")', True),
        ('"foobar" NOT LIKE ("x*", "*baz")', True),
        ('"foobar" RLIKE "foo.*"', True),
        ('"foobar" RLIKE "oba"', False),
        ('"foobar" RLIKE "fo{2}b[a-c]r"', True),
        ('"1.2" RLIKE """\\d\\.\\d"""', True),
        ('"^a$" RLIKE "^a$"', True),
        ('null LIKE "a"', None),
        ('null RLIKE "a"', None),
    ],
)
def test_like_and_rlike_match_the_whole_value_and_its_case(evaluate: Evaluate, expression: str, value: object) -> None:
    assert evaluate(expression) == value


def test_a_field_with_several_values_is_null_for_an_operator(kept: Kept) -> None:
    documents = [{"f": ["a", "b"]}, {"f": "a"}, {}]
    assert kept('f == "a"', documents) == [1]
    assert kept('f != "z"', documents) == [1]
    assert kept('NOT f == "a"', documents) == []
    assert kept('f IN ("a", "b")', documents) == [1]
    assert kept('f LIKE "a*"', documents) == [1]
    assert kept('NOT f LIKE "x*"', documents) == [1]
    assert kept('(f == "a") IS NULL', documents) == [0, 2]


def test_keyword_values_come_without_duplicates_so_equal_ones_are_one_value(kept: Kept) -> None:
    assert kept('f == "a"', [{"f": ["a", "a"]}]) == [0]
    assert kept("n == 1", [{"n": [1, 1]}]) == []


def test_a_pattern_that_matches_everything_asks_only_for_a_value(kept: Kept) -> None:
    documents = [{"f": ["a", "b"]}, {"f": ""}, {}]
    assert kept('f LIKE "*"', documents) == [0, 1]
    assert kept('NOT f LIKE "*"', documents) == [2]
    assert kept('f RLIKE ".*"', documents) == [0, 1]


def test_a_missing_field_is_null(kept: Kept) -> None:
    documents: list[dict[str, object]] = [{"a": 1}, {"a": 2}, {}]
    assert kept("a == 1", documents) == [0]
    assert kept("a != 1", documents) == [1]
    assert kept("NOT a == 1", documents) == [1]
    assert kept("a IS NULL OR NOT a == 1", documents) == [1, 2]


def test_strings_become_dates_addresses_and_booleans_where_such_a_field_is_compared(kept: Kept) -> None:
    documents = [
        {"@timestamp": "2026-01-15T10:00:00.000Z", "ip": "10.0.0.1", "b": True},
        {"@timestamp": "2026-01-15T10:00:00.001Z", "ip": "2001:DB8::1", "b": False},
    ]
    mapping = {"ip": "ip"}
    assert kept('@timestamp > "2026-01-15T10:00:00Z"', documents) == [1]
    assert kept('"2026-01-15" <= @timestamp', documents) == [0, 1]
    assert kept('ip == "2001:db8:0::1"', documents, mapping=mapping) == [1]
    assert kept('ip < "10.0.0.2"', documents, mapping=mapping) == [0]
    assert kept('ip IN ("10.0.0.1", "10.0.0.2")', documents, mapping=mapping) == [0]
    assert kept('b == "true"', documents) == [0]


def test_addresses_order_as_addresses_not_as_text(kept: Kept) -> None:
    documents = [{"ip": "9.0.0.0"}, {"ip": "10.0.0.0"}, {"ip": "::1"}, {"ip": "fe80::"}]
    assert kept('ip > "9.0.0.0"', documents, mapping={"ip": "ip"}) == [1, 3]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"2024-01-31T00:00:00Z"::datetime + 1 month', "2024-02-29T00:00:00.000Z"),
        ('"2024-03-01T00:00:00Z"::datetime - 1 day', "2024-02-29T00:00:00.000Z"),
        ('2 hours + "2024-01-01"::datetime', "2024-01-01T02:00:00.000Z"),
        ('"2024-01-01"::date - 1 millisecond', "2023-12-31T23:59:59.999Z"),
        ('"2024-01-01" + 3 days', "2024-01-04T00:00:00.000Z"),
        ('"2024-01-01"::datetime + "3 DAYS"::date_period', "2024-01-04T00:00:00.000Z"),
    ],
)
def test_time_spans_move_dates(evaluate: Evaluate, expression: str, value: str) -> None:
    assert evaluate(expression) == value


def test_text_in_quotes_knows_escapes_and_triple_quotes(evaluate: Evaluate) -> None:
    assert evaluate('"a\\"b\\\\c\\td"') == 'a"b\\c\td'
    assert evaluate('"""a"b\\c"""') == 'a"b\\c'
    assert evaluate('"""C:\\Windows\\*"""') == "C:\\Windows\\*"
