"""Executes the subset of ES|QL that the compiler emits, and as much around it as has one clear meaning.

`prepare(text).execute(table)` gives the rows as Elasticsearch would return them: values ready for JSON, dates as RFC 3339 with
milliseconds, a multivalued field as a list. What replay does not model raises UnsupportedConstruct, with line and column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from an1498.errors import UnsupportedConstruct, UsageError
from an1498.model import Language
from an1498.replay.esql import tree
from an1498.replay.esql.commands import lowered
from an1498.replay.esql.fields import fields_read
from an1498.replay.esql.parse import LANGUAGE, Source, parse
from an1498.replay.esql.values import Type, Value
from an1498.replay.lookup import Lookup
from an1498.replay.table import EventTable, ResultRow, run
from an1498.times import time_text


@dataclass(frozen=True, slots=True)
class Prepared:
    """A parsed search. `fields` are the indexed fields that it reads, None for all."""

    language: Language
    fields: frozenset[str] | None
    _query: tree.Query
    _source: Source
    _lookups: Mapping[str, Lookup]

    def execute(self, table: EventTable) -> list[ResultRow]:
        """The rows of the search over every stream of the table. Raises SearchSyntaxError for an unknown column or a wrong type."""
        relation, columns = lowered(self._query, self._source, table, self._lookups, self.fields)
        try:
            rows = run(table, relation)
        except UsageError as error:
            _, marker, reason = str(error).partition("an1498-refused: ")
            if not marker:
                raise
            raise UnsupportedConstruct(LANGUAGE, self._source.location(0), reason) from error
        try:
            return [ResultRow(row.stream, {name: _json(row.values[name], value) for name, value in columns.items()}) for row in rows]
        except OverflowError:
            raise UnsupportedConstruct(LANGUAGE, self._source.location(0), "a date outside the years 1 to 9999") from None


def prepare(
    text: str,
    *,
    name: str = "search",
    macros: Mapping[str, str] | None = None,  # noqa: ARG001 - one signature for all languages; ES|QL has no macros
    lookups: Mapping[str, Lookup] | None = None,
) -> Prepared:
    """Parse a search. Raises SearchSyntaxError, UnsupportedConstruct. `lookups`: tables of LOOKUP JOIN and ENRICH by name."""
    source = Source(text, name)
    query = parse(source)
    return Prepared(Language.ESQL, fields_read(query), query, source, lookups or {})


def _json(value: Any, column: Value) -> Any:
    if isinstance(value, list):
        items = [_json(item, column) for item in value]
        return None if not items else items[0] if len(items) == 1 else items
    if value is not None and column.type is Type.DATETIME:
        return time_text(value)
    return value


__all__ = ["Prepared", "prepare"]
