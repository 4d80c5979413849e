"""One function per command: a frame and the command's node → the next frame."""

from __future__ import annotations

import csv
import fnmatch
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from an1498.replay.algebra import (
    Case,
    Cast,
    Col,
    Expr,
    Extend,
    Filter,
    GroupBy,
    Limit,
    Lit,
    Select,
    Unnest,
    Window,
    WindowCall,
    call,
)
from an1498.replay.spl import combining, extraction, lookups, ordering, pivots, running, statistics, syntax, terms
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.parse import parse_template
from an1498.replay.spl.times import span_seconds
from an1498.replay.spl.values import (
    NUMBER_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_number,
    as_text,
    convert,
    let,
    looks_numeric,
    number_text,
    refuse,
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
        case syntax.Branching():
            return combining.branching(frame, command, lower)
        case syntax.Chart():
            return pivots.chart(frame, command, _binned)
        case syntax.Foreach():
            return _foreach(start, frame, command)
        case syntax.Head():
            return _head_while(frame, command)
        case syntax.Replace():
            return _replace(frame, command)
        case syntax.Convert():
            return running.convert(frame, command)
        case syntax.Top():
            return pivots.top(frame, command)
        case syntax.Plain(name):
            return _PLAIN[name](start if name in ("makeresults", "inputlookup") else frame, command)


def _multisearch(start: Frame, pipelines: tuple[tuple[syntax.Command, ...], ...], at: int) -> Frame:
    """The searches' events together, newest first; a field that one of them lacks is null there."""
    return ordering.interleaved(combining.merged([lower(start, pipeline) for pipeline in pipelines], at))


def _expanded(frame: Frame, pairs: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Pairs with wildcards as one pair per field that matches; each asterisk of the new name takes what the old one's stood for."""
    found: list[tuple[str, str]] = []
    for old, new in pairs:
        if "*" not in old:
            found.append((old, new))
            continue
        if frame.open:
            frame.context.read.add("*")
        pattern = re.compile("(.*)".join(re.escape(part) for part in old.split("*")), re.DOTALL)
        for name in frame.columns:
            match = pattern.fullmatch(name)
            if match is not None and (old[0] != "*" or name[0] != "_"):
                parts = new.split("*")
                found.append((name, parts[0] + "".join(given + part for given, part in zip(match.groups(), parts[1:], strict=True))))
    return found


def _rename(frame: Frame, command: syntax.Rename) -> Frame:
    """A field that does not exist renames to a field without values: an existing field of the new name is overwritten
    ("rename", Usage)."""
    pairs = [pair for pair in _expanded(frame, command.pairs) if pair[0] != pair[1]]
    sources, targets = [old for old, _ in pairs], [new for _, new in pairs]
    if set(sources) & set(targets) or len(set(targets)) < len(targets):
        raise frame.context.source.unsupported(command.at, "a rename whose new names are also old names")
    for old, new in pairs:
        value = frame.value(old, command.at)
        order = [new if name == old else name for name in frame.columns if name != new]
        if old not in frame.columns:
            order.append(new)
        extended = frame.extend([(new, value.kind, value.expr)], command.at)
        columns = {name: extended.columns[name] for name in order if name in extended.columns}
        relation = Select(extended.relation, tuple((name, Col(name)) for name in columns))
        frame = replace(extended, relation=relation, columns=columns, removed=extended.removed | {old})
    return frame


def _foreach(start: Frame, frame: Frame, command: syntax.Foreach) -> Frame:
    """The commands once per field, in the order of the fields; `<<FIELD>>` is its name, `<<MATCHSTR>>` what the asterisks stood for."""
    for word in command.words:
        if "*" not in word and not frame.has(word):
            continue
        pattern = re.compile("(.*)".join(re.escape(part) for part in word.split("*")), re.DOTALL)
        for name in _matching(frame, (word,), command.at):
            match = pattern.fullmatch(name)
            groups = match.groups() if match is not None else ()
            text = command.template.replace("<<FIELD>>", name).replace("<<MATCHSTR>>", "".join(groups))
            for number, group in enumerate(groups, 1):
                text = text.replace(f"<<MATCHSEG{number}>>", group)
            if "<<" in text:
                raise frame.context.source.unsupported(command.at, "this token of foreach")
            for inner in parse_template(frame.context.source, text, command.at):
                frame = _lower(start, frame, replace(inner, at=command.at))
    return frame


def _head_while(frame: Frame, command: syntax.Head) -> Frame:
    """`keeplast` and `null` are false: results up to the first for which the condition is false or null ("head")."""
    condition = call("coalesce", Expressions(frame).condition(command.condition), Lit(False))
    marked = Extend(frame.relation, (("#stop", Case(((condition, Lit(0)),), Lit(1))),))
    counted = Window(marked, (("#stops", WindowCall("sum", (Col("#stop"),), start=None, end=0)),))
    kept = Filter(counted, call("eq", Col("#stops"), Lit(0)))
    return frame.over(Select(kept, tuple((name, Col(name)) for name in frame.columns)))


def _replace(frame: Frame, command: syntax.Replace) -> Frame:
    """Whole values, the first pair that fits. Whether letters' case matters is not documented: refused where it would."""
    at = command.at
    if not command.fields and frame.open:
        frame.context.read.add("*")
    names = command.fields or tuple(name for name, kind in frame.columns.items() if kind is Kind.TEXT and not name.startswith("_"))
    items = []
    for name in names:
        value = as_text(frame.value(name, at), at)
        folded = [call("and", call("eq", call("lower", value), Lit(old.lower())), call("ne", value, Lit(old))) for old, _ in command.pairs]
        doubtful = (call("or", *folded), refuse(at, "replace of a value that differs in upper and lower case", TEXT_TYPE))
        chosen = tuple((call("eq", value, Lit(old)), Lit(new)) for old, new in command.pairs)
        items.append((name, Kind.TEXT, Case((*chosen, doubtful), value)))
    return frame.extend(items, at)


def _strcat(frame: Frame, command: syntax.Plain) -> Frame:
    """`strcat a "text" b result`: the values one after the other; a field without a value is left out, with allrequired=t the result."""
    source, at = frame.context.source, command.at
    if len(command.words) < 3 or set(command.options) - {"allrequired"} or len(command.words) - 1 in command.quoted:
        raise source.syntax_error(at, "strcat takes two or more fields or strings and the result's name")
    parts: list[Expr] = []
    for place, word in enumerate(command.words[:-1]):
        parts.append(Lit(word) if place in command.quoted else as_text(frame.value(word, at), at))
    if command.options.get("allrequired", "f").lower() not in ("t", "true", "1"):
        parts = [call("coalesce", part, Lit("")) for part in parts]
    return frame.extend([(command.words[-1], Kind.TEXT, call("concat", *parts))], at)


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


def _binned(frame: Frame, span: str) -> Frame:
    return _bin(frame, syntax.Plain("bin", ("_time",), {"span": span}, 0))


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
    """`count` results (default 1) with nothing but `_time`, the time of the run; or those of `data`, in CSV or JSON."""
    source, now = start.context.source, start.context.now
    options = dict(command.options)
    count, form, data = options.pop("count", "1"), options.pop("format", ""), options.pop("data", "")
    if options or command.words or not count.isdecimal() or not 0 < int(count) <= 10_000 or (form and "count" in command.options):
        raise source.unsupported(command.at, "makeresults with anything but count=1 … 10000, or format and data")
    one = GroupBy(start.relation, (), ())
    if form:
        return combining.given(start, _inline_results(start, form, data, command.at), command.at)
    time = Lit(now, NUMBER_TYPE)
    copies = Unnest(Select(one, (("_time", time), ("#copies", call("list_range", Lit(int(count)))))), "#copies")
    relation = Select(copies, (("_time", Cast(Col("_time"), NUMBER_TYPE)),))
    return Frame(start.context, relation, {"_time": Kind.CLOCK if now is None else Kind.TIME})


def _inline_results(start: Frame, form: str, data: str, at: int) -> list[dict[str, Any]]:
    """The rows of makeresults' `data`: CSV with a header line, or a JSON array of flat objects. All values are text."""
    source = start.context.source
    if form == "csv":
        lines = list(csv.reader(data.strip().splitlines()))
        if not lines or any(len(line) != len(lines[0]) for line in lines if line):
            raise source.syntax_error(at, "the data of makeresults are not CSV with a header line")
        return [dict(zip((name.strip() for name in lines[0]), (cell or None for cell in line), strict=True)) for line in lines[1:] if line]
    try:
        objects = json.loads(data, parse_float=str, parse_int=str) if form == "json" else None
    except (ValueError, RecursionError):
        objects = None
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise source.syntax_error(at, "the data of makeresults are no JSON array of objects", "write format=csv or format=json")
    if any(not isinstance(value, str | None) for item in objects for value in item.values()):
        raise source.unsupported(at, "data of makeresults that are not text or numbers")
    return objects


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
    "accum": running.accum,
    "addcoltotals": pivots.addcoltotals,
    "addinfo": _addinfo,
    "addtotals": pivots.addtotals,
    "autoregress": running.autoregress,
    "bin": _bin,
    "collect": _collect,
    "dedup": ordering.dedup,
    "delta": running.delta,
    "fields": _fields,
    "filldown": running.filldown,
    "fillnull": _fillnull,
    "head": _head,
    "inputlookup": combining.inputlookup,
    "makemv": extraction.makemv,
    "makeresults": _makeresults,
    "mvcombine": pivots.mvcombine,
    "mvexpand": extraction.mvexpand,
    "nomv": extraction.nomv,
    "reverse": _reverse,
    "rex": extraction.rex,
    "spath": pivots.spath,
    "strcat": _strcat,
    "table": _table,
    "tail": _tail,
    "transpose": pivots.transpose,
    "uniq": running.uniq,
    "untable": pivots.untable,
    "xyseries": pivots.xyseries,
}
