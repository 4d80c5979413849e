"""Wildcards and Lucene regular expressions as RE2 (Elastic docs, "Regular expression syntax")."""

from __future__ import annotations

import duckdb
import pytest

from an1498.replay.eql.patterns import UnsupportedPattern, regex, wildcard_regex

CONNECTION = duckdb.connect()


def full_match(text: str, pattern: str) -> bool:
    row = CONNECTION.execute("SELECT regexp_full_match(?, ?, 's')", [text, pattern]).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*c", "abbc", True),
        ("a*c", "abbcd", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a?c", "a😀c", True),
        ("*", "", True),
        ("a*", "a\nb", True),
        (r"C:\*.exe", r"C:\x.exe", True),
        (r"a\*b", r"a\xb", True),  # a backslash is an ordinary character and does not escape the wildcard
        (r"a\*b", "a*b", False),
        ("a.c", "abc", False),
        ("(a|b)[c]+$^{2}", "(a|b)[c]+$^{2}", True),
    ],
)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    assert full_match(text, wildcard_regex(pattern)) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("net1", "net1.exe", False),  # always the whole value
        (".*net1.*", "run net1.exe", True),
        ("a.c", "a\nc", True),
        ("ab|cd", "cd", True),
        ("(ab)+", "abab", True),
        ("a{2,3}", "aaaa", False),
        ("a{2}", "aa", True),
        ("a{2,}", "aaaa", True),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("[a-]", "-", True),
        (r"[\]]", "]", True),
        (r"a\.b", "a.b", True),
        (r"a\.b", "axb", False),
        ("a\\\\b", r"a\b", True),
        ("^a$", "^a$", True),  # no anchors in Lucene: ordinary characters
        ("^a$", "a", False),
        ("a+?", "", True),  # a second quantifier repeats the first: (a+)?
        (".*?net", "net", True),
        ("()", "", True),
        ("ab", "AB", False),
    ],
)
def test_lucene_regular_expressions(pattern: str, text: str, expected: bool) -> None:
    assert full_match(text, regex(pattern, insensitive=False, java=False)) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("net[1]", "NET1", True),
        ("[ab]c", "BC", True),
        ("[^a]", "A", False),
        ("[a-zA-Z]+", "Abc", True),
        ("ä", "Ä", False),  # ASCII letters only
    ],
)
def test_case_insensitive_expressions_fold_ascii_letters(pattern: str, text: str, expected: bool) -> None:
    assert full_match(text, regex(pattern, insensitive=True, java=False)) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"a\d",
        r"\s+",
        "~a",
        "a&b",
        "<1-5>",
        "@",
        "#",
        '"a"',
        "a||b",
        "(a|)",
        "*a",
        "a{",
        "a{x}",
        "a{1001}",
        "(a",
        "a)",
        "[",
        "[]",
        "[z-a]",
        "[[:alpha:]]",
        "a\\",
    ],
)
def test_what_versions_or_dialects_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPattern):
        regex(pattern, insensitive=False, java=False)


@pytest.mark.parametrize(("pattern", "insensitive"), [("[a-z]", True), ("^a", False), ("a++", False), ("a*+", False)])
def test_what_java_reads_differently_is_refused_on_computed_values(pattern: str, insensitive: bool) -> None:
    with pytest.raises(UnsupportedPattern):
        regex(pattern, insensitive=insensitive, java=True)


def test_reluctant_quantifiers_of_java_accept_the_same_whole_values() -> None:
    assert not full_match("", regex("a+?", insensitive=False, java=True))
    assert full_match("aa", regex("a+?", insensitive=False, java=True))
