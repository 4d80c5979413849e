"""Strategies of the alias `entity` from raw logs to alerts: the host by the table of assets, the flow by community ID."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from an1498.cli.program import run
from an1498.compiler import compile_search
from an1498.content import load_pack
from an1498.model import Language
from an1498.replay.alerts import alerts, index_streams
from an1498.replay.assets import asset_lookups
from an1498.replay.scenarios import load_scenarios

ROOT = Path(__file__).parents[2]
HOSTS = ROOT / "environments" / "hosts"
TARGETS = ("--target", "splunk-hosts", "--target", "elastic-hosts")


def test_scenarios_by_host(capsys: pytest.CaptureFixture[str]) -> None:
    """Leases that move, NAT, several addresses, IPv6, unknown addresses: the shipped overlay and its scenarios, for both SIEMs."""
    overlay = str(ROOT / "environments" / "hosts.toml")
    assert run(["--root", str(ROOT), "--env", overlay, "test", "--samples", str(HOSTS), *TARGETS, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scenarios"] == len(list(HOSTS.iterdir())) and found["failed"] == 0
    fired = {(result["scenario"], result["target"]) for result in found["results"] if result["actual"]}
    assert len(fired) == 2 * 7
    compared = {(result["target"], result["language"]) for result in found["results"] if result["expected"]}
    assert compared == {("splunk-hosts", "spl"), ("elastic-hosts", "esql")}


def test_a_failure_says_whose_events_they_were(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(HOSTS / "lease_moves_without_incident", tmp_path / "s")
    scenario = tmp_path / "s" / "scenario.yml"
    alerts = 'alerts: [{time: "2026-01-15T10:01:30.000Z", group: {entity: mac-a}}]'
    scenario.write_text(scenario.read_text().replace("alerts: []", alerts))
    overlay = str(ROOT / "environments" / "hosts.toml")
    assert run(["--root", str(ROOT), "--env", overlay, "test", "--samples", str(tmp_path), "--target", "splunk-hosts"]) == 1
    said = capsys.readouterr().out
    assert "entity=mac-a" in said and "entity=mac-b" in said
    assert "missing 2026-01-15T10:01:30.000Z: the last stage's event has entity=mac-b, not entity=mac-a" in said


PAIR, BURST = "an1498_public_key_use_then_unrecognised_certificate", "an1498_handshake_failure_burst"
HELD = "@timestamp >= an1498_asset_from AND @timestamp < an1498_asset_until"
MUTANTS = [
    ("splunk-hosts", PAIR, "if(_time<tonumber(an1498_end), an1498_host, null())", "an1498_host"),
    ("splunk-hosts", PAIR, "_time<tonumber(an1498_end)", "_time>=tonumber(an1498_end)"),
    ("splunk-hosts", PAIR, "replace(lower('host')", "replace('host'"),
    ("splunk-hosts", PAIR, "lower('host'), \"^([^.]*[^.0-9][^.]*)[.].*\"", "lower('host'), \"^(nothing)\""),
    ("splunk-hosts", PAIR, "if(_time<tonumber(an1498_end), an1498_host, null())", "'id.orig_h'"),
    ("splunk-hosts", BURST, "if(_time<tonumber(an1498_end), an1498_host, null())", "an1498_ip"),
    ("elastic-hosts", PAIR, HELD, "@timestamp >= an1498_asset_from"),
    ("elastic-hosts", PAIR, HELD, "@timestamp < an1498_asset_until"),
    ("elastic-hosts", PAIR, f"CASE({HELD}, an1498_asset_host)", "an1498_asset_host"),
    ("elastic-hosts", PAIR, "TO_LOWER(host.name)", "host.name"),
    ("elastic-hosts", PAIR, 'MV_FIRST(SPLIT(TO_LOWER(host.name), "."))', "TO_LOWER(host.name)"),
    ("elastic-hosts", BURST, f"CASE({HELD}, an1498_asset_host)", "an1498_asset_host"),
    ("elastic-hosts", BURST, f"CASE({HELD}, an1498_asset_host)", "TO_STRING(source.ip)"),
]


def test_every_mutant_of_the_lookup_is_killed() -> None:
    """By the scenarios alone: an end that nobody minds, a host's name as it stands, the address instead of the host."""
    pack = load_pack(ROOT, [ROOT / "environments" / "hosts.toml"])
    scenarios = load_scenarios(HOSTS, pack)
    survivors = []
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, language in (("splunk-hosts", Language.SPL), ("elastic-hosts", Language.ESQL)):
            target = pack.targets[name]
            lookups = asset_lookups(target, [replayed.assets for replayed in scenarios])
            indexed = index_streams(connection, target, [replayed.events for replayed in scenarios], lookups=lookups)
            for rule in (PAIR, BURST):
                search = compile_search(pack, rule, name, language)
                right = alerts(pack, search, indexed)
                for _, _, old, new in (mutant for mutant in MUTANTS if mutant[:2] == (name, rule)):
                    assert old in search.text
                    if alerts(pack, dataclasses.replace(search, text=search.text.replace(old, new)), indexed) == right:
                        survivors.append((name, rule, old, new))
    assert survivors == []


FLOW = """
title: A session with a bad certificate, then the end of its connection without a handshake
id: 3f1c2f44-5d5b-4b86-93a6-5a2f5a0f1498
name: flow
status: experimental
description: One flow as two sensors' logs see it.
level: medium
correlation:
    type: temporal_ordered
    rules: [zeek_tls_unrecognised_certificate, zeek_conn_tls_port_without_handshake]
    group-by: [entity]
    timespan: 5m
    aliases:
        entity: {zeek_tls_unrecognised_certificate: id.orig_h, zeek_conn_tls_port_without_handshake: id.orig_h}
"""
OVERLAY = """
[targets.splunk]
entity = "community_id"
[targets.splunk.skip]
{skip}
[targets.elastic]
entity = "community_id"
[targets.elastic.skip]
{skip}
"""


def test_a_flow_by_community_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ssl.log and conn.log of one flow join by its ID in every language; another flow of the same two machines does not. On Elastic the
    integration computes the ID, on Splunk the log has it (Zeek's community-id-logging): a session without one joins nothing there."""
    root = tmp_path / "root"
    root.mkdir()
    for name in ("an1498.toml", "pipelines"):
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "rules", root / "rules")
    (root / "rules" / "correlation" / "flow.yml").write_text(FLOW)
    per_machine = [name for name, correlation in load_pack(ROOT).correlations.items() if "entity" in correlation.group_by]
    overlay = tmp_path / "flows.toml"
    overlay.write_text(OVERLAY.format(skip="\n".join(f'{name} = "per machine"' for name in per_machine)))
    sample = tmp_path / "samples" / "flow"
    sample.mkdir(parents=True)
    flow = {"id.orig_h": "10.20.0.42", "id.orig_p": 50000, "id.resp_h": "203.0.113.10", "id.resp_p": 443}
    start, one, other, third = 1768471200.0, "1:QSEipLPEdQdod/ZQcumLdN7uxw0=", "1:other", "1:third"
    bad = {"established": True, "validation_status": "self-signed certificate"}
    plain = {"proto": "tcp", "conn_state": "SF", "history": "ShADadfF", "duration": 1.5, "orig_pkts": 9, "resp_pkts": 9}
    plain |= dict.fromkeys(("orig_bytes", "resp_bytes", "orig_ip_bytes", "resp_ip_bytes"), 1200)
    ssl = [
        {"ts": start, "uid": "C1", **flow, **bad, "community_id": one},
        {"ts": start, "uid": "C2", **flow, "id.orig_p": 50001, **bad, "community_id": other},
    ]
    conn = [
        {"ts": start + 1, "uid": "C1", **flow, **plain, "community_id": one},
        {"ts": start + 2, "uid": "C3", **flow, "id.orig_p": 50003, **plain, "community_id": third},
    ]
    for name, records in (("ssl", ssl), ("conn", conn)):
        (sample / f"{name}.log").write_text("".join(json.dumps(record) + "\n" for record in records))
    (sample / "scenario.yml").write_text(
        "title: One flow in two logs\nsources:\n    - {file: ssl.log, format: zeek}\n    - {file: conn.log, format: zeek}\nexpect:\n"
        f'    - {{rule: flow, alerts: [{{time: "2026-01-15T10:00:01.000Z", group: {{entity: "{one}"}}}}]}}\n'
    )
    arguments = ["--root", str(root), "--env", str(overlay), "test", "--samples", str(sample.parent), "--format", "json"]
    assert run([*arguments, "--target", "splunk", "--target", "elastic"]) == 0, capsys.readouterr().out
    found = json.loads(capsys.readouterr().out)
    fired = {(result["target"], result["language"]) for result in found["results"] if result["rule"] == "flow" and result["actual"]}
    assert fired == {("splunk", "spl"), ("elastic", "esql"), ("elastic", "eql")}


def test_replay_takes_the_files_of_assets_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--lookup` under the table's name: time-based for Splunk, typed for Elasticsearch."""
    assert run(["assets", "build", str(HOSTS / "lease_moves_to_another_host"), "--out", str(tmp_path)]) == 0
    table = tmp_path / "an1498_assets.csv"
    times = ("2026-01-15T10:00:05Z", "2026-01-15T10:00:20Z", "2026-01-15T10:01:00Z")
    events = "".join(json.dumps({"_time": time, "@timestamp": time, "ip": "10.20.0.42"}) + "\n" for time in times)
    (tmp_path / "events.ndjson").write_text(events)
    spl = "* | lookup an1498_assets ip OUTPUT host AS h, end AS e | eval h=if(_time<tonumber(e), h, null()) | sort 0 _time | table h"
    esql = (
        "FROM x | EVAL an1498_asset_ip = ip | LOOKUP JOIN an1498-assets ON an1498_asset_ip"
        " | EVAL h = CASE(@timestamp >= an1498_asset_from AND @timestamp < an1498_asset_until, an1498_asset_host)"
        " | STATS h = VALUES(h) BY @timestamp | SORT @timestamp | KEEP h"
    )
    (tmp_path / "mapping.json").write_text('{"ip": "ip"}')
    for language, text, name in (("spl", spl, "an1498_assets"), ("esql", esql, "an1498-assets")):
        (tmp_path / "search").write_text(text)
        capsys.readouterr()
        arguments = ["replay", "--language", language, "--search", str(tmp_path / "search"), "--events", str(tmp_path / "events.ndjson")]
        assert run([*arguments, "--lookup", f"{name}={table}", "--mapping", str(tmp_path / "mapping.json")]) == 0
        assert [json.loads(line)["h"] for line in capsys.readouterr().out.splitlines()] == ["mac-a", None, "mac-b"]


def test_hunt_knows_machines_by_address_only(capsys: pytest.CaptureFixture[str]) -> None:
    overlay = str(ROOT / "environments" / "hosts.toml")
    assert run(["--root", str(ROOT), "--env", overlay, "hunt", str(HOSTS), "--target", "splunk-hosts"]) == 2
    assert "target 'splunk-hosts' has entity = \"lookup\"" in capsys.readouterr().err
