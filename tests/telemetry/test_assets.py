"""dhcp.log and CMDB → the table of assets: who had an address, and when nobody had it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from an1498.errors import Location, TelemetryError
from an1498.model import NativeEvent
from an1498.telemetry import read_log
from an1498.telemetry.assets import Claim, asset_table, host_key, mac_key
from an1498.telemetry.cmdb import read_cmdb
from an1498.telemetry.leases import leases

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
HERE = Location("dhcp.log", 1)


def talk(time: float, ip: Any = "10.0.0.5", mac: Any = A, name: Any = "mac-a", lease: Any = 100, **more: Any) -> NativeEvent:
    """One conversation of dhcp.log. `None` leaves a field out."""
    fields = {"ts": time, "mac": mac, "host_name": name, "assigned_addr": ip, "lease_time": lease, "msg_types": ["REQUEST", "ACK"], **more}
    given = {key: value for key, value in fields.items() if value is not None}
    return NativeEvent("zeek", "dhcp", round(time * 1_000_000), given, HERE)


def rows(events: list[NativeEvent], names: dict[str, str] | None = None) -> list[tuple[str, int, int, str]]:
    return [(row.ip, row.start_s - T, row.end_s - T, row.host) for row in asset_table(leases(events), names).rows]


T = 1_768_000_000
IP = "10.0.0.5"
CASES: dict[str, tuple[list[NativeEvent], list[tuple[str, int, int, str]]]] = {
    "a lease ends when it expires": ([talk(T)], [(IP, 0, 100, "mac-a")]),
    "it begins with the acknowledgement, the conversation's last message": ([talk(T, duration=2.5)], [(IP, 3, 102, "mac-a")]),
    "whole seconds, inwards": ([talk(T + 0.25, lease=10.5)], [(IP, 1, 10, "mac-a")]),
    "renewals go on": ([talk(T), talk(T + 50), talk(T + 100, name=None)], [(IP, 0, 200, "mac-a")]),
    "a renewal may shorten": ([talk(T), talk(T + 50, lease=10)], [(IP, 0, 60, "mac-a")]),
    "a renewal says the name that was missing": ([talk(T, name=None), talk(T + 50)], [(IP, 0, 150, "mac-a")]),
    "after expiry there is a gap": ([talk(T), talk(T + 300)], [(IP, 0, 100, "mac-a"), (IP, 300, 400, "mac-a")]),
    "the address is given to another": ([talk(T), talk(T + 50, mac=B, name="mac-b")], [(IP, 0, 50, "mac-a"), (IP, 50, 150, "mac-b")]),
    "the other's conversation takes time": (
        [talk(T), talk(T + 50.5, mac=B, name="mac-b", duration=1.2)],
        [(IP, 0, 50, "mac-a"), (IP, 52, 151, "mac-b")],
    ),
    "… to another without a name": ([talk(T), talk(T + 50, mac=B, name=None)], [(IP, 0, 50, "mac-a")]),
    "… and back": (
        [talk(T), talk(T + 10, mac=B, name="mac-b"), talk(T + 20)],
        [(IP, 0, 10, "mac-a"), (IP, 10, 20, "mac-b"), (IP, 20, 120, "mac-a")],
    ),
    "in any order of lines": ([talk(T + 50, mac=B, name="mac-b"), talk(T)], [(IP, 0, 50, "mac-a"), (IP, 50, 150, "mac-b")]),
    "given back": ([talk(T), talk(T + 30, ip=None, msg_types=["RELEASE"], client_addr=IP)], [(IP, 0, 30, "mac-a")]),
    "given back by somebody else": (
        [talk(T), talk(T + 30, ip=None, mac=B, msg_types=["RELEASE"], client_addr=IP)],
        [(IP, 0, 100, "mac-a")],
    ),
    "declined at once": ([talk(T, msg_types=["REQUEST", "ACK", "DECLINE"], requested_addr=IP)], []),
    "declined later": ([talk(T), talk(T + 1, ip=None, msg_types=["DECLINE"], requested_addr=IP)], [(IP, 0, 1, "mac-a")]),
    "refused": ([talk(T), talk(T + 40, ip=None, msg_types=["REQUEST", "NAK"], requested_addr=IP)], [(IP, 0, 40, "mac-a")]),
    "an offer is no lease": ([talk(T, msg_types=["DISCOVER", "OFFER"])], []),
    "an answer to INFORM is no lease": ([talk(T, lease=None, msg_types=["INFORM", "ACK"])], []),
    "a lease of no length": ([talk(T, lease=0)], []),
    "no client at all": ([talk(T, mac=None, name=None)], []),
    "without a hardware address the name is the client": ([talk(T, mac=None), talk(T + 50, mac=None)], [(IP, 0, 150, "mac-a")]),
    "no address": ([talk(T, ip="0.0.0.0")], []),
    "client_fqdn where there is no host_name": ([talk(T, name=None, client_fqdn="Mac-C.corp.example.")], [(IP, 0, 100, "mac-c")]),
    "localhost names nobody": ([talk(T, name="localhost")], []),
    "IPv4-mapped": ([talk(T, ip="::ffff:10.0.0.5")], [(IP, 0, 100, "mac-a")]),
    "before Zeek 2.6": ([talk(T, ip=None, assigned_ip=IP, msg_types=None)], [(IP, 0, 100, "mac-a")]),
    "numbers beyond all reason": (
        [talk(T, lease=1e308, duration=float("nan")), talk(T + 5, mac=B, name="mac-b", duration=1e308)],
        [(IP, 0, 5, "mac-a"), (IP, 31_557_600_005, 31_557_600_105, "mac-b")],
    ),
    "an infinite lease": ([talk(T, lease=4_294_967_295.0)], [(IP, 0, 4_294_967_295, "mac-a")]),
    "values of wrong types": ([talk(T, lease="long"), talk(T, ip=7), talk(T, msg_types="ACK"), talk(T, mac=5, name=6)], []),
    "other logs": ([NativeEvent("zeek", "conn", T, {"assigned_addr": IP, "msg_types": ["ACK"], "lease_time": 5.0}, HERE)], []),
}


@pytest.mark.parametrize("case", CASES)
def test_leases(case: str) -> None:
    events, expected = CASES[case]
    assert rows(events) == expected


def test_a_cmdb_names_hardware_addresses_before_the_client_does() -> None:
    assert rows([talk(T), talk(T + 200, mac=B, name=None)], {A: "real-a", B: "real-b"}) == [
        (IP, 0, 100, "real-a"),
        (IP, 200, 300, "real-b"),
    ]


def claim(start: int | None, end: int | None, host: str | None, ip: str = IP) -> Claim:
    at = (None if start is None else (T + start) * 1_000_000, None if end is None else (T + end) * 1_000_000)
    return Claim(ip, *at, host, "", "cmdb", HERE)


def test_claims_that_differ_leave_the_address_to_nobody_and_are_told() -> None:
    table = asset_table([claim(0, 100, "a"), claim(40, 60, "b"), claim(None, 10, "a"), claim(90, None, None), claim(5, 8, "a")])
    assert [(row.start_s, row.end_s, row.host) for row in table.rows] == [(946_684_800, T + 40, "a"), (T + 60, T + 90, "a")]
    assert [(found.ip, found.hosts, found.seconds) for found in table.ambiguous] == [(IP, ("", "a"), 10), (IP, ("a", "b"), 20)]
    assert table.host_at("::FFFF:10.0.0.5", (T + 39) * 1_000_000 + 999_999) == "a"
    assert [table.host_at(IP, (T + second) * 1_000_000) for second in (40, 59, 60, 89, 90)] == [None, None, "a", "a", None]
    assert table.addresses_at("A.corp.example", T * 1_000_000) == (IP,) and table.addresses_at("b", T * 1_000_000) == ()


def test_the_table_agrees_with_asking_each_second() -> None:
    """Random claims: the rows say what counting the claims of each second says."""
    source = random.Random(1498)
    for _ in range(200):
        claims = []
        for _ in range(source.randrange(1, 7)):
            start = source.randrange(-2, 20)
            claims.append(
                claim(start, start + source.randrange(0, 12), source.choice(["a", "b", None]), source.choice([IP, "2001:db8::1"]))
            )
        table = asset_table(claims)
        for ip in (IP, "2001:0DB8::1"):
            for second in range(-3, 35):
                now = (T + second) * 1_000_000 + 500_000
                held = {c.host for c in claims if c.ip == ip.lower().replace("0d", "d") and (c.start_us or 0) <= now < (c.end_us or 0)}
                assert table.host_at(ip, now) == (held.pop() if len(held) == 1 else None)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Mac-042.corp.example", "mac-042"),
        ("mac-042.local", "mac-042"),
        ("MAC-042.", "mac-042"),
        ("10.20.0.42", "10.20.0.42"),
        ("042.corp", "042.corp"),
        ("John's Mac", "john's mac"),
        ("a\nb", None),
        (" localhost.localdomain ", None),
        ("", None),
        (None, None),
    ],
)
def test_host_key(text: str | None, key: str | None) -> None:
    assert host_key(text) == key


def test_mac_key() -> None:
    assert {mac_key(text) for text in ("02-00-00-00-00-0A", "0200.0000.000a", " 02:00:00:00:00:0a")} == {A}
    assert [mac_key(text) for text in ("", "02:00", "zz:00:00:00:00:00", None, 5)] == ["", "", "", "", ""]


def test_dhcp_log_as_tsv_and_json(tmp_path: Path) -> None:
    record = {"ts": "2026-01-09T23:06:40Z", "uids": ["C1"], "mac": A, "host_name": "mac-a", "assigned_addr": IP, "lease_time": 60.0}
    (tmp_path / "dhcp.log").write_text(json.dumps(record | {"msg_types": ["REQUEST", "ACK"]}) + "\n")
    names = ("ts", "mac", "host_name", "assigned_addr", "lease_time", "msg_types")
    types = ("time", "string", "string", "addr", "interval", "vector[string]")
    cells = (f"{T}.000000", A, "mac-a", IP, "60.000000", "REQUEST,ACK")
    header = ["#separator \\x09", "#set_separator\t,", "#path\tdhcp", "#fields\t" + "\t".join(names), "#types\t" + "\t".join(types)]
    (tmp_path / "tsv.log").write_text("\n".join([*header, "\t".join(cells)]) + "\n")
    for name in ("dhcp.log", "tsv.log"):
        assert rows(list(read_log(tmp_path / name, "zeek"))) == [(IP, 0, 60, "mac-a")]


GOOD = """\
Host,IP,Mac,owner,start,end
mac-a.corp,10.0.0.5,02-00-00-00-00-0A,x,2026-01-09T23:06:40Z,1768000100
mac-b,,0200.0000.000b,,,
MAC-C,2001:DB8::0:1,,,,

"""


def test_a_cmdb(tmp_path: Path) -> None:
    file = tmp_path / "cmdb.csv"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    found = read_cmdb(file)
    assert dict(found.names) == {A: "mac-a", B: "mac-b"}
    assert [(row.ip, row.start_s, row.end_s, row.host) for row in asset_table(found.claims).rows] == [
        (IP, T, T + 100, "mac-a"),
        ("2001:db8::1", 946_684_800, 253_402_300_799, "mac-c"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: there is no column 'host'"),
        ("hostname,ip\n", "1: there is no column 'host'; name the columns in the first line: host, ip, mac, start, end; rename 'hostname'"),
        ("host\n", "1: there is no column 'ip'"),
        ("host,ip,ip\n", "1: the column 'ip' stands twice"),
        ("host,ip\na,10.0.0.1\nb\n", "3: 1 cells, the header has 2"),
        ("host,ip\n,10.0.0.1\n", "2: '' names no host"),
        ("host,ip\na,10.0.0.300\n", "2: '10.0.0.300' is no IP address"),
        ("host,ip\na,10.0.0.0/8\n", "2: '10.0.0.0/8' is no IP address"),
        ("host,ip\na,\n", "2: 'a' has neither an address nor a hardware address"),
        ("host,mac\na,02:00\n", "2: '02:00' is no hardware address"),
        (f"host,mac\na,{A}\nb,{A}\n", f"3: {A} is 'b' here and 'a' in line 2"),
        (f"host,mac,ip,start\na,{A},,5\n", "2: 'start' and 'end' without 'ip'"),
        ("host,ip,start\na,10.0.0.1,yesterday\n", "2: 'yesterday' is not a time"),
        ("host,ip,start\na,10.0.0.1,2026-01-09\n", "2: '2026-01-09' is not a time"),
        ("host,ip,start,end\na,10.0.0.1,100,100\n", "2: the end '100' is not after the start '100'"),
        ('host,ip\n"a,10.0.0.1\n', "is not CSV"),
    ],
)
def test_a_cmdb_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "cmdb.csv"
    file.write_text(text)
    with pytest.raises(TelemetryError) as raised:
        read_cmdb(file)
    assert problem in str(raised.value) and str(file) in str(raised.value)


def test_a_cmdb_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "cmdb.csv").write_bytes(b"host,ip\nj\xf6rg,10.0.0.1\n")
    with pytest.raises(TelemetryError, match=r"cmdb\.csv:2: is not UTF-8"):
        read_cmdb(tmp_path / "cmdb.csv")
