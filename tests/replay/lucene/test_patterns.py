"""Lucene's patterns as RE2, executed by DuckDB. Sources: Elasticsearch reference "Regular expression syntax"; Lucene's RegExp and
WildcardQuery."""

from __future__ import annotations

import duckdb
import pytest

from an1498.replay.lucene.patterns import PatternError, regular_expression, wildcard

CONNECTION = duckdb.connect()


def matches(re2: str, value: str) -> bool:
    row = CONNECTION.execute("SELECT regexp_full_match(?, ?, 's')", [value, re2]).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("abc", ["abc"], ["abcd", "xabc", "ABC"]),
        ("ab.", ["abc", "ab\n", "abü", "ab🤦"], ["ab", "abcd"]),
        ("abc?", ["ab", "abc"], ["abcc"]),
        ("ab+", ["ab", "abb"], ["a"]),
        ("ab*", ["a", "abb"], ["b"]),
        ("a{2}", ["aa"], ["a", "aaa"]),
        ("a{2,4}", ["aa", "aaaa"], ["a", "aaaaa"]),
        ("a{2,}", ["aa", "aaaaaa"], ["a"]),
        ("abc|xyz", ["abc", "xyz"], ["abcxyz", "abxyz"]),
        ("abc(def)?", ["abc", "abcdef"], ["abcd"]),
        ("[ab]c", ["ac", "bc"], ["cc", "abc"]),
        ("[a-c]", ["b"], ["d"]),
        ("[^a-c]", ["d", "\n"], ["b", ""]),
        (r"[abc\-]", ["-"], ["\\"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("^a$", ["^a$"], ["a"]),
        (r"a\.b", ["a.b"], ["axb"]),
        (r"a\\b", ["a\\b"], ["ab"]),
        (r"a\/b", ["a/b"], ["a\\/b"]),
        ('"a.*b"c', ["a.*bc"], ["axxbc"]),
        (r"\d+\s\w", ["12 x", "3\t_"], ["1 -", "x x", "1\x0bx"]),
        (r"\D\S\W", ["a-."], ["1-."]),
        ("a++", ["aaa"], [""]),
        ("a*?", ["", "aa"], ["b"]),
        ("()a", ["a"], [""]),
        ("a@z", ["az", "a\nz"], ["b"]),
        ("x#|y", ["y"], ["x", "x#"]),
        ("", [""], ["a"]),
        ("a-b c", ["a-b c"], ["ab c"]),
    ],
)
def test_regular_expressions_match_the_whole_value(pattern: str, yes: list[str], no: list[str]) -> None:
    re2 = regular_expression(pattern).re2
    assert [value for value in yes if not matches(re2, value)] == []
    assert [value for value in no if matches(re2, value)] == []


@pytest.mark.parametrize("pattern", [".*", "(.*)", ".*.*", "a|.*", ".*a*", "@", "(.*)+"])
def test_a_pattern_for_everything_is_known_as_such(pattern: str) -> None:
    assert regular_expression(pattern).matches_all


@pytest.mark.parametrize("pattern", [".+", "a.*", ".", ".{0}", "(.*){0}", ".?"])
def test_other_patterns_are_not(pattern: str) -> None:
    assert not regular_expression(pattern).matches_all


@pytest.mark.parametrize(
    ("pattern", "unsupported"),
    [
        ("(a", False),
        ("a)", False),
        ("[a", False),
        ("[z-a]", False),
        ("[a-]", False),
        ("(a|)b", False),
        ('"a', False),
        ("a{", False),
        ("a{1", False),
        ("a\\", False),
        (r"a\b", False),
        ("a&b", True),
        ("~a", True),
        ("<1-10>", True),
        ("a{1001}", True),
        (r"[\D]", True),
    ],
)
def test_what_lucene_refuses_and_what_re2_cannot_say(pattern: str, unsupported: bool) -> None:
    with pytest.raises(PatternError) as caught:
        regular_expression(pattern)
    assert caught.value.unsupported is unsupported


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a*", ["a", "abc", "a\nb"], ["ba"]),
        ("a?c", ["abc", "aüc"], ["ac", "abbc"]),
        (r"a\*", ["a*"], ["ab"]),
        (r"a\b", ["ab"], ["a\\b"]),
        (r"a\\*", ["a\\", "a\\x"], ["a*"]),
        ("a.c", ["a.c"], ["abc"]),
        ("a\\", ["a\\"], ["a"]),
        ("(a|b)+", ["(a|b)+"], ["a"]),
    ],
)
def test_wildcards(pattern: str, yes: list[str], no: list[str]) -> None:
    re2 = wildcard(pattern).re2
    assert [value for value in yes if not matches(re2, value)] == []
    assert [value for value in no if matches(re2, value)] == []


def test_a_wildcard_knows_its_only_value_and_whether_it_matches_everything() -> None:
    assert wildcard(r"a\*b").literal == "a*b"
    assert wildcard("a*b").literal is None
    assert wildcard("**").matches_all
    assert not wildcard("").matches_all
    assert not wildcard("*?").matches_all
