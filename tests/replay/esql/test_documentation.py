"""Examples of Elasticsearch's ES|QL reference on small data of our own."""

from __future__ import annotations

from typing import Any

import pytest

from an1498.errors import SearchSyntaxError
from an1498.model import Language
from an1498.replay import replay_text

HIRED: list[dict[str, Any]] = [
    {"n": 1, "hired": "1985-11-21T00:00:00Z", "pay": 10, "name": "Bezalel"},
    {"n": 2, "hired": "1986-06-26T00:00:00Z", "pay": 20, "name": "Georgi"},
    {"n": 3, "hired": "1986-08-28T00:00:00Z", "pay": 30, "name": "Parto"},
    {"n": 4, "pay": 40},
]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # DISSECT: keys between delimiters; text that lacks one gives nulls
        (
            'ROW m = "1953-01-23T12:15:00Z - some text - 127.0.0.1" | DISSECT m "%{date} - %{msg} - %{ip}" | DROP m',
            [{"date": "1953-01-23T12:15:00Z", "msg": "some text", "ip": "127.0.0.1"}],
        ),
        ('ROW a = "x y" | DISSECT a "%{p},%{q}" | DROP a', [{"p": None, "q": None}]),
        ('ROW a = "[1] foo|bar" | DISSECT a """[%{n}] %{?skip}|%{q}""" | DROP a', [{"n": "1", "q": "bar"}]),
        ('ROW a = "1-2" | DISSECT a "%{a}-%{b}"', [{"a": "1", "b": "2"}]),
        # date detection: text that is a date in every event has the type date
        ('FROM h | STATS c = COUNT(*) BY y = DATE_EXTRACT("year", hired) | SORT y | WHERE y IS NOT NULL',
         [{"c": 1, "y": 1985}, {"c": 2, "y": 1986}]),
        (
            "FROM h | STATS c = COUNT(*) BY m = BUCKET(hired, 1 year) | SORT m NULLS FIRST | LIMIT 2",
            [{"c": 1, "m": None}, {"c": 1, "m": "1985-01-01T00:00:00.000Z"}],
        ),
        ("FROM h | WHERE n == 2 | EVAL d = DAY_NAME(hired), m = MONTH_NAME(hired) | KEEP d, m", [{"d": "Thursday", "m": "June"}]),
        # filters of single aggregates
        (
            'FROM h | STATS a = AVG(pay) WHERE hired < "1986-07-01", c = COUNT(*) WHERE pay > 15, s = STD_DEV(pay), v = VARIANCE(pay)',
            [{"a": 15.0, "c": 3, "s": 11.180339887498949, "v": 125.0}],
        ),
        ("ROW a = HYPOT(3.0, 4.0), c = SIN(0), d = ASIN(2.0), e = ATAN2(0.0, 1.0)",
         [{"a": 5.0, "c": 0.0, "d": None, "e": 0.0}]),
        ('FROM h | WHERE name LIKE ("G*", "P*") | KEEP n', [{"n": 2}, {"n": 3}]),
        ('FROM h | WHERE name RLIKE ".e.*" | KEEP n', [{"n": 1}, {"n": 2}]),
        ("FROM h | INLINE STATS most = MAX(pay) | WHERE pay == most | KEEP n", [{"n": 4}]),
    ],
)  # fmt: skip
def test_examples(text: str, rows: list[dict[str, Any]]) -> None:
    assert replay_text(Language.ESQL, text, HIRED) == rows


@pytest.mark.parametrize(
    "text",
    [
        'ROW a = " y" | DISSECT a "%{p} %{q}"',
        'ROW a = "x y" | DISSECT a "%{p->} %{q}"',
        'ROW a = "x y;" | DISSECT a "%{p} %{q};"',
        'ROW a = "x y" | DISSECT a "%{p}%{q}"',
        'ROW a = "x y" | DISSECT a "none"',
        'ROW a = 1 | DISSECT a "%{b}"',
    ],
)
def test_dissect_that_is_refused(text: str) -> None:
    with pytest.raises(SearchSyntaxError, match=r"^search:1:\d+: esql: "):
        replay_text(Language.ESQL, text, HIRED)
