"""bin: times and numbers as the ranges that they lie in (Search Reference, "bin")."""

from __future__ import annotations

from an1498.replay.algebra import Case, Expr, Lit, call
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.times import span_seconds
from an1498.replay.spl.values import TEXT_TYPE, Kind, as_number, let, number_text, refuse


def into_bins(frame: Frame, command: syntax.Plain) -> Frame:
    """`bin _time span=5m`: the start of the span, counted from the epoch (days begin at midnight UTC)."""
    source, at = frame.context.source, command.at
    span = command.options.get("span", "")
    seconds = span_seconds(span)
    if set(command.options) == {"span"} and len(command.words) == 1 and command.words != ("_time",) and span.isdecimal() and int(span):
        return _ranges(frame, command, int(span))
    if set(command.options) - {"span"} or seconds is None or command.words != ("_time",):
        raise source.unsupported(at, "bin with anything but span=<seconds, minutes, hours or days> of _time or span=<number> of a field")
    if 86_400 % seconds and seconds != 86_400:
        raise source.unsupported(at, "a span that does not divide a day")
    value = as_number(frame.value("_time", at), at)
    start = call("mul", call("floor", call("div", value, Lit(float(seconds)))), Lit(float(seconds)))
    return frame.extend([(command.renamed or "_time", Kind.NUMBER, start)], at)


def _ranges(frame: Frame, command: syntax.Plain, span: int) -> Frame:
    """A number as the range that it lies in, such as `20-30`."""
    at = command.at
    (name,) = command.words
    value = frame.value(name, at)
    start = call("mul", call("floor", call("div", as_number(value, at), Lit(float(span)))), Lit(float(span)))

    def label(low: Expr) -> Expr:
        text = call("concat", number_text(low, at), Lit("-"), number_text(call("add", low, Lit(float(span))), at))
        refused = refuse(at, "bin of a negative number or of text that is no number", TEXT_TYPE)
        missing = call("is_null", value.expr)
        return Case(((missing, Lit(None, TEXT_TYPE)), (call("coalesce", call("ge", low, Lit(0)), Lit(False)), text)), refused)

    return frame.extend([(command.renamed or name, Kind.TEXT, let(start, label))], at)


def binned(frame: Frame, span: str) -> Frame:
    return into_bins(frame, syntax.Plain("bin", ("_time",), {"span": span}, 0))
