"""A CMDB as CSV → claims on addresses, and names of hardware addresses.

    host   the host's name, required
    ip     an address of the host, IPv4 or IPv6
    mac    a hardware address of the host: names the leases that dhcp.log has for it
    start  since when the address is the host's, RFC 3339 with a zone or epoch seconds; empty: since ever
    end    until when (excluded); empty: still

The first line names the columns, in any order; other columns are passed over. Each row has `ip`, `mac` or both.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from an1498.errors import Location, TelemetryError
from an1498.telemetry.addresses import canonical_ip
from an1498.telemetry.assets import AssetTable, Claim, asset_table, host_key, mac_key
from an1498.telemetry.files import opened, shown
from an1498.telemetry.reject import Malformed, quoted
from an1498.telemetry.times import json_time_us
from an1498.telemetry.zeek_values import is_address

COLUMNS = ("host", "ip", "mac", "start", "end")


@dataclass(frozen=True, slots=True)
class Cmdb:
    """`names` maps hardware addresses (`assets.mac_key`) to hosts."""

    claims: tuple[Claim, ...]
    names: Mapping[str, str]


def read_cmdb(path: Path) -> Cmdb:
    """Raises TelemetryError with the line of the first row that is wrong."""
    claims: list[Claim] = []
    names: dict[str, str] = {}
    said: dict[str, Location] = {}
    for location, row in _rows(path):
        host = host_key(row["host"])
        if host is None:
            raise TelemetryError(location, f"{quoted(row['host'])} names no host", "write its name in the column 'host'")
        mac = mac_key(row["mac"])
        if row["mac"] and not mac:
            raise TelemetryError(location, f"{quoted(row['mac'])} is no hardware address", "write it like 02:00:00:00:00:2a")
        if not row["ip"] and not mac:
            raise TelemetryError(location, f"'{host}' has neither an address nor a hardware address", "fill in 'ip', 'mac' or both")
        if mac:
            if names.get(mac, host) != host:
                problem = f"{mac} is '{host}' here and '{names[mac]}' in line {said[mac].line}"
                raise TelemetryError(location, problem, "keep one of the two")
            names[mac] = host
            said.setdefault(mac, location)
        if row["ip"]:
            claims.append(_claim(row, host, mac, location))
        elif row["start"] or row["end"]:
            raise TelemetryError(location, "'start' and 'end' without 'ip'", "a hardware address keeps its host; remove the times")
    return Cmdb(tuple(claims), names)


def assets(claims: Iterable[Claim], cmdbs: Sequence[Cmdb]) -> AssetTable:
    """The table of all claims, those of the CMDBs included; of two CMDBs that name one hardware address the later one counts."""
    names = {mac: host for cmdb in cmdbs for mac, host in cmdb.names.items()}
    return asset_table([*claims, *(claim for cmdb in cmdbs for claim in cmdb.claims)], names)


def _claim(row: Mapping[str, str], host: str, mac: str, location: Location) -> Claim:
    if not is_address(row["ip"]):
        raise TelemetryError(location, f"{quoted(row['ip'])} is no IP address", "write one IPv4 or IPv6 address a row")
    start, end = _time(row["start"], location), _time(row["end"], location)
    if start is not None and end is not None and end <= start:
        raise TelemetryError(location, f"the end {quoted(row['end'])} is not after the start {quoted(row['start'])}", "correct one of them")
    return Claim(canonical_ip(row["ip"]), start, end, host, mac, "cmdb", location)


def _time(text: str, location: Location) -> int | None:
    if not text:
        return None
    try:
        return json_time_us(text)
    except Malformed as error:
        raise TelemetryError(location, error.problem, error.remedy) from None


def _rows(path: Path) -> Iterator[tuple[Location, dict[str, str]]]:
    name = shown(path)
    with opened(path) as stream:
        data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TelemetryError(Location(name, line), "is not UTF-8 text", "save the CSV file as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        _check_header(header, Location(name, 1))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            location = Location(name, reader.line_num)
            if len(cells) != len(header):
                raise TelemetryError(location, f"{len(cells)} cells, the header has {len(header)}", "quote cells that hold commas")
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            yield location, {column: row.get(column, "") for column in COLUMNS}
    except csv.Error as error:
        raise TelemetryError(Location(name, reader.line_num), f"is not CSV: {error}", "quote cells as RFC 4180 says") from None


def _check_header(header: list[str], location: Location) -> None:
    for column in COLUMNS:
        if header.count(column) > 1:
            raise TelemetryError(location, f"the column '{column}' stands twice", "keep one of the two")
    if "host" not in header or not {"ip", "mac"} & set(header):
        missing = "host" if "host" not in header else "ip"
        near = difflib.get_close_matches(missing, header, 1, 0.4)
        hint = f"; rename '{near[0]}'" if near else ""
        raise TelemetryError(location, f"there is no column '{missing}'", f"name the columns in the first line: {', '.join(COLUMNS)}{hint}")
