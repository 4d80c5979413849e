"""EQL's functions (Elastic docs, "EQL function reference"). A null argument gives null; `~` after the name ignores case.

Functions that Endgame's EQL has and Elasticsearch has not (wildcard, match, arrayContains, safe …) are unknown here too.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence

from an1498.replay.algebra import Case, Cast, Expr, Lit, call
from an1498.replay.eql.ast import Arithmetic, FunctionCall
from an1498.replay.eql.values import NULL, NUMBERS, Kind, Scope, Value, arithmetic, computed, constant, name_of, unknown

Function = Callable[[Scope, FunctionCall, Sequence[Value]], Value]

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_V4_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def apply(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    """The value of a call. Names are matched in any case, as Elasticsearch does. Raises for unknown names and wrong arguments."""
    name = node.name.lower()
    if name not in FUNCTIONS:
        raise scope.unsupported(node.at, f"Unknown function [{node.name}]")
    low, high, function = FUNCTIONS[name]
    if node.insensitive and name not in _INSENSITIVE:
        raise scope.error(node.at, f"function [{node.name}] has no case-insensitive form", "remove the '~'")
    if not low <= len(arguments) <= high:
        expected = str(low) if low == high else f"{low} to {high}" if high < _MANY else f"at least {low}"
        raise scope.error(node.at, f"function [{node.name}] expects {expected} arguments, found {len(arguments)}")
    return function(scope, node, arguments)


def _is_unknown(value: Value) -> bool:
    return value.is_null or value.kind is Kind.NULL


def _need(scope: Scope, node: FunctionCall, arguments: Sequence[Value], *kinds: Kind) -> None:
    for position, value in enumerate(arguments, start=1):
        if value.kind not in kinds and not _is_unknown(value):
            wanted = "numeric" if kinds[0] in NUMBERS else kinds[0].name.lower()
            raise scope.error(node.at, f"argument {position} of [{node.name}] must be [{wanted}], found a {name_of(value)}")


def _operator(operator: str) -> Function:
    def function(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
        left, right = arguments
        return arithmetic(scope, Arithmetic(operator, node.arguments[0], node.arguments[1], node.at), left, right)  # type: ignore[arg-type]

    return function


def _string_test(test: str) -> Function:
    """startsWith, endsWith, stringContains. On a field against a constant Elasticsearch runs a query, which folds ASCII letters;
    on anything else a script, which folds all letters."""

    def function(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
        _need(scope, node, arguments, Kind.STRING)
        if any(map(_is_unknown, arguments)):
            return unknown(Kind.BOOLEAN, arguments)
        if test == "contains" and arguments[1].folded == "":
            # documented as false; the query that runs for a field is true
            raise scope.unsupported(node.at, f"[{node.name}] with an empty string")
        text, part = (value.expr for value in arguments)
        if node.insensitive:
            lower = "ascii_lower" if arguments[0].field and arguments[1].constant else "lower"
            text, part = call(lower, text), call(lower, part)
        return computed(scope, call(test, text, part), Kind.BOOLEAN, arguments)

    return function


def _length(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    _need(scope, node, arguments, Kind.STRING)
    if _is_unknown(arguments[0]):
        return unknown(Kind.LONG, arguments)
    return computed(scope, call("utf16_length", arguments[0].expr), Kind.LONG, arguments)


def _substring(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    """Positions count from 0, negative ones from the end; the end is exclusive; out of range is clamped."""
    _need(scope, node, arguments[:1], Kind.STRING)
    _need(scope, node, arguments[1:], Kind.LONG)
    if len(arguments) > 2 and arguments[2].is_null:
        arguments = arguments[:2]
    _no_null_position(scope, node, arguments[1:])
    if any(map(_is_unknown, arguments)):
        return unknown(Kind.STRING, arguments)
    text = arguments[0].expr
    length = call("length", text)
    first = _clamped(arguments[1].expr, length)
    last = _clamped(arguments[2].expr, length) if len(arguments) > 2 else length
    size = call("greatest", call("sub", last, first), Lit(0))
    expr = Case(((call("is_not_null", text), call("substring", text, call("add", first, Lit(1)), size)),), Lit(None, "VARCHAR"))
    return computed(scope, expr, Kind.STRING, arguments)


def _no_null_position(scope: Scope, node: FunctionCall, positions: Sequence[Value]) -> None:
    """Elasticsearch's documentation and its tests disagree on a null position."""
    if any(value.is_null for value in positions):
        raise scope.unsupported(node.at, f"[{node.name}] with a null position")


def _clamped(position: Expr, length: Expr) -> Expr:
    from_end = call("greatest", call("add", position, length), Lit(0))
    return Case(((call("lt", position, Lit(0)), from_end),), call("least", position, length))


def _between(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    """The text between the first `left` and the next `right`, or the last one where the fourth argument is true; "" where
    either is not found."""
    _need(scope, node, arguments[:3], Kind.STRING)
    _need(scope, node, arguments[3:], Kind.BOOLEAN)
    if any(map(_is_unknown, arguments)):
        return unknown(Kind.STRING, arguments)
    text, left, right = arguments[:3]
    if not (left.constant and right.constant and left.folded and right.folded and all(value.constant for value in arguments[3:])):
        raise scope.unsupported(node.at, "[between] with anything but non-empty literals around the text")
    greedy = len(arguments) > 3 and arguments[3].folded
    searched, start_mark, end_mark = text.expr, left.expr, right.expr
    if node.insensitive:
        searched, start_mark, end_mark = call("lower", searched), call("lower", start_mark), call("lower", end_mark)
    found = call("text_position", searched, start_mark)
    first = call("add", found, Lit(len(left.folded)))
    rest = call("substring", searched, first)
    if greedy:
        backwards = call("text_position", call("reverse", rest), call("reverse", end_mark))
        size = call("sub", call("length", rest), call("add", call("sub", backwards, Lit(1)), Lit(len(right.folded))))
        missing = call("eq", backwards, Lit(0))
    else:
        size = call("sub", call("text_position", rest, end_mark), Lit(1))
        missing = call("lt", size, Lit(0))
    absent = call("or", call("eq", found, Lit(0)), missing)
    expr = Case(
        ((call("is_null", text.expr), Lit(None, "VARCHAR")), (absent, Lit(""))),
        call("substring", text.expr, first, size),
    )
    return computed(scope, expr, Kind.STRING, arguments)


def _index_of(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    """The position from 0 of the first match at or after `start`; null where there is none."""
    _need(scope, node, arguments[:2], Kind.STRING)
    _need(scope, node, arguments[2:], Kind.LONG)
    _no_null_position(scope, node, arguments[2:])
    if any(map(_is_unknown, arguments)):
        return unknown(Kind.LONG, arguments)
    text, part = arguments[0].expr, arguments[1].expr
    if node.insensitive:
        text, part = call("lower", text), call("lower", part)
    start = call("greatest", arguments[2].expr, Lit(0)) if len(arguments) > 2 else Lit(0)
    found = call("text_position", call("substring", text, call("add", start, Lit(1))), part)
    is_found = call("and", call("gt", found, Lit(0)), call("le", start, call("length", text)))
    expr = Case(((is_found, call("add", call("sub", found, Lit(1)), start)),), Lit(None, "BIGINT"))
    return computed(scope, expr, Kind.LONG, arguments)


def _string(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    (value,) = arguments
    if _is_unknown(value):
        return unknown(Kind.STRING, arguments)
    return computed(scope, _text(scope, node, value), Kind.STRING, arguments)


def _text(scope: Scope, node: FunctionCall, value: Value) -> Expr:
    """A value as Java prints it. Java's and DuckDB's texts of fractions differ, so only short constants are accepted."""
    match value.kind:
        case Kind.STRING | Kind.IP:
            return value.expr
        case Kind.LONG:
            return Cast(value.expr, "VARCHAR")
        case Kind.BOOLEAN:
            return Case(((value.expr, Lit("true")), (call("not", value.expr), Lit("false"))), Lit(None, "VARCHAR"))
        case Kind.DOUBLE if value.constant and 0.001 <= abs(value.folded) < 10_000_000:
            return Lit(repr(value.folded))
        case _:
            raise scope.unsupported(node.at, f"the text of a {name_of(value)} in [{node.name}]")


def _concat(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    if any(map(_is_unknown, arguments)):
        return unknown(Kind.STRING, arguments)
    return computed(scope, call("concat", *(_text(scope, node, value) for value in arguments)), Kind.STRING, arguments)


def _number(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    """Text as a number; a null base means 10, or 16 after "0x". Text that is no number fails the search, as in Elasticsearch."""
    text = arguments[0]
    _need(scope, node, arguments[:1], Kind.STRING)
    _need(scope, node, arguments[1:], Kind.LONG)
    if _is_unknown(text):
        return unknown(Kind.LONG, arguments)
    base = arguments[1] if len(arguments) > 1 else NULL
    if not base.constant or not (base.folded is None or 2 <= base.folded <= 36):
        raise scope.unsupported(node.at, "[number] with a base that is not a literal from 2 to 36")
    if text.constant:
        return _parsed(scope, node, text.folded, base.folded)
    failed = call("fail", Lit("number() met a text that is not a number"))
    unprefixed = call("substring", text.expr, Lit(3))
    prefixed = call("starts_with", text.expr, Lit("0x"))
    absent: tuple[Expr, Expr] = (call("is_null", text.expr), Lit(None, "DOUBLE"))
    if base.folded is None or base.folded == 10:
        decimal = call("regex_full", call("trim", text.expr), Lit(_DECIMAL.pattern))
        branches: list[tuple[Expr, Expr]] = [absent, (decimal, Cast(call("trim", text.expr), "DOUBLE"))]
        if base.folded is None:
            digits = call("regex_full", unprefixed, Lit("[0-9A-Fa-f]{1,15}"))
            branches.insert(1, (call("and", prefixed, digits), Cast(call("integer_in_base", unprefixed, Lit(16)), "DOUBLE")))
        return computed(scope, Case(tuple(branches), failed), Kind.DOUBLE, arguments)
    digits_text = Case(((prefixed, unprefixed),), text.expr) if base.folded == 16 else text.expr
    parsed = Cast(call("integer_in_base", digits_text, base.expr), "DOUBLE")
    return computed(scope, Case((absent, (call("is_not_null", parsed), parsed)), failed), Kind.DOUBLE, arguments)


def _parsed(scope: Scope, node: FunctionCall, text: str, base: int | None) -> Value:
    try:
        if base == 10 or (base is None and not text.startswith("0x")):
            if re.fullmatch(r"[+-]?[0-9]+", text):
                return constant(int(text), Kind.LONG)
            if not _DECIMAL.fullmatch(text.strip(" ")):
                raise ValueError
            return constant(float(text), Kind.DOUBLE)
        digits = text.removeprefix("0x") if base in (None, 16) else text
        if not re.fullmatch(r"[+-]?[0-9A-Za-z]+", digits):
            raise ValueError
        return constant(int(digits, base or 16), Kind.LONG)
    except ValueError:
        raise scope.error(node.at, f"[number] cannot convert ['{text}'] to a number") from None


def _cidr_match(scope: Scope, node: FunctionCall, arguments: Sequence[Value]) -> Value:
    source, *blocks = arguments
    _need(scope, node, [source], Kind.IP, Kind.STRING)
    if _is_unknown(source):
        return unknown(Kind.BOOLEAN, arguments)
    if any(map(_is_unknown, blocks)):
        return unknown(Kind.BOOLEAN, arguments)
    tests = []
    for block in blocks:
        if not block.constant or block.kind is not Kind.STRING:
            raise scope.error(node.at, "[cidrMatch] takes address blocks as literals")
        tests.append(_in_block(scope, node, source.expr, block.folded))
    expr = Case(((call("is_null", source.expr), Lit(None, "BOOLEAN")),), call("or", *tests))
    return computed(scope, expr, Kind.BOOLEAN, arguments)


def _in_block(scope: Scope, node: FunctionCall, address: Expr, block: str) -> Expr:
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        network = None
    if network is None or "/" not in block:
        raise scope.error(node.at, f"[cidrMatch] cannot read ['{block}'] as an address block")
    low, high = int(network[0]), int(network[-1])
    number = call("ipv4_number", address)
    if isinstance(network, ipaddress.IPv4Network):
        return call("coalesce", call("and", call("ge", number, Lit(low)), call("le", number, Lit(high))), Lit(False))
    digits = call("ipv6_digits", address)
    within = call("and", call("ge", digits, Lit(f"{low:032x}")), call("le", digits, Lit(f"{high:032x}")))
    test = call("coalesce", within, Lit(False))
    if network.supernet_of(_V4_MAPPED):
        return call("or", test, call("is_not_null", number))  # Elasticsearch stores IPv4 addresses as ::ffff:a.b.c.d
    if network.subnet_of(_V4_MAPPED):
        raise scope.unsupported(node.at, f"[cidrMatch] with the IPv4-mapped block ['{block}']", "write the IPv4 block")
    return test


_MANY = 1000
_INSENSITIVE = frozenset({"between", "endswith", "indexof", "startswith", "stringcontains"})

FUNCTIONS: Mapping[str, tuple[int, int, Function]] = {
    "add": (2, 2, _operator("+")),
    "between": (3, 4, _between),
    "cidrmatch": (2, _MANY, _cidr_match),
    "concat": (1, _MANY, _concat),
    "divide": (2, 2, _operator("/")),
    "endswith": (2, 2, _string_test("ends_with")),
    "indexof": (2, 3, _index_of),
    "length": (1, 1, _length),
    "modulo": (2, 2, _operator("%")),
    "multiply": (2, 2, _operator("*")),
    "number": (1, 2, _number),
    "startswith": (2, 2, _string_test("starts_with")),
    "string": (1, 1, _string),
    "stringcontains": (2, 2, _string_test("contains")),
    "substring": (2, 3, _substring),
    "subtract": (2, 2, _operator("-")),
}
"""Lower case name → fewest and most arguments, and the function."""
