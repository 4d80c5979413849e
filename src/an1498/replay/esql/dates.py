"""Dates and time spans (Elasticsearch reference, "ES|QL date-time functions", "ES|QL time spans", "ES|QL grouping functions").

Dates are milliseconds since the epoch, UTC. A time_duration adds milliseconds; a date_period adds months, then days."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.replay.algebra import Cast, Expr, Lit, call
from an1498.replay.esql import tree
from an1498.replay.esql.context import Context, Function
from an1498.replay.esql.values import NUMBERS, SPANS, TimeSpan, Type, Value, checked, constant, single, widened

_DAY = 86_400_000
_DIFFERENCE_UNITS = {
    **dict.fromkeys(("millisecond", "milliseconds", "ms"), 1),
    **dict.fromkeys(("second", "seconds", "ss", "s"), 1000),
    **dict.fromkeys(("minute", "minutes", "mi", "n"), 60_000),
    **dict.fromkeys(("hour", "hours", "hh"), 3_600_000),
    **dict.fromkeys(("day", "days", "dd", "d"), _DAY),
    **dict.fromkeys(("week", "weeks", "wk", "ww"), 7 * _DAY),
}
_PARTS = {
    "year": "year",
    "month_of_year": "month",
    "day_of_month": "day",
    "day_of_week": "isodow",
    "day_of_year": "dayofyear",
    "hour_of_day": "hour",
    "minute_of_hour": "minute",
    "second_of_minute": "second",
}


def shifted(node: tree.Expression, operator: str, left: Value, right: Value, context: Context) -> Value:
    """date + span, span + date, date - span, span + span."""
    if left.type in SPANS and right.type in SPANS and left.type is right.type and operator in "+-":
        first, second = left.constant, right.constant
        if isinstance(first, TimeSpan) and isinstance(second, TimeSpan):
            sign = 1 if operator == "+" else -1
            return constant(
                TimeSpan(
                    first.months + sign * second.months,
                    first.days + sign * second.days,
                    first.milliseconds + sign * second.milliseconds,
                ),
                left.type,
            )
    moment, span = (right, left) if left.type in SPANS else (left, right)
    if operator not in "+-" or moment.type in SPANS or (operator == "-" and span is left) or not isinstance(span.constant, TimeSpan):
        raise context.source.wrong(node.at, f"[{operator}] has arguments with incompatible types [{left.type}] and [{right.type}]")
    date = single(context.typed(node, moment, (Type.DATETIME,)))
    sign = 1 if operator == "+" else -1
    if span.constant.months:
        date = call("add_months", date, Lit(sign * span.constant.months))
    milliseconds = span.constant.days * _DAY + span.constant.milliseconds
    if milliseconds:
        date = checked(call("add", Cast(date, "HUGEINT", safe=False), Lit(sign * milliseconds)), Type.LONG)
    return Value(date, Type.DATETIME)


def _floored(context: Context, node: tree.Function, span: TimeSpan, date: Expr) -> Expr:
    """The start of the interval that holds a date: fixed spans from the epoch, weeks from Monday, months, quarters, years."""
    unit = {(1, 0): "month", (3, 0): "quarter", (12, 0): "year", (0, 7): "week"}.get((span.months, span.days))
    if unit is not None and not span.milliseconds:
        return call("truncate_date", Lit(unit), date)
    if span.months:
        raise context.source.unsupported(node.at, f"{node.name.upper()} by months, other than 1 month, 1 quarter or 1 year")
    if span.days > 7 and span.days % 7 == 0:
        raise context.source.unsupported(node.at, f"{node.name.upper()} by several weeks")
    width = span.days * _DAY + span.milliseconds
    if width <= 0:
        raise context.source.wrong(node.at, "Zero or negative time interval is not supported")
    into = call("mod", call("add", call("mod", date, Lit(width)), Lit(width)), Lit(width))  # towards the past before 1970 as well
    return call("sub", date, into)


def _span_argument(context: Context, node: tree.Function, value: Value, position: int) -> TimeSpan:
    if not isinstance(value.constant, TimeSpan):
        raise context.source.unsupported(node.at, f"{node.name.upper()} without a literal time span as argument {position}")
    return value.constant


def _date_trunc(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    span = _span_argument(context, node, args[0], 1)
    date = single(context.typed(node, args[1], (Type.DATETIME,), 2))
    return Value(_floored(context, node, span, date), Type.DATETIME)


def _bucket(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """BUCKET(date, span) and BUCKET(number, size), aligned at 0; the forms with a number of buckets and bounds are refused."""
    if args[0].type in NUMBERS and args[1].type in NUMBERS and args[1].is_constant:
        size = args[1].constant
        if not isinstance(size, int | float) or size <= 0:
            raise context.source.wrong(node.at, "the size of a bucket must be positive")
        number = widened(Value(single(args[0]), args[0].type), Type.DOUBLE).expr
        return Value(checked(call("mul", call("floor", call("div", number, Lit(float(size)))), Lit(float(size))), Type.DOUBLE), Type.DOUBLE)
    span = _span_argument(context, node, args[1], 2)
    date = single(context.typed(node, args[0], (Type.DATETIME,), 1))
    return Value(_floored(context, node, span, date), Type.DATETIME)


def _date_diff(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    """Whole units between two dates, towards zero; an integer, null where it does not fit."""
    unit = context.text_literal(node, args, 0).lower()
    width = _DIFFERENCE_UNITS.get(unit)
    if width is None:
        raise context.source.unsupported(node.at, f"DATE_DIFF in the unit '{unit}'", "use weeks or a smaller unit")
    start, end = (single(context.typed(node, args[position], (Type.DATETIME,), position + 1)) for position in (1, 2))
    return Value(checked(call("int_div", call("sub", end, start), Lit(width)), Type.INTEGER), Type.INTEGER)


def _date_extract(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
    name = context.text_literal(node, args, 0).lower()
    part = _PARTS.get(name)
    if part is None:
        raise context.source.unsupported(node.at, f"DATE_EXTRACT of '{name}'")
    date = single(context.typed(node, args[1], (Type.DATETIME,), 2))
    return Value(Cast(call("extract_date", Lit(part), date), "BIGINT"), Type.LONG)


def _named(function: str) -> Function:
    """DAY_NAME, MONTH_NAME: the English name, Elasticsearch's default locale."""

    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        return Value(call(function, single(context.typed(node, args[0], (Type.DATETIME,), 1))), Type.KEYWORD)

    return Function(build)


def _now(context: Context, node: tree.Function, _args: Sequence[Value]) -> Value:
    raise context.source.unsupported(node.at, "NOW()", "replay has no current time; write a date")


FUNCTIONS = {
    "bucket": Function(_bucket, 2, 2),
    "bin": Function(_bucket, 2, 2),
    "date_diff": Function(_date_diff, 3, 3),
    "date_extract": Function(_date_extract, 2, 2),
    "date_trunc": Function(_date_trunc, 2, 2),
    "day_name": _named("day_name"),
    "month_name": _named("month_name"),
    "now": Function(_now, 0, 0),
}
