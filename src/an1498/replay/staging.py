"""What a staged target's SIEM stores of the results of its event searches: the events over which its correlations run.

Splunk: the `collect` at the end of the search writes each result as one event of the risk index (Search Reference, "collect",
output_format=hec: every field becomes an indexed field, `source` is the result's, the sourcetype is `stash_hec`). Whether sub-seconds of
`_time` are kept is not said, so the model cuts them: a search that needs them must carry them in a field.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from an1498.model import Language, NativeEvent, Search, Target
from an1498.replay.alerts import Indexed, Stream, table_of
from an1498.replay.prepare import Prepared, prepare
from an1498.replay.table import ResultRow

Written = tuple[NativeEvent, Mapping[str, Any]]


def writers(searches: Iterable[Search]) -> tuple[Search, ...]:
    """The event searches whose results the target stores, one per rule, sorted by rule."""
    found = {(search.target, search.rule): search for search in searches if search.staged_as}
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
    for row in prepared.execute(raw.table):
        streams[row.stream].append(_splunk(raw, search, row))
    return list(streams)


def stored(raw: Indexed, streams: Sequence[Stream], *, fields: frozenset[str] | None = None) -> Indexed:
    """Written events as a table beside the raw one; `fields`, if given, are the only columns."""
    table = table_of(raw.table.connection, raw.target, streams, f"{raw.table.name} staged", fields, {})
    return Indexed(raw.target, streams, table, raw.lookups)


def _splunk(raw: Indexed, search: Search, row: ResultRow) -> Written:
    target: Target = raw.target
    assert target.staging is not None and search.language is Language.SPL
    document = {name: value for name, value in row.values.items() if value is not None and not name.startswith("_")}
    document |= {"_time": math.floor(row.values["_time"]), "index": target.staging.index, "sourcetype": "stash_hec"}
    # The address that `index_streams` gave the raw event ends in its place in the stream.
    place = int(str(row.values["an1498_orig_event"]).rpartition(":")[2])
    return raw.streams[row.stream][place][0], document
