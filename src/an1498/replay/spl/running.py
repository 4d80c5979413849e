"""Commands that look at neighbouring results: accum, autoregress, delta, filldown, uniq; and convert (Search Reference, each command's
page)."""

from __future__ import annotations

import re

from an1498.replay.algebra import Case, Cast, Col, Expr, Extend, Filter, Lit, Select, Window, WindowCall, call
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.times import format_time, parse_time
from an1498.replay.spl.values import Kind, Value, as_number, as_text, let, refuse


def _added(frame: Frame, name: str, kind: Kind, window: WindowCall, inputs: tuple[tuple[str, Expr], ...]) -> Frame:
    wide = Window(Extend(frame.relation, inputs), (("#new", window),))
    columns = {**{column: k for column, k in frame.columns.items() if column != name}, name: kind}
    items = tuple((column, Col("#new") if column == name else Col(column)) for column in columns)
    return Frame(frame.context, Select(wide, items), columns, frame.open, frame.removed)


def accum(frame: Frame, command: syntax.Plain) -> Frame:
    """The running total of a field, where it is a number."""
    source, at = frame.context.source, command.at
    if len(command.words) != 1 or command.options:
        raise source.syntax_error(at, "accum takes one field")
    (name,) = command.words
    number = as_number(frame.value(name, at), at)
    total = _added(frame, command.renamed or name, Kind.NUMBER, WindowCall("sum", (Col("#x"),)), (("#x", number),))
    if not command.renamed:
        return total
    known = Case(((call("is_null", number), Lit(None, "DOUBLE")),), Col(command.renamed))
    return total.extend([(command.renamed, Kind.NUMBER, known)], at)


def delta(frame: Frame, command: syntax.Plain) -> Frame:
    """The difference from the value of the p-th result before (default 1)."""
    source, at = frame.context.source, command.at
    period = command.options.get("p", "1")
    if len(command.words) != 1 or set(command.options) - {"p"} or not period.isdecimal() or not int(period):
        raise source.syntax_error(at, "delta takes one field and p=<number>")
    (name,) = command.words
    number = as_number(frame.value(name, at), at)
    result = command.renamed or f"delta({name})"
    before = WindowCall("first_value", (Col("#x"),), start=int(period), end=int(period))
    earlier = _added(frame, result, Kind.NUMBER, before, (("#x", number),))
    return earlier.extend([(result, Kind.NUMBER, call("sub", number, Col(result)))], at) if result != name else _refused(frame, at)


def _refused(frame: Frame, at: int) -> Frame:
    raise frame.context.source.unsupported(at, "delta that overwrites its own field", "give another name with AS")


def autoregress(frame: Frame, command: syntax.Plain) -> Frame:
    """Values of earlier results: `autoregress x p=1` in `x_p1`, `p=1-3` in `x_p1` to `x_p3`."""
    source, at = frame.context.source, command.at
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", command.options.get("p", "1"))
    if len(command.words) != 1 or set(command.options) - {"p"} or match is None or (match[2] and command.renamed):
        raise source.unsupported(at, "these arguments of autoregress")
    (name,) = command.words
    value = frame.value(name, at)
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= 100:
        raise source.unsupported(at, "autoregress with p below 1 or above 100")
    for period in range(first, last + 1):
        before = WindowCall("first_value", (Col("#x"),), start=period, end=period)
        frame = _added(frame, command.renamed or f"{name}_p{period}", value.kind, before, (("#x", value.expr),))
    return frame


def filldown(frame: Frame, command: syntax.Plain) -> Frame:
    """A null becomes the last value before it, in the named fields or in all."""
    if command.options or any("*" in word for word in command.words):
        raise frame.context.source.unsupported(command.at, "filldown with options or wildcards")
    if not command.words and frame.open:
        frame.context.read.add("*")
    for name in command.words or [name for name, kind in frame.columns.items() if kind is not Kind.CLOCK]:
        value = frame.value(name, command.at)
        last = WindowCall("last_value", (Col("#x"),), ignore_nulls=True)
        frame = _added(frame, name, value.kind, last, (("#x", value.expr),))
    return frame


def uniq(frame: Frame, command: syntax.Plain) -> Frame:
    """Drops a result that is an exact duplicate of the one before it."""
    if command.words or command.options:
        raise frame.context.source.syntax_error(command.at, "uniq takes no arguments")
    if frame.open:
        frame.context.read.add("*")
    names = [name for name, kind in frame.columns.items() if kind is not Kind.CLOCK]
    before = tuple((f"#b {name}", WindowCall("first_value", (Col(name),), start=1, end=1)) for name in names)
    counted = Window(frame.relation, (*before, ("#place", WindowCall("row_number", start=None, end=0))))
    same = call("and", *(call("identical", Col(name), Col(f"#b {name}")) for name in names))
    kept = Filter(counted, call("or", call("eq", Col("#place"), Lit(1)), call("not", same)))
    return frame.over(Select(kept, tuple((name, Col(name)) for name in frame.columns)))


def convert(frame: Frame, command: syntax.Convert) -> Frame:
    """ctime (epoch → text by `timeformat`), mktime (text → epoch), num (text that is no number is removed), rmcomma, dur2sec, none."""
    source, at = frame.context.source, command.at
    for function, field, name in command.conversions:
        if "*" in field + name:
            raise source.unsupported(at, "wildcards in convert")
        value = frame.value(field, at)
        match function:
            case "ctime":
                number = _number(value, at)
                added = (name, Kind.TEXT, format_time(source, number, command.timeformat, at))
            case "mktime":
                added = (name, Kind.NUMBER, parse_time(source, as_text(value, at), command.timeformat, at))
            case "num":
                added = (name, Kind.NUMBER, as_number(value, at))
            case "rmcomma":
                added = (name, Kind.TEXT, call("replace_text", as_text(value, at), Lit(","), Lit("")))
            case "dur2sec":
                added = (name, Kind.NUMBER, let(as_text(value, at), lambda item: _seconds(item, at)))
            case "none":
                added = (name, value.kind, value.expr)
            case _:
                raise source.unsupported(at, f"the conversion {function}()")
        frame = frame.extend([added], at)
    return frame


def _number(value: Value, at: int) -> Expr:
    number = as_number(value, at)
    if value.kind.numeric:
        return number
    refused = refuse(at, "ctime() of text that is no number", "DOUBLE")
    return Case(((call("and", call("is_not_null", value.expr), call("is_null", number)), refused),), number)


_DURATION = r"(?:(\d+)\+)?(\d+):(\d\d):(\d\d)"


def _seconds(item: Expr, at: int) -> Expr:
    def part(group: int) -> Expr:
        return call("coalesce", Cast(call("perl_extract", item, Lit(_DURATION), Lit(group)), "DOUBLE"), Lit(0.0))

    total: Expr = Lit(0.0)
    for group, seconds in ((1, 86_400.0), (2, 3_600.0), (3, 60.0), (4, 1.0)):
        total = call("add", total, call("mul", part(group), Lit(seconds)))
    refused = refuse(at, "dur2sec() of text that is not [D+]HH:MM:SS", "DOUBLE")
    return Case(((call("is_null", item), Lit(None, "DOUBLE")), (call("regex_full", item, Lit(_DURATION)), total)), refused)
