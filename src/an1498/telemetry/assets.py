"""The table of assets: from when to when an address belonged to which host.

Claims come from Zeek's dhcp.log (`leases.py`) and from a CMDB (`cmdb.py`). Where two claims on one address name different
hosts, or one names none, nobody had it: a wrong machine is worse than none. So the rows of one address never overlap.

Times are whole seconds, because a time-based lookup of Splunk has no finer ones (transforms.conf, `time_format`): a claim begins with its
first whole second and ends before its last broken one, so that around a change of hands nobody has the address for a moment.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from an1498.errors import Location
from an1498.telemetry.addresses import canonical_ip

EARLIEST_S = 946_684_800
"""2000-01-01: where a claim without a beginning begins. Splunk's lookups look back 2,000,000,000 s, not to the epoch's begin."""

FOREVER_S = 253_402_300_799
"""9999-12-31T23:59:59Z: where a claim without an end ends."""

# The first label of a name, unless it is all digits: `10.20.0.42` is an address that somebody took for a name, not a host named 10.
_LABEL = re.compile(r"^([^.]*[^.0-9][^.]*)\..*$", re.DOTALL)
# What a machine calls itself that has no name.
_NO_NAMES = frozenset({"", "-", "*", "(empty)", "localhost", "unknown"})
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says that `ip` belonged to a host in [start_us, end_us), microseconds since the epoch; None: since ever, or for ever.
    `host` is a key (`host_key`), None where the name of the host is not known. `source` says who claims: `dhcp` or `cmdb`."""

    ip: str
    start_us: int | None
    end_us: int | None
    host: str | None
    mac: str
    source: str
    location: Location


@dataclass(frozen=True, slots=True, order=True)
class Asset:
    """A row: `ip` belonged to `host` in [start_s, end_s), seconds since the epoch."""

    ip: str
    start_s: int
    end_s: int
    host: str
    mac: str
    source: str


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Claims on one address that name different hosts for some of the time (two hosts behind one NAT address, a stale CMDB entry).
    `hosts` are sorted, "" stands for a host without a name; `seconds` is how long in all."""

    ip: str
    hosts: tuple[str, ...]
    seconds: int
    locations: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class AssetTable:
    """`rows` are sorted by address and start; those of one address do not overlap."""

    rows: tuple[Asset, ...] = ()
    ambiguous: tuple[Ambiguity, ...] = ()
    _by_ip: dict[str, list[Asset]] = field(default_factory=dict, repr=False, compare=False)
    _by_host: dict[str, list[Asset]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for row in self.rows:
            self._by_ip.setdefault(row.ip, []).append(row)
            self._by_host.setdefault(row.host, []).append(row)

    def host_at(self, ip: str, time_us: int) -> str | None:
        """The host that had the address at a time (microseconds), None where nobody or several had it."""
        rows = self._by_ip.get(canonical_ip(ip), [])
        position = bisect_right(rows, time_us, key=lambda row: row.start_s * 1_000_000) - 1
        return rows[position].host if position >= 0 and time_us < rows[position].end_s * 1_000_000 else None

    def addresses_at(self, host: str, time_us: int) -> tuple[str, ...]:
        """The addresses that a host (any spelling of its name) had at a time, sorted."""
        rows = self._by_host.get(host_key(host) or "", [])
        return tuple(row.ip for row in rows if row.start_s * 1_000_000 <= time_us < row.end_s * 1_000_000)


def host_key(name: object) -> str | None:
    """A host's name as keys compare it: lower case, without its domain (`Mac-042.corp.example` and `mac-042.local` are `mac-042`), since
    DHCP clients, agents and CMDBs differ in both. None for what names no host."""
    if not isinstance(name, str):
        return None
    text = name.strip().rstrip(".").lower()
    key = _LABEL.sub(r"\1", text)
    return None if key in _NO_NAMES or not key.isprintable() or len(key) > 255 else key


def mac_key(text: object) -> str:
    """A hardware address as six pairs of hex digits, "" for anything else: `02-AB-…`, `02ab.…` and `02:ab:…` are one address."""
    if not isinstance(text, str):
        return ""
    digits = re.sub(r"[-:.]", "", text.strip().lower())
    found = ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))
    return found if _MAC.fullmatch(found) else ""


def asset_table(claims: Iterable[Claim], names: Mapping[str, str] | None = None) -> AssetTable:
    """The table of all claims. `names` gives hosts to hardware addresses (`mac_key`) and goes before what a DHCP client calls itself,
    which anybody can choose."""
    by_ip: dict[str, list[Claim]] = {}
    for claim in claims:
        by_ip.setdefault(claim.ip, []).append(claim)
    rows: list[Asset] = []
    ambiguous: list[Ambiguity] = []
    for ip in sorted(by_ip):
        shared: dict[tuple[str, ...], tuple[int, list[Location]]] = {}
        for start, end, holders in _segments(by_ip[ip], names or {}):
            found = dict.fromkeys(host for host, _ in holders)
            if len(found) > 1:
                hosts = tuple(sorted(host or "" for host in found))
                seconds, places = shared.get(hosts, (0, []))
                shared[hosts] = (seconds + end - start, [*places, *(c.location for _, c in holders if c.location not in places)])
                continue
            host, claim = holders[0]
            if host is None:
                continue
            last = rows[-1] if rows else None
            if last is not None and (last.ip, last.host, last.end_s) == (ip, host, start):
                rows[-1] = Asset(ip, last.start_s, end, host, last.mac, last.source)
            else:
                rows.append(Asset(ip, start, end, host, claim.mac, claim.source))
        ambiguous += [Ambiguity(ip, hosts, seconds, tuple(places)) for hosts, (seconds, places) in sorted(shared.items())]
    return AssetTable(tuple(rows), tuple(ambiguous))


Held = list[tuple[str | None, Claim]]


def _segments(claims: list[Claim], names: Mapping[str, str]) -> Iterator[tuple[int, int, Held]]:
    """(start, end, who claims the address) for each stretch of time in which that does not change and somebody does."""
    changes: dict[int, tuple[list[int], list[int]]] = {}
    for number, claim in enumerate(claims):
        start = EARLIEST_S if claim.start_us is None else max(EARLIEST_S, -(-claim.start_us // 1_000_000))
        end = FOREVER_S if claim.end_us is None else min(FOREVER_S, claim.end_us // 1_000_000)
        if start < end:
            changes.setdefault(start, ([], []))[0].append(number)
            changes.setdefault(end, ([], []))[1].append(number)
    active: dict[int, None] = {}
    before = 0
    for moment in sorted(changes):
        if active:
            yield before, moment, [(names.get(claims[number].mac, claims[number].host), claims[number]) for number in active]
        begun, ended = changes[moment]
        for number in ended:
            active.pop(number, None)
        active.update(dict.fromkeys(begun))
        before = moment
