"""The search command (Search Reference, "search"; Search Manual, "Boolean expressions", "Difference between != and NOT")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.replay.spl.helpers import column, in_order

from an1498.errors import SearchSyntaxError, UnsupportedConstruct

# The manual's example, "Difference between != and NOT".
PONIES: list[dict[str, Any]] = [
    {"ID": ID, "Name": name, "Location": location}
    for ID, name, location in [
        ("101M3", "McIntosh", "Marin Meadows"),
        ("104F5", "Lyra", None),
        ("104M6", "Rutherford", "Placer Pastures"),
        ("101F2", "Rarity", "Marin Meadows"),
        ("102M7", "Dash", "Calaveras Farms"),
        ("102M1", "Roan", None),
        ("101F6", "Chestnut", "Marin Meadows"),
        ("104F4", "Pinkie", "Placer Pastures"),
        ("102M8", "Spike", "Calaveras Farms"),
    ]
]


def test_not_equal_needs_the_field_and_not_does_not() -> None:
    assert set(column('Location!="Calaveras Farms" | table ID', PONIES, "ID")) == {"101M3", "104M6", "101F2", "101F6", "104F4"}
    kept = set(column('NOT Location="Calaveras Farms" | table ID', PONIES, "ID"))
    assert kept == {"101M3", "104F5", "104M6", "101F2", "102M1", "101F6", "104F4"}


def test_not_equal_to_a_value_that_does_not_occur_returns_what_has_the_field() -> None:
    assert len(column('Location!="Nowhere" | table ID', PONIES, "ID")) == 7


@pytest.mark.parametrize(
    ("search", "matched"),
    [
        # "The search command evaluates OR before AND": A=1 AND B=2 OR C=3 is A=1 AND (B=2 OR C=3).
        ("A=1 AND B=2 OR C=3", [True, True, False, False]),
        ("A=1 B=2 OR C=3", [True, True, False, False]),
        ("(A=1 AND B=2) OR C=3", [True, True, True, False]),
        # "NOT clauses" come first.
        ("NOT A=1 OR B=2", [True, False, True, True]),
        ("NOT (A=1 OR B=2)", [False, False, True, True]),
        ("A=1 NOT B=2", [False, True, False, False]),
    ],
)
def test_order_of_evaluation(search: str, matched: list[bool]) -> None:
    events = [{"n": 0, "A": 1, "B": 2}, {"n": 1, "A": 1, "C": 3}, {"n": 2, "C": 3}, {"n": 3, "D": 4}]
    found = set(column(search + " | table n", events, "n"))
    assert [str(n) in found for n in range(4)] == matched


@pytest.mark.parametrize(
    ("search", "value", "matches"),
    [
        ("x=Error", "eRROR", True),
        ('x="two words"', "Two Words", True),
        ("x=err*", "ERRORS", True),
        ("x=*err*", "terror", True),
        ("x=*or", "error", True),
        ("x=e*r*r", "error", True),
        ("x=e*r", "er", True),
        ("x=er*r", "er", False),
        ("x=*", "anything", True),
        ("x=a?c", "abc", False),
        ("x=a?c", "a?c", True),
        ("x=a.c", "abc", False),
        ('x="a*(b"', "aXX(b", True),
        # "=" compares text: "1" does not match "1.0".
        ("x=1", "1.0", False),
        ("x=1", 1, True),
        # "<" compares numbers as numbers, other values lexicographically.
        ("x>9", 10, True),
        ("x>=10", "10.0", True),
        ("x<b", "a", True),
        ('x>"192"', "abc", True),
        ("x IN (a, B*)", "bcd", True),
        ("x IN (a, b)", "c", False),
        ('x IN ("a b", 5)', 5, True),
        # CIDR notation, IPv4 and IPv6
        ('x="10.0.0.0/8"', "10.255.0.1", True),
        ('x="10.0.0.0/8"', "11.0.0.1", False),
        ("x=192.0.2.0/25", "192.0.2.127", True),
        ("x=192.0.2.0/25", "192.0.2.128", False),
        ("x=10.0.0.0/8", "not an address", False),
        ("x=10.0.0.0/8", "10.0.0.0/8", True),
        ("x=2001:db8::/33", "2001:DB8:7fff::1", True),
        ("x=2001:db8::/33", "2001:db8:8000::1", False),
        ("x=::/0", "10.0.0.1", False),
        ("x=::/0", "fe80::1", True),
        # quotes and backslashes: escaped by a backslash
        (r'x="C:\\Windows\\*"', "c:\\windows\\system32", True),
        (r"x=C:\\Windows", "c:\\windows", True),
        (r'x="say \"hi\""', 'say "hi"', True),
        ("x=true", True, True),
        ("x='a'", "'a'", True),
        ("x=a::b", "a::b", True),
        ("x = a", "a", True),
    ],
)
def test_values(search: str, value: object, matches: bool) -> None:
    assert column(search + " | table x", [{"x": value}], "x") == ([str(value) if value is not True else "true"] if matches else [])


def test_a_multivalue_matches_with_any_value() -> None:
    events = [{"n": 1, "x": ["a", "b"]}, {"n": 2, "x": ["b", "c"]}, {"n": 3, "x": "a"}]
    assert column("x=A | table n", events, "n") == ["3", "1"]
    assert column("NOT x=a | table n", events, "n") == ["2"]
    assert column("x!=a | table n", events[1:], "n") == ["2"]


def test_not_equal_on_a_multivalue_of_which_some_match_is_refused() -> None:
    with pytest.raises(UnsupportedConstruct, match="!= on a multivalue"):
        column("x!=a | table n", [{"n": 1, "x": ["a", "b"]}], "n")


def test_order_that_depends_on_case_is_refused() -> None:
    with pytest.raises(UnsupportedConstruct, match="upper and lower case"):
        column("x<b | table x", [{"x": "C"}], "x")


def test_a_computed_number_matches_its_text() -> None:
    events = in_order(1, 2, 3)
    assert column("* | eval y=x*2 | search y=4 | table y", events, "y") == [4]
    assert column("* | eval y=x*2 | search y!=4.0 | table y", events, "y") == [2, 4, 6]
    assert column("* | eval y=x*2 | search y>=4 | table y", events, "y") == [4, 6]
    assert column("* | eval y=x*10 | search y=1* | table y", events, "y") == [10]


def test_all_indexes_are_those_that_are_not_internal() -> None:
    events = in_order("main", "_audit", field="index")
    assert column("index=* | table index", events, "index") == ["main"]
    assert column("index=_* | table index", events, "index") == ["_audit"]


@pytest.mark.parametrize(
    ("search", "raw", "matches"),
    [
        ("error", "an ERROR occurred", True),
        ("error", "terror", False),
        ("error", "errors", False),
        ("err*", "two errors", True),
        ("*rror", "terror", True),
        ('"connection refused"', "Connection refused (tcp)", True),
        ('"connection refused"', "connection was refused", False),
        ("web error", "error on web", True),
        ("web error", "error", False),
        ("10.0.0.1", "from 10.0.0.1:443", True),
        ("10.0.0.1", "from 110.0.0.1", False),
        ("error NOT 403 OR 404", "error 404", True),
        ("error NOT 403 OR 404", "error 403", False),
        ("a*d", "a b d", False),
        ("a*d", "a/b/d", True),
        ("NOT error", "fine", True),
        ("or", "this or that", True),
    ],
)
def test_words_are_terms_of_raw(search: str, raw: str, matches: bool) -> None:
    assert (column(search + " | table _raw", [{"_raw": raw}], "_raw") == [raw]) is matches


def test_words_need_raw() -> None:
    with pytest.raises(UnsupportedConstruct, match="events without _raw"):
        column("error | table x", [{"x": 1}], "x")


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (r'x="a\*b"', r"search:1:5: spl: replay does not model the escape '\\\*'"),
        (r"x=a\b", "the escape"),
        ("x=CASE(a)", r"the directive CASE"),
        ("PREFIX(a)", r"the directive PREFIX"),
        ("earliest=-5m x=1", "search:1:1: .*the search modifier 'earliest'"),
        ("tag=x", "the search modifier 'tag'"),
        ("x>a*", "a wildcard with '>'"),
        ("x* = 1", "a field name with wildcards"),
        ("x=1 [y=2]", "search:1:6: .*a subsearch that does not begin"),
        ('"a""b"', "two terms without a space"),
    ],
)
def test_refused(search: str, message: str) -> None:
    with pytest.raises(UnsupportedConstruct, match=message):
        column(search + " | table x", [{"x": 1}], "x")


@pytest.mark.parametrize("search", ["x=", "(x=1", "x=1)", "x IN ()", "NOT", "x=1 OR", "=1", "", "x=1 |", "| | head 1", "x==1", "| head 1"])
def test_syntax_errors_are_located(search: str) -> None:
    with pytest.raises(SearchSyntaxError, match=r"^search:1:\d+: spl: "):
        column(search, [{"x": 1}], "x")


def test_a_location_counts_lines() -> None:
    with pytest.raises(UnsupportedConstruct, match=r"^search:3:3: spl: replay does not model command 'transaction'"):
        column("x=1\n| head 5\n| transaction x", [], "x")
