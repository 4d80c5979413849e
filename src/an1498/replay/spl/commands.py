"""One function per command: a frame and the command's node → the next frame."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import replace

from an1498.replay.algebra import (
    Case,
    Col,
    Extend,
    Filter,
    Limit,
    Lit,
    Select,
    Window,
    WindowCall,
    call,
)
from an1498.replay.spl import (
    bins,
    combining,
    extraction,
    filling,
    generating,
    json_fields,
    key_values,
    lookups,
    ordering,
    pivots,
    rewriting,
    running,
    statistics,
    syntax,
    terms,
)
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.frame import Frame, wildcard
from an1498.replay.spl.parse import parse_template
from an1498.replay.spl.values import (
    NUMBER_TYPE,
    Kind,
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
        case syntax.Fieldformat():
            return _fieldformat(frame, command)
        case syntax.Where(condition):
            return frame.over(Filter(frame.relation, Expressions(frame).condition(condition)))
        case syntax.Statistics():
            return statistics.lower(frame, command)
        case syntax.SortCommand():
            return ordering.sort(frame, command)
        case syntax.Rename():
            return rewriting.rename(frame, command)
        case syntax.LookupCommand():
            return lookups.lower(frame, command)
        case syntax.Regex():
            return extraction.regex(frame, command)
        case syntax.Branching():
            return combining.branching(frame, command, lower)
        case syntax.Union():
            return combining.union(frame, command, lower)
        case syntax.Chart():
            return pivots.chart(frame, command, bins.binned)
        case syntax.Foreach():
            return _foreach(start, frame, command)
        case syntax.Head():
            return _head_while(frame, command)
        case syntax.Replace():
            return rewriting.replace(frame, command)
        case syntax.Convert():
            return running.convert(frame, command)
        case syntax.Top():
            return pivots.top(frame, command)
        case syntax.Plain(name):
            return _PLAIN[name](start if name in ("makeresults", "inputlookup") else frame, command)


def _fieldformat(frame: Frame, command: syntax.Fieldformat) -> Frame:
    """ "Changes the appearance of the results without changing the underlying value of the field" ("fieldformat"), and an export has the
    original: replay gives values, so they stay. A field that the results do not have would be one without a value."""
    Expressions(frame).value(command.expression)
    if not frame.has(command.field):
        raise frame.context.source.unsupported(command.at, "fieldformat of a field that the results do not have", "write eval")
    return frame


def _multisearch(start: Frame, pipelines: tuple[tuple[syntax.Command, ...], ...], at: int) -> Frame:
    """The searches' events together, newest first; a field that one of them lacks is null there."""
    return ordering.interleaved(combining.merged([lower(start, pipeline) for pipeline in pipelines], at))


def _foreach(start: Frame, frame: Frame, command: syntax.Foreach) -> Frame:
    """The commands once per field, in the order of the fields; `<<FIELD>>` is its name, `<<MATCHSTR>>` what the asterisks stood for."""
    for word in command.words:
        if "*" not in word and not frame.has(word):
            continue
        pattern = wildcard(word)
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
    "bin": bins.into_bins,
    "collect": _collect,
    "dedup": ordering.dedup,
    "delta": running.delta,
    "extract": key_values.extract,
    "fields": _fields,
    "filldown": running.filldown,
    "fillnull": filling.fillnull,
    "head": _head,
    "inputlookup": generating.inputlookup,
    "kv": key_values.extract,
    "makemv": extraction.makemv,
    "makeresults": generating.makeresults,
    "mvcombine": pivots.mvcombine,
    "mvexpand": extraction.mvexpand,
    "nomv": extraction.nomv,
    "reverse": _reverse,
    "rex": extraction.rex,
    "spath": json_fields.spath,
    "strcat": rewriting.strcat,
    "table": _table,
    "tail": _tail,
    "transpose": pivots.transpose,
    "uniq": running.uniq,
    "untable": pivots.untable,
    "xyseries": pivots.xyseries,
}
