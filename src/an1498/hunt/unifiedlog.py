"""Unified log NDJSON read by DuckDB: the records that it can read exactly as `telemetry.unifiedlog` does, and marks on the others.

DuckDB reads each key as JSON text, so that a value's type is still known. Only the keys that are kept are looked at; of a key that
a record has twice the first one counts (no `log` tool writes one).
"""

from __future__ import annotations

from an1498.hunt.columns import Source
from an1498.hunt.sql import is_iso, iso_seconds, json_integer_odd, json_reader, json_string, json_string_odd, stage
from an1498.model import Host
from an1498.replay.algebra import literal
from an1498.replay.ingest import usable_address

_INTEGERS = frozenset({"processID", "userID", "threadID", "activityIdentifier", "parentActivityIdentifier", "creatorActivityID"})
# These may exceed what DuckDB's JSON reader keeps exactly, and no search compares them.
_UNREAD = frozenset({"traceID", "machTimestamp", "senderProgramCounter"})


def staged(path: str, source: Source, host: Host) -> str:
    """A SELECT of every record: its number, whether it is odd, and the columns of `source`."""
    columns: dict[str, str] = {}
    odd = []
    keys = ["timestamp"]
    for column in source.columns:
        if column.native.startswith("host."):
            value = _known(column.native, host)
        elif column.native in _UNREAD:
            value = "NULL"
        elif column.native in _INTEGERS:
            keys.append(column.native)
            odd.append(json_integer_odd(column.native))
            value = f'CAST("{column.native}" AS VARCHAR)'
        else:
            keys.append(column.native)
            odd.append(json_string_odd(column.native))
            value = json_string(column.native)
        columns.update(dict.fromkeys(column.indexed, value))
    time = json_string("timestamp")
    odd.append(f"NOT coalesce({is_iso(time)}, FALSE)")
    return stage(json_reader(path, keys), source, iso_seconds(time), columns, odd)


def _known(native: str, host: Host) -> str:
    value = {"host.name": host.name, "host.id": host.id, "host.ip": usable_address(list(host.ips))}.get(native)
    return literal(value or None)
