"""Comparison and concatenation of two values (Search Reference, "where"; Search Manual, "Predicate expressions")."""

from __future__ import annotations

from collections.abc import Mapping

from an1498.replay.algebra import Case, Expr, Lit, call
from an1498.replay.spl.values import Kind, Value, as_text, let, looks_numeric, parse_number, refuse, scalar, text

_ORDERINGS: Mapping[str, str] = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def concatenate(values: tuple[Value, ...], at: int) -> Value:
    """`.`: numbers become text; null if any part is null."""
    if all(isinstance(value.literal, str) for value in values):
        return text("".join(str(value.literal) for value in values))
    return Value(Kind.TEXT, call("concat", *(as_text(value, at) for value in values)))


def compare(operator: str, left: Value, right: Value, at: int) -> Expr:
    """Two numbers, or text that looks like numbers, compare as numbers; otherwise as text, case-sensitively, by code point
    (Search Reference, "where"; Search Manual, "Predicate expressions")."""
    if left.is_null or right.is_null:
        return Lit(None, "BOOLEAN")
    if operator == "!=":
        return call("not", compare("=", left, right, at))
    left, right = scalar(left, at), scalar(right, at)
    if left.kind.numeric and right.kind.numeric:
        return call("eq" if operator == "=" else _ORDERINGS[operator], left.expr, right.expr)
    if left.kind.numeric or right.kind.numeric:
        return _number_with_text(operator, left, right, at)
    return let(left.expr, lambda a: let(right.expr, lambda b: _texts(operator, a, b, left, right, at)))


def _number_with_text(operator: str, left: Value, right: Value, at: int) -> Expr:
    def compared(item: Expr) -> Expr:
        parsed = parse_number(item)
        sides = (left.expr, parsed) if left.kind.numeric else (parsed, right.expr)
        if operator == "=":
            other = left.expr if left.kind.numeric else right.expr
            known = call("and", call("is_not_null", item), call("is_not_null", other))
            return Case(((known, call("coalesce", call("eq", *sides), Lit(False))),), Lit(None, "BOOLEAN"))
        worded = call("and", call("is_not_null", item), call("is_null", parsed))
        return Case(((worded, refuse(at, f"'{operator}' between a number and text", "BOOLEAN")),), call(_ORDERINGS[operator], *sides))

    return let(right.expr if left.kind.numeric else left.expr, compared)


def _texts(operator: str, a: Expr, b: Expr, left: Value, right: Value, at: int) -> Expr:
    worded = [side for side in (left, right) if isinstance(side.literal, str) and not looks_numeric(side.literal)]
    function = "eq" if operator == "=" else _ORDERINGS[operator]
    as_words = call(function, a, b)
    if worded:
        return as_words
    first, second = parse_number(a), parse_number(b)
    as_numbers = call(function, first, second)
    both = call("and", call("is_not_null", first), call("is_not_null", second))
    quoted = isinstance(left.literal, str) or isinstance(right.literal, str)
    if operator == "=":
        # 1 and 1.0: equal as numbers, not as text. Which one Splunk takes for two fields is not documented.
        doubtful = call("and", call("ne", a, b), call("coalesce", as_numbers, Lit(False)))
        return Case(((doubtful, refuse(at, "'=' of two texts of one number, such as 1 and 1.0", "BOOLEAN")),), as_words)
    if quoted:
        doubtful = call("and", both, call("ne", as_words, as_numbers))
        message = f"'{operator}' with a quoted number (remove the quotation marks or use tonumber)"
        return Case(((doubtful, refuse(at, message, "BOOLEAN")),), as_words)
    return Case(((both, as_numbers),), as_words)
