"""Expressions of ES|QL lowered to typed values.

Elasticsearch reference: "ES|QL operators" (null in, null out; AND, OR and NOT are three-valued; LIKE and RLIKE match the whole
value), "ES|QL multivalued fields" (an operator gives null for several values), "ES|QL implicit casting".
"""

from __future__ import annotations

import re

from an1498.replay.algebra import Cast as SqlCast
from an1498.replay.algebra import Expr, ListOf, Lit, call
from an1498.replay.esql import conditionals, conversions, dates, lists, numbers, text, tree
from an1498.replay.esql.context import Context, Function
from an1498.replay.esql.values import (
    NULL,
    NUMBERS,
    SPANS,
    STRINGS,
    WHOLE,
    TimeSpan,
    Type,
    Value,
    checked,
    common_number,
    constant,
    null_of,
    single,
    time_span,
    widened,
)
from an1498.replay.lucene.patterns import Pattern, PatternError, regular_expression, wildcard

AGGREGATE_FUNCTIONS = frozenset(
    {"avg", "count", "count_distinct", "max", "median", "min", "percentile", "std_dev", "sum", "top", "values", "variance"}
)
_OTHER_AGGREGATES = frozenset({"absent", "first", "last", "median_absolute_deviation", "present", "sample", "weighted_avg"})
FUNCTIONS: dict[str, Function] = {
    **conditionals.FUNCTIONS,
    **conversions.FUNCTIONS,
    **dates.FUNCTIONS,
    **lists.FUNCTIONS,
    **numbers.FUNCTIONS,
    **text.FUNCTIONS,
}
# A backslash in a LIKE pattern stands before *, ? or another backslash (Elastic's StringUtils.wildcardToJavaPattern).
_ESCAPED_WILDCARDS = re.compile(r"(?:[^\\]|\\[*?\\])*", re.DOTALL)
_COMPARE = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def lower(node: tree.Expression, context: Context) -> Value:
    """The typed value of an expression. Raises SearchSyntaxError where Elasticsearch would refuse it too."""
    match node:
        case tree.Literal(_, value):
            return _literal(value, context, node)
        case tree.ListLiteral(_, items):
            return _list(node, [lower(item, context) for item in items], context)
        case tree.Interval(at, amount, unit):
            span = time_span(amount, unit)
            if span is None:
                raise context.source.wrong(at, f"Unexpected time interval qualifier: '{unit}'")
            return constant(*span)
        case tree.Column():
            return context.column(node)
        case tree.Function():
            return _function(node, context)
        case tree.Negative(_, operand):
            return _negative(node, lower(operand, context), context)
        case tree.Arithmetic(_, operator, left, right):
            return arithmetic(node, operator, lower(left, context), lower(right, context), context)
        case tree.Comparison(_, operator, left, right):
            return compare(node, operator, lower(left, context), lower(right, context), context)
        case tree.Logic(_, operator, operands):
            return Value(call(operator, *(condition(operand, context) for operand in operands)), Type.BOOLEAN)
        case tree.Not(_, operand):
            return Value(call("not", condition(operand, context)), Type.BOOLEAN)
        case tree.IsNull(_, operand, negated):
            return Value(call("is_not_null" if negated else "is_null", lower(operand, context).expr), Type.BOOLEAN)
        case tree.In(_, operand, items, negated):
            return _in(node, lower(operand, context), [lower(item, context) for item in items], negated, context)
        case tree.Like():
            return _like(node, lower(node.operand, context), context)
        case tree.Cast(_, operand, type_name):
            return conversions.cast(node, lower(operand, context), type_name, context)


def condition(node: tree.Expression, context: Context) -> Expr:
    """A boolean expression as one value, null where it is unknown."""
    return single(context.typed(node, lower(node, context), (Type.BOOLEAN,)))


def _literal(value: bool | int | float | str | None, context: Context, node: tree.Literal) -> Value:
    match value:
        case None:
            return NULL
        case bool():
            return constant(value, Type.BOOLEAN)
        case int():
            if -(2**31) <= value < 2**31:
                return constant(value, Type.INTEGER)
            if -(2**63) <= value < 2**63:
                return constant(value, Type.LONG)
            raise context.source.unsupported(node.at, "a whole number beyond 64 bits")
        case float():
            return constant(value, Type.DOUBLE)
    return constant(value, Type.KEYWORD)


def _list(node: tree.ListLiteral, items: list[Value], context: Context) -> Value:
    kind = context.same_type(node, items, promote=True)
    return Value(ListOf(tuple(widened(item, kind).expr for item in items)), kind, multi=True)


def _function(node: tree.Function, context: Context) -> Value:
    if node.name in AGGREGATE_FUNCTIONS:
        if context.aggregates is None:
            raise context.source.wrong(node.at, f"aggregate function [{context.words(node)}] not allowed outside STATS command")
        return context.aggregates.add(node)
    if node.name in _OTHER_AGGREGATES:
        raise context.source.unsupported(node.at, f"the aggregate function {node.name.upper()}")
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise context.source.unsupported(node.at, f"the function {node.name.upper()}")
    context.arity(node, function.least, function.most)
    return function.build(context, node, [lower(argument, context) for argument in node.arguments])


def _negative(node: tree.Negative, value: Value, context: Context) -> Value:
    if value.type in SPANS and isinstance(value.constant, TimeSpan):
        span = value.constant
        return constant(TimeSpan(-span.months, -span.days, -span.milliseconds), value.type)
    number = context.typed(node, value, (Type.INTEGER, Type.LONG, Type.DOUBLE))
    return arithmetic(node, "-", constant(0, Type.INTEGER), number, context)


def arithmetic(node: tree.Expression, operator: str, left: Value, right: Value, context: Context) -> Value:
    """Numbers: the wider type; an overflow or a division by zero is null; whole numbers divide to a whole number, towards zero.
    Dates: plus or minus a time span."""
    if left.type in SPANS or right.type in SPANS:
        return dates.shifted(node, operator, left, right, context)
    if Type.NULL in (left.type, right.type):
        other = right.type if left.type is Type.NULL else left.type
        return null_of(other) if other in NUMBERS else NULL
    if left.type not in NUMBERS or right.type not in NUMBERS:
        raise context.source.wrong(node.at, f"[{operator}] has arguments with incompatible types [{left.type}] and [{right.type}]")
    kind = common_number(left.type, right.type)
    a, b = single(widened(left, kind)), single(widened(right, kind))
    if operator in "/%":
        name = "int_div" if operator == "/" and kind in WHOLE else "div" if operator == "/" else "mod"
        if kind in WHOLE and not (isinstance(right.constant, int) and right.constant > 0):
            a = SqlCast(a, "HUGEINT", safe=False)  # the smallest number divided by -1 leaves its type
        return Value(checked(call(name, a, b), kind), kind)
    if kind in WHOLE:
        a = SqlCast(a, "HUGEINT", safe=False)
    return Value(checked(call({"+": "add", "-": "sub", "*": "mul"}[operator], a, b), kind), kind)


def compare(node: tree.Expression, operator: str, left: Value, right: Value, context: Context) -> Value:
    """== != < <= > >=; null where a side is null or has several values."""
    if Type.NULL in (left.type, right.type):
        return null_of(Type.BOOLEAN)
    left, right = _aligned(node, left, right, context)
    if left.type is Type.BOOLEAN and operator not in ("==", "!="):
        raise context.source.wrong(node.at, f"[{operator}] does not order booleans")
    a, b = single(left), single(right)
    if left.type is Type.IP and operator not in ("==", "!="):
        a, b = context.derive("ip_key", a), context.derive("ip_key", b)
    return Value(call(_COMPARE[operator], a, b), Type.BOOLEAN)


def _aligned(node: tree.Expression, left: Value, right: Value, context: Context) -> tuple[Value, Value]:
    """Both sides in one type that compares."""
    if left.type in NUMBERS and right.type in NUMBERS:
        kind = common_number(left.type, right.type)
        return widened(left, kind), widened(right, kind)
    if left.type in STRINGS and right.type in STRINGS:
        return widened(left, Type.KEYWORD), widened(right, Type.KEYWORD)
    if left.type is right.type and left.type not in SPANS:
        return left, right
    for value, other in ((left, right), (right, left)):
        if value.type is Type.KEYWORD and isinstance(value.constant, str) and other.type in (Type.DATETIME, Type.IP, Type.BOOLEAN):
            cast = context.converted_literal(node, value.constant, other.type)
            return (cast, right) if value is left else (left, cast)
    raise context.source.wrong(node.at, f"[{context.words(node)}] compares [{left.type}] with [{right.type}]")


def _in(node: tree.In, operand: Value, items: list[Value], negated: bool, context: Context) -> Value:
    """Three-valued like a chain of == joined by OR."""
    if operand.type is Type.NULL:
        return null_of(Type.BOOLEAN)
    tests: list[Expr] = []
    plain: list[Expr] = []
    for item in items:
        if item.type is Type.NULL:
            plain.append(Lit(None))
            continue
        left, right = _aligned(node, operand, item, context)
        if left.type is operand.type and right.is_constant:
            plain.append(right.expr)
        else:
            tests.append(call("eq", single(left), single(right)))
    if plain:
        tests.insert(0, call("in", single(operand), *plain))
    found = call("or", *tests)
    return Value(call("not", found) if negated else found, Type.BOOLEAN)


def _like(node: tree.Like, operand: Value, context: Context) -> Value:
    if operand.type is Type.NULL:
        return null_of(Type.BOOLEAN)
    value = single(context.typed(node.operand, operand, (Type.KEYWORD, Type.TEXT)))
    patterns = [_pattern(node, text, context) for text in node.patterns]
    if any(pattern.matches_all for pattern in patterns):
        if len(patterns) > 1:
            raise context.source.unsupported(node.at, "a pattern that matches everything beside others", "test IS NOT NULL instead")
        # Elasticsearch rewrites such a pattern to IS NOT NULL (rule ReplaceRegexMatch), so it is true for several values as well.
        found: Expr = call("is_not_null", operand.expr)
    else:
        found = call("or", *(_matches(value, pattern) for pattern in patterns))
    return Value(call("not", found) if node.negated else found, Type.BOOLEAN)


def _matches(value: Expr, pattern: Pattern) -> Expr:
    return call("eq", value, Lit(pattern.literal)) if pattern.literal is not None else call("regex_full", value, Lit(pattern.re2))


def _pattern(node: tree.Like, text: str, context: Context) -> Pattern:
    if not node.regex:
        if not _ESCAPED_WILDCARDS.fullmatch(text):
            problem = "Invalid sequence - escape character is not followed by special wildcard char"
            raise context.source.wrong(node.at, f"Invalid pattern for LIKE [{text}]: [{problem}]", "write a backslash as two")
        return wildcard(text)
    try:
        return regular_expression(text)
    except PatternError as error:
        if error.unsupported:
            raise context.source.unsupported(node.at, f"RLIKE: {error}") from error
        raise context.source.wrong(node.at, f"RLIKE: {error}") from error
