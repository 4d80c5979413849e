"""Perl-compatible expressions as RE2."""

from __future__ import annotations

import duckdb
import pytest

from an1498.replay.spl.pcre import PcreError, translate


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("(?i)ABC", "abc", True),
        ("a(?i:B)c", "abc", True),
        (r"a\sb", "a\x0bb", True),  # PCRE's \s has the vertical tab
        (r"[\s]", "\x0b", True),
        (r"^\S+$", "abc", True),
        (r"\bfoo\b", "a foo b", True),
        (r"a{2,3}?b", "aab", True),
        ("a{", "a{", True),
        ("a{x}", "a{x}", True),
        (r"[]a]+", "]a", True),
        (r"[^]]", "]", False),
        (r"[[:digit:]]{2}", "42", True),
        (r"[a\-z]", "-", True),
        (r"[[]", "[", True),
        (r"\Qa.b\E+", "a.bb", True),
        (r"\Qa.b", "axb", False),
        (r"\x41\x{42}", "AB", True),
        (r"\_\-\/\<", "_-/<", True),
        (r"\Aab\z", "ab", True),
        (r"ab\Z", "ab", True),
        (r"(?P<n>a)(?'m'b)(?<o>c)", "abc", True),
        (r"a|b$", "xb", True),
    ],
)
def test_matches(pattern: str, text: str, matches: bool) -> None:
    (found,) = duckdb.connect().execute("SELECT regexp_matches(?, ?)", [text, translate(pattern).re2]).fetchone() or (None,)
    assert found is matches


def test_groups_are_listed_in_order() -> None:
    assert translate("(?<a>x)(y)(?:z)(?P<b>w)").groups == ("a", "", "b")


@pytest.mark.parametrize("pattern", ["a$", r"a\Z"])
def test_an_end_that_also_matches_before_a_newline_is_told(pattern: str) -> None:
    assert translate(pattern).ends_at_newline
    assert not translate(r"a[$]\$").ends_at_newline


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "a*+", "a++", "a?+", r"(a)\1", r"\g1", r"\k<a>", "(?R)", "(?(1)a)", r"\K", r"\R", r"\X",
     r"\h", r"\v", r"\G", r"\cA", r"\012", "(?x)a b", "(?m)^a$", "(*UTF8)a", "a{1001}", r"\pL",
     "[a", "(a", "a)", "a\\", "(?<a>x)(?<a>y)", "[[:word:]]",
     r"[\S]", "a\0b", r"\xZ", "*a"],
)  # fmt: skip
def test_refused(pattern: str) -> None:
    with pytest.raises(PcreError):
        translate(pattern)
