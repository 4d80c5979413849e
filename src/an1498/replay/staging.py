"""What a staged target's SIEM stores of the results of its event searches: the events over which its correlations run.

Splunk: the `collect` at the end of the search writes each result as one event of the risk index (Search Reference, "collect",
output_format=hec: every field becomes an indexed field, `source` is the result's, the sourcetype is `stash_hec`). Whether sub-seconds of
`_time` are kept is not said, so the model cuts them: a search that needs them must carry them in a field.

Elastic: each event that a building block matches becomes one alert (elastic/kibana, `build_alert.ts`): `@timestamp` is the time of the
rule's run, `kibana.alert.original_time` the event's, and of the event's own fields the alerts' index maps those of ECS (`dynamic: false`).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from an1498.content.ecs import ecs_type
from an1498.content.kibana import ORIGINAL_EVENT, ORIGINAL_TIME, RULE_ID
from an1498.model import EVENT_LANGUAGES, FieldType, Language, NativeEvent, Search, Target
from an1498.replay.alerts import Indexed, Stream, field_types, table_of
from an1498.replay.prepare import Prepared, prepare
from an1498.replay.table import ColumnType, ResultRow

Written = tuple[NativeEvent, Mapping[str, Any]]


def writers(searches: Iterable[Search]) -> tuple[Search, ...]:
    """The event searches whose results the target stores, one per rule (the language that is shipped), sorted by rule."""
    found: dict[tuple[str, str], Search] = {}
    for search in sorted(searches, key=lambda search: EVENT_LANGUAGES.index(search.language)):
        if search.staged_as:
            found.setdefault((search.target, search.rule), search)
    return tuple(search for _, search in sorted(found.items()))


def staged(raw: Indexed, searches: Iterable[Search]) -> Indexed:
    """The target's staged events, from its event searches over the raw ones. Raises SearchSyntaxError, UsageError."""
    streams: list[Stream] = [[] for _ in raw.streams]
    for search in writers(searches):
        more = written(raw, search, prepare(search.language, search.text, name=search.rule, macros=raw.target.macros))
        streams = [[*known, *new] for known, new in zip(streams, more, strict=True)]
    return stored(raw, streams)


def written(raw: Indexed, search: Search, prepared: Prepared) -> list[Stream]:
    """Per stream, what an event search writes, in the order of its results. Raises SearchSyntaxError, UsageError."""
    streams: list[list[Written]] = [[] for _ in raw.streams]
    write = _event if raw.target.backend == "splunk" else _alert
    for row in prepared.execute(raw.table):
        streams[row.stream].append(write(raw, search, row))
    return list(streams)


def stored(raw: Indexed, streams: Sequence[Stream]) -> Indexed:
    """Written events as a table beside the raw one."""
    types = {} if raw.target.backend == "splunk" else _alert_types(raw.target)
    table = table_of(raw.table.connection, raw.target, streams, f"{raw.table.name} staged", None, types)
    return replace(raw, streams=streams, table=table)


def _event(raw: Indexed, search: Search, row: ResultRow) -> Written:
    """Splunk's event of a result of `collect`."""
    assert raw.target.staging is not None and search.language is Language.SPL
    document = {name: value for name, value in row.values.items() if value is not None and not name.startswith("_")}
    document |= {"_time": math.floor(row.values["_time"]), "index": raw.target.staging.index, "sourcetype": "stash_hec"}
    # The address that `index_streams` gave the raw event ends in its place in the stream.
    place = int(str(row.values["an1498_orig_event"]).rpartition(":")[2])
    return raw.streams[row.stream][place][0], document


def _alert(raw: Indexed, search: Search, row: ResultRow) -> Written:
    """The alert of a building block; every language's row says which event it found by its place in the stream."""
    place = int(row.values["events"][0] if search.language is Language.EQL else row.values["_id"])
    event, source = raw.streams[row.stream][place]
    document = {name: value for name, value in source.items() if ecs_type(name) is not None}
    return event, document | {
        "@timestamp": _run(raw.target, search, event) / 1_000_000,
        "event.kind": "signal",
        ORIGINAL_TIME: source[search.time_field],
        RULE_ID: search.staged_as,
        "kibana.alert.building_block_type": "default",
        **dict(zip(ORIGINAL_EVENT, (f"{row.stream}-{place}", f".ds-{event.product}-{event.service}-000001"), strict=True)),
    }


def _run(target: Target, search: Search, event: NativeEvent) -> int:
    """When the rule's next run after the event's arrival raises the alert (microseconds); each rule has an offset of its own."""
    interval = target.interval_s * 1_000_000
    offset = zlib.crc32(search.rule.encode()) % interval
    return event.time_us + target.ingest_lag_s * 1_000_000 + (offset - event.time_us) % interval


def _alert_types(target: Target) -> dict[str, ColumnType]:
    """What the alerts' index maps: ECS fields with their ECS types, and Kibana's own."""
    types = {name: ColumnType(kind, column.array) for name, column in field_types(target).items() if (kind := ecs_type(name)) is not None}
    names = ("event.kind", RULE_ID, "kibana.alert.building_block_type", *ORIGINAL_EVENT)
    return types | dict.fromkeys(names, ColumnType(FieldType.KEYWORD)) | {ORIGINAL_TIME: ColumnType(FieldType.DATE)}
