"""EQL text → syntax tree (Elastic docs, "EQL syntax reference")."""

from __future__ import annotations

import pytest

from an1498.errors import SearchSyntaxError, UnsupportedConstruct
from an1498.replay.eql.ast import (
    Arithmetic,
    Comparison,
    Constant,
    EventFilter,
    EventQuery,
    FieldName,
    Logical,
    Membership,
    Negative,
    Node,
    Not,
    PatternMatch,
    Pipe,
    SequenceQuery,
)
from an1498.replay.eql.parse import parse

A, B, C = (Comparison("==", FieldName(name), Constant(1)) for name in "abc")


def condition(text: str) -> Node:
    query = parse(f"any where {text}").query
    assert isinstance(query, EventQuery)
    return query.filter.condition


def sequence(text: str) -> SequenceQuery:
    query = parse(text).query
    assert isinstance(query, SequenceQuery)
    return query


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        # not binds tighter than and, and tighter than or
        ("not a == 1 and b == 1 or c == 1", Logical("or", (Logical("and", (Not(A), B)), C))),
        ("a == 1 or b == 1 and c == 1", Logical("or", (A, Logical("and", (B, C))))),
        ("(a == 1 or b == 1) and c == 1", Logical("and", (Logical("or", (A, B)), C))),
        # a chain is one node, so that hundreds of alternatives do not nest
        ("a == 1 and b == 1 and c == 1", Logical("and", (A, B, C))),
        (
            "a + 2 * -b == 1",
            Comparison("==", Arithmetic("+", FieldName("a"), Arithmetic("*", Constant(2), Negative(FieldName("b")))), Constant(1)),
        ),
        ("a not in (1, 2)", Not(Membership(FieldName("a"), (Constant(1), Constant(2)), False))),
        ('a in~ ("x")', Membership(FieldName("a"), (Constant("x"),), True)),
        ('a : ("x", "y*")', PatternMatch(":", FieldName("a"), (Constant("x"), Constant("y*")))),
        ('?a.`b-c`.d like~ "x"', PatternMatch("like~", FieldName("a.b-c.d", optional=True), (Constant("x"),))),
        ("`by` == 1", Comparison("==", FieldName("by"), Constant(1))),
        ("`a``b` == 1", Comparison("==", FieldName("a`b"), Constant(1))),
        ("@timestamp == null", Comparison("==", FieldName("@timestamp"), Constant(None))),
        # keywords are not cut out of longer names
        ("include == 1", Comparison("==", FieldName("include"), Constant(1))),
        # an integer that 64 bits cannot hold is a double
        ("a == 9223372036854775808", Comparison("==", FieldName("a"), Constant(9223372036854775808.0))),
        ("a == .5 // comment\n", Comparison("==", FieldName("a"), Constant(0.5))),
        ("/* c */ a == 1e3", Comparison("==", FieldName("a"), Constant(1000.0))),
    ],
)
def test_conditions_group_as_elasticsearch_groups_them(text: str, tree: Node) -> None:
    assert condition(text) == tree


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"a\"b"', 'a"b'),
        (r'"a\\b"', "a\\b"),
        (r'"a\tb\nc\rd"', "a\tb\nc\rd"),
        (r"""  "it\'s" """, "it's"),
        (r'"\u{41}\u{1F600}"', "A😀"),
        (r'"""C:\Windows\new"""', r"C:\Windows\new"),
        (r'"""say "x" """', 'say "x" '),
        (r'"""ends with a quote""""', 'ends with a quote"'),
        ('""', ""),
    ],
)
def test_strings_have_the_documented_escapes(written: str, read: str) -> None:
    assert condition(f"a == {written}") == Comparison("==", FieldName("a"), Constant(read))


def test_the_category_may_be_any_or_quoted() -> None:
    assert parse('"my category" where true').query == EventQuery(EventFilter("my category", Constant(True)))
    assert parse("any where true").query == EventQuery(EventFilter(None, Constant(True)))
    assert parse('"any" where true').query == EventQuery(EventFilter("any", Constant(True)))


def test_a_sequence_lists_shared_keys_first_and_repeats_runs() -> None:
    query = sequence("sequence by a with maxspan=90s [x where true] by b with runs=2 [y where true] by c until [z where true] by d")
    assert [[key.name for key in term.keys] for term in query.terms] == [["a", "b"], ["a", "b"], ["a", "c"]]
    assert query.maxspan_ms == 90_000
    assert query.until is not None
    assert [key.name for key in query.until.keys] == ["a", "d"]


@pytest.mark.parametrize(("span", "milliseconds"), [("500ms", 500), ("2s", 2_000), ("5m", 300_000), ("1h", 3_600_000), ("1d", 86_400_000)])
def test_maxspan_units(span: str, milliseconds: int) -> None:
    assert sequence(f"sequence with maxspan={span} [x where true] [y where true]").maxspan_ms == milliseconds


def test_pipes_are_head_and_tail() -> None:
    assert parse("any where true | head 4 | tail 2").pipes == (Pipe("head", 4), Pipe("tail", 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("any where a = 1", "search:1:13: eql: unexpected '='; compare with"),
        ("any where\n  by == 1", "search:2:3: eql: 'by' is a keyword; write `by` in backticks"),
        ("any where", "search:1:10: eql: the search ends too early"),
        ("any where a ==\n", "search:2:1: eql: the search ends too early"),
        ("any where a == $", "search:1:16: eql: unexpected '$'"),
        ('any where a == "\\q"', "search:1:16: eql: unexpected"),
        ('any where a == "\\u{D800}"', r"[\u{D800}] is not a character"),
        ("any where a == 1 == 2", "unexpected '=='"),
        ("sequence [a where true]", "a sequence requires a minimum of 2 queries"),
        ("sequence with maxspan=5 [a where true] [b where true]", "search:1:23: eql: maxspan [5] needs a unit"),
        ("sequence with maxspan=5w [a where true] [b where true]", "maxspan [5w] needs a unit"),
        ("sequence with maxspan=1.5h [a where true] [b where true]", "maxspan must be a whole number"),
        ("sequence with maxspan=0s [a where true] [b where true]", "maxspan must be a whole number from 1"),
        ("sequence [a where true] with runs=101 [b where true]", "runs must be a whole number from 1 to 100"),
        ("sequence [a where true] with x=2 [b where true]", "unknown 'x'"),
        ("sequence [a where true] by k [b where true]", "search:1:30: eql: inconsistent number of join keys; expected 1 but found 0"),
        ("sequence by a + 1 [a where true] [b where true]", "a join key must be a field"),
        ("sequence [a where true] ![b where true]", "maxspan is required for sequences with missing events"),
        ("sequence with maxspan=1s ![a where true] ![b where true]", "at least one query that is not a missing event"),
        ("sequence [a where true] [b where true] until [c where true] with runs=2", "'until' takes one plain query"),
        ("sample [a where true] [b where true]", "a sample requires at least one join key"),
        ("sample by k [a where true] ![b where true]", "a sample has no missing events"),
        ("any where true | head", "pipe [head] expects exactly one whole number"),
        ("any where true | head 1.5", "pipe [head] expects exactly one whole number"),
    ],
)
def test_what_elasticsearch_rejects_is_a_located_error(text: str, message: str) -> None:
    with pytest.raises(SearchSyntaxError) as raised:
        parse(text)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("any where a == 'x'", "search:1:16: eql: Elasticsearch no longer accepts this way of quoting"),
        ('any where a == ?"x"', "no longer accepts this way of quoting"),
        ("any where a[0] == 1", "array indexes are not supported"),
        ("any where child of [process where true]", "process relationships are not supported"),
        ("join by k [a where true] [b where true]", "'join' is not supported"),
        ("any where true | unique a", "pipe [unique] is not supported"),
        ("any where true | filter a == 1", "pipe [filter] is not supported"),
        ("any where " + "not (a or " * 60 + "a" + ")" * 60, "nested deeper than 100 levels"),
    ],
)
def test_what_only_endgames_eql_knows_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnsupportedConstruct) as raised:
        parse(text)
    assert message in str(raised.value)


def test_five_hundred_alternatives_do_not_nest() -> None:
    tree = condition(" or ".join(["a == 1"] * 500))
    assert isinstance(tree, Logical)
    assert len(tree.operands) == 500
