"""The Macs' addresses over time, from the archive's own dhcp.log: for the machines whose name is known and whose address is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from an1498.errors import TelemetryError
from an1498.hunt.hosts import Hosts
from an1498.hunt.reading import Loaded
from an1498.hunt.sql import TIME
from an1498.hunt.store import EVENTS, FILE_STEP, Store
from an1498.model import NativeEvent
from an1498.replay.algebra import ORDER, identifier
from an1498.replay.ingest import usable_address
from an1498.telemetry import scan_log
from an1498.telemetry.assets import AssetTable, asset_table, host_key
from an1498.telemetry.detect import MACS, Format, LogFile
from an1498.telemetry.leases import leases


def leased(hosts: Hosts, files: Iterable[LogFile], unread: Callable[[TelemetryError], None]) -> Hosts:
    """The hosts, with the leases of the dhcp logs among the files; logs that cannot be read are told to `unread`."""
    dhcp = [one for one in files if one.service == "dhcp" and one.format in (Format.ZEEK_TSV, Format.ZEEK_JSON)]
    return replace(hosts, assets=asset_table(leases(_events(dhcp, unread)))) if dhcp else hosts


def _events(files: Iterable[LogFile], unread: Callable[[TelemetryError], None]) -> Iterator[NativeEvent]:
    for file in files:
        told = False
        try:
            for item in scan_log(file.path, "zeek"):
                if isinstance(item, NativeEvent):
                    yield item
                elif not told:
                    unread(item.error())  # one stands for all: a lease is missed, and no more
                    told = True
        except TelemetryError as error:
            unread(error)


def spans(assets: AssetTable, name: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, address) in seconds: when the machine had exactly one usable address. Several are no join key."""
    rows = [row for row in assets.rows if row.host == host_key(name)]
    moments = sorted({moment for row in rows for moment in (row.start_s, row.end_s)})
    for start, end in pairwise(moments):
        address = usable_address([row.ip for row in rows if row.start_s <= start < row.end_s])
        if address is not None:
            yield start, end, address


def stamp(store: Store, logs: Sequence[Loaded], hosts: Hosts) -> list[Path]:
    """Give the kept events of the Macs their addresses; the unified logs whose machine stays without any."""
    found: list[tuple[int, int, int, str]] = []
    without: list[Path] = []
    for one in logs:
        if one.file.format not in MACS or one.skipped or (one.host is not None and one.host.ips):
            continue
        own = list(spans(hosts.assets, one.host.name)) if one.host is not None else []
        found += [(one.number, start, end, address) for start, end, address in own]
        if not own:
            without.append(one.file.path)
    source = store.plan.source("macos", "unifiedlog")
    columns = [name for column in source.columns if column.native == "host.ip" for name in column.indexed] if source else []
    if found and columns:
        store.connection.execute("CREATE OR REPLACE TEMP TABLE leases (file BIGINT, start DOUBLE, finish DOUBLE, address VARCHAR)")
        store.connection.executemany("INSERT INTO leases VALUES (?, ?, ?, ?)", found)
        setting = ", ".join(f"{identifier(name)} = leases.address" for name in columns)
        store.connection.execute(
            f"UPDATE {EVENTS} SET {setting} FROM leases WHERE {EVENTS}.{ORDER} // {FILE_STEP} = leases.file "
            f"AND {identifier(TIME)} >= leases.start AND {identifier(TIME)} < leases.finish"
        )
    return without
