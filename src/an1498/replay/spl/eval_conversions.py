"""Conversion, time and type functions (Search Reference, "Conversion functions", "Date and Time functions", "Informational functions")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Cast, Expr, Lit, call
from an1498.replay.spl.eval_common import Nodes, Rows, whole
from an1498.replay.spl.times import format_time, parse_time, relative
from an1498.replay.spl.values import (
    NUMBER_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_number,
    as_text,
    boolean,
    let,
    number_text,
    parse_number,
    refuse,
    text,
)

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions


def _tonumber(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Text as a number, null where it is none; a base from 2 to 36."""
    base = whole(scope, nodes[1], "a base") if len(nodes) > 1 else 10
    if base == 10:
        return Value(Kind.NUMBER, as_number(scope.stored(nodes[0]), at))
    if not 2 <= base <= 36:
        raise scope.source.syntax_error(at, "the base of tonumber() is a number from 2 to 36")
    refused = refuse(at, "tonumber() of text that begins with a sign or 0x", "BIGINT")

    def converted(item: Expr) -> Expr:
        marked = call("regex_full", item, Lit(r"\s*[+-].*|\s*0[xX].*"))
        return Case(((marked, refused),), call("integer_in_base", item, Lit(base)))

    return Value(Kind.NUMBER, Cast(let(as_text(scope.stored(nodes[0]), at), converted), NUMBER_TYPE))


def _tostring(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """`tostring(number, "hex" | "binary" | "commas" | "duration")`; a Boolean is True or False."""
    value = scope.value(nodes[0])
    if value.kind is Kind.BOOLEAN:
        if len(nodes) > 1:
            raise scope.source.unsupported(at, "a format for a Boolean")
        return Value(Kind.TEXT, let(value.expr, lambda b: Case(((b, Lit("True")), (call("not", b), Lit("False"))), Lit(None, TEXT_TYPE))))
    if len(nodes) == 1:
        return Value(Kind.TEXT, as_text(value, at))
    form = scope.stored(nodes[1]).literal
    if form not in _FORMATS:
        raise scope.source.unsupported(at, f"tostring() to anything but {', '.join(_FORMATS)}")
    known = as_number(value, at)
    refused = refuse(at, f'tostring(…, "{form}") of this number, or of text that is no number', TEXT_TYPE)

    def formatted(item: Expr) -> Expr:
        fits, written = _FORMATS[str(form)]
        missing = call("is_null", value.expr)
        return Case(((missing, Lit(None, TEXT_TYPE)), (call("coalesce", fits(item), Lit(False)), written(item, at))), refused)

    return Value(Kind.TEXT, let(known, formatted))


def _natural(item: Expr) -> Expr:
    return call("and", call("ge", item, Lit(0)), call("eq", item, call("trunc", item)), call("lt", item, Lit(1e15)))


def _commas(item: Expr, at: int) -> Expr:
    """Digits in groups of three; a number with decimals is rounded to two."""

    def decimals(rounded: Expr) -> Expr:
        digits = number_text(rounded, at)
        whole_part = call("grouped_digits", call("trunc", rounded))
        return call("concat", whole_part, call("perl_extract", digits, Lit(r"\.\d\d$"), Lit(0)))

    return Case(((_natural(item), call("grouped_digits", item)),), let(call("round", item, Lit(2)), decimals))


def _has_commas(item: Expr) -> Expr:
    cents = call("mul", call("round", item, Lit(2)), Lit(100.0))
    shown = call("ne", call("mod", Cast(call("round", cents), "BIGINT"), Lit(10)), Lit(0))
    return call("and", call("ge", item, Lit(0)), call("lt", item, Lit(1e12)), call("or", call("eq", item, call("trunc", item)), shown))


def _duration(item: Expr, _at: int) -> Expr:
    """`HH:MM:SS`, with days in front as `D+`."""
    seconds = Cast(item, "BIGINT")

    def two(amount: Expr) -> Expr:
        return call("left_pad", Cast(amount, TEXT_TYPE), Lit(2), Lit("0"))

    parts = [
        two(call("mod", call("int_div", seconds, Lit(3600)), Lit(24))),
        Lit(":"),
        two(call("mod", call("int_div", seconds, Lit(60)), Lit(60))),
        Lit(":"),
        two(call("mod", seconds, Lit(60))),
    ]
    days = call("int_div", seconds, Lit(86_400))
    clock = call("concat", *parts)
    return Case(((call("gt", days, Lit(0)), call("concat", Cast(days, TEXT_TYPE), Lit("+"), clock)),), clock)


_FORMATS: dict[str, tuple[Callable[[Expr], Expr], Callable[[Expr, int], Expr]]] = {
    "hex": (_natural, lambda item, _at: call("concat", Lit("0x"), call("hexadecimal", item))),
    "binary": (_natural, lambda item, _at: call("binary", item)),
    "commas": (_has_commas, _commas),
    "duration": (_natural, _duration),
}


def _strftime(scope: Expressions, nodes: Nodes, at: int) -> Value:
    pattern = scope.stored(nodes[1]).literal
    if not isinstance(pattern, str):
        raise scope.source.unsupported(at, "a time format that is not a quoted string")
    return Value(Kind.TEXT, format_time(scope.source, as_number(scope.stored(nodes[0]), at), pattern, at))


def _strptime(scope: Expressions, nodes: Nodes, at: int) -> Value:
    pattern = scope.stored(nodes[1]).literal
    if not isinstance(pattern, str):
        raise scope.source.unsupported(at, "a time format that is not a quoted string")
    return Value(Kind.NUMBER, parse_time(scope.source, as_text(scope.stored(nodes[0]), at), pattern, at))


def _relative_time(scope: Expressions, nodes: Nodes, at: int) -> Value:
    specifier = scope.stored(nodes[1]).literal
    if not isinstance(specifier, str):
        raise scope.source.unsupported(at, "a relative time that is not a quoted string")
    return Value(Kind.NUMBER, relative(scope.source, as_number(scope.stored(nodes[0]), at), specifier, at))


def _now(scope: Expressions, _nodes: Nodes, at: int) -> Value:
    """The time at which the search was started."""
    now = scope.frame.context.now
    if now is None:
        raise scope.source.unsupported(at, "the function now(), which depends on when the search runs")
    return Value(Kind.NUMBER, Lit(now))


def _typeof(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """`Number`, `String`, `Boolean`, or `Invalid` for a field that does not exist. The type of text that looks like a number is not
    documented: refused."""
    value = scope.value(nodes[0])
    if value.is_null:
        return text("Invalid")
    if value.kind is Kind.BOOLEAN:
        return text("Boolean")
    if value.kind is Kind.LIST:
        raise scope.source.unsupported(at, "typeof() of a multivalue")
    known = "Number" if value.kind.numeric else "String"
    if value.literal is not None:
        return text(known)

    def named(item: Expr) -> Expr:
        missing = (call("is_null", item), Lit("Invalid"))
        if known == "Number":
            return Case((missing,), Lit("Number"))
        doubtful = (call("is_not_null", parse_number(item)), refuse(at, "typeof() of text that looks like a number", TEXT_TYPE))
        return Case((missing, doubtful), Lit("String"))

    return Value(Kind.TEXT, let(value.expr, named))


def _isstr(scope: Expressions, nodes: Nodes, at: int) -> Value:
    value = scope.value(nodes[0])
    if value.kind is Kind.LIST:
        raise scope.source.unsupported(at, "isstr() of a multivalue")
    if value.kind is not Kind.TEXT:
        return boolean(Lit(False))
    if isinstance(value.literal, str):
        return boolean(Lit(True))

    def tested(item: Expr) -> Expr:
        doubtful = call("is_not_null", parse_number(item))
        refused = refuse(at, "isstr() of text that looks like a number", "BOOLEAN")
        return Case(((call("is_null", item), Lit(False)), (doubtful, refused)), Lit(True))

    return boolean(let(value.expr, tested))


def _isbool(scope: Expressions, nodes: Nodes, _at: int) -> Value:
    return boolean(Lit(scope.value(nodes[0]).kind is Kind.BOOLEAN))


def _exact(scope: Expressions, nodes: Nodes, at: int) -> Value:
    return Value(Kind.NUMBER, as_number(scope.stored(nodes[0]), at))


CONVERSIONS: Rows = {
    "tonumber": (_tonumber, 1, 2),
    "tostring": (_tostring, 1, 2),
    "strftime": (_strftime, 2, 2),
    "strptime": (_strptime, 2, 2),
    "relative_time": (_relative_time, 2, 2),
    "now": (_now, 0, 0),
    "typeof": (_typeof, 1, 1),
    "isstr": (_isstr, 1, 1),
    "isbool": (_isbool, 1, 1),
    "exact": (_exact, 1, 1),
}
