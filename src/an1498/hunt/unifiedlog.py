"""Unified log NDJSON read by DuckDB: the records that it can read exactly as `telemetry.unifiedlog` does, and marks on the others.

Only the keys that are kept are looked at; of a key that a record has twice the first one counts (no `log` tool writes one).
"""

from __future__ import annotations

from collections.abc import Sequence

from an1498.hunt.columns import Source
from an1498.hunt.sql import Staged, integer_odd, iso_seconds, json_reader, not_iso, of_file, raw, text_odd
from an1498.model import Host
from an1498.replay.ingest import usable_address

_INTEGERS = frozenset({"processID", "userID", "threadID", "activityIdentifier", "parentActivityIdentifier", "creatorActivityID"})
# These may exceed what DuckDB's JSON reader keeps exactly, and no search compares them.
_UNREAD = frozenset({"traceID", "machTimestamp", "senderProgramCounter"})


def staged(paths: Sequence[str], source: Source, hosts: Sequence[Host]) -> Staged:
    """`hosts` are those of the files, one each."""
    values: dict[str, str] = {}
    odd = [not_iso(raw("timestamp"))]
    keys = ["timestamp"]
    for column in source.columns:
        if column.native.startswith("host."):
            value = of_file([_known(column.native, host) for host in hosts])
        elif column.native in _UNREAD:
            value = "NULL"
        else:
            keys.append(column.native)
            value = raw(column.native)
            odd.append(integer_odd(value, "int") if column.native in _INTEGERS else text_odd(value))
        values.update(dict.fromkeys(column.indexed, value))
    return Staged(json_reader(paths, keys, "VARCHAR"), " OR ".join(odd), iso_seconds(raw("timestamp")), values)


def _known(native: str, host: Host) -> str | None:
    return {"host.name": host.name, "host.id": host.id, "host.ip": usable_address(list(host.ips))}.get(native) or None
