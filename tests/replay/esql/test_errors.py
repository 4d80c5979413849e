"""Every refusal is one located error: SearchSyntaxError where Elasticsearch refuses too, UnsupportedConstruct where replay does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from an1498.errors import SearchSyntaxError, UnsupportedConstruct
from an1498.replay.esql import prepare

Replay = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "search:1:1"),
        ("FROM", "search:1:5"),
        ("FROM e |", "search:1:9"),
        ("FROM e | WHERE", "search:1:15"),
        ("FROM e | WHERE a == ", "search:1:20"),
        ("FROM e\n| WHERE a == 1 ==", "search:2:16"),
        ("FROM e | WHERE a = 1", "search:1:18"),
        ("FROM e | WHERE a == 'x'", "search:1:21"),
        ('FROM e | WHERE a == "x', "search:1:21"),
        ('FROM e | WHERE a == "\\*"', "search:1:21"),
        ("FROM e | WHERE by == 1", "search:1:16"),
        ("FROM e | WHERE (a == 1", "search:1:23"),
        ("FROM e | LIMIT x", "search:1:16"),
        ("FROM e | LIMIT -1", "search:1:16"),
        ("FROM e | EVAL", "search:1:14"),
        ("FROM e | STATS", "search:1:10"),
        ("FROM e | FOO a", "search:1:10"),
        ("WHERE a == 1", "search:1:1"),
        ("FROM e | EVAL x = 1 fortnight", "search:1:19"),
    ],
)
def test_syntax_errors_say_where(replay: Replay, text: str, place: str) -> None:
    with pytest.raises(SearchSyntaxError, match=f"^{place}: esql: ") as caught:
        replay(text, [{"a": 1}])
    assert not isinstance(caught.value, UnsupportedConstruct)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('FROM e | GROK a "%{WORD:b}"', "search:1:10"),
        ('ROW g = "x" | DISSECT g "%{+b}"', "search:1:15"),
        ("FROM e | FORK (WHERE a == 1)", "search:1:10"),
        ("FROM e | CHANGE_POINT a", "search:1:10"),
        ("SHOW INFO", "search:1:1"),
        ('FROM e | WHERE a : "x"', "search:1:18"),
        ("FROM e | WHERE a == ?x", "search:1:21"),
        ('FROM e | WHERE MATCH(a, "x")', "search:1:16"),
        ("FROM e METADATA _source", "search:1:17"),
        ("FROM cluster:e", "search:1:1"),
        ('FROM e | WHERE b RLIKE "a&b"', "search:1:16"),
        ('FROM e | WHERE b LIKE ("*", "a")', "search:1:16"),
        ("FROM e | EVAL x = 18446744073709551615", "search:1:19"),
        ("FROM e | EVAL x = a::version", "search:1:19"),
        ("FROM e | EVAL x = 9223372036854775807::datetime", "search:1:1"),
    ],
)
def test_what_replay_does_not_model_is_refused_at_its_place(replay: Replay, text: str, place: str) -> None:
    with pytest.raises(UnsupportedConstruct, match=f"^{place}: esql: "):
        replay(text, [{"a": 1, "b": "x", "_index": "e"}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM e | WHERE nope == 1", r"search:1:16: esql: Unknown column \[nope\]"),
        ("FROM e | KEEP a, Nope", r"search:1:18: esql: Unknown column \[Nope\]"),
        ("FROM e | KEEP A", r"Unknown column \[A\]"),
        ('FROM e | KEEP a | WHERE b == "x"', r"Unknown column \[b\]"),
        ("FROM e | DROP x*", r"No matches found for pattern \[x\*\]"),
        ("FROM e | RENAME x AS y", r"Unknown column \[x\]"),
        ("FROM e | SORT x", r"Unknown column \[x\]"),
        ("FROM e | MV_EXPAND x", r"Unknown column \[x\]"),
        ("FROM e | STATS COUNT(*) BY x", r"Unknown column \[x\]"),
        ("FROM e | LOOKUP JOIN t ON a", r"Unknown index or policy \[t\]"),
        ('FROM e | WHERE a == "1"', r"compares \[long\] with \[keyword\]"),
        ("FROM e | WHERE b == 1", r"compares \[keyword\] with \[long|integer\]"),
        ("FROM e | WHERE a", r"\[a\] must be a boolean, not long"),
        ('FROM e | WHERE a LIKE "1"', r"must be a string, not long"),
        ("FROM e | EVAL x = b + 1", r"incompatible types"),
        ("FROM e | EVAL x = LENGTH(a)", r"must be a string, not long"),
        ("FROM e | EVAL x = LEFT(b, a)", r"must be an integer, not long"),
        ("FROM e | EVAL x = LENGTH()", r"LENGTH takes 1 arguments"),
        ("FROM e | EVAL x = 1 day", r"EVAL does not support type \[date_period\]"),
        ('FROM e | EVAL x = CASE(true, 1, "a")', r"mixes the types"),
        ('FROM e | WHERE @timestamp > "soon"', r"Cannot convert string \[soon\] to \[datetime\]"),
        ('FROM e | WHERE b LIKE "*\\\\bin\\\\*"', r"search:1:16: esql: Invalid pattern for LIKE"),
        ('FROM e | WHERE b LIKE """a\\"""', r"escape character is not followed by special wildcard char"),
        ('FROM e | WHERE b RLIKE "[z-a]"', r"range z-a is backwards"),
    ],
)
def test_wrong_names_and_types_are_refused(replay: Replay, text: str, message: str) -> None:
    with pytest.raises(SearchSyntaxError, match=message):
        replay(text, [{"a": 1, "b": "x", "@timestamp": 0}])


def test_an_error_names_the_search() -> None:
    with pytest.raises(SearchSyntaxError, match=r"^my_rule:2:3: esql: "):
        prepare("FROM e\n| FOO", name="my_rule")
