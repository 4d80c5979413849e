"""fillnull: values for fields that results lack (Search Reference, "fillnull")."""

from __future__ import annotations

from an1498.replay.algebra import Case, Col, Expr, Lit, Select, Window, WindowCall, call
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.values import Kind, Value, convert, looks_numeric


def fillnull(frame: Frame, command: syntax.Plain) -> Frame:
    """Nulls become `value` (default 0), in the named fields or in all fields of the results."""
    source, at = frame.context.source, command.at
    if set(command.options) - {"value"}:
        raise source.unsupported(at, "options of fillnull other than value")
    if not command.words and frame.open:
        frame.context.read.add("*")
    filler = command.options.get("value", "0")
    if not command.words:
        return _fill_existing(frame, filler, at)
    return frame.extend([_filled(frame, name, filler, at) for name in dict.fromkeys(command.words)], at)


def _fill_existing(frame: Frame, filler: str, at: int) -> Frame:
    """Without names, the fields of the results: those of which at least one result has a value."""
    names = [name for name, kind in frame.columns.items() if kind is not Kind.CLOCK]
    counted = Window(
        frame.relation,
        tuple((f"#has {name}", WindowCall("count", (Col(name),), start=None, end=None)) for name in names),
    )
    items = []
    for name in names:
        _, kind, filled = _filled(frame, name, filler, at)
        absent = call("eq", Col(f"#has {name}"), Lit(0))
        items.append((name, kind, Case(((absent, Lit(None, kind.sql_type)),), filled)))
    wide = frame.over(counted).extend(items, at)
    return wide.over(Select(wide.relation, tuple((name, Col(name)) for name in wide.columns)))


def _filled(frame: Frame, name: str, filler: str, at: int) -> tuple[str, Kind, Expr]:
    value = frame.value(name, at)
    kind = value.kind
    if kind.numeric and not looks_numeric(filler):
        kind = Kind.TEXT
    substitute: Expr = Lit(float(filler)) if kind.numeric else Lit(filler)
    if kind is Kind.LIST:
        substitute = convert(Value(Kind.TEXT, substitute), Kind.LIST, at)
    return name, kind, call("coalesce", convert(value, kind, at), substitute)
