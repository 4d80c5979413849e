"""TO_… functions and `::` (Elasticsearch reference, "ES|QL type conversion functions"): every value of a multivalued field is
converted; a value that cannot be converted is dropped with a warning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from an1498.replay.algebra import Case, Cast, Expr, Lit, call
from an1498.replay.esql import tree
from an1498.replay.esql.context import Context, Function
from an1498.replay.esql.values import (
    NUMBERS,
    STRINGS,
    TimeSpan,
    Type,
    Value,
    constant,
    each,
    null_of,
    parse_date,
    time_span,
    widened,
)
from an1498.replay.lucene.dates import is_address
from an1498.telemetry.addresses import canonical_ip

_WHOLE_TEXT = r"[+-]?[0-9]+"
# What Java's Double.parseDouble reads, hexadecimal numbers, NaN and infinities apart.
_NUMBER_TEXT = r"[\x00-\x20]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?[\x00-\x20]*"
_DATE_TEXT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{1,9})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
_SHORT_DATE_TEXT = r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}T[0-9:]*.*)?)?"


def to_string(context: Context, node: tree.Expression, value: Value) -> Value:
    match value.type:
        case Type.KEYWORD | Type.TEXT | Type.IP:
            return Value(value.expr, Type.KEYWORD, value.multi, value.constant, value.is_constant)
        case Type.DATETIME:
            return each(value, Type.KEYWORD, lambda item: call("date_text", item))
        case Type.DOUBLE:
            return each(value, Type.KEYWORD, lambda item: call("java_double_text", item))
        case Type.INTEGER | Type.LONG | Type.BOOLEAN:
            return each(value, Type.KEYWORD, lambda item: Cast(item, "VARCHAR", safe=False))
        case Type.NULL:
            return null_of(Type.KEYWORD)
        case _:
            return _refused(context, node, value, Type.KEYWORD)


def to_double(context: Context, node: tree.Expression, value: Value) -> Value:
    match value.type:
        case Type.KEYWORD | Type.TEXT:
            return each(value, Type.DOUBLE, _parsed_double)
        case Type.BOOLEAN | Type.DATETIME | Type.INTEGER | Type.LONG | Type.DOUBLE | Type.NULL:
            return _cast(value, Type.DOUBLE)
        case _:
            return _refused(context, node, value, Type.DOUBLE)


def _to_whole(kind: Type) -> Callable[[Context, tree.Expression, Value], Value]:
    sql_type = "INTEGER" if kind is Type.INTEGER else "BIGINT"

    def rounded(item: Expr) -> Expr:
        return Cast(call("round_half_up", item), sql_type)

    def parsed(item: Expr) -> Expr:
        whole = call("regex_full", item, Lit(_WHOLE_TEXT))
        return Case(((whole, Cast(item, sql_type)),), rounded(_parsed_double(item)))

    def build(context: Context, node: tree.Expression, value: Value) -> Value:
        match value.type:
            case Type.KEYWORD | Type.TEXT:
                return each(value, kind, parsed)
            case Type.DOUBLE:
                return each(value, kind, rounded)
            case Type.BOOLEAN | Type.DATETIME | Type.INTEGER | Type.LONG:
                return each(value, kind, lambda item: Cast(item, sql_type))
            case Type.NULL:
                return null_of(kind)
            case _:
                return _refused(context, node, value, kind)

    return build


to_integer = _to_whole(Type.INTEGER)
to_long = _to_whole(Type.LONG)


def to_boolean(context: Context, node: tree.Expression, value: Value) -> Value:
    """A string is true where it is "true" in any case, a number where it is not 0."""
    match value.type:
        case Type.BOOLEAN:
            return value
        case Type.KEYWORD | Type.TEXT:
            return each(value, Type.BOOLEAN, lambda item: call("eq", call("lower", item), Lit("true")))
        case Type.INTEGER | Type.LONG | Type.DOUBLE:
            return each(value, Type.BOOLEAN, lambda item: call("ne", item, Lit(0)))
        case Type.NULL:
            return null_of(Type.BOOLEAN)
        case _:
            return _refused(context, node, value, Type.BOOLEAN)


def to_datetime(context: Context, node: tree.Expression, value: Value) -> Value:
    """Milliseconds as a number, or a text in strict_date_optional_time."""
    if value.type in STRINGS:
        if isinstance(value.constant, str):
            moment = parse_date(value.constant)
            return null_of(Type.DATETIME) if moment is None else constant(moment, Type.DATETIME)
        return each(value, Type.DATETIME, _parsed_date)
    if value.type is Type.DATETIME:
        return value
    if value.type in NUMBERS or value.type is Type.NULL:
        whole = to_long(context, node, value)
        return Value(whole.expr, Type.DATETIME, whole.multi)
    return _refused(context, node, value, Type.DATETIME)


def to_ip(context: Context, node: tree.Expression, value: Value) -> Value:
    if value.type is Type.IP:
        return value
    if value.type is Type.NULL:
        return null_of(Type.IP)
    if value.type in STRINGS:
        if isinstance(value.constant, str):
            return constant(canonical_ip(value.constant), Type.IP) if is_address(value.constant) else null_of(Type.IP)
        return each(value, Type.IP, lambda item: call("ip_text", item))
    return _refused(context, node, value, Type.IP)


def to_span(kind: Type) -> Callable[[Context, tree.Expression, Value], Value]:
    """`"3 days"::date_period`: literals only, as in Elasticsearch."""

    def build(context: Context, node: tree.Expression, value: Value) -> Value:
        if value.type is kind:
            return value
        if isinstance(value.constant, str):
            words = value.constant.split()
            span = time_span(int(words[0]), words[1].lower()) if len(words) == 2 and words[0].isdecimal() else None
            if span is not None and span[1] is kind and isinstance(span[0], TimeSpan):
                return constant(*span)
        raise context.source.wrong(node.at, f"[{context.words(node)}] is not a {kind}")

    return build


def cast(node: tree.Cast, value: Value, type_name: str, context: Context) -> Value:
    """`value::type`."""
    convert = _BY_TYPE.get(type_name)
    if convert is None:
        raise context.source.unsupported(node.at, f"a cast to {type_name}")
    return convert(context, node, value)


def _cast(value: Value, kind: Type) -> Value:
    if value.type in NUMBERS or value.type is Type.NULL:
        return widened(value, kind)
    return each(value, kind, lambda item: Cast(Cast(item, "BIGINT", safe=False), "DOUBLE", safe=False))


def _parsed_double(item: Expr) -> Expr:
    return Cast(call("regex_group", item, Lit(_NUMBER_TEXT), Lit(1)), "DOUBLE")


def _parsed_date(item: Expr) -> Expr:
    """Whole dates with or without a time; the rarer short forms (`2024`, `2024-01-02T03`) are refused at run time."""
    full = call("text_date", call("replace_text", item, Lit(","), Lit(".")))
    short = call("fail", Lit("an1498-refused: a date text in a short form"))
    return Case(
        (
            (call("regex_full", item, Lit(_DATE_TEXT)), full),
            (call("regex_full", item, Lit(_SHORT_DATE_TEXT)), Cast(short, "BIGINT")),
        ),
        Lit(None, "BIGINT"),
    )


def _refused(context: Context, node: tree.Expression, value: Value, kind: Type) -> Value:
    raise context.source.wrong(node.at, f"[{context.words(node)}] cannot convert {value.type} to {kind}")


def _function(convert: Callable[[Context, tree.Expression, Value], Value]) -> Function:
    def build(context: Context, node: tree.Function, args: Sequence[Value]) -> Value:
        return convert(context, node, args[0])

    return Function(build)


_BY_TYPE: dict[str, Callable[[Context, tree.Expression, Value], Value]] = {
    "bool": to_boolean,
    "boolean": to_boolean,
    "date": to_datetime,
    "datetime": to_datetime,
    "double": to_double,
    "int": to_integer,
    "integer": to_integer,
    "ip": to_ip,
    "keyword": to_string,
    "long": to_long,
    "string": to_string,
    "date_period": to_span(Type.DATE_PERIOD),
    "time_duration": to_span(Type.TIME_DURATION),
}
FUNCTIONS = {
    **{name: _function(to_boolean) for name in ("to_boolean", "to_bool")},
    **{name: _function(to_datetime) for name in ("to_datetime", "to_dt")},
    **{name: _function(to_double) for name in ("to_double", "to_dbl")},
    **{name: _function(to_integer) for name in ("to_integer", "to_int")},
    **{name: _function(to_string) for name in ("to_string", "to_str")},
    "to_ip": _function(to_ip),
    "to_long": _function(to_long),
    "to_dateperiod": _function(to_span(Type.DATE_PERIOD)),
    "to_timeduration": _function(to_span(Type.TIME_DURATION)),
}
