"""A parsed EQL search, ready to run over event tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from an1498.errors import Location, UnsupportedConstruct, UsageError
from an1498.model import FieldType, Language
from an1498.replay.algebra import Col, Expr, Filter, Select, Sort, SortKey, call, expression
from an1498.replay.eql import samples, sequences
from an1498.replay.eql.ast import NOWHERE, EventQuery, FieldName, Pipe, SampleQuery, Search, SequenceQuery
from an1498.replay.eql.conditions import event_condition
from an1498.replay.eql.fields import search_fields
from an1498.replay.eql.parse import LANGUAGE, parse
from an1498.replay.eql.sequences import Layout, key_names
from an1498.replay.eql.values import Scope
from an1498.replay.lookup import Lookup
from an1498.replay.table import ROW, EventTable, ResultRow, run
from an1498.times import time_text

_IDENTIFIER = "_id"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows are `{"events": […], "join_keys": […]}`: an event is its `_id` where it has one, else its number in its stream
    (`_row`); a missing event `![…]` is null. Events come in time order, sequences in the order of completion.

    There is no implicit limit: Elasticsearch's API returns 10 results unless `size` says otherwise."""

    search: Search
    name: str
    layout: Layout

    @property
    def language(self) -> Language:
        return Language.EQL

    @property
    def fields(self) -> frozenset[str]:
        """Every field that the search may read."""
        special = {self.layout.timestamp, _IDENTIFIER} | ({self.layout.tiebreaker} if self.layout.tiebreaker else set())
        return frozenset(search_fields(self.search, self.layout.category) | special)

    def execute(self, table: EventTable) -> list[ResultRow]:
        """Raises SearchSyntaxError where Elasticsearch rejects the search for these fields and types (an unknown column, a
        comparison of a string with a number), UnsupportedConstruct where replay cannot tell, UsageError where computing
        over these events fails (a division by zero)."""
        if not table.schema:
            return []  # no events, and no mapping that could make a column known or unknown
        scope = Scope(table.schema, self.name, lambda expr: _compute(table, expr))
        self._check_special_fields(scope)
        match self.search.query:
            case EventQuery():
                found = self._events(scope, table)
            case SequenceQuery():
                found = run(table, sequences.lower(scope, self.search.query, table.scan(), self.layout))
            case SampleQuery():
                found = self._samples(scope, self.search.query, table)
        kept = [row for _, stream in groupby(found, key=lambda row: row.stream) for row in self._piped(list(stream))]
        return self._shown(scope, table, kept)

    def _check_special_fields(self, scope: Scope) -> None:
        for field in filter(None, (self.layout.timestamp, self.layout.tiebreaker)):
            column = scope.column(FieldName(field))
            if column is not None and scope.type_of(column).array:
                raise scope.unsupported(NOWHERE, f"several values in [{field}]")
        if scope.type_of(self.layout.timestamp).type not in (FieldType.DATE, FieldType.LONG):
            raise scope.error(NOWHERE, f"[{self.layout.timestamp}] is not a date")

    def _events(self, scope: Scope, table: EventTable) -> list[ResultRow]:
        assert isinstance(self.search.query, EventQuery)
        matching = Filter(table.scan(), event_condition(scope, self.search.query.filter, self.layout.category))
        order = [SortKey(field, nulls_last=False) for field in (self.layout.timestamp, self.layout.tiebreaker) if field]
        rows = run(table, Select(Sort(matching, tuple(order)), ((ROW, Col(ROW)),)))
        return [ResultRow(row.stream, {"rows": [row.values[ROW]]}) for row in rows]

    def _samples(self, scope: Scope, query: SampleQuery, table: EventTable) -> list[ResultRow]:
        stages = [run(table, stage) for stage in samples.lower(scope, query, table.scan(), self.layout)]
        return list(samples.choose(stages, key_names(len(query.terms[0].keys)), samples.are_addresses(scope, query)))

    def _piped(self, rows: list[ResultRow]) -> list[ResultRow]:
        """`head` and `tail` in the order written (Elastic docs, "EQL pipe reference")."""
        previous: Pipe | None = None
        for pipe in self.search.pipes:
            if previous and previous.name != pipe.name and pipe.count < previous.count and len(rows) < previous.count:
                location = Location(self.name, pipe.at.line, pipe.at.column)
                problem = f"'{pipe.name}' after '{previous.name}' over fewer results than '{previous.name} {previous.count}' asks for"
                raise UnsupportedConstruct(LANGUAGE, location, problem, "Elasticsearch's answer is not defined; use one of them")
            rows = rows[: pipe.count] if pipe.name == "head" else rows[max(len(rows) - pipe.count, 0) :]
            previous = pipe
        return rows

    def _shown(self, scope: Scope, table: EventTable, rows: list[ResultRow]) -> list[ResultRow]:
        identifiers = _identifiers(table)
        terms = [] if isinstance(self.search.query, EventQuery) else list(self.search.query.terms)
        dates = _date_keys(scope, [term.keys for term in terms])
        shown = []
        for row in rows:
            numbers = iter(row.values["rows"])
            events: list[Any] = []
            for missing in [term.missing for term in terms] or [False]:
                number = None if missing else next(numbers)
                events.append(None if number is None else identifiers.get((row.stream, number), number))
            keys = [row.values[name] for name in key_names(len(dates))]
            join_keys = [time_text(key) if date and key is not None else key for key, date in zip(keys, dates, strict=True)]
            shown.append(ResultRow(row.stream, {"events": events, "join_keys": join_keys}))
        return shown


def prepare(
    text: str,
    *,
    name: str = "search",
    macros: Mapping[str, str] = {},  # noqa: ARG001 - EQL has no macros; every language's prepare takes them
    lookups: Mapping[str, Lookup] = {},  # noqa: ARG001
    tiebreaker: str = "",
    timestamp_field: str = "@timestamp",
    event_category_field: str = "event.category",
) -> Prepared:
    """Parse a search. `tiebreaker`, `timestamp_field` and `event_category_field` are the EQL search API's parameters of those
    names. Raises SearchSyntaxError or UnsupportedConstruct with line and column."""
    return Prepared(parse(text, name), name, Layout(timestamp_field, tiebreaker, event_category_field))


def _compute(table: EventTable, expr: Expr) -> Any:
    try:
        row = table.connection.execute(f"SELECT {expression(expr)}").fetchone()
    except duckdb.Error as error:
        raise UsageError(f"a constant expression of the search cannot be computed: {str(error).splitlines()[0]}") from error
    return row[0] if row else None


def _identifiers(table: EventTable) -> dict[tuple[int, int], Any]:
    if _IDENTIFIER not in table.schema or table.schema[_IDENTIFIER].array:
        return {}
    rows = run(
        table, Filter(Select(table.scan(), ((ROW, Col(ROW)), (_IDENTIFIER, Col(_IDENTIFIER)))), call("is_not_null", Col(_IDENTIFIER)))
    )
    return {(row.stream, row.values[ROW]): row.values[_IDENTIFIER] for row in rows}


def _date_keys(scope: Scope, keys: Sequence[Sequence[FieldName]]) -> list[bool]:
    """Per join key, whether its values are dates."""
    if not keys:
        return []
    columns = [[scope.column(of_term[place]) for of_term in keys] for place in range(len(keys[0]))]
    return [any(column is not None and scope.type_of(column).type is FieldType.DATE for column in place) for place in columns]
