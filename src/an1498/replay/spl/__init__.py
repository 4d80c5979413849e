"""Replay of Splunk's SPL: the subset that the pack emits and detection engineers use, executed over indexed events.

`prepare` checks a search text without events; `Prepared.execute` runs it. What the subset does not model raises
UnsupportedConstruct with line and column, also where only the events show that Splunk's answer is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from an1498.errors import UsageError
from an1498.model import Language
from an1498.replay.algebra import Scan
from an1498.replay.lookup import Lookup
from an1498.replay.spl import commands, syntax
from an1498.replay.spl.frame import Context, Frame
from an1498.replay.spl.materialised import all_events, refusal
from an1498.replay.spl.parse import parse
from an1498.replay.spl.source import Source, read_source
from an1498.replay.spl.values import Kind
from an1498.replay.table import EventTable, ResultRow, run


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked search. `fields` are the raw fields that it reads, None where it outputs every field of the events."""

    source: Source
    pipeline: tuple[syntax.Command, ...]
    lookups: Mapping[str, Lookup]
    fields: frozenset[str] | None
    now: float | None = None
    language: Language = Language.SPL

    def execute(self, table: EventTable) -> list[ResultRow]:
        """Result rows in Splunk's order. Raises UnsupportedConstruct where these events need what is not modelled, UsageError
        where DuckDB cannot compute."""
        context = Context(self.source, self.lookups, table.scan(), table, set(), self.now)
        start = all_events(context)
        frame = commands.lower(start, self.pipeline)
        _check_output(frame)
        try:
            rows = run(table, frame.relation)
        except UsageError as error:
            raise refusal(self.source, error) or error from None
        order = tuple(frame.columns)
        return [ResultRow(row.stream, {name: _json_ready(row.values[name]) for name in order}) for row in rows]


def prepare(
    text: str,
    *,
    name: str = "search",
    macros: Mapping[str, str] | None = None,
    lookups: Mapping[str, Lookup] | None = None,
    now: float | None = None,
) -> Prepared:
    """Parse and check a search. `macros` maps a macro's name, with its arguments' names as in `name(first,second)`, to its
    definition. `now` (epoch seconds) is the time of the run; without it, what depends on that time is refused. Raises
    SearchSyntaxError or UnsupportedConstruct."""
    source = read_source(text, name, macros or {})
    pipeline = parse(source)
    read: set[str] = set()
    context = Context(source, lookups or {}, Scan("events", ()), None, read, now)
    frame = commands.lower(all_events(context), pipeline)
    _check_output(frame)
    fields = None if frame.open or "*" in read else frozenset(read | {"_time"})
    return Prepared(source, pipeline, lookups or {}, fields, now)


def _check_output(frame: Frame) -> None:
    for column, kind in frame.columns.items():
        if kind is Kind.CLOCK:
            raise frame.context.source.unsupported(
                0, f"'{column}' of the result, which depends on when the search runs", f"remove it: | fields - {column}"
            )


def _json_ready(value: Any) -> Any:
    """Whole numbers as integers, a multivalue of one value as that value."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value
    return value


__all__ = ["Prepared", "prepare"]
