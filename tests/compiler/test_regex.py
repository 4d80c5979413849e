"""Translated expressions match the same values as Sigma's (Python's engine stands for the meaning)."""

from __future__ import annotations

import re

import duckdb
import pytest
from sigma.types import SigmaRegularExpression

from an1498.compiler.patterns import Pattern
from an1498.compiler.refusal import Refusal
from an1498.compiler.regex import lucene_pattern, lucene_regex, pcre_regex
from an1498.model import FieldType
from an1498.replay import lucene
from an1498.replay.table import ColumnType, load

VALUES = [
    "",
    "a",
    "b",
    "ab",
    "abc",
    "ABC",
    "aab",
    "xaby",
    "a\nb",
    "a.b",
    "a-b",
    "a1",
    "12",
    "a b",
    "a\\b",
    "a/b",
    "[x]",
    '"',
    "a$b",
    "^",
    "~#@&<>",
    "aaaa",
]


@pytest.mark.parametrize(
    "expression",
    [
        "a",
        "^a",
        "b$",
        "^ab$",
        "^a|b$",
        "a.b",
        "a.*?b",
        "^$",
        "a{2,3}",
        "a{2,}",
        "(ab)+",
        "(?:a|x)b?",
        r"a\.b",
        r"\d",
        r"^\w+$",
        r"a\sb",
        r"[^a]",
        r"[a-c]b",
        r"[\d.]",
        r"\D",
        r"[\\/]",
        r"\[x\]",
        '"',
        r"\$",
        r"\^",
        "~#@&<>",
        "(?i)abc",
        "[x-z[]",
        "[]]",
        "a|",
        "()",
    ],
)
def test_lucene_matches_what_sigma_matches(expression: str) -> None:
    found = lucene_regex(SigmaRegularExpression(expression)).replace("/", "\\/")
    table = load(
        duckdb.connect(),
        "events",
        [[{"_id": str(number), "f": value} for number, value in enumerate(VALUES)]],
        flavour="elastic",
        mapping={"f": ColumnType(FieldType.KEYWORD)},
    )
    matched = {VALUES[int(row.values["_id"])] for row in lucene.prepare(f"f:/{found}/").execute(table)}
    assert matched == {value for value in VALUES if re.search(expression, value)}


@pytest.mark.parametrize(
    ("expression", "rendered"),
    [
        (r"c:\\tmp", r"c:\x5ctmp"),
        ('say "x"', r"say \x22x\x22"),
        ("`m`", r"\x60m\x60"),
        ("^a$", r"^a\z"),
        (r"\$x\$", r"\x24x\x24"),
        ("[$`]", r"[\x24\x60]"),
        ("[]$]", r"[]\x24]"),
        ("[^]$]", r"[^]\x24]"),
        ("a|b$", r"a|b\z"),
        (r"a\Z", r"a\z"),
        ("tab\t", r"tab\x09"),
        ("(?i)x", "(?i)x"),
    ],
)
def test_pcre_is_the_same_without_splunks_own_characters(expression: str, rendered: str) -> None:
    assert pcre_regex(SigmaRegularExpression(expression)) == rendered


@pytest.mark.parametrize(
    ("expression", "construct"),
    [
        (r"a(?=b)", "lookaround"),
        (r"a(?!b)", "negative lookaround"),
        (r"(a)\1", "back-reference"),
        (r"\bword", "word boundary"),
        (r"a^b", "anchor"),
        (r"(?m)^a", "line anchors"),
        (r"[\D\S]", "negated class"),
        ("[[:alpha:]]", "POSIX"),
        ("a{500}" * 200, "over the index limit"),
    ],
)
def test_what_lucene_cannot_say_is_refused(expression: str, construct: str) -> None:
    with pytest.raises(Refusal, match=construct):
        lucene_regex(SigmaRegularExpression(expression))


def test_patterns_become_expressions_of_the_whole_value() -> None:
    assert lucene_pattern(Pattern(("a.1",))) == r"[Aa]\.1"
    assert lucene_pattern(Pattern(("a.1",), cased=True)) == r"a\.1"
    assert lucene_pattern(Pattern(())) == "()"
