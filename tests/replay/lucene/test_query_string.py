"""query_string. Elasticsearch reference: "Query string query" (syntax), and the field type's page where a type decides; Lucene API:
`org.apache.lucene.queryparser.classic` for what is required."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from an1498.errors import SearchSyntaxError, UnsupportedConstruct
from an1498.replay.lucene import prepare
from an1498.replay.table import load

Found = Callable[..., list[int]]
Documents = Callable[..., list[dict[str, Any]]]

LETTERS: list[dict[str, Any]] = [{"a": 1, "b": 0, "c": 0}, {"a": 1, "b": 1, "c": 0}, {"a": 0, "b": 1, "c": 1}, {"a": 0, "b": 0, "c": 0}]


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ("a:1", [0, 1]),
        ("a:1 b:1", [0, 1, 2]),
        ("a:1 OR b:1", [0, 1, 2]),
        ("a:1 || b:1", [0, 1, 2]),
        ("a:1 AND b:1", [1]),
        ("a:1 && b:1", [1]),
        ("NOT a:1", [2, 3]),
        ("-a:1", [2, 3]),
        ("!a:1", [2, 3]),
        ("a:1 AND NOT b:1", [0]),
        ("a:1 -b:1", [0]),
        ("a:1 OR NOT b:1", [0]),
        ("+a:1 b:1", [0, 1]),
        ("+a:1 +b:1", [1]),
        ("NOT a:1 NOT b:1", [3]),
        ("NOT (a:1 OR b:1)", [3]),
        ("(NOT a:1) AND b:1", [2]),
        ("b:1 AND (NOT a:1)", [2]),
        ("(NOT a:1) OR a:1", [0, 1, 2, 3]),
        ("*:* AND NOT a:1", [2, 3]),
        ("a:(1 OR 7) AND b:(0)", [0]),
    ],
)
def test_operators(found: Found, search: str, numbers: list[int]) -> None:
    assert found(search, LETTERS) == numbers


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        # AND makes both neighbours required, so the optional a:1 decides nothing: not what precedence would say.
        ("a:1 OR b:1 AND c:1", [2]),
        ("b:1 AND c:1 OR a:1", [2]),
        ("a:1 OR (b:1 AND c:1)", [0, 1, 2]),
        ("a:1 AND b:0 OR c:1", [0]),
        ("NOT a:1 AND b:1", [2]),
        ("a:1 OR b:1 AND NOT c:1", [1]),
    ],
)
def test_the_classic_parser_has_no_precedence(found: Found, search: str, numbers: list[int]) -> None:
    assert found(search, LETTERS) == numbers


KEYWORDS: list[dict[str, Any]] = [
    {"f": "quick brown"},
    {"f": "Quick"},
    {"f": ["quick", "fox"]},
    {"f": 'C:\\Tools\\a "b".exe'},
    {"f": "/usr/bin/node*"},
    {},
]


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ("f:quick", [2]),
        ('f:"quick brown"', [0]),
        ("f:quick\\ brown", [0]),
        ("f:(quick brown)", [0]),
        ("f:(quick OR Quick)", [1, 2]),
        ("f:quick*", [0, 2]),
        ("f:?uick", [1, 2]),
        ("f:*o?n", [0]),
        ("f:*", [0, 1, 2, 3, 4]),
        ("_exists_:f", [0, 1, 2, 3, 4]),
        ("NOT _exists_:f", [5]),
        ("f:/[qQ]uick/", [1, 2]),
        ("f:/uic/", []),
        ("f:/.*bin\\/node.*/", [4]),
        ("f:\\/usr\\/bin\\/node\\*", [4]),
        ("f:\\/usr*", [4]),
        ('f:"C:\\\\Tools\\\\a \\"b\\".exe"', [3]),
        ("f:C\\:\\\\Tools*", [3]),
        ('f:*\\ \\"b\\".exe', [3]),
        ("f:\\u0051uick", [1]),
        ("f:[a TO g]", [2]),
        ("f:[a TO quick]", [2]),
        ("f:{a TO fox}", []),
        ("f:>quick", [0]),
        ("f:>=quick", [0, 2]),
        ("f:[* TO Z]", [1, 3, 4]),
        ("missing:x", []),
        ("NOT missing:x", [0, 1, 2, 3, 4, 5]),
        ("missing:*", []),
    ],
)
def test_keyword_fields_match_whole_values_and_their_case(found: Found, search: str, numbers: list[int]) -> None:
    assert found(search, KEYWORDS) == numbers


TEXT: list[dict[str, Any]] = [
    {"message": "SecKeyCreateSignature failed: Error Domain=NSOSStatusErrorDomain Code=-60008"},
    {"message": "Trust evaluate failure: [leaf AnchorTrusted]"},
    {"message": "hash 10.20.0.42, snake_case isn't split"},
]


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ("message:FAILED", [0]),
        ("message:failed", [0]),
        ("message:(trust failed)", [0, 1]),
        ('message:"trust evaluate"', [1]),
        ('message:"evaluate trust"', []),
        ('message:"leaf anchortrusted"', [1]),
        ("message:trust-evaluate", [1]),
        ("message:fail*", [0, 1]),
        ("message:fail?d", [0]),
        ("message:10.20.0.42", [2]),
        ("message:42", []),
        ("message:60008", [0]),
        ("message:case", []),
        ("message:snake_case", [2]),
        ("message:isn't", [2]),
        ("message:Code", [0]),
        ("message:*", [0, 1, 2]),
        ('message.keyword:"Trust evaluate failure: [leaf AnchorTrusted]"', [1]),
        ("message.keyword:*failed*", [0]),
        ("message.keyword:*FAILED*", []),
        ("message.keyword:/Trust.*/", [1]),
    ],
)
def test_text_fields_match_tokens_and_their_keyword_the_whole_text(found: Found, search: str, numbers: list[int]) -> None:
    assert found(search, TEXT, mapping={"message": "text"}) == numbers


TYPED: list[dict[str, Any]] = [
    {"n": 1, "d": 1.5, "b": True, "ip": "10.1.2.3", "t": "2026-01-15T10:00:00.000Z"},
    {"n": 2, "d": 2.5, "b": False, "ip": "2001:db8::1", "t": "2026-01-15T23:59:59.999Z"},
    {"n": [3, 9], "d": -1.0, "ip": ["10.9.0.1", "11.0.0.1"], "t": "2026-01-16T00:00:00Z"},
]
MAPPING = {"ip": "ip", "t": "date", "d": "double"}


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ("n:1", [0]),
        ("n:1.0", [0]),
        ("n:1.5", []),
        ('n:"2"', [1]),
        ("n:\\-1", []),
        ("n:[1 TO 2]", [0, 1]),
        ("n:{1 TO 3]", [1, 2]),
        ("n:[2 TO *]", [1, 2]),
        ("n:>2", [2]),
        ("n:<=1", [0]),
        ("n:(>=1 AND <3)", [0, 1]),
        ("n:[1.5 TO 2.5]", [1]),
        ("d:1.5", [0]),
        ("d:<0", [2]),
        ("b:true", [0]),
        ("NOT b:true", [1, 2]),
        ("ip:10.1.2.3", [0]),
        ('ip:"10.0.0.0/8"', [0, 2]),
        ("ip:10.0.0.0\\/8", [0, 2]),
        ('ip:"2001:db8::/32"', [1]),
        ("ip:[10.0.0.0 TO 10.8.0.0]", [0]),
        ("NOT ip:11.0.0.1", [0, 1]),
        ("t:2026-01-15", [0, 1]),
        ('t:"2026-01-15T10:00:00Z"', [0]),
        ("t:[2026-01-15 TO 2026-01-15]", [0, 1]),
        ("t:{2026-01-15 TO *]", [2]),
        ("t:>2026-01-15", [2]),
        ("t:<2026-01-16", [0, 1]),
        ("t:[* TO 2026-01-16}", [0, 1]),
        ("t:1768471200000", [0]),
    ],
)
def test_other_types_compare_as_such(found: Found, search: str, numbers: list[int]) -> None:
    assert found(search, TYPED, mapping=MAPPING) == numbers


def test_without_a_field_every_field_is_searched_and_types_that_do_not_fit_are_passed_over(found: Found) -> None:
    documents = [{"a": "x", "n": 42}, {"b": "42"}, {"message": "answer 42"}, {"ip": "10.0.0.42"}]
    mapping = {"message": "text", "ip": "ip"}
    assert found("42", documents, mapping=mapping) == [0, 1, 2]
    assert found("x", documents, mapping=mapping) == [0]
    assert found("answ*", documents, mapping=mapping) == [2]
    assert found("10.0.0.42", documents, mapping=mapping) == [3]
    assert found("*", documents, mapping=mapping) == [0, 1, 2, 3]


def test_an_object_exists_where_a_field_below_it_does(found: Found) -> None:
    assert found("_exists_:tls", [{"tls": {"version": "1.2"}}, {"tlsx": 1}]) == [0]


def test_an_empty_search_matches_nothing(found: Found) -> None:
    assert found("", LETTERS) == []
    assert found("  ", LETTERS) == []


def test_a_row_is_the_document_with_its_id(documents: Documents) -> None:
    stored = [{"@timestamp": 1768471200.25, "_id": "abc", "a": {"b": ["x", "y"]}, "n": 1}, {"n": 1}]
    assert documents("n:1", stored) == [
        {"_id": "abc", "@timestamp": "2026-01-15T10:00:00.250Z", "a.b": ["x", "y"], "n": 1},
        {"_id": "1", "n": 1},
    ]


@pytest.mark.parametrize(
    ("search", "fields"),
    [
        ("a:1 AND b.keyword:x", {"a", "b", "b.keyword", "_id", "@timestamp"}),
        ("*:*", {"_id", "@timestamp"}),
        ("word", None),
        ("_exists_:a", None),
    ],
)
def test_the_fields_that_a_search_reads(search: str, fields: set[str] | None) -> None:
    assert prepare(search).fields == (None if fields is None else frozenset(fields))


def test_streams_keep_their_documents() -> None:
    table = load(duckdb.connect(), "documents", [[{"a": 1}, {"a": 2}], [{"a": 1}]], flavour="elastic")
    assert [(row.stream, row.values["_id"]) for row in prepare("a:1").execute(table)] == [(0, "0"), (1, "0")]


@pytest.mark.parametrize(
    ("search", "place"),
    [
        ("a:", "search:1:3"),
        ("(a:1", "search:1:5"),
        ("a:1)", "search:1:4"),
        ("AND a:1", "search:1:1"),
        ("a:1 AND", "search:1:8"),
        ("a:1 AND OR b:1", "search:1:9"),
        ('a:"x', "search:1:3"),
        ("a:/x", "search:1:3"),
        ("a:[1 TO", "search:1:3"),
        ("a:[1 2]", "search:1:3"),
        ("a:b:c", "search:1:4"),
        ("a:1\nAND b:\\", "search:2:7"),
        ("n:x", "search:1:3"),
        ("n:> 1", "search:1:3"),
        ("n:1*", "search:1:3"),
        ("b:yes", "search:1:3"),
        ("b:[false TO true]", "search:1:3"),
        ("ip:10.*", "search:1:4"),
        ("ip:999.1.1.1", "search:1:4"),
        ("t:soon", "search:1:3"),
        ("f:/[z-a]/", "search:1:3"),
        ("_exists_:/x/", "search:1:10"),
    ],
)
def test_what_elasticsearch_refuses(found: Found, search: str, place: str) -> None:
    stored = [{"n": 1, "b": True, "ip": "::1", "t": "2026-01-15", "f": "x"}]
    with pytest.raises(SearchSyntaxError, match=f"^{place}: lucene: ") as caught:
        found(search, stored, mapping=MAPPING)
    assert not isinstance(caught.value, UnsupportedConstruct)


@pytest.mark.parametrize(
    ("search", "place"),
    [
        ("f:quikc~", "search:1:8"),
        ("f:quikc~1", "search:1:8"),
        ('f:"a b"~5', "search:1:8"),
        ("f:x^2", "search:1:4"),
        ("(f:x f:y)^2", "search:1:10"),
        ("- f:x", "search:1:1"),
        ("f:/a&b/", "search:1:3"),
        ("\\*:x", "search:1:4"),
        ("book.\\*:x", "search:1:9"),
        ("t:[now-1d TO *]", "search:1:3"),
        ("t:2026-01-15||-1d", "search:1:3"),
        ("n:(>1 <3)", "search:1:4"),
        ("message:/x/", "search:1:9"),
        ("message:[a TO b]", "search:1:9"),
        ("message:über", "search:1:9"),
        ("message:\\!\\!", "search:1:9"),
        ("[1 TO 2]", "search:1:1"),
    ],
)
def test_what_replay_does_not_model(found: Found, search: str, place: str) -> None:
    stored = [{"n": 1, "t": "2026-01-15", "f": "x", "message": "x"}]
    with pytest.raises(UnsupportedConstruct, match=f"^{place}: lucene: "):
        found(search, stored, mapping={"message": "text", "t": "date"})


def test_text_beyond_ascii_in_a_text_field_is_refused(found: Found) -> None:
    with pytest.raises(UnsupportedConstruct, match="beyond ASCII"):
        found("message:x", [{"message": "füße"}], mapping={"message": "text"})
