"""`an1498 replay`: any search text over events in indexed form, as the SIEM stores them, outside of any pack."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from an1498.errors import Location, TelemetryError, UnsupportedConstruct, UsageError
from an1498.model import FieldType, Language
from an1498.replay.lookup import Lookup
from an1498.replay.prepare import FLAVOURS, Prepared, prepare
from an1498.replay.table import ColumnType, Schema, epoch_microseconds, flatten, load

_REMEDY = "write one JSON object a line"


@dataclass(frozen=True, slots=True)
class EqlFields:
    """The EQL search API's parameters of these names."""

    timestamp: str = "@timestamp"
    tiebreaker: str = ""
    event_category: str = "event.category"


def replay_text(
    language: Language,
    text: str,
    events: Iterable[Mapping[str, Any]],
    *,
    name: str = "search",
    macros: Mapping[str, str] | None = None,
    lookups: Mapping[str, Lookup] | None = None,
    mapping: Mapping[str, FieldType] | None = None,
    eql_fields: EqlFields | None = None,
) -> list[dict[str, Any]]:
    """The rows that the search gives over the events, JSON-ready, in order, with null for an empty column.

    `mapping` gives fields' types where the values do not tell. Raises SearchSyntaxError, UnsupportedConstruct, UsageError."""
    events = list(events)
    schema: Schema = {field: ColumnType(kind) for field, kind in (mapping or {}).items()}
    if language is Language.ESQL:
        schema = {**_dates(events), **schema}
    try:
        prepared = _prepared(language, text, name, macros, lookups, eql_fields or EqlFields())
        with duckdb.connect() as connection:
            table = load(connection, "events", [events], flavour=FLAVOURS[language], mapping=schema)
            rows = prepared.execute(table)
    except RecursionError:
        construct = "replay does not model a search that nests so deeply, or that has so many commands"
        raise UnsupportedConstruct(language.value, Location(name, 1, 1), construct, "split it") from None
    except duckdb.Error as error:
        raise UsageError(f"{name}: cannot be executed over these events: {str(error).splitlines()[0]}") from error
    return [dict(row.values) for row in rows]


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)


def _dates(events: list[Mapping[str, Any]]) -> Schema:
    """Fields all of whose values are dates with a time (Elasticsearch reference, "Dynamic field mapping", date detection). ES|QL's date
    functions need the type; the other languages compare such text alike."""
    dates: dict[str, bool] = {}
    for event in events:
        for field, values in flatten(event):
            if dates.get(field, True):
                dates[field] = all(map(_is_date, values))
    return {field: ColumnType(FieldType.DATE) for field, found in dates.items() if found and field != "@timestamp"}


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return False
    try:
        epoch_microseconds(value)
    except UsageError:
        return False
    return True


def _prepared(
    language: Language,
    text: str,
    name: str,
    macros: Mapping[str, str] | None,
    lookups: Mapping[str, Lookup] | None,
    eql_fields: EqlFields,
) -> Prepared:
    if language is Language.SPL:
        from an1498.replay import spl

        return spl.prepare(text, name=name, macros=macros, lookups=lookups, now=float(int(time.time())))
    if language is not Language.EQL:
        return prepare(language, text, name=name, macros=macros, lookups=lookups)
    from an1498.replay import eql

    return eql.prepare(
        text,
        name=name,
        tiebreaker=eql_fields.tiebreaker,
        timestamp_field=eql_fields.timestamp,
        event_category_field=eql_fields.event_category,
    )


def read_ndjson(text: str, file: str) -> list[dict[str, Any]]:
    """Events of newline-delimited JSON; blank lines are none. Raises TelemetryError with the line."""
    events = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        location = Location(file, number)
        try:
            event = json.loads(line, parse_constant=_no_constant)
        except RecursionError:
            raise TelemetryError(location, "is nested too deeply", "flatten the object") from None
        except ValueError as error:
            reason = f"is not JSON: {error.msg}" if isinstance(error, json.JSONDecodeError) else f"is not JSON: {error}"
            column = error.colno if isinstance(error, json.JSONDecodeError) else 0
            raise TelemetryError(replace(location, column=column), reason, _REMEDY) from None
        if not isinstance(event, dict):
            raise TelemetryError(location, "is not a JSON object", _REMEDY)
        events.append(event)
    return events


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
