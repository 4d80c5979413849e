"""Commands with a second search: append, appendcols, appendpipe, join, union, and the subsearch among search terms (Search Reference, each
command's page; Search Manual, "About subsearches").

A subsearch runs first, over all events. Beyond its limits Splunk cuts it off silently (limits.conf, [subsearch] and [searchresults]):
that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from an1498.replay.algebra import Case, Col, Expr, Extend, Filter, Join, Lit, Select, Union, Window, WindowCall, call
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.materialised import all_events, rows
from an1498.replay.spl.values import Kind, as_text, common_kind, convert, plain_text, refuse

Lower = Callable[[Frame, tuple[syntax.Command, ...]], Frame]

_TERMS_LIMIT = 10_000
_APPEND_LIMIT = 50_000


def merged(frames: list[Frame], at: int) -> Frame:
    """All results of all frames, the first frame's first; a field that one of them lacks is null there. Columns take one kind."""
    context = frames[0].context
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    names += [name for name in sorted(context.read) if name not in names and any(frame.open for frame in frames)]
    kinds: dict[str, Kind] = {}
    for name in names:
        if any(frame.columns.get(name) is Kind.CLOCK for frame in frames):
            kinds[name] = Kind.CLOCK
            continue
        kinds[name] = common_kind([frame.value(name, at) for frame in frames])
        if kinds[name] is Kind.TEXT and any(frame.columns.get(name) is Kind.ROUNDED for frame in frames):
            raise context.source.unsupported(at, f"the field '{name}' that is a rounded number in one search and text in another")

    def unified(frame: Frame, name: str) -> Expr:
        return Lit(None, "DOUBLE") if kinds[name] is Kind.CLOCK else convert(frame.value(name, at), kinds[name], at)

    branches = tuple(Select(frame.relation, tuple((name, unified(frame, name)) for name in names)) for frame in frames)
    removed = frozenset.intersection(*(frame.removed for frame in frames))
    return Frame(context, Union(branches), kinds, any(frame.open for frame in frames), removed)


def branching(frame: Frame, command: syntax.Branching, lower: Lower) -> Frame:
    source, at = frame.context.source, command.at
    if command.command == "join":
        return _join(frame, command, lower)
    if command.words or command.options:
        raise source.unsupported(at, f"options of {command.command}")
    if command.command == "appendpipe":
        return merged([frame, lower(frame, command.pipeline)], at)
    second = _limited(lower(all_events(frame.context), command.pipeline), _APPEND_LIMIT, at)
    if command.command == "append":
        return merged([frame, second], at)
    return _side_by_side(frame, second, at)


def union(frame: Frame, command: syntax.Union, lower: Lower) -> Frame:
    """The results of the searches after those that come in ("union", where it appends); `maxout` is 50,000."""
    at = command.at
    seconds = [_limited(lower(all_events(frame.context), pipeline), _APPEND_LIMIT, at) for pipeline in command.pipelines]
    return merged(seconds if command.leading else [frame, *seconds], at)


def _limited(frame: Frame, limit: int, at: int) -> Frame:
    counted = Window(frame.relation, (("#rows", WindowCall("row_number", start=None, end=0)),))
    refused = refuse(at, f"a subsearch with more than {limit:,} results", "BOOLEAN")
    kept = Filter(counted, Case(((call("gt", Col("#rows"), Lit(limit)), refused),), Lit(True)))
    return frame.over(Select(kept, tuple((name, Col(name)) for name in frame.columns)))


def _side_by_side(frame: Frame, second: Frame, at: int) -> Frame:
    """appendcols: the first result of the subsearch beside the first of the search, and so on; a field of both keeps the search's
    value (`override` is false)."""
    if frame.open or second.open:
        frame.context.read.add("*")
        return replace(frame, open=True)
    shared = {name for name in second.columns if name in frame.columns and not name.startswith("_")}
    added = [name for name in second.columns if name not in frame.columns]
    if shared or any(kind is Kind.CLOCK for kind in (*frame.columns.values(), *second.columns.values())):
        raise frame.context.source.unsupported(at, "appendcols of a field that both searches have", "end the subsearch with table or stats")
    number = ("#row", WindowCall("row_number", start=None, end=0))
    left = Window(frame.relation, (number,))
    right = Select(Window(second.relation, (number,)), (("#second", Col("#row")), *((f"#c{i}", Col(name)) for i, name in enumerate(added))))
    joined = Join(left, right, call("eq", Col("#row"), Col("#second")), "left")
    items = [*((name, Col(name)) for name in frame.columns), *((name, Col(f"#c{i}")) for i, name in enumerate(added))]
    columns = {**frame.columns, **{name: second.columns[name] for name in added}}
    return Frame(frame.context, Select(joined, tuple(items)), columns)


_TRUE = ("t", "true", "1")


def _join(frame: Frame, command: syntax.Branching, lower: Lower) -> Frame:
    """`join [type=inner | outer | left] fields [subsearch]`: each result with the first result of the subsearch that has the same
    values; the subsearch's other fields overwrite."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    kind = options.pop("type", "inner")
    overwrite = options.pop("overwrite", "true").lower() in _TRUE
    if kind not in ("inner", "outer", "left") or options.pop("max", "1") != "1" or options or not command.words:
        raise source.unsupported(at, "this form of join", "write join [type=inner|outer|left] fields [subsearch]")
    second = _limited(lower(all_events(frame.context), command.pipeline), _APPEND_LIMIT, at)
    if second.open or frame.open:
        for name in command.words:
            frame.has(name)
        frame.context.read.add("*")
        return replace(frame, open=True)
    others = [name for name in second.columns if name not in command.words]
    if any(name.startswith("_") for name in others):
        raise source.unsupported(at, "join with a subsearch that keeps _time or _raw", "end the subsearch with table or stats")
    keys = {name: (as_text(frame.value(name, at), at), as_text(second.value(name, at), at)) for name in command.words}
    right = Extend(second.relation, tuple((f"#r{i}", pair[1]) for i, pair in enumerate(keys.values())))
    names = tuple(f"#r{i}" for i in range(len(keys)))
    first = Filter(
        Window(right, (("#nth", WindowCall("row_number", partition=names, start=None, end=0)),)),
        call("and", call("eq", Col("#nth"), Lit(1)), *(call("is_not_null", Col(name)) for name in names)),
    )
    chosen = Select(first, (*((name, Col(name)) for name in names), *((f"#o{i}", Col(name)) for i, name in enumerate(others))))
    left = Extend(frame.relation, tuple((f"#l{i}", pair[0]) for i, pair in enumerate(keys.values())))
    on = call("and", *(call("eq", Col(f"#l{i}"), Col(f"#r{i}")) for i in range(len(keys))))
    joined = frame.over(Join(left, chosen, on, "inner" if kind == "inner" else "left"))
    added: list[tuple[str, Kind, Expr]] = []
    for i, name in enumerate(others):
        old, new = frame.value(name, at), replace(second.value(name, at), expr=Col(f"#o{i}"), literal=None)
        both = common_kind([old, new])
        pair = (convert(new, both, at), convert(old, both, at))
        added.append((name, both, call("coalesce", *(pair if overwrite else reversed(pair)))))
    wide = joined.extend(added, at)
    return wide.over(Select(wide.relation, tuple((name, Col(name)) for name in wide.columns)))


def condition(frame: Frame, term: syntax.Subsearch, lower: Lower, holds: Callable[[Frame, syntax.Term], Expr]) -> Expr:
    """A subsearch among search terms: any of its results, of which all fields have the values. Without results nothing matches."""
    source, at = frame.context.source, term.at
    second = lower(all_events(frame.context), term.pipeline)
    if frame.context.table is None:
        return Lit(True)
    named = {name for name in second.columns if not name.startswith("_")}
    if {"search", "query"} & named:
        raise source.unsupported(at, "a subsearch that returns a field named 'search' or 'query'")
    results = rows(second.select([name for name in second.columns if name in named], at))
    if len({stream for stream, _ in results}) > 1:
        raise source.unsupported(at, "a subsearch over several event streams")
    if len(results) > _TERMS_LIMIT:
        raise source.unsupported(at, f"a subsearch with more than {_TERMS_LIMIT:,} results")
    alternatives = [_all_of(row, at) for _, row in results]
    for found in alternatives:
        for one in found:
            if isinstance(one, syntax.Comparison) and one.value.literal is None:
                raise source.unsupported(at, "a subsearch that returns a value with an asterisk")
    return holds(frame, syntax.AnyOf(tuple(syntax.AllOf(found) for found in alternatives if found)))


def _all_of(row: Mapping[str, object], at: int) -> tuple[syntax.Term, ...]:
    terms: list[syntax.Term] = []
    for name, value in row.items():
        if value is None:
            continue
        listed = value if isinstance(value, list) else [value]
        equal = [syntax.Comparison(name, "=", syntax.Pattern(tuple(plain_text(item).split("*")), at), at) for item in listed]
        terms.append(equal[0] if len(equal) == 1 else syntax.AnyOf(tuple(equal)))
    return tuple(terms)
