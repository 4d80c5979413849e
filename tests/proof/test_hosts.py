"""Correlations by host (entity = "lookup") over random streams and random tables of assets: SPL and ES|QL against the reference.

The tables are drawn with the streams: leases that begin and end on the second around which events are drawn, several addresses of one
host, addresses that change hands, claims that differ. The reference knows only who had which address when."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from an1498.compiler import compile_search
from an1498.errors import Location
from an1498.model import CorrelationType, Entity, Host, Language, NativeEvent
from an1498.proof import synthetic
from an1498.proof.reference import Observation, firings
from an1498.proof.streams import START_MS, Drawn, draw
from an1498.proof.synthetic import MAC, ZEEK, Case
from an1498.replay.alerts import alerts, index_streams
from an1498.replay.assets import asset_lookups
from an1498.telemetry.assets import AssetTable, Claim, asset_table

STREAMS, LONGEST = 120, 40
HERE = Location("stream")
NAMES = ("mac-1", "mac-1", "MAC-1.corp.example", "mac-1.local", "mac-2", "10.20.0.11", None)
ADDRESSES = ("10.20.0.1", "10.20.0.1", "::ffff:10.20.0.1", "2001:db8::5", "2001:db8::5", "10.20.0.99", None)
CASES = {
    "ordered": ({"sensors": (MAC, MAC, ZEEK), "skew_s": 2}, CorrelationType.TEMPORAL_ORDERED),
    "events counted": ({"sensors": (ZEEK, ZEEK), "condition": {"gte": 3}}, CorrelationType.EVENT_COUNT),
    "values counted": ({"sensors": (ZEEK,), "condition": {"gte": 2, "field": "number"}}, CorrelationType.VALUE_COUNT),
}


def key(name: str) -> str:
    """What the design says of a host's name: case and domain do not count, and an address is no name with a domain."""
    return name if name.replace(".", "").isdigit() else name.lower().split(".")[0]


def table(rng: random.Random, window_s: int) -> AssetTable:
    claims = []
    for _ in range(rng.randrange(1, 5)):
        ip = rng.choice(("10.20.0.1", "2001:db8::5"))
        start = START_MS // 1000 + rng.randrange(-3 * window_s, 3 * window_s)
        end = start + rng.choice((1, window_s // 2, 4 * window_s, 20 * window_s))
        host = rng.choice(("mac-1", "mac-1", "mac-1", "mac-2", "10.20.0.11"))
        claims.append(Claim(ip, start * 1_000_000, end * 1_000_000, host, "", "dhcp", HERE))
    return asset_table(claims)


def observed(drawn: Drawn, assets: AssetTable, rng: random.Random) -> tuple[NativeEvent, Observation]:
    """The raw event of a machine drawn anew, and what the reference sees of it."""
    time_us = drawn.observation.time_ms * 1000
    words = " ".join(drawn.observation.groups) or "nothing"
    values = {name: value for name, value in drawn.observation.values.items() if value is not None}
    if drawn.sensor == ZEEK:
        address = rng.choice(ADDRESSES)
        fields: dict[str, Any] = {"id.resp_h": "203.0.113.9", "server_name": words.replace(" ", "."), **values}
        if address is not None:
            fields["id.orig_h"] = address
        host = None if address is None else assets.host_at(address, time_us)
        event = NativeEvent("zeek", "ssl", time_us, fields, HERE)
    else:
        name = rng.choice(NAMES)
        fields = {"eventType": "activityCreateEvent", "eventMessage": f"did {words} now", "host.ip": ["10.20.0.1"], **values}
        if name is not None:
            fields["host.name"] = name
        host = None if name is None else key(name)
        event = NativeEvent("macos", "unifiedlog", time_us, fields, HERE, Host(name or "", ips=("10.20.0.1",)))
    group = None if host is None else (host,)
    return event, dataclasses.replace(drawn.observation, groups=dict.fromkeys(drawn.observation.groups, group))


@pytest.mark.parametrize("name", CASES)
def test_by_host(name: str, tmp_path: Path) -> None:
    options, kind = CASES[name]
    case: Case = synthetic.case(kind, **options, window_s=10)  # type: ignore[arg-type]
    rng = random.Random(f"1498 {name}")
    streams = []
    for _ in range(STREAMS):
        assets = table(rng, 10)
        streams.append((assets, [observed(drawn, assets, rng) for drawn in draw(case.spec, case.population, rng, LONGEST)]))
    expected = [firings(case.spec, [observation for _, observation in stream]) for _, stream in streams]
    assert sum(map(len, expected)) > STREAMS // 10, "hardly anything fires: the streams prove nothing"
    pack = synthetic.load(case, tmp_path)
    targets = {name: dataclasses.replace(target, entity=Entity.LOOKUP) for name, target in pack.targets.items()}
    pack = dataclasses.replace(pack, targets=targets)
    for target, language in (("splunk", Language.SPL), ("elastic", Language.ESQL)):
        search = compile_search(pack, synthetic.NAME, target, language)
        lookups = asset_lookups(targets[target], [assets for assets, _ in streams])
        with duckdb.connect() as connection:
            indexed = index_streams(connection, targets[target], [[event for event, _ in stream] for _, stream in streams], lookups=lookups)
            found = alerts(pack, search, indexed)
        assert [{((dict(alert.group)["entity"],), alert.time_ms) for alert in stream} for stream in found] == expected, language
