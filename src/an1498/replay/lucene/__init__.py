"""Executes Lucene query_string searches as Kibana's and Elastic Security's `query` rules use them (default operator OR).

`prepare(text).execute(table)` gives the matching documents: `_id` (the row's number where a document has none) and every field
that it has. What replay does not model raises UnsupportedConstruct, with line and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from an1498.errors import UnsupportedConstruct, UsageError
from an1498.model import FieldType, Language
from an1498.replay.algebra import Filter, Lit
from an1498.replay.lookup import Lookup
from an1498.replay.lucene import tree
from an1498.replay.lucene.lower import Lowering
from an1498.replay.lucene.parse import LANGUAGE, Source, parse
from an1498.replay.table import ROW, EventTable, ResultRow, run
from an1498.times import time_text


@dataclass(frozen=True, slots=True)
class Prepared:
    """A parsed search. `fields` are the fields that it tests, None where it may test any; the result has those that the table has."""

    language: Language
    fields: frozenset[str] | None
    _query: tree.Query | None
    _source: Source

    def execute(self, table: EventTable) -> list[ResultRow]:
        """The matching documents of every stream, in arrival order."""
        condition = Lit(False) if self._query is None else Lowering(self._source, table.schema).condition(self._query)
        try:
            rows = run(table, Filter(table.scan(), condition))
        except UsageError as error:
            _, marker, reason = str(error).partition("an1498-refused: ")
            if not marker:
                raise
            raise UnsupportedConstruct(LANGUAGE, self._source.location(0), reason) from error
        return [ResultRow(row.stream, _document(row.values, table)) for row in rows]


def prepare(
    text: str,
    *,
    name: str = "search",
    macros: Mapping[str, str] | None = None,  # noqa: ARG001 - one signature for all languages; query_string has no macros
    lookups: Mapping[str, Lookup] | None = None,  # noqa: ARG001 - nor lookups
) -> Prepared:
    """Parse a search. Raises SearchSyntaxError, UnsupportedConstruct."""
    source = Source(text, name)
    query = parse(source)
    names = list(_fields(query)) if query is not None else []
    fields = None if None in names else frozenset({field for name in names if name for field in (name, name.removesuffix(".keyword"))})
    return Prepared(Language.LUCENE, fields if fields is None else fields | {"_id", "@timestamp"}, query, source)


def _fields(query: tree.Query) -> Iterator[str | None]:
    """The fields of a query; None where it may read any (no field given, or an object's existence)."""
    match query:
        case tree.Boolean(_, clauses):
            for _, clause in clauses:
                yield from _fields(clause)
        case tree.All():
            return
        case tree.Exists():
            yield None
        case _:
            yield query.field


def _document(values: Mapping[str, Any], table: EventTable) -> dict[str, Any]:
    identity = values.get("_id")
    document: dict[str, Any] = {"_id": str(values[ROW]) if identity is None else identity}
    for field, column in table.schema.items():
        value = values[field]
        if value is not None and field != "_id":
            document[field] = _json(value, column.type)
    return document


def _json(value: Any, kind: FieldType) -> Any:
    if isinstance(value, list):
        items = [_json(item, kind) for item in value]
        return items[0] if len(items) == 1 else items
    if kind is FieldType.DATE:
        return time_text(value)
    return value


__all__ = ["Prepared", "prepare"]
