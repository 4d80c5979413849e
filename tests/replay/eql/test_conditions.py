"""Which events a condition keeps. Sources: Elastic docs "EQL syntax reference"; elasticsearch x-pack/plugin/eql, the tests
named in each group. Every case: condition, documents, numbers of the documents kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from an1498.errors import SearchSyntaxError, UnsupportedConstruct, UsageError

Matching = Callable[..., list[int]]
Documents = list[dict[str, Any]]

NAMES: Documents = [{"name": "Net.exe"}, {"name": "net.exe"}, {"name": "ssh"}, {"other": 1}]
NUMBERS: Documents = [{"n": 0}, {"n": 5}, {"n": -5}, {"x": 1}]
TAGS: Documents = [{"tags": ["a", "b"]}, {"tags": "b"}, {"tags": []}, {"other": 1}]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ('name == "net.exe"', [1]),  # == respects case
        ('name : "net.exe"', [0, 1]),  # : does not
        ('name : "net*"', [0, 1]),
        ('name : "ss?"', [2]),
        ('name : ("SSH", "x*")', [2]),
        ('name like "Net*"', [0]),
        ('name like~ "NET.e?e"', [0, 1]),
        ('name like "net.exe"', [1]),
        ('name in ("net.exe", "ssh")', [1, 2]),
        ('name in~ ("NET.EXE")', [0, 1]),
        ('name in~ ("net*")', []),  # wildcards mean nothing to in~
        ('name regex "net"', []),  # the whole value
        ('name regex "[nN]et.*"', [0, 1]),
        ('name regex~ ("net.*", "x")', [0, 1]),
        ('name > "net"', [1, 2]),  # byte order: upper case first
        ('name <= "net.exe"', [0, 1]),
        ('"net.exe" == name', [1]),
    ],
)
def test_strings(matching: Matching, condition: str, kept: list[int]) -> None:
    assert matching(condition, NAMES) == kept


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        # a missing field: the comparison is false, so its negation is true (querytranslator tests notFilter, fieldNotEqualsTrue)
        ('not name : "net.exe"', [2, 3]),
        ('name != "ssh"', [0, 1, 3]),
        ('name not in ("ssh")', [0, 1, 3]),
        ('not (name == "ssh" or name == "net.exe")', [0, 3]),
        ('not (name == "ssh" and other == 1)', [0, 1, 2, 3]),
        ('name != null and not name : "net.exe"', [2]),
        # null checks (Elastic docs, "check if a field exists")
        ("name == null", [3]),
        ("null == name", [3]),
        ("name != null", [0, 1, 2]),
        # inside one comparison a null stays a null (querytranslator test isNullInScript)
        ("null == (other > 0)", [0, 1, 2]),
        ("length(name) == 3", [2]),
        ("not (length(name) == 3)", [0, 1, 3]),
        # an optional field that exists is like any other
        ('?name == "ssh"', [2]),
        ('not ?name : "ssh"', [0, 1, 3]),
    ],
)
def test_missing_fields(matching: Matching, condition: str, kept: list[int]) -> None:
    assert matching(condition, NAMES) == kept


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("?nowhere == null", [0, 1, 2, 3]),  # test_extra.toml optionalMissingFieldNullEquality
        ("?nowhere != null", []),
        ("?nowhere", []),  # optionalMissingFieldImplicitBooleanEquality
        ("?nowhere == 1", []),
        ("?nowhere == ?elsewhere", [0, 1, 2, 3]),  # sequenceOptionalFieldAsQueryKeysOnly
        ('?nowhere : "x"', []),
        # the constant null is folded: not null is null, and null or x is x (PruneFilters.foldBinaryLogic)
        ('not ?nowhere : "x"', []),
        ('not ?nowhere : "x" or name == "ssh"', [2]),
        ('?nowhere == null or not ?nowhere : "x"', [0, 1, 2, 3]),
        ('?nowhere : "x" and name == "ssh"', []),
        # == and != with it become null checks of the other side (Optimizer.ReplaceNullChecks)
        ("?nowhere != 1", [0, 1, 2, 3]),
        ("true == (?nowhere in (1))", []),
        ('not (true == (?nowhere in ("x")))', [0, 1, 2, 3]),
        ('concat(?nowhere, "x") == "x"', []),
        ("name == ?nowhere", [3]),
    ],
)
def test_optional_fields_that_the_index_does_not_know(matching: Matching, condition: str, kept: list[int]) -> None:
    assert matching(condition, NAMES) == kept


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("n == 5", [1]),
        ("n != 5", [0, 2, 3]),
        ("n < 4.5", [0, 2]),
        ("n >= -5 and n <= 0", [0, 2]),
        ("-1 < n", [0, 1]),
        ("n in (0, 5.0)", [0, 1]),
        ("n / 2 == 2", [1]),  # whole numbers divide to whole numbers
        ("n / 2 == -2", [2]),  # toward zero
        ("n / 2.0 == 2.5", [1]),
        ("n % 3 == -2", [2]),  # the dividend's sign
        ("n + 1 * 2 == 7", [1]),
        ("(n + 1) * 2 == 12", [1]),
        ("-n == 5", [2]),
        ("10 - n == 5", [1]),
        ("1 + 1 == 2", [0, 1, 2, 3]),
        ("true", [0, 1, 2, 3]),
        ("not true", []),
    ],
)
def test_numbers(matching: Matching, condition: str, kept: list[int]) -> None:
    assert matching(condition, NUMBERS) == kept


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        # any value may match, each comparison on its own (querytranslator tests twoRangesOnASingleField, conjunctionOf…)
        ('tags == "a"', [0]),
        ('tags == "a" and tags == "b"', [0]),
        ('tags != "a"', [1, 2, 3]),
        ('not tags : "A*"', [1, 2, 3]),
        ('tags in ("b", "c")', [0, 1]),
        ("tags == null", [2, 3]),
        ("length(tags) == 1", [0, 1]),
        ("null == (length(tags) > 5)", [2, 3]),
        ('concat(tags, "x") == "bx"', [0, 1]),
    ],
)
def test_several_values(matching: Matching, condition: str, kept: list[int]) -> None:
    assert matching(condition, TAGS) == kept


def test_two_array_fields_in_one_comparison_try_every_pair(matching: Matching) -> None:
    documents = [{"a": ["x", "y"], "b": ["1", "2"]}, {"a": "x", "b": "1"}, {"a": ["x", "y"]}]
    assert matching('concat(a, b) == "y2"', documents) == [0]
    assert matching('null == (concat(a, b) > "")', documents) == [2]


def test_booleans(matching: Matching) -> None:
    documents = [{"up": True}, {"up": False}, {"other": 1}]
    assert matching("up", documents) == [0]
    assert matching("not up", documents) == [1, 2]
    assert matching("up == false", documents) == [1]
    assert matching("up != true", documents) == [1, 2]
    assert matching('startsWith("abc", "a") == true', documents) == [0, 1, 2]
    assert matching("(up == true) == false", documents) == [1, 2]


def test_addresses(matching: Matching) -> None:
    documents = [{"ip": "10.0.0.1"}, {"ip": "2001:DB8:0::1"}, {"ip": ["10.9.9.9", "fe80::1"]}, {"other": 1}]
    mapping = {"ip": "ip"}
    assert matching('ip == "2001:db8::1"', documents, mapping=mapping) == [1]
    assert matching('ip in ("10.0.0.1", "10.0.0.2")', documents, mapping=mapping) == [0]
    assert matching('ip != "10.0.0.1"', documents, mapping=mapping) == [1, 2, 3]
    assert matching("ip == null", documents, mapping=mapping) == [3]
    assert matching('cidrMatch(ip, "10.0.0.0/24", "fe80::/10")', documents, mapping=mapping) == [0, 2]
    assert matching('cidrMatch(ip, "10.6.48.157/8")', documents) == [0, 2]


def test_dates_compare_as_instants(matching: Matching) -> None:
    assert matching('@timestamp >= "1970-01-01T00:00:01.000Z"', [{}, {}, {}]) == [1, 2]
    assert matching('@timestamp == "1970-01-01T01:00:02.0+01:00"', [{}, {}, {}]) == [2]


def test_the_case_of_letters_beyond_ascii_counts_in_queries_but_not_in_scripts(matching: Matching) -> None:
    documents = [{"name": "Äpfel"}]
    assert matching('name : "äpfel"', documents) == []
    assert matching('name : "ÄPFEL"', documents) == [0]
    assert matching('substring(name, 0) : "äpfel"', documents) == [0]


def test_a_text_field_is_read_through_its_keyword_multi_field(matching: Matching) -> None:
    documents = [{"message": "Connection OK"}]
    assert matching('message : "connection*"', documents, mapping={"message": "text"}) == [0]
    assert matching('message.keyword == "Connection OK"', documents, mapping={"message": "text"}) == [0]


def test_the_category_is_compared_exactly_with_any_value(replay: Callable[..., list[dict[str, Any]]]) -> None:
    events = [
        {"@timestamp": 1, "event": {"category": ["process", "file"]}},
        {"@timestamp": 2, "event.category": "Process"},
        {"@timestamp": 3},
    ]
    assert [row["events"] for row in replay("process where true", events)] == [[0]]
    assert [row["events"] for row in replay("any where true", events)] == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("nmae == 1", "search:1:11: eql: Unknown column [nmae]; did you mean [name]?"),
        ('n == "5"', "cannot compare a field [n] of type number with a string"),
        ("name == 5", "cannot compare a field [name] of type string with a number"),
        ('n : "5"', "argument of [:] must be [string]"),
        ("n : 5", "argument of [:] must be [string]"),
        ("name", "Condition expression needs to be boolean"),
        ("n and true", "Condition expression needs to be boolean"),
        ("name == other", "Comparisons against fields are not (currently) supported"),
        ('name in ("a", other)', "Comparisons against fields are not (currently) supported"),
        ("name + 1 == 2", "argument of [+] must be [numeric]"),
        ("n / 0 == 1", "division by zero"),
        ('n in (1, "x")', "cannot compare"),
        ('ip : "10.*"', "argument of [:] must be [string]"),
        ('ip == "ten"', "'ten' is not an IP string literal"),
        ("length(n) == 1", "argument 1 of [length] must be [string]"),
        ("length() == 1", "function [length] expects 1 arguments, found 0"),
        ("length~(name) == 1", "has no case-insensitive form"),
    ],
)
def test_what_elasticsearch_rejects_for_these_fields(matching: Matching, condition: str, message: str) -> None:
    documents = [{"name": "a", "other": "b", "n": 1, "ip": "10.0.0.1"}]
    with pytest.raises(SearchSyntaxError) as raised:
        matching(condition, documents, mapping={"ip": "ip"})
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "condition",
    [
        'name == "a*"',  # a wildcard for Endgame's EQL, an asterisk for Elasticsearch's
        "length(name) != 3",  # Elasticsearch's versions differ where name is missing
        'string(name == "a" and n == 1) : "true"',
        "n > null",
        "name in (null)",
        'name regex "a\\\\d"',
        'ip > "10.0.0.1"',
        'ip == "10.0.0.0/8"',
        '@timestamp > "2020"',
        '@timestamp > "now-1d"',
        'wildcard(name, "a*")',
        'arrayContains(tags, "x")',
        'concat(tags, tags) == "aa"',
    ],
)
def test_what_replay_cannot_tell_is_refused(matching: Matching, condition: str) -> None:
    with pytest.raises(UnsupportedConstruct):
        matching(condition, [{"name": "a", "n": 1, "ip": "10.0.0.1", "tags": ["a", "b"]}], mapping={"ip": "ip"})


def test_a_division_by_zero_fails_the_search(matching: Matching) -> None:
    with pytest.raises(UsageError, match="division by zero"):
        matching("10 / n == 1", NUMBERS)
