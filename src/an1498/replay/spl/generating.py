"""Generating commands: makeresults and inputlookup (Search Reference, each command's page). They do not look at the events."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence

from an1498.replay.algebra import Cast, Col, GroupBy, Lit, Select, Unnest, call
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.materialised import Row, computed
from an1498.replay.spl.values import NUMBER_TYPE, Kind


def makeresults(start: Frame, command: syntax.Plain) -> Frame:
    """`count` results (default 1) with nothing but `_time`, the time of the run; or those of `data`, in CSV or JSON."""
    source, now = start.context.source, start.context.now
    options = dict(command.options)
    count, form, data = options.pop("count", "1"), options.pop("format", ""), options.pop("data", "")
    if options or command.words or not count.isdecimal() or not 0 < int(count) <= 10_000 or (form and "count" in command.options):
        raise source.unsupported(command.at, "makeresults with anything but count=1 … 10000, or format and data")
    one = GroupBy(start.relation, (), ())
    if form:
        return _given(start, _inline_results(start, form, data, command.at), command.at)
    time = Lit(now, NUMBER_TYPE)
    copies = Unnest(Select(one, (("_time", time), ("#copies", call("list_range", Lit(int(count)))))), "#copies")
    relation = Select(copies, (("_time", Cast(Col("_time"), NUMBER_TYPE)),))
    return Frame(start.context, relation, {"_time": Kind.CLOCK if now is None else Kind.TIME})


def _inline_results(start: Frame, form: str, data: str, at: int) -> list[Row]:
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


def _given(start: Frame, found: Sequence[Row], at: int) -> Frame:
    """Results that the search itself or a lookup gives, all text; in every stream."""
    columns = {name: Kind.TEXT for row in found for name in row}
    if start.context.table is None:
        return Frame(start.context, Select(start.context.raw, tuple((name, Lit(None, "VARCHAR")) for name in columns)), columns)
    once = Frame(start.context, Select(GroupBy(start.relation, (), ()), ()), {})
    return computed(once, (), at, lambda _kinds, _rows: (columns, list(found)))


def inputlookup(start: Frame, command: syntax.Plain) -> Frame:
    """The rows of a lookup table as results."""
    (name,) = command.words
    lookup = start.context.lookups.get(name) or start.context.lookups.get(name.removesuffix(".csv"))
    if lookup is None:
        raise start.context.source.syntax_error(command.at, f"lookup '{name}' is not defined", "give replay its CSV file")
    return _given(start, [dict(zip(lookup.columns, cells, strict=True)) for cells in lookup.rows], command.at)
