"""Whose unified log it is, from the archive's own dhcp.log: no map, no address given, and an address that changes hands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hunt.conftest import SELF_SIGNED, key_use, ssl_tsv

from an1498.baseline.kept import opened_archive
from an1498.hunt.engine import hunt
from an1498.hunt.hosts import Hosts, host_options
from an1498.model import Pack
from an1498.readiness.archive import Intake, events
from an1498.readiness.tally import Tally

Write = Callable[[str, bytes], Path]
RULE = "an1498_public_key_use_then_unrecognised_certificate"
START = 1768471200.0  # 2026-01-15 10:00:00


def lease(name: str, address: str, start: float, seconds: float = 3600.0) -> bytes:
    row = {
        "ts": start,
        "mac": f"02:00:00:00:00:{abs(hash(name)) % 100:02d}",
        "host_name": name,
        "assigned_addr": address,
        "lease_time": seconds,
        "msg_types": ["REQUEST", "ACK"],
        "duration": 0.0,
    }
    return json.dumps(row).encode() + b"\n"


# dhcp.log, whether the session of 10.20.0.42 at 10:00:05 is the Mac's
CASES = {
    "it had the address": (lease("mac-042", "10.20.0.42", START - 600), True),
    "under another spelling": (lease("MAC-042.local", "10.20.0.42", START - 600), True),
    "the lease begins later": (lease("mac-042", "10.20.0.42", START + 3), False),
    "the lease ended": (lease("mac-042", "10.20.0.42", START - 600, 300.0), False),
    "it had another address": (lease("mac-042", "10.20.0.43", START - 600), False),
    "another machine had it": (lease("mac-042", "10.20.0.42", START - 600) + lease("mac-007", "10.20.0.42", START - 60), False),
    "two addresses are no key": (lease("mac-042", "10.20.0.42", START - 600) + lease("mac-042", "10.30.0.9", START - 500), False),
}


@pytest.mark.parametrize("name", CASES)
def test_the_address_of_the_time(pack: Pack, write: Write, name: str) -> None:
    log, meets = CASES[name]
    write("logs/mac-042/u.ndjson", key_use())
    write("logs/zeek/ssl.log", ssl_tsv(SELF_SIGNED))
    write("logs/zeek/dhcp.log", log)
    found = hunt(pack, "splunk", [Path("logs")], rules=[RULE])
    assert [one.rule for one in found.findings] == ([RULE] if meets else [])
    assert found.problems == []
    if meets:
        assert found.findings[0].events[0].fields["host.ip"] == "10.20.0.42"
        assert found.unaddressed == []


def test_what_the_user_says_goes_first(pack: Pack, write: Write) -> None:
    write("logs/u.ndjson", key_use())
    write("logs/ssl.log", ssl_tsv(SELF_SIGNED))
    write("logs/dhcp.log", lease("mac-042", "10.20.0.99", START - 600) + b"{broken\n")
    found = hunt(pack, "splunk", [Path("logs")], rules=[RULE], hosts=Hosts(named=host_options(["mac-042=10.20.0.42"])))
    assert len(found.findings) == 1
    assert [problem.location.line for problem in found.problems] == [2]
    # A bare name takes the leases.
    found = hunt(pack, "splunk", [Path("logs")], rules=[RULE], hosts=Hosts(named=host_options(["mac-042"])))
    assert (len(found.findings), found.unaddressed) == (0, [])


def test_readiness_and_baseline_know_them_too(pack: Pack, write: Write) -> None:
    write("logs/mac-042/u.ndjson", key_use())
    write("logs/ssl.log", ssl_tsv(SELF_SIGNED))
    write("logs/dhcp.log", lease("mac-042", "10.20.0.42", START - 600))
    tally = Tally()
    for event in events(pack, [Path("logs")], Hosts(), Intake(), lambda _: None):
        tally.add(event)
    assert tally.joinable() == ({"mac-042"}, {"mac-042"})
    with opened_archive(pack, pack.targets["splunk"], [Path("logs")], Hosts(), lambda _: None) as kept:
        assert len(kept.alerts(pack, RULE)) == 1
