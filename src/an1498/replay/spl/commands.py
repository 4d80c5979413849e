"""One function per command: a frame and the command's node → the next frame."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import replace

from an1498.replay.algebra import (
    Case,
    Cast,
    Col,
    Expr,
    Filter,
    GroupBy,
    Limit,
    Lit,
    Select,
    Union,
    Unnest,
    Window,
    WindowCall,
    call,
)
from an1498.replay.spl import extraction, lookups, ordering, statistics, syntax, terms
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.times import span_seconds
from an1498.replay.spl.values import (
    NUMBER_TYPE,
    Kind,
    Value,
    as_number,
    common_kind,
    convert,
    looks_numeric,
)

# Fields that `fields` keeps although they are not named ("Internal fields and Splunk Web").
_INTERNAL = ("_raw", "_time")


def lower(start: Frame, commands: tuple[syntax.Command, ...]) -> Frame:
    """Run the pipeline; `start` has all events, in their default order."""
    frame = start
    for command in commands:
        frame = _lower(start, frame, command)
    return frame


def _lower(start: Frame, frame: Frame, command: syntax.Command) -> Frame:
    match command:
        case syntax.Search(term):
            return terms.keep(frame, term)
        case syntax.Multisearch(pipelines):
            return _multisearch(start, pipelines, command.at)
        case syntax.Eval(assignments, at):
            for name, expression in assignments:
                value = Expressions(frame).stored(expression)
                frame = frame.extend([(name, value.kind, value.expr)], at)
            return frame
        case syntax.Where(condition):
            return frame.over(Filter(frame.relation, Expressions(frame).condition(condition)))
        case syntax.Statistics():
            return statistics.lower(frame, command)
        case syntax.SortCommand():
            return ordering.sort(frame, command)
        case syntax.Rename():
            return _rename(frame, command)
        case syntax.LookupCommand():
            return lookups.lower(frame, command)
        case syntax.Regex():
            return extraction.regex(frame, command)
        case syntax.Plain(name):
            return _PLAIN[name](start if name == "makeresults" else frame, command)


def _multisearch(start: Frame, pipelines: tuple[tuple[syntax.Command, ...], ...], at: int) -> Frame:
    """The searches' events together, newest first; a field that one of them lacks is null there. Columns take one kind."""
    branches = [lower(start, pipeline) for pipeline in pipelines]
    names = list(dict.fromkeys(name for branch in branches for name in branch.columns))
    names += [name for name in sorted(start.context.read) if name not in names]
    kinds = {name: common_kind([branch.value(name, at) for branch in branches]) for name in names}
    for branch in branches:
        for name in names:
            if kinds[name] is Kind.TEXT and branch.columns.get(name) is Kind.ROUNDED:
                raise start.context.source.unsupported(at, f"the field '{name}' that is a rounded number in one search and text in another")
    unified = [
        Select(branch.relation, tuple((name, convert(branch.value(name, at), kinds[name], at)) for name in names)) for branch in branches
    ]
    still_open = any(branch.open for branch in branches)
    removed = frozenset.intersection(*(branch.removed for branch in branches))
    merged = Frame(start.context, Union(tuple(unified)), kinds, still_open, removed)
    return ordering.interleaved(merged)


def _rename(frame: Frame, command: syntax.Rename) -> Frame:
    """A field that does not exist renames to a field without values: an existing field of the new name is overwritten
    ("rename", Usage)."""
    sources, targets = [old for old, _ in command.pairs], [new for _, new in command.pairs]
    if set(sources) & set(targets) or len(set(targets)) < len(targets):
        raise frame.context.source.unsupported(command.at, "a rename whose new names are also old names")
    for old, new in command.pairs:
        value = frame.value(old, command.at)
        if old == new:
            continue
        order = [new if name == old else name for name in frame.columns if name != new]
        if old not in frame.columns:
            order.append(new)
        extended = frame.extend([(new, value.kind, value.expr)], command.at)
        columns = {name: extended.columns[name] for name in order if name in extended.columns}
        relation = Select(extended.relation, tuple((name, Col(name)) for name in columns))
        frame = replace(extended, relation=relation, columns=columns, removed=extended.removed | {old})
    return frame


def _head(frame: Frame, command: syntax.Plain) -> Frame:
    return frame.over(Limit(frame.relation, _count(frame, command)))


def _tail(frame: Frame, command: syntax.Plain) -> Frame:
    """The last N results, in reverse order, starting at the end of the results."""
    backwards = ordering.reversed_order(frame)
    return frame.over(Limit(backwards.relation, _count(frame, command)))


def _count(frame: Frame, command: syntax.Plain) -> int:
    written = [*command.words, *(value for name, value in command.options.items() if name == "limit")]
    if set(command.options) - {"limit"} or len(written) > 1 or not all(word.isdecimal() for word in written):
        raise frame.context.source.unsupported(command.at, f"{command.command} with anything but a number of results")
    return int(written[0]) if written else 10


def _reverse(frame: Frame, _command: syntax.Plain) -> Frame:
    return ordering.reversed_order(frame)


def _matching(frame: Frame, words: tuple[str, ...], at: int) -> list[str]:
    """The fields that the words name, wildcards included."""
    names: list[str] = []
    for word in words:
        if "*" in word:
            if frame.open:
                frame.context.read.add("*")
            pattern = re.compile(fnmatch.translate(word.replace("[", "[[]").replace("?", "[?]")))
            names += [name for name in frame.columns if pattern.match(name) and (word[0] != "*" or name[0] != "_")]
        else:
            names.append(word)
            frame.value(word, at) if frame.columns.get(word) is not Kind.CLOCK else None
    return list(dict.fromkeys(names))


def _table(frame: Frame, command: syntax.Plain) -> Frame:
    if command.options or not command.words or command.sign:
        raise frame.context.source.syntax_error(command.at, "table takes a list of fields")
    return frame.select(_matching(frame, command.words, command.at), command.at)


def _fields(frame: Frame, command: syntax.Plain) -> Frame:
    """`fields a b` keeps these and the internal fields; `fields - a` removes these."""
    if command.options or not command.words:
        raise frame.context.source.syntax_error(command.at, "fields takes a list of fields")
    names = _matching(frame, command.words, command.at)
    if command.sign == "-":
        return frame.without(names)
    kept = [name for name in _INTERNAL if name not in names and frame.has(name)]
    present = [name for name in names if frame.has(name)]
    return frame.select([*present, *kept], command.at)


def _bin(frame: Frame, command: syntax.Plain) -> Frame:
    """`bin _time span=5m`: the start of the span, counted from the epoch (days begin at midnight UTC)."""
    source, at = frame.context.source, command.at
    seconds = span_seconds(command.options.get("span", ""))
    if set(command.options) - {"span"} or seconds is None or command.words != ("_time",):
        raise source.unsupported(at, "bin with anything but _time and span=<whole seconds, minutes, hours or days>")
    if 86_400 % seconds and seconds != 86_400:
        raise source.unsupported(at, "a span that does not divide a day")
    value = as_number(frame.value("_time", at), at)
    start = call("mul", call("floor", call("div", value, Lit(float(seconds)))), Lit(float(seconds)))
    return frame.extend([(command.renamed or "_time", Kind.NUMBER, start)], at)


def _fillnull(frame: Frame, command: syntax.Plain) -> Frame:
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


def _makeresults(start: Frame, command: syntax.Plain) -> Frame:
    """`count` results (default 1) with nothing but `_time`, the time of the run, which replay does not have."""
    source = start.context.source
    count = command.options.get("count", "1")
    if set(command.options) - {"count"} or command.words or not count.isdecimal() or not 0 < int(count) <= 10_000:
        raise source.unsupported(command.at, "makeresults with anything but count=1 … 10000")
    one = GroupBy(start.relation, (), ())
    items = (("_time", Lit(None, NUMBER_TYPE)), ("#copies", call("list_range", Lit(int(count)))))
    copies = Unnest(Select(one, items), "#copies")
    relation = Select(copies, (("_time", Cast(Col("_time"), NUMBER_TYPE)),))
    return Frame(start.context, relation, {"_time": Kind.CLOCK})


def _addinfo(frame: Frame, command: syntax.Plain) -> Frame:
    """The search's time range and identity. Replay searches all time, whose earliest boundary is 0 ("addinfo"); the rest depends on
    the run, which replay does not have."""
    if command.words or command.options:
        raise frame.context.source.syntax_error(command.at, "addinfo takes no arguments")
    unknown = [(name, Kind.CLOCK, Lit(None, NUMBER_TYPE)) for name in ("info_max_time", "info_search_time", "info_sid")]
    return frame.extend([("info_min_time", Kind.NUMBER, Lit(0.0)), *unknown], command.at)


def _collect(frame: Frame, command: syntax.Plain) -> Frame:
    """Writes the results and returns them ("collect"). What is stored of them, `replay/staging.py` models for `output_format=hec`; the
    older format turns a result into a text, which replay does not."""
    source = frame.context.source
    if command.words or command.sign or command.renamed:
        raise source.syntax_error(command.at, "collect takes options only")
    if unknown := set(command.options) - {"index", "output_format"}:
        raise source.unsupported(command.at, f"option '{min(unknown)}' of collect")
    if not command.options.get("index"):
        raise source.unsupported(command.at, "collect without an index")
    if command.options.get("output_format") != "hec":
        raise source.unsupported(command.at, "collect without output_format=hec", "add output_format=hec")
    return frame


_PLAIN: dict[str, Callable[[Frame, syntax.Plain], Frame]] = {
    "addinfo": _addinfo,
    "bin": _bin,
    "collect": _collect,
    "dedup": ordering.dedup,
    "fields": _fields,
    "fillnull": _fillnull,
    "head": _head,
    "makemv": extraction.makemv,
    "makeresults": _makeresults,
    "mvexpand": extraction.mvexpand,
    "nomv": extraction.nomv,
    "reverse": _reverse,
    "rex": extraction.rex,
    "table": _table,
    "tail": _tail,
}
