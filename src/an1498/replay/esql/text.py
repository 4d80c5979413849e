"""String functions and CIDR_MATCH (Elasticsearch reference, "ES|QL string functions", "ES|QL IP functions").

Text counts in code points; a null or multivalued argument gives null, except that TO_LOWER and TO_UPPER take every value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from an1498.replay.algebra import Case, Cast, Expr, Lit, call
from an1498.replay.esql import tree
from an1498.replay.esql.context import Context, Function
from an1498.replay.esql.values import Type, Value, each, null_unless, single
from an1498.replay.lucene.dates import cidr_bounds

# Java's Character.isWhitespace, as the inside of an RE2 class.
_SPACE = r"\t-\r\x1c-\x20\x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{2028}\x{2029}\x{205f}\x{3000}"
_MOST_REPEATS = 1000
_LITERAL = r"[^\\.\[\](){}?*+|^$]|\\[\\.\[\](){}?*+|^$/-]"
_SIMPLE_CLASS = r"\[\^?(?:[A-Za-z0-9_ ]-[A-Za-z0-9_ ]|[A-Za-z0-9_ ,;:/@#%=.])+\]"
_PLAIN_REGEX = re.compile(rf"(?:{_LITERAL}|{_SIMPLE_CLASS}\+?)+")


def _concat(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    return Value(call("concat", *(context.text(node, args, position) for position in range(len(args)))), Type.KEYWORD)


def _length(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    return Value(Cast(call("length", context.text(node, args, 0)), "INTEGER"), Type.INTEGER)


def _folded(name: str) -> Function:
    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        value = context.typed(node, args[0], (Type.KEYWORD, Type.TEXT), 1)
        if not value.multi:
            return Value(context.derive(name, value.expr), Type.KEYWORD)
        return each(value, Type.KEYWORD, lambda item: call(name, item))

    return Function(build)


def _test(name: str) -> Function:
    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        return Value(call(name, context.text(node, args, 0), context.text(node, args, 1)), Type.BOOLEAN)

    return Function(build, 2, 2)


def _substring(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """`start` counts from 1, a negative one from the end, 0 is 1; the length is what is left if it is not given."""
    text, start = context.text(node, args, 0), context.integer(node, args, 1)
    size = call("length", text)
    from_end = call("greatest", call("add", call("add", size, start), Lit(1)), Lit(1))
    first = Case(((call("gt", start, Lit(0)), start), (call("lt", start, Lit(0)), from_end)), Lit(1))
    length: Expr = size
    if len(args) == 3:
        length = context.integer(node, args, 2)
        if isinstance(args[2].constant, int) and args[2].constant < 0:
            raise context.source.wrong(node.at, "Length parameter cannot be negative")
        known = call("and", call("is_not_null", start), call("ge", length, Lit(0)))
    else:
        known = call("is_not_null", start)
    return Value(null_unless(known, call("substring", text, first, length)), Type.KEYWORD)


def _left(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    text, count = context.text(node, args, 0), context.integer(node, args, 1)
    return Value(null_unless(call("is_not_null", count), call("substring", text, Lit(1), call("greatest", count, Lit(0)))), Type.KEYWORD)


def _right(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    text, count = context.text(node, args, 0), context.integer(node, args, 1)
    size = call("length", text)
    kept = call("least", call("greatest", count, Lit(0)), size)
    first = call("add", call("sub", size, kept), Lit(1))
    return Value(null_unless(call("is_not_null", count), call("substring", text, first, kept)), Type.KEYWORD)


def _locate(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """Position from 1 of the first occurrence, 0 for none."""
    if len(args) == 3:
        raise context.source.unsupported(node.at, "LOCATE with a start", "cut the text with SUBSTRING first")
    found = call("text_position", context.text(node, args, 0), context.text(node, args, 1))
    return Value(Cast(found, "INTEGER"), Type.INTEGER)


def _replace(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """Java's regular expression: only what Java and RE2 read alike (literals, escapes, simple classes) is accepted."""
    pattern, replacement = context.text_literal(node, args, 1), context.text_literal(node, args, 2)
    if not _PLAIN_REGEX.fullmatch(pattern):
        raise context.source.unsupported(node.at, "REPLACE with this regular expression", "replace literal text or a simple class")
    if "$" in replacement or "\\" in replacement:
        raise context.source.unsupported(node.at, "REPLACE with a group reference in the replacement")
    return Value(call("regex_replace_all", context.text(node, args, 0), Lit(pattern), Lit(replacement)), Type.KEYWORD)


def _split(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """Splits at every occurrence of a one-character delimiter."""
    delimiter = context.text_literal(node, args, 1)
    if len(delimiter) != 1:
        raise context.source.unsupported(node.at, "SPLIT at more than one character")
    return Value(call("split", context.text(node, args, 0), Lit(delimiter)), Type.KEYWORD, multi=True)


def _trimmed(pattern: str) -> Function:
    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        return Value(call("regex_replace_all", context.text(node, args, 0), Lit(pattern), Lit("")), Type.KEYWORD)

    return Function(build)


def _repeat(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    count = context.whole_literal(node, args, 1)
    if count > _MOST_REPEATS:
        raise context.source.unsupported(node.at, f"REPEAT more than {_MOST_REPEATS} times")
    if count < 0:
        raise context.source.wrong(node.at, "Number parameter cannot be negative")
    return Value(call("concat", Lit(""), *([context.text(node, args, 0)] * count)), Type.KEYWORD)


def _cidr_match(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    address = context.derive("ip_key", single(context.typed(node, args[0], (Type.IP,), 1)))
    tests: list[Expr] = []
    for position in range(1, len(args)):
        block = context.text_literal(node, args, position)
        bounds = cidr_bounds(block)
        if bounds is None:
            raise context.source.unsupported(node.at, f"CIDR_MATCH with '{block}'", "write an address and a prefix length")
        tests.append(call("and", call("ge", address, Lit(bounds[0])), call("le", address, Lit(bounds[1]))))
    return Value(call("or", *tests), Type.BOOLEAN)


FUNCTIONS = {
    "cidr_match": Function(_cidr_match, 2, None),
    "concat": Function(_concat, 2, None),
    "contains": _test("contains"),
    "ends_with": _test("ends_with"),
    "left": Function(_left, 2, 2),
    "length": Function(_length),
    "locate": Function(_locate, 2, 3),
    "ltrim": _trimmed(rf"^[{_SPACE}]+"),
    "repeat": Function(_repeat, 2, 2),
    "replace": Function(_replace, 3, 3),
    "right": Function(_right, 2, 2),
    "rtrim": _trimmed(rf"[{_SPACE}]+$"),
    "split": Function(_split, 2, 2),
    "starts_with": _test("starts_with"),
    "substring": Function(_substring, 2, 3),
    "to_lower": _folded("lower_root"),
    "to_upper": _folded("upper_root"),
    "trim": _trimmed(rf"^[{_SPACE}]+|[{_SPACE}]+$"),
}
