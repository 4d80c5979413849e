"""eval and where (Search Reference, "eval", "where", "Evaluation functions"; Search Manual, "Types of expressions")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.replay.spl.helpers import column, in_order, rows

from an1498.errors import SearchSyntaxError, UnsupportedConstruct

EVENT: dict[str, Any] = {
    "_time": 1_768_471_207.25,
    "a": "x",
    "n": 5,
    "big": 10,
    "f": "2.5",
    "id.orig_h": "10.0.0.1",
    "two words": "w",
    "mv": ["b", "a", "b"],
    "one": ["only"],
    "empty": "",
    "ip6": "2001:db8::5",
}


def evaluated(expression: str) -> Any:
    return column(f"a=x | eval result={expression} | table result", [EVENT, {"mv": ["p", "q"], "one": "x", "_time": 1}], "result")[0]


def holds(condition: str) -> bool:
    return bool(column(f"* | where {condition} | head 1 | table a", [EVENT], "a"))


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        # arithmetic is in floating point; text that looks like a number is a number
        ("n+1", 6),
        ("n+big", 15),
        ("n*f", 12.5),
        ("n/2", 2.5),
        ("n-7", -2),
        ("-n", -5),
        ("big%4", 2),
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("10-2-3", 5),
        ("n/0", None),
        ("missing+1", None),
        ("a*2", None),
        # concatenation
        ('a."-".n', "x-5"),
        ("n.big", "510"),
        ("f*2 . a", "5x"),
        ("missing.a", None),
        # field names: single quotes; a dot outside quotes concatenates
        ("'id.orig_h'", "10.0.0.1"),
        ("'two words'", "w"),
        ('"two words"', "two words"),
        # strings: \\ and \" are escapes, \t a tab, others keep their backslash
        (r'"C:\\windows"', "C:\\windows"),
        (r'"say \"hi\""', 'say "hi"'),
        (r'"a\tb"', "a\tb"),
        (r'"\d"', "\\d"),
        # conditional functions
        ('if(n=5, "five", "other")', "five"),
        ('if(missing=5, "five", "other")', "other"),
        ('case(n=4, "four", n=5, "five", true(), "other")', "five"),
        ('case(n=4, "four")', None),
        ("coalesce(missing, a)", "x"),
        ("coalesce(missing, null())", None),
        ('coalesce(missing, n, "none")', "5"),
        ('nullif(a, "x")', None),
        ('nullif(a, "y")', "x"),
        ('validate(n=5, "not five", n=6, "not six")', "not six"),
        # text functions
        ('lower("ABC")', "abc"),
        ("upper(a)", "X"),
        ("len(a)", 1),
        ("len(empty)", 0),
        ("len(n)", 1),
        ('substr("string", 1, 3)', "str"),
        ('substr("string", -3)', "ing"),
        ('substr("string", -3, 2)', "in"),
        ('substr("string", 10)', ""),
        ('trim("  ZZZZabcZZ ", " Z")', "abc"),
        ('ltrim(" ZZab", " Z")', "ab"),
        ('rtrim("abZZ ")', "abZZ"),
        # the documentation's example of replace
        (r'replace("1/14/2023", "^(\d{1,2})/(\d{1,2})/", "\2/\1/")', "14/1/2023"),
        ('replace("aba", "a", "")', "b"),
        ('tonumber("0A4x")', None),
        ('tonumber("12.5")', 12.5),
        ("tostring(n=5)", "True"),
        ("tostring(2.50)", "2.5"),
        ("md5(a)", "9dd4e461268c8034f5c8564e155c67a6"),
        # numbers
        ("round(3.5)", 4),
        ("round(-2.5)", -3),
        ("round(2.555, 1)", 2.6),
        ("floor(-1.5)", -2),
        ("ceiling(1.2)", 2),
        ("abs(-n)", 5),
        ("sqrt(9)", 3),
        ("sqrt(-1)", None),
        ("pow(2, 10)", 1024),
        ("log(1000)", 3),
        ("ln(0)", None),
        ("max(1, n, 3)", 5),
        ("min(1, n, 3)", 1),
        # multivalues
        ("mvcount(mv)", 3),
        ("mvcount(a)", 1),
        ("mvcount(missing)", None),
        ("mvindex(mv, 1)", "a"),
        ("mvindex(mv, -1)", "b"),
        ("mvindex(mv, 9)", None),
        ("mvindex(mv, 0, 1)", ["b", "a"]),
        ('mvjoin(mv, ";")', "b;a;b"),
        ("mvdedup(mv)", ["b", "a"]),
        ("mvsort(mv)", ["a", "b", "b"]),
        ('mvappend("z", mv, missing, n)', ["z", "b", "a", "b", "5"]),
        ('mvfilter(match(mv, "^a"))', "a"),
        ('mvfilter(mv="q")', None),
        ("mvmap(mv, mv.n)", ["b5", "a5", "b5"]),
        ('mvfind(mv, "^a$")', 1),
        ('mvfind(mv, "z")', None),
        ('split("a,b,c", ",")', ["a", "b", "c"]),
        ('split("abc", "")', ["a", "b", "c"]),
        ('mvcount(split(a, ","))', 1),
        ("lower(one)", "only"),
        # times, in UTC
        ('strftime(_time, "%Y-%m-%dT%H:%M:%S.%3N%z")', "2026-01-15T10:00:07.250+0000"),
        ('strftime(0, "%F %T")', "1970-01-01 00:00:00"),
        ('strftime(_time, "%s.%6N")', "1768471207.250000"),
        ('strftime(-1.5, "%s %6N")', "-2 500000"),
    ],
)
def test_expressions(expression: str, result: Any) -> None:
    assert evaluated(expression) == result


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        # where is case-sensitive, search is not
        ('a="x"', True),
        ('a="X"', False),
        ('a!="X"', True),
        ("n=5", True),
        ("n==5.0", True),
        ("n!=5", False),
        ("n<big", True),  # as numbers; as text "5" > "10"
        ("f>2", True),
        ("a=5", False),
        ("a!=5", True),
        ("missing=5", False),
        ("missing!=5", False),
        ("missing=missing", False),
        ("isnull(missing)", True),
        ("isnotnull(empty)", True),
        ('empty=""', True),
        # NOT, then AND, then OR, then XOR
        ("n=5 OR n=6 AND n=7", True),
        ("(n=5 OR n=6) AND n=7", False),
        ("NOT n=6 AND n=5", True),
        ("n=5 XOR n=5 OR n=5", False),
        ("not n=6 and n=5", True),
        ('like(a, "X%")', False),
        ('like("xyz", "x_z")', True),
        ('"a.c" LIKE "a.%"', True),
        ('"abc" LIKE "a.%"', False),
        ('"a\\nb" LIKE "a%"', True),
        ('match("foobar", "o+b")', True),
        ('match("foobar", "^O")', False),
        ('match("foobar", "(?i)^FOO")', True),
        ('in(a, "w", "x")', True),
        ('a IN ("w", "y")', False),
        ("n IN (4, 5)", True),
        ("cidrmatch(\"10.0.0.0/8\", 'id.orig_h')", True),
        ("cidrmatch(\"11.0.0.0/8\", 'id.orig_h')", False),
        ('cidrmatch("2001:db8::/32", ip6)', True),
        ("isnum(n) AND isint(n) AND NOT isnum(a)", True),
        ("isint(f)", False),
        ("true()", True),
        ("false()", False),
        # a guard decides before what could not be decided
        ('isnull(missing) OR NOT missing="x"', True),
        ('NOT missing="x" OR isnull(missing)', True),
        ('one="only"', True),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    assert holds(condition) is expected


def test_assignments_run_from_left_to_right_and_replace() -> None:
    assert rows("* | eval n=n+1, m=n*2 | table n m", [EVENT]) == [{"n": 6, "m": 12}]


def test_branches_of_different_kinds_become_text() -> None:
    assert column('* | eval y=if(x>1, x*1, "small") | table y', in_order(1, 2), "y") == ["small", "2"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("now()", r"the function now\(\)"),
        ('n + 1 + "b"', r"'\+' with a string and a number"),
        ('"1" * 2', "arithmetic with a quoted number"),
        ('"a" . 1 + 2', "'\\.' and '\\+' without parentheses"),
        ("true", "the bare word 'true'"),
        ('match(a, "(?=x)")', r"the group '\(\?=x'"),
        (r'match(a, "(a)\1")', r"this regular expression: \\1"),
        ("match(a, n)", "not a quoted string"),
        ('like(a, "50\\\\%")', "a backslash before %"),
        ("mvindex(mv, 0, n)", "not a whole number written in the search"),
        ('strptime(a, "%H:%M")', "a time without a date"),
        ('tostring(n, "roman")', "tostring\\(\\) to anything but"),
        ("printf(a)", "a format of printf"),
        ('strftime(_time, "%c")', "time format variable %c"),
        ('if(n=5, "x", n=5)', "branches of which some are Booleans"),
    ],
)
def test_refused_before_any_event(expression: str, message: str) -> None:
    with pytest.raises(UnsupportedConstruct, match=message):
        evaluated(expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a+n", r"'\+' with text that is no number"),
        ('n + "b"', r"'\+' with a string and text that looks like a number"),
        ("round(1.005, 2)", "a number between two"),
        ('strptime(a, "%Y-%m-%d")', "does not have the format"),
        ('urldecode("a+b")', "a plus sign"),
        ("typeof(n)", "looks like a number"),
        ('tostring(a, "hex")', "of text that is no number"),
        ('tonumber("0xff", 16)', "begins with a sign or 0x"),
        ("substr(a, 0)", "position 0"),
        ('relative_time(1517270400, "+1mon")', "from the 29th, 30th or 31st"),
        ("lower(mv)", "a multivalue where one value is needed"),
        ("1/3 . a", "many digits"),
        ("round(n/3, 2) . a", "the text of a rounded number"),
        ("mvindex(mv, 0, 7)", "a range beyond the values"),
        ("max(n, missing)", "a null"),
        ("-5 % 3", "negative or fractional"),
        ('split(empty, ",")', "the empty text"),
        ('if(n<"10", 1, 0)', "a quoted number"),
        ('if(NOT missing="x", 1, 0)', "a field that does not exist"),
        ("if(f=2.5 XOR missing=1, 1, 0)", "XOR of a comparison with a field that does not exist"),
        ("if(a>3, 1, 0)", "between a number and text"),
        ('if(n="5.0", 1, 0)', "two texts of one number"),
    ],
)
def test_refused_because_of_an_event(expression: str, message: str) -> None:
    with pytest.raises(UnsupportedConstruct, match=rf"^search:1:\d+: spl: .*{message}"):
        evaluated(expression)


@pytest.mark.parametrize(
    "expression", ["", "n=5", "if(n=5, 1)", "case(n=5)", "(n", "n+", "a b", '"open', "'open", "lower()", "substr(a)", "n < 5 < 6", ".5"]
)
def test_syntax_errors(expression: str) -> None:
    with pytest.raises(SearchSyntaxError):
        evaluated(expression)


def test_a_boolean_cannot_be_assigned() -> None:
    with pytest.raises(SearchSyntaxError, match="a field cannot be given a Boolean"):
        evaluated("n=5 OR n=6")
