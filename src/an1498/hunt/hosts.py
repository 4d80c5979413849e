"""Whose unified log it is. An archive has no agent that stamps its machine, so the user says it, or a file beside the logs does.

A map is CSV with the columns `path,name,ip` and perhaps `id` and `timezone` (what the local times of text logs mean): `path` is a file or
directory, or a pattern of them (`*`), relative to the map's own directory; `ip` holds addresses, separated by blanks.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from an1498.errors import Location, TelemetryError, UsageError
from an1498.model import Host
from an1498.telemetry.assets import AssetTable, host_key
from an1498.telemetry.files import shown
from an1498.telemetry.times import zone

SIDECAR = "hosts.csv"
"""A map of this name beside the logs is read without being asked for."""

_COLUMNS = ("path", "name", "ip")


@dataclass(frozen=True, slots=True)
class Hosts:
    """`mapped`: (pattern of absolute paths, host), the first that matches counts. `named`: hosts of the option `--host`. `timezone`
    counts where a host has none of its own. `assets` are the leases of the archive's dhcp.log."""

    mapped: tuple[tuple[str, Host], ...] = ()
    named: tuple[Host, ...] = ()
    timezone: str = ""
    assets: AssetTable = field(default_factory=AssetTable)

    def addresses(self, name: str, time_us: int) -> tuple[str, ...]:
        """The addresses that the machine of this name had at a time, by the leases."""
        return self.assets.addresses_at(name, time_us)

    def of(self, path: Path) -> Host | None:
        """The machine of a unified log: from the map, else the `--host` whose name is part of the path (a directory, or the file's
        name up to a dot), else the only `--host` there is, else one that holds leases and whose name is part of the path."""
        host = self._of(path)
        if self.timezone and (host is None or not host.timezone):
            return replace(host or Host(), timezone=self.timezone)
        return host

    def known(self, name: str) -> Host | None:
        """The machine of this name, which an export's records state; for a record without a name the only machine that is known."""
        hosts = list(dict.fromkeys([*(host for _, host in self.mapped), *self.named]))
        if not name:
            return hosts[0] if len(hosts) == 1 else None
        return next((host for host in hosts if host.name.lower() == name.lower()), None)

    def _of(self, path: Path) -> Host | None:
        absolute = path.absolute().as_posix()
        for pattern, host in self.mapped:
            if fnmatchcase(absolute, pattern) or absolute.startswith(pattern.rstrip("/") + "/"):
                return host
        parts = [*path.absolute().parts[:-1], path.name.split(".")[0]]
        names = {part.lower() for part in [*parts, path.name]}
        for host in self.named:
            if host.name.lower() in names:
                return host
        if len(self.named) == 1:
            return self.named[0]
        leaseholders = {row.host for row in self.assets.rows}
        known = [part for part in reversed(parts) if host_key(part) in leaseholders]
        return Host(known[0]) if known else None


def host_options(values: Sequence[str]) -> tuple[Host, ...]:
    """`NAME=ADDRESS[,ADDRESS…]` of `--host`; a bare `NAME`, whose addresses dhcp.log knows. Raises UsageError."""
    hosts = []
    for value in values:
        name, equals, addresses = value.partition("=")
        if name and not equals:
            hosts.append(Host(name))
            continue
        if not (name and addresses):
            raise UsageError(f"--host {value}: write NAME=ADDRESS, for instance mac-042=10.20.0.42")
        ips = tuple(part.strip() for part in addresses.split(","))
        wrong = next((ip for ip in ips if not _is_address(ip)), None)
        if wrong is not None:
            raise UsageError(f"--host {value}: '{wrong}' is not an address; write NAME=ADDRESS, for instance mac-042=10.20.0.42")
        hosts.append(Host(name, ips=ips))
    return tuple(hosts)


def read_map(file: Path) -> tuple[tuple[str, Host], ...]:
    """Raises TelemetryError with the line."""
    name = shown(file)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise TelemetryError(Location(name, 1), f"has no column '{missing[0]}'", "begin it with the line path,name,ip")
            return tuple(_row(row, Location(name, reader.line_num), file.absolute().parent) for row in reader)
    except OSError as error:
        raise TelemetryError(Location(name), f"cannot be read: {error.strerror}", "check the path and its permissions") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise TelemetryError(Location(name), f"is not a CSV file in UTF-8: {error}", "write the columns path,name,ip") from None


def _row(row: dict[str, str | None], location: Location, base: Path) -> tuple[str, Host]:
    path, name = (row["path"] or "").strip(), (row["name"] or "").strip()
    if not path or not name:
        raise TelemetryError(location, "has no path or no name", "write path,name,ip")
    ips = tuple((row["ip"] or "").split())
    wrong = next((ip for ip in ips if not _is_address(ip)), None)
    if wrong is not None:
        raise TelemetryError(location, f"'{wrong}' is not an address", "write addresses separated by blanks")
    timezone = (row.get("timezone") or "").strip()
    if timezone:
        zone(timezone)
    return (base / path).as_posix(), Host(name, (row.get("id") or "").strip(), ips, timezone)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def find_hosts(logs: Iterable[Path], map_file: Path | None, options: Sequence[str], timezone: str = "") -> Hosts:
    """The map that the user names, else the maps beside the logs, and the options. Raises UsageError, TelemetryError."""
    named = host_options(options)
    if timezone:
        zone(timezone)
    if map_file is not None:
        return Hosts(read_map(map_file), named, timezone)
    mapped: list[tuple[str, Host]] = []
    for path in logs:
        sidecar = (path if path.is_dir() else path.parent) / SIDECAR
        if sidecar.is_file():
            mapped += read_map(sidecar)
    return Hosts(tuple(dict.fromkeys(mapped)), named, timezone)
