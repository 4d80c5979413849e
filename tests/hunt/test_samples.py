"""Hunting the logs of a scenario raises the alerts that the scenario expects: two ways into one search, one answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from an1498.content.scenarios import load_scenario
from an1498.hunt.engine import hunt
from an1498.hunt.hosts import Hosts
from an1498.hunt.output import moment
from an1498.model import Pack
from an1498.times import time_text

SAMPLES = Path(__file__).parents[2] / "samples"
NAMES = [
    "implant_self_signed_server",
    "two_hosts_interleaved",
    "handshake_failure_burst_slides",
    "untrusted_tls_fan_out_edges",
    "on_host_handshake_failures",
    "launchd_window_edges",
    "several_addresses",
    "with_dhcp_log",
    "ipv6",
]


@pytest.mark.parametrize("name", NAMES)
def test_hunting_a_scenario_raises_what_it_expects(pack: Pack, name: str) -> None:
    scenario = load_scenario(SAMPLES / name / "scenario.yml", pack)
    hosts = Hosts(tuple((source.file.absolute().as_posix(), source.host) for source in scenario.sources if source.host))
    found = hunt(pack, "splunk", [source.file for source in scenario.sources], hosts=hosts)
    expected = [
        (one.rule, time_text(alert.on("splunk").time_ms), alert.on("splunk").group)
        for one in scenario.expect
        if one.rule in pack.correlations
        for alert in one.alerts
    ]
    assert sorted((one.rule, moment(one.time_s), tuple(sorted(one.group))) for one in found.findings) == sorted(expected)
    assert found.rejects == 0 and found.problems == []
    assert all(one.fast for one in found.loaded)


@pytest.mark.parametrize("rule", ["macos_public_key_use", "zeek_tls_self_signed_certificate", "macos_key_import"])
def test_named_event_rules(pack: Pack, rule: str) -> None:
    scenario = load_scenario(SAMPLES / "implant_self_signed_server" / "scenario.yml", pack)
    found = hunt(pack, "splunk", [source.file for source in scenario.sources], rules=[rule])
    expected = next(one for one in scenario.expect if one.rule == rule)
    assert sorted(moment(one.time_s) for one in found.findings) == sorted(
        time_text(alert.on("splunk").time_ms) for alert in expected.alerts
    )
    assert {one.kind for one in found.findings} == {"event"}
