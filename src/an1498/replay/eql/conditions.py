"""Conditions: which events a `where` keeps, as Elasticsearch's query translation decides it.

Elasticsearch turns a condition into a bool query, so each comparison is true or false for an event: it is true where any value
of the field satisfies it, and false where the field is missing. `not` and `!=` are "must_not", hence true where the field is
missing (elasticsearch x-pack/plugin/eql, querytranslator tests notFilter, fieldNotEqualsTrue and isNull). Only inside one
comparison is a null a null. An optional field that the index does not know is the constant null, which is folded: `not null`
is null, `null and x` is null, `null or x` is x, and a null condition keeps nothing.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import cast

from an1498.replay.algebra import Case, Cast, Col, Expr, Lambda, ListOf, Lit, call
from an1498.replay.eql import functions
from an1498.replay.eql.ast import (
    Arithmetic,
    Comparison,
    Constant,
    EventFilter,
    FieldName,
    FunctionCall,
    Logical,
    Membership,
    Negative,
    Node,
    Not,
    PatternMatch,
    Place,
)
from an1498.replay.eql.patterns import UnsupportedPattern, has_wildcard, regex, wildcard_regex
from an1498.replay.eql.values import (
    NULL,
    NUMBERS,
    Kind,
    Scope,
    Value,
    arithmetic,
    computed,
    element,
    field_value,
    literal,
    name_of,
    negative,
    reads_of,
    unknown,
)
from an1498.telemetry.addresses import canonical_ip
from an1498.times import microseconds_since_epoch

Truth = bool | None | Expr
"""A condition's result: known for every event (None is null), or an expression that is true or false per event."""

_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COMPARE = {"==": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,3}(Z|[+-]\d\d:\d\d)")


def event_condition(scope: Scope, event: EventFilter, category_field: str) -> Expr:
    """An expression that is true exactly for the events that `category where condition` matches."""
    kept = truth(scope, event.condition)
    if event.category is not None:
        category = Comparison("==", FieldName(category_field, at=event.at), Constant(event.category, event.at), event.at)
        kept = _all([truth(scope, category), kept])
    return Lit(bool(kept)) if isinstance(kept, bool | None) else kept


def truth(scope: Scope, node: Node) -> Truth:
    """The meaning of a condition. Raises where Elasticsearch rejects it or replay does not model it."""
    match node:
        case Logical("and", operands):
            return _all([truth(scope, operand) for operand in operands])
        case Logical(_, operands):
            return _any([truth(scope, operand) for operand in operands])
        case Not(operand):
            return _negated(truth(scope, operand))
        case Comparison():
            return _comparison_truth(scope, node)
        case _:
            kept = value_of(scope, node)
            if kept.kind is not Kind.BOOLEAN and not kept.is_null:
                raise scope.error(_place(node), f"Condition expression needs to be boolean, found a {name_of(kept)}")
            return _leaf(scope, kept, _place(node))


def value_of(scope: Scope, node: Node) -> Value:
    """The value of an operand, three-valued inside."""
    match node:
        case Constant(folded):
            return literal(folded)
        case FieldName():
            return field_value(scope, node)
        case Negative(operand, at):
            return negative(scope, value_of(scope, operand), at)
        case Arithmetic():
            return arithmetic(scope, node, value_of(scope, node.left), value_of(scope, node.right))
        case FunctionCall():
            return functions.apply(scope, node, [value_of(scope, argument) for argument in node.arguments])
        case Membership():
            return _membership(scope, node)
        case PatternMatch():
            return _pattern_match(scope, node)
        case Comparison():
            left, right, operator = _literal_on_the_right(scope, node)
            if operator == "!=" or left.is_null or right.is_null:
                raise scope.unsupported(node.at, "'!=' or a null check inside an expression")
            return _compared(scope, operator, left, right, node.at)
        case Not() | Logical():
            raise scope.unsupported(node.at, "'and', 'or' or 'not' inside an expression", "use them between comparisons only")


# --- and, or, not ------------------------------------------------------------------------------------------------------------


def _all(parts: list[Truth]) -> Truth:
    if any(part is False for part in parts):
        return False
    if any(part is None for part in parts):
        return None
    tests = [part for part in parts if not isinstance(part, bool | None)]
    return call("and", *tests) if tests else True


def _any(parts: list[Truth]) -> Truth:
    if any(part is True for part in parts):
        return True
    tests = [part for part in parts if not isinstance(part, bool | None)]
    if tests:
        return call("or", *tests)
    return None if all(part is None for part in parts) else False


def _negated(part: Truth) -> Truth:
    if isinstance(part, bool):
        return not part
    return None if part is None else call("not", part)


def _leaf(scope: Scope, test: Value, at: Place) -> Truth:
    """True for events in which some choice of the array fields' values passes the test; null counts as false."""
    if test.constant:
        return cast(bool | None, test.folded)
    kept: Expr = call("coalesce", test.expr, Lit(False))
    for column in dict.fromkeys(test.reads):
        stored = scope.type_of(column)
        if not stored.array:
            continue
        if test.reads.count(column) > 1:
            raise scope.unsupported(at, f"array field [{column}] twice in one comparison")
        missing = ListOf((Lit(None, stored.sql.removesuffix("[]")),))
        values = Case(((call("gt", call("list_length", Col(column)), Lit(0)), Col(column)),), missing)
        kept = call("list_any", values, Lambda(element(column), kept))
    return kept


# --- comparisons -------------------------------------------------------------------------------------------------------------


def _comparison_truth(scope: Scope, node: Comparison) -> Truth:
    equality = node.operator in ("==", "!=")
    if equality:
        for test, other in ((node.left, node.right), (node.right, node.left)):
            wanted = _boolean_constant(other)
            if wanted is not None and isinstance(test, Not | Logical | Comparison | Membership | PatternMatch | FunctionCall):
                kept = truth(scope, test)
                if kept is None:  # a null check wins over the comparison with a boolean (x-pack/plugin/eql, ReplaceNullChecks)
                    return node.operator == "!="
                return kept if wanted is (node.operator == "==") else _negated(kept)
    left, right = (value_of(scope, side) for side in (node.left, node.right))
    if equality and (left.is_null or right.is_null):
        other_value = left if right.is_null else right
        absent = computed(scope, call("is_null", other_value.expr), Kind.BOOLEAN, [other_value])
        if other_value.constant:
            absent = literal(other_value.folded is None)
        kept = _leaf(scope, absent, node.at)
        return kept if node.operator == "==" else _negated(kept)
    left, right, operator = _literal_on_the_right(scope, node)
    if operator != "!=":
        return _leaf(scope, _compared(scope, operator, left, right, node.at), node.at)
    equal = _compared(scope, "==", left, right, node.at)
    if not left.field and not equal.constant:
        # inside a script Elasticsearch's versions differ on whether a null makes '!=' true
        raise scope.unsupported(node.at, "'!=' after a computed value", "write 'not (… == …)'")
    return _negated(_leaf(scope, equal, node.at))


def _boolean_constant(node: Node) -> bool | None:
    if isinstance(node, Constant) and isinstance(node.value, bool):
        return node.value
    return None


def _literal_on_the_right(scope: Scope, node: Comparison) -> tuple[Value, Value, str]:
    left, right = value_of(scope, node.left), value_of(scope, node.right)
    if right.constant:
        return left, right, node.operator
    if left.constant:
        return right, left, _FLIPPED[node.operator]
    raise scope.error(node.at, "Comparisons against fields are not (currently) supported", "compare with a literal")


def _compared(scope: Scope, operator: str, left: Value, right: Value, at: Place) -> Value:
    """`left operator literal` as a three-valued boolean."""
    if left.is_null:
        return NULL
    if operator == "==" and isinstance(right.folded, str) and "*" in right.folded:
        # Endgame's EQL reads this as a wildcard, Elasticsearch as an asterisk; whoever writes it rarely means the latter
        remedy = "write ':' or 'like' for a wildcard, 'in (\"…\")' for the character itself"
        raise scope.unsupported(at, f"'==' or '!=' with an asterisk in \"{right.folded}\"", remedy)
    if right.is_null:
        raise scope.unsupported(at, f"[{operator}] with null", "only '== null' and '!= null' are meaningful")
    other = _comparable(scope, operator, left, right, at)
    return computed(scope, call(_COMPARE[operator], left.expr, other), Kind.BOOLEAN, (left, right))


def _comparable(scope: Scope, operator: str, left: Value, right: Value, at: Place) -> Expr:
    """The literal as the left side's type stores it."""
    if left.kind is Kind.NULL:
        return Cast(right.expr, Kind.NULL.sql)
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return right.expr
    if left.kind is Kind.STRING and right.kind is Kind.STRING:
        return right.expr
    if left.kind is Kind.BOOLEAN and right.kind is Kind.BOOLEAN and operator == "==":
        return right.expr
    if left.kind is Kind.IP and right.kind is Kind.STRING:
        return Lit(_address(scope, operator, right.folded, at))
    if left.kind is Kind.DATE and right.kind is Kind.STRING:
        return Lit(_milliseconds(scope, right.folded, at))
    raise scope.error(at, f"[{operator}] cannot compare a {name_of(left)} with a {name_of(right)}")


def _address(scope: Scope, operator: str, text: str, at: Place) -> str:
    if operator != "==":
        raise scope.unsupported(at, f"[{operator}] on an ip field", "use cidrMatch")
    if "/" in text:
        raise scope.unsupported(at, "'==' of an ip field with an address block", "use cidrMatch")
    canonical = canonical_ip(text)
    if not re.fullmatch(r"[0-9a-f:]*:[0-9a-f:]*|\d+\.\d+\.\d+\.\d+", canonical):
        raise scope.error(at, f"'{text}' is not an IP string literal")
    return canonical


def _milliseconds(scope: Scope, text: str, at: Place) -> int:
    """Only full instants: Elasticsearch fills missing parts (milliseconds too) and rounds date math differently per operator."""
    if not _DATE.fullmatch(text):
        raise scope.unsupported(at, f"the date '{text}'", "write it in full, such as 2026-01-15T10:00:00.000Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise scope.error(at, f"'{text}' is not a date") from None
    return microseconds_since_epoch(moment) // 1000


def _membership(scope: Scope, node: Membership) -> Value:
    """`in` compares exactly, `in~` without case; wildcards mean nothing here."""
    tested = value_of(scope, node.value)
    items = [value_of(scope, item) for item in node.items]
    for item in items:
        if not item.constant:
            raise scope.error(node.at, "Comparisons against fields are not (currently) supported", "list literals only")
        if item.is_null:
            raise scope.unsupported(node.at, "null in a list", "write '… == null or … in (…)'")
    if tested.is_null or tested.kind is Kind.NULL:
        return unknown(Kind.BOOLEAN, [tested])
    if node.insensitive:
        _need_strings(scope, "in~", [tested, *items], node.at)
        fold = _folding(tested)
        expr = call("in", call(fold, tested.expr), *(call(fold, item.expr) for item in items))
    else:
        expr = call("in", tested.expr, *(_comparable(scope, "==", tested, item, node.at) for item in items))
    return computed(scope, expr, Kind.BOOLEAN, [tested])


def _pattern_match(scope: Scope, node: PatternMatch) -> Value:
    tested = value_of(scope, node.value)
    patterns = [value_of(scope, pattern) for pattern in node.patterns]
    _need_strings(scope, node.operator, [tested, *patterns], node.at)
    if any(pattern.is_null for pattern in patterns):
        raise scope.unsupported(node.at, f"[{node.operator}] with null")
    if tested.is_null or tested.kind is Kind.NULL:
        return unknown(Kind.BOOLEAN, [tested])
    tests = [_pattern_test(scope, node, tested, pattern.folded) for pattern in patterns]
    return scope.fold(Value(call("or", *tests), Kind.BOOLEAN, reads=reads_of([tested])))


def _pattern_test(scope: Scope, node: PatternMatch, tested: Value, pattern: str) -> Expr:
    insensitive = node.operator in (":", "like~", "regex~")
    # on a field Elasticsearch runs a Lucene query, in which "." is any character; on a computed value a Java pattern
    full = "regex_full" if tested.field else "regex_full_line"
    if node.operator.startswith("regex"):
        try:
            translated = regex(pattern, insensitive=insensitive, java=not tested.field)
        except UnsupportedPattern as problem:
            raise scope.unsupported(node.at, f'the regular expression "{pattern}": {problem}') from None
        return call(full, tested.expr, Lit(translated))
    if not has_wildcard(pattern):
        fold = _folding(tested)
        return call("eq", call(fold, tested.expr), call(fold, Lit(pattern))) if insensitive else call("eq", tested.expr, Lit(pattern))
    if not insensitive:
        return call(full, tested.expr, Lit(wildcard_regex(pattern)))
    lowered = "".join(character.lower() if character.isascii() else character for character in pattern)
    return call(full, call("ascii_lower", tested.expr), Lit(wildcard_regex(lowered)))


def _folding(tested: Value) -> str:
    """Queries fold ASCII letters only (Elastic docs, term query, case_insensitive); scripts fold all letters."""
    return "ascii_lower" if tested.field else "lower"


def _need_strings(scope: Scope, operator: str, values: list[Value], at: Place) -> None:
    for value in values:
        if value.kind is not Kind.STRING and not value.is_null and value.kind is not Kind.NULL:
            raise scope.error(at, f"argument of [{operator}] must be [string], found a {name_of(value)}")


def _place(node: Node) -> Place:
    return node.at
