"""From raw events to a target's table, and from a search's result rows to alerts.

An alert's time is its last event's, floored to milliseconds (Splunk keeps microseconds, Elastic milliseconds); its group is the
rule's group-by names with values as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from an1498.content.kibana import CARRIER, carried
from an1498.model import RANK_FIELD, Alert, FieldType, Language, NativeEvent, Pack, Search, Target
from an1498.replay.ingest import index_event
from an1498.replay.lookup import Lookup
from an1498.replay.prepare import Prepared, prepare
from an1498.replay.table import ColumnType, EventTable, Flavour, ResultRow, Schema, epoch_microseconds, load

Stream = Sequence[tuple[NativeEvent, Mapping[str, Any]]]
"""The events of one stream that a target stores, each with its document, in arrival order."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """Streams of events as a target stores them: the documents, the table that searches run over, and the tables that they look up."""

    target: Target
    streams: Sequence[Stream]
    table: EventTable
    lookups: Mapping[str, Lookup] = field(default_factory=dict)


def index_streams(
    connection: duckdb.DuckDBPyConnection,
    target: Target,
    streams: Iterable[Iterable[NativeEvent]],
    *,
    fields: frozenset[str] | None = None,
    lookups: Mapping[str, Lookup] | None = None,
) -> Indexed:
    """Ingest raw events by the target's layouts; an event that no layout knows is not stored. `fields`, if given, are the
    only columns that the table gets; `lookups` are those of the target's searches."""
    stored = [_stored(target, events) for events in streams]
    return Indexed(target, stored, table_of(connection, target, stored, "events", fields, field_types(target)), lookups or {})


def widened(indexed: Indexed) -> Indexed:
    """The same streams with a table of all columns, for searches that may read any. Every column costs a search time to plan."""
    types = field_types(indexed.target)
    return replace(indexed, table=table_of(indexed.table.connection, indexed.target, indexed.streams, "all events", None, types))


def table_of(
    connection: duckdb.DuckDBPyConnection,
    target: Target,
    streams: Sequence[Stream],
    name: str,
    fields: frozenset[str] | None,
    types: Schema,
) -> EventTable:
    """A table of the streams' documents, with the types that the target has for them."""
    documents = [[document for _, document in stream] for stream in streams]
    return load(connection, name, documents, flavour=_flavour(target), mapping=types, fields=fields)


def _stored(target: Target, events: Iterable[NativeEvent]) -> Stream:
    stored: list[tuple[NativeEvent, Mapping[str, Any]]] = []
    for event in events:
        for layout in target.layouts:
            document = index_event(event, layout)
            if document is not None:
                if target.staging is not None:
                    document = {**document, **_for_staging(target, event, document, len(stored))}
                stored.append((event, document))
                break
    return stored


def _for_staging(target: Target, event: NativeEvent, document: Mapping[str, Any], place: int) -> dict[str, Any]:
    """What a staged target's event searches need besides. Splunk: the internal fields of an event's bucket and of its place there
    (Knowledge Manager Manual, "Use default fields"). Elastic: what our ingest pipelines copy into fields that alerts have."""
    if target.backend == "splunk":
        return {"_bkt": f"{document.get('index', 'main')}~0~AN1498", "_cd": f"0:{place}"}
    sources = (source for layout in target.layouts for source in layout.sources)
    source = next(one for one in sources if (one.product, one.service) == (event.product, event.service))
    return {carrier: document[name] for name, carrier in carried(source).items() if name in document}


def _flavour(target: Target) -> Flavour:
    return "splunk" if target.backend == "splunk" else "elastic"


def field_types(target: Target) -> dict[str, ColumnType]:
    """The types of the fields that the target has once it is set up as docs/telemetry.md says. What the vendor does not map, our
    component templates do; without them ES|QL knows such a field only from the first event that has it (`esql-unmapped-field`)."""
    types: dict[str, ColumnType] = {}
    for source in (source for layout in target.layouts for source in layout.sources):
        types.setdefault(source.time_field, ColumnType(FieldType.DATE))
        for name in source.constants:
            types.setdefault(name, ColumnType(FieldType.KEYWORD))
        for row in source.fields:
            known = types.get(row.indexed)
            types[row.indexed] = ColumnType(row.type, row.array or (known is not None and known.array))
        for derived in source.derived:
            types.setdefault(derived.indexed, ColumnType(derived.type))
    if target.backend == "elastic":
        types.setdefault(RANK_FIELD, ColumnType(FieldType.LONG))
    if target.staging is not None and target.backend == "splunk":
        types |= dict.fromkeys(("_bkt", "_cd"), ColumnType(FieldType.KEYWORD))
    elif target.staging is not None:
        types.setdefault(CARRIER, ColumnType(FieldType.IP))
    return types


def alerts(pack: Pack, search: Search, indexed: Indexed) -> list[list[Alert]]:
    """The alerts that a search raises in each stream, sorted. Raises SearchSyntaxError, UsageError."""
    macros = pack.targets[search.target].macros
    return read_alerts(search, prepared_search(search, macros, indexed.lookups).execute(indexed.table), indexed)


def prepared_search(search: Search, macros: Mapping[str, str], lookups: Mapping[str, Lookup]) -> Prepared:
    """A search, ready to run as its target would run it. Raises SearchSyntaxError."""
    time, tie = search.time_field, search.tiebreaker
    return prepare(search.language, search.text, name=search.rule, macros=macros, lookups=lookups, tiebreaker=tie, timestamp=time)


def read_alerts(search: Search, rows: Iterable[ResultRow], indexed: Indexed, *, last_rule: str = "") -> list[list[Alert]]:
    """The alerts in a search's result, per stream, sorted. `last_rule` is the correlation's last rule, whose event gives the
    alert its time, where the search's own last stage is another one (EQL under a clock skew)."""
    found: list[list[Alert]] = [[] for _ in indexed.streams]
    position = _position(search, last_rule)
    for row in rows:
        found[row.stream].append(_eql_alert(search, row, indexed, position) if search.language is Language.EQL else _alert(search, row))
    return [sorted(stream) for stream in found]


def _position(search: Search, last_rule: str) -> int:
    rules = [rule for rule, _ in search.stages]
    return rules.index(last_rule) if last_rule in rules and rules[-1] != last_rule else -1


def _alert(search: Search, row: ResultRow) -> Alert:
    group = tuple(sorted((key, _text(row.values.get(key))) for key in search.group_by))
    return Alert(_time_ms(row.values.get(search.time_field)), group)


def _eql_alert(search: Search, row: ResultRow, indexed: Indexed, position: int) -> Alert:
    """EQL gives the matched events and the join keys in the order of `by`."""
    _, document = indexed.streams[row.stream][row.values["events"][position]]
    keys = row.values["join_keys"] if search.group_by else ()
    group = tuple(sorted((key, _text(value)) for key, value in zip(search.group_by, keys, strict=True)))
    return Alert(_time_ms(document[search.time_field]), group)


def _time_ms(value: Any) -> int:
    return epoch_microseconds(value) // 1000


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
