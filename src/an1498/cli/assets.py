"""`an1498 assets`: the table that says whose an address was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from an1498.cli.console import console
from an1498.errors import TelemetryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from an1498.model import NativeEvent
    from an1498.telemetry.assets import AssetTable

EPILOG = """\b
Examples:
  an1498 assets build /var/log/zeek --out assets
  an1498 assets build /var/log/zeek/current/dhcp.log --cmdb cmdb.csv --since 2026-01-01T00:00:00Z --out assets

\b
LOGS are files or directories; of these only Zeek's dhcp logs are read (TSV, JSON; plain, gzip, zstd). A CMDB is a CSV file with the columns
host and ip or mac, and optionally start and end (RFC 3339 or epoch seconds); a row with a mac names that client's leases.
Writes an1498_assets.csv (Splunk) and an1498-assets.ndjson (Elastic). Where claims on an address name different hosts, nobody has it.
"""
_SHOWN = 20
_PATH = click.Path(path_type=Path)


@click.group(no_args_is_help=False, epilog=EPILOG, short_help="Make the table of whose an address was.")
def assets() -> None:
    """The table of assets, for targets with entity = "lookup"."""


@assets.command(epilog=EPILOG, short_help="From dhcp.log and CMDB files.")
@click.argument("logs", metavar="[LOGS]...", nargs=-1, type=_PATH)
@click.option("--cmdb", "cmdbs", metavar="FILE", multiple=True, type=_PATH, help="A CMDB as CSV; may be repeated.")
@click.option("--since", metavar="TIME", help="Leave out what ended before this time (RFC 3339 or epoch seconds).")
@click.option("--out", metavar="DIR", default="assets", show_default=True, type=_PATH, help="Where to write.")
def build(logs: tuple[Path, ...], cmdbs: tuple[Path, ...], since: str | None, out: Path) -> None:
    """Write the table of LOGS' leases and of CMDB files."""
    from an1498.ship.assets import asset_files, write_files
    from an1498.telemetry.assets import AssetTable
    from an1498.telemetry.cmdb import assets as joined
    from an1498.telemetry.cmdb import read_cmdb
    from an1498.telemetry.leases import leases

    if not logs and not cmdbs:
        raise UsageError("give LOGS with dhcp.log files, or --cmdb FILE")
    first = _seconds(since)
    known = [read_cmdb(path) for path in cmdbs]
    found = joined(leases(_dhcp(logs)), known)
    table = AssetTable(tuple(row for row in found.rows if row.end_s > first), found.ambiguous)
    for path in write_files(out, asset_files(table)):
        console.data(str(path))
    _tell(table)


def _dhcp(logs: tuple[Path, ...]) -> Iterator[NativeEvent]:
    """The events of dhcp logs; what cannot be read is told and passed over."""
    from an1498.telemetry import Reject, scan_log
    from an1498.telemetry.detect import Format, log_files
    from an1498.telemetry.files import shown
    from an1498.telemetry.leases import is_dhcp
    from an1498.telemetry.zeek_logs import log_of_file

    read = rejects = 0
    for file in log_files(logs):
        if isinstance(file, TelemetryError):
            # Below a directory any file may lie; what is named, or has the log's name, should have been read.
            if file.location.file in map(shown, logs):
                raise file
            if "dhcp" in Path(file.location.file).name:
                console.message(f"note: {file}")
        elif file.format is Format.EMPTY:
            read += log_of_file(file.path) == "dhcp"
        elif file.format in (Format.ZEEK_TSV, Format.ZEEK_JSON) and file.service in ("dhcp", ""):
            read += file.service == "dhcp"
            for item in scan_log(file.path, "zeek"):
                if isinstance(item, Reject):
                    rejects += 1
                    if rejects <= _SHOWN:
                        console.message(f"note: {item.error()}")
                elif is_dhcp(item):
                    read += 1
                    yield item
    if logs and not read:
        raise UsageError("there is no dhcp log among LOGS; Zeek writes dhcp.log where it sees DHCP traffic (base/protocols/dhcp)")
    if rejects > _SHOWN:
        console.message(f"note: {rejects:,} lines in all cannot be read")


def _seconds(since: str | None) -> int:
    from an1498.telemetry.reject import Malformed
    from an1498.telemetry.times import json_time_us

    try:
        return 0 if since is None else json_time_us(since) // 1_000_000
    except Malformed as error:
        raise UsageError(f"--since: {error.problem}; {error.remedy}") from None


def _tell(table: AssetTable) -> None:
    hosts, addresses = len({row.host for row in table.rows}), len({row.ip for row in table.rows})
    console.message(f"{len(table.rows):,} rows: {hosts:,} hosts, {addresses:,} addresses")
    for found in table.ambiguous[:_SHOWN]:
        named = ", ".join(host or "a host without a name" for host in found.hosts)
        console.message(
            f"note: {found.locations[0]}: {found.ip} is claimed by {named} at once, for {found.seconds:,} s; nobody has it then"
            " (address translation, or a stale CMDB entry: end one of them)"
        )
    if len(table.ambiguous) > _SHOWN:
        console.message(f"note: {len(table.ambiguous):,} addresses are claimed by several hosts at once")
