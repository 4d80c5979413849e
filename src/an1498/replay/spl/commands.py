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
    Lambda,
    Limit,
    Lit,
    Select,
    Union,
    Unnest,
    Window,
    WindowCall,
    call,
)
from an1498.replay.spl import lookups, ordering, statistics, syntax, terms
from an1498.replay.spl.eval_functions import subject
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.pcre import PcreError, Regex, translate
from an1498.replay.spl.times import span_seconds
from an1498.replay.spl.values import (
    LIST_TYPE,
    NUMBER_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_number,
    as_text,
    common_kind,
    convert,
    let,
    looks_numeric,
    non_empty,
    refuse,
)

_TRUE = ("t", "true", "1")
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
            return _regex(frame, command)
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


def _translated(frame: Frame, pattern: str, at: int) -> Regex:
    try:
        return translate(pattern)
    except PcreError as error:
        raise frame.context.source.unsupported(at, f"this regular expression: {error}") from None


def _regex(frame: Frame, command: syntax.Regex) -> Frame:
    """Keeps the results that match (or, with `!=`, do not match) the unanchored expression. A result without the field
    matches nothing; what `!=` does with it is not documented."""
    regex = _translated(frame, command.pattern, command.at)
    if command.field == "_raw" and not frame.has("_raw"):
        raise frame.context.source.unsupported(command.at, "regex over events without _raw")
    value = as_text(frame.value(command.field, command.at), command.at)
    found: Expr = call("perl_search", subject(value, regex, command.at), Lit(regex.re2))
    if not command.negated:
        return frame.over(Filter(frame.relation, call("coalesce", found, Lit(False))))
    refused = refuse(command.at, "regex != on a field that does not exist", "BOOLEAN")
    return frame.over(Filter(frame.relation, let(found, lambda item: Case(((call("is_null", item), refused),), call("not", item)))))


def _rex(frame: Frame, command: syntax.Plain) -> Frame:
    """Named groups become fields; without a match they keep their values. `max_match` (default 1, 0 is unlimited) above 1 gives
    multivalues. An empty or unused group is refused: whether it makes an empty field is not documented."""
    source, at = frame.context.source, command.at
    if unknown := set(command.options) - {"field", "max_match"}:
        raise source.unsupported(at, f"option '{min(unknown)}' of rex")
    most = command.options.get("max_match", "1")
    if len(command.words) != 1 or 0 not in command.quoted or not most.isdecimal():
        raise source.syntax_error(at, "rex takes options and one quoted regular expression")
    field = command.options.get("field", "_raw")
    if field == "_raw" and not frame.has("_raw"):
        raise source.unsupported(at, "rex over events without _raw")
    regex = _translated(frame, command.words[0], at)
    named = [(index, name) for index, name in enumerate(regex.groups, 1) if name]
    if not named:
        raise source.syntax_error(at, "rex needs a named group, (?<name>…)")
    value = subject(as_text(frame.value(field, at), at), regex, at)
    pattern = Lit(regex.re2)
    added = []
    for index, name in named:
        kept = frame.value(name, at)
        if most == "1":
            refused = refuse(at, f"rex whose group '{name}' is empty", TEXT_TYPE)
            kind = common_kind([Value(Kind.TEXT, Col(name)), kept])
            extracted = let(
                call("perl_extract", value, pattern, Lit(index)),
                lambda item, refused=refused: Case(((call("eq", item, Lit("")), refused),), item),  # type: ignore[misc]
            )
            new = Value(Kind.TEXT, extracted)
        else:
            refused = refuse(at, f"rex whose group '{name}' is empty", LIST_TYPE)
            kind = Kind.LIST
            every: Expr = call("perl_extract_all", value, pattern, Lit(index))
            if most != "0":
                every = call("list_slice", every, Lit(1), Lit(int(most)))
            checked = let(
                every,
                lambda items, refused=refused: Case(((call("list_contains", items, Lit("")), refused),), items),  # type: ignore[misc]
            )
            new = Value(Kind.LIST, checked)
        matched = call("coalesce", call("perl_search", value, pattern), Lit(False))
        added.append((name, kind, Case(((matched, convert(new, kind, at)),), convert(kept, kind, at))))
    return frame.extend(added, at)


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


def _mvexpand(frame: Frame, command: syntax.Plain) -> Frame:
    """One result per value; a result without the field stays as it is."""
    source, at = frame.context.source, command.at
    if len(command.words) != 1 or command.options:
        raise source.unsupported(at, "mvexpand with anything but one field")
    (name,) = command.words
    value = frame.value(name, at)
    if value.kind is not Kind.LIST:
        return frame
    expanded = Unnest(frame.relation, name)
    return replace(frame, relation=expanded, columns={**frame.columns, name: Kind.TEXT})


def _makemv(frame: Frame, command: syntax.Plain) -> Frame:
    """Splits a single value at `delim` (default a space); consecutive delimiters count as one unless allowempty."""
    source, at = frame.context.source, command.at
    if len(command.words) != 1 or set(command.options) - {"delim", "allowempty"}:
        raise source.unsupported(at, "makemv with anything but delim, allowempty and one field")
    (name,) = command.words
    parts: Expr = call("split", as_text(frame.value(name, at), at), Lit(command.options.get("delim", " ")))
    if command.options.get("allowempty", "f").lower() not in _TRUE:
        parts = call("list_filter", parts, Lambda("#part", call("ne", Col("#part"), Lit(""))))
    return frame.extend([(name, Kind.LIST, non_empty(parts))], at)


def _nomv(frame: Frame, command: syntax.Plain) -> Frame:
    """The values in one text, separated by newlines."""
    if len(command.words) != 1 or command.options:
        raise frame.context.source.unsupported(command.at, "nomv with anything but one field")
    (name,) = command.words
    value = frame.value(name, command.at)
    if value.kind is not Kind.LIST:
        return frame
    return frame.extend([(name, Kind.TEXT, call("list_join", value.expr, Lit("\n")))], command.at)


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


_PLAIN: dict[str, Callable[[Frame, syntax.Plain], Frame]] = {
    "bin": _bin,
    "dedup": ordering.dedup,
    "fields": _fields,
    "fillnull": _fillnull,
    "head": _head,
    "makemv": _makemv,
    "makeresults": _makeresults,
    "mvexpand": _mvexpand,
    "nomv": _nomv,
    "reverse": _reverse,
    "rex": _rex,
    "table": _table,
    "tail": _tail,
}
