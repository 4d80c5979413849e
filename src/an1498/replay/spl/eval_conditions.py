"""Conditional, comparison and informational functions (Search Reference, "Comparison and Conditional functions")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Expr, Lit, call
from an1498.replay.spl.addresses import address, in_network
from an1498.replay.spl.comparisons import compare
from an1498.replay.spl.eval_common import MANY, Lowering, Nodes, Rows, constant, regex_of, subject
from an1498.replay.spl.values import (
    NULL,
    Kind,
    Value,
    as_number,
    as_text,
    boolean,
    common_kind,
    convert,
    let,
    logic,
    refuse,
)

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions


def _choose(branches: list[tuple[Expr, Value]], default: Value, at: int) -> Value:
    values = [value for _, value in branches] + [default]
    kind = common_kind(values)
    if kind is Kind.BOOLEAN:
        return boolean(Case(tuple((condition, value.expr) for condition, value in branches), default.expr))
    if any(value.kind is Kind.BOOLEAN for value in values):
        kind = Kind.BOOLEAN
    return Value(kind, Case(tuple((condition, convert(value, kind, at)) for condition, value in branches), convert(default, kind, at)))


def _same_kind(scope: Expressions, values: list[Value], at: int) -> None:
    kinds = {value.kind is Kind.BOOLEAN for value in values if not value.is_null}
    if len(kinds) > 1:
        raise scope.source.unsupported(at, "branches of which some are Booleans and some are not")


def _if(scope: Expressions, nodes: Nodes, at: int) -> Value:
    condition = scope.condition(nodes[0])
    values = [scope.value(node) for node in nodes[1:]]
    _same_kind(scope, values, at)
    return _choose([(condition, values[0])], values[1], at)


def _case(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The value of the first condition that is true; null where none is."""
    if len(nodes) % 2:
        raise scope.source.syntax_error(at, "case() takes pairs of a condition and a value")
    branches = [(scope.condition(nodes[i]), scope.value(nodes[i + 1])) for i in range(0, len(nodes), 2)]
    _same_kind(scope, [value for _, value in branches], at)
    return _choose(branches, NULL, at)


def _validate(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The opposite of case: the value of the first condition that is not true."""
    if len(nodes) % 2:
        raise scope.source.syntax_error(at, "validate() takes pairs of a condition and a value")
    branches = []
    for i in range(0, len(nodes), 2):
        condition = let(
            scope.condition(nodes[i]),
            lambda value: Case(((call("is_null", value), refuse(at, "validate() of a null condition", "BOOLEAN")),), call("not", value)),
        )
        branches.append((condition, scope.stored(nodes[i + 1])))
    return _choose(branches, NULL, at)


def _coalesce(scope: Expressions, nodes: Nodes, at: int) -> Value:
    values = [scope.stored(node) for node in nodes]
    kind = common_kind(values)
    return Value(kind, call("coalesce", *(convert(value, kind, at) for value in values)))


def _nullif(scope: Expressions, nodes: Nodes, at: int) -> Value:
    first, second = scope.stored(nodes[0]), scope.stored(nodes[1])
    equal = compare("=", first, second, at)
    return Value(first.kind, Case(((equal, Lit(None, first.kind.sql_type)),), first.expr))


def _in(scope: Expressions, nodes: Nodes, at: int) -> Value:
    value = scope.stored(nodes[0])
    return boolean(logic("or", [compare("=", value, scope.stored(node), at) for node in nodes[1:]]))


def like(scope: Expressions, value: Value, pattern: Value, at: int) -> Value:
    """`%` is any text, `_` one character; case-sensitive, the whole value. An escape for them is not documented."""
    written = pattern.literal
    if not isinstance(written, str):
        raise scope.source.unsupported(at, "a LIKE pattern that is not a quoted string")
    if re.search(r"\\[%_\\]", written):
        raise scope.source.unsupported(at, "a backslash before %, _ or a backslash in a LIKE pattern")
    parts = re.split(r"([%_])", written)
    regex = "".join({"%": ".*", "_": "."}.get(part, _literal(part)) for part in parts)
    return boolean(call("regex_full", as_text(value, at), Lit(regex)))


def _literal(part: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", part, flags=re.ASCII) if part.isascii() else re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", part)


def _like(scope: Expressions, nodes: Nodes, at: int) -> Value:
    return like(scope, scope.stored(nodes[0]), scope.stored(nodes[1]), at)


def _match(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Perl-compatible, case-sensitive, anywhere in the value."""
    regex = regex_of(scope, scope.stored(nodes[1]).literal, at)
    return boolean(call("perl_search", subject(as_text(scope.stored(nodes[0]), at), regex, at), Lit(regex.re2)))


def _cidrmatch(scope: Expressions, nodes: Nodes, at: int) -> Value:
    network = scope.stored(nodes[0]).literal
    if not isinstance(network, str):
        raise scope.source.unsupported(at, "a network that is not a quoted string")
    test = in_network(network)
    if test is None:
        raise scope.source.syntax_error(at, f"'{network}' is not an address or network in CIDR notation")

    def known(item: Expr) -> Expr:
        return Case(((call("is_null", item), Lit(None, "BOOLEAN")),), test(address(item)))

    return boolean(let(as_text(scope.stored(nodes[1]), at), known))


def _isnull(negated: bool) -> Lowering:
    function = "is_not_null" if negated else "is_null"

    def lowering(scope: Expressions, nodes: Nodes, _at: int) -> Value:
        return boolean(call(function, scope.value(nodes[0]).expr))

    return lowering


def _isnum(scope: Expressions, nodes: Nodes, at: int) -> Value:
    value = scope.stored(nodes[0])
    if isinstance(value.literal, str):
        raise scope.source.unsupported(at, "a type test of a quoted string")
    return boolean(call("is_not_null", as_number(value, at)))


def _isint(scope: Expressions, nodes: Nodes, at: int) -> Value:
    parsed = as_number(scope.stored(nodes[0]), at)
    return boolean(let(parsed, lambda n: call("coalesce", call("eq", n, call("trunc", n)), Lit(False))))


def _searchmatch(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Whether the event matches the search terms, as the search command would."""
    written = scope.stored(nodes[0]).literal
    if not isinstance(written, str):
        raise scope.source.unsupported(at, "a search that is not a quoted string")
    if scope.bound:
        raise scope.source.unsupported(at, "searchmatch() inside a multivalue function")
    from an1498.replay.spl.parse import parse_terms  # which imports the syntax of expressions
    from an1498.replay.spl.terms import condition

    return boolean(condition(scope.frame, parse_terms(scope.source, written, at)))


CONDITIONS: Rows = {
    "searchmatch": (_searchmatch, 1, 1),
    "if": (_if, 3, 3),
    "case": (_case, 2, MANY),
    "validate": (_validate, 2, MANY),
    "coalesce": (_coalesce, 1, MANY),
    "nullif": (_nullif, 2, 2),
    "in": (_in, 2, MANY),
    "like": (_like, 2, 2),
    "match": (_match, 2, 2),
    "cidrmatch": (_cidrmatch, 2, 2),
    "isnull": (_isnull(False), 1, 1),
    "isnotnull": (_isnull(True), 1, 1),
    "isnum": (_isnum, 1, 1),
    "isint": (_isint, 1, 1),
    "null": (constant(NULL), 0, 0),
    "true": (constant(boolean(Lit(True))), 0, 0),
    "false": (constant(boolean(Lit(False))), 0, 0),
}
