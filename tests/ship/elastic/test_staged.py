"""The bundle of a staged target: building blocks whose alerts the correlations read, both from rules.ndjson."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

from tests.ship.elastic.conftest import lines
from tests.ship.elastic.test_ingest import nested, run
from tests.ship.elastic.test_rules import VALIDATOR
from tests.ship.pack import ROOT, staged_pack, staged_searches_of

from an1498.model import Search
from an1498.replay.scenarios import load_scenarios, run_scenarios
from an1498.ship.elastic import bundle_files
from an1498.ship.elastic.fields import alert_types
from an1498.ship.elastic.selection import select

TARGET = "elastic-staged"
ALERTS = ".alerts-security.alerts-default"


@cache
def bundle() -> dict[str, bytes]:
    return dict(bundle_files(staged_pack(), TARGET, staged_searches_of(TARGET)))


def rules(kind: str = "") -> list[dict[str, Any]]:
    """The rules of one kind, `event` or `correlation`; all without one."""
    found = lines(bundle()["rules.ndjson"])
    return [rule for rule in found if not kind or ("building_block_type" in rule) == (kind == "event")]


def shipped() -> list[Search]:
    by_id = {rule["rule_id"]: rule for rule in rules()}
    found = []
    for item in select(staged_searches_of(TARGET)):
        rule = by_id.pop(item.rule_id)
        time = rule.get("timestamp_field", item.search.time_field)
        found.append(replace(item.search, text=rule["query"], tiebreaker=rule.get("tiebreaker_field", ""), time_field=time))
    assert by_id == {}
    return found


def test_both_steps_of_the_shipped_rules_raise_the_expected_alerts() -> None:
    pack = staged_pack()
    report = run_scenarios(pack, shipped(), {}, load_scenarios(ROOT / "samples", pack))
    assert [(o.scenario, o.search.rule, o.search.language, o.status, o.detail) for o in report.failures] == []
    raised = {(o.search.rule, o.search.language) for o in report.outcomes if o.actual and o.search.kind == "correlation"}
    assert raised == {(search.rule, search.language) for search in shipped() if search.kind == "correlation"}


def test_rules_have_the_form_of_the_import_and_are_disabled() -> None:
    for rule in rules():
        assert [error.message for error in VALIDATOR.iter_errors(rule)] == []
        assert rule["enabled"] is False


def test_correlations_read_alerts_of_building_blocks_that_are_there() -> None:
    blocks = {rule["rule_id"] for rule in rules("event")}
    seen = set()
    for rule in rules("correlation"):
        ids = set(re.findall(r'kibana\.alert\.rule\.rule_id == "([^"]+)"', rule["query"]))
        for group in re.findall(r"kibana\.alert\.rule\.rule_id in \(([^)]*)\)", rule["query"], re.IGNORECASE):
            ids |= set(re.findall(r'"([^"]+)"', group))
        assert ids and ids <= blocks
        assert "logs-" not in rule["query"]
        assert f"FROM {ALERTS}\n" in rule["query"] if rule["type"] == "esql" else rule["index"] == [ALERTS]
        assert {item["name"] for item in rule["required_fields"]} <= set(alert_types())
        assert f"`{ALERTS}`" in rule["setup"]
        seen |= ids
    stages = {name for correlation in staged_pack().correlations.values() for name in correlation.rules}
    assert len(seen) == len(stages)


def test_alerts_of_one_millisecond_are_ordered_by_the_ranks_in_the_ids() -> None:
    ordered = [rule for rule in rules("correlation") if rule["type"] == "eql"]
    assert len(ordered) >= 4
    for rule in ordered:
        ids = re.findall(r'rule_id == "(\d{4}-[0-9a-f-]{36})"', rule["query"])
        assert ids == sorted(ids, reverse=True) and len({found[:4] for found in ids}) == len(ids)
        assert (rule["tiebreaker_field"], rule["timestamp_field"]) == ("kibana.alert.rule.rule_id", "kibana.alert.original_time")


def test_correlations_end_where_every_building_block_has_run() -> None:
    """Event times: what a run of a building block has not seen or not yet written lies after the end of the correlation's range."""
    target = staged_pack().targets[TARGET]
    assert target.staging is not None
    for rule in rules("correlation"):
        search = next(item.search for item in select(staged_searches_of(TARGET)) if item.rule_id == rule["rule_id"])
        end = int(re.fullmatch(r"now-(\d+)s", rule["to"])[1])  # type: ignore[index]
        assert end == target.ingest_lag_s + target.interval_s + target.staging.lag_s
        assert rule["from"] == f"now-{search.lookback_s}s"
        windows = search.timespan_s * (1 if "sequence" in rule["query"] or "first_time = TO_DATETIME(an1498_s1)" in rule["query"] else 2)
        assert search.lookback_s == end + target.interval_s + windows
        assert (rule["timestamp_override"], rule["timestamp_override_fallback_disabled"]) == ("kibana.alert.original_time", True)
    for rule in rules("event"):
        assert (rule["timestamp_override"], rule["to"]) == ("event.ingested", "now")


def test_the_pipeline_puts_the_machine_where_alerts_keep_it() -> None:
    pipeline = json.loads(bundle()["ingest_pipelines/logs-unifiedlogs.log@custom.json"])
    steps = [next(iter(step)) for step in pipeline["processors"]]
    assert steps == ["script", "remove", "set", "script"]
    document = nested({"host.ip": ["127.0.0.1", "10.20.0.42"], "client.ip": "6.6.6.6"})
    # `run` knows set and script; `remove` is done here.
    assert pipeline["processors"][1]["remove"]["field"] == "client.ip"
    del document["client"]
    run({"processors": [step for step in pipeline["processors"] if "remove" not in step]}, document)
    assert document["client"] == {"ip": "10.20.0.42"}
    template = json.loads(bundle()["component_templates/logs-unifiedlogs.log@custom.json"])
    assert template["template"]["mappings"]["properties"]["client"] == {"properties": {"ip": {"type": "ip"}}}
    assert "client.ip" not in bundle()["ingest_pipelines/logs-zeek.ssl@custom.json"].decode()


def test_direct_bundles_know_nothing_of_staging() -> None:
    direct = bundle_files(staged_pack(), "elastic", staged_searches_of("elastic"))
    assert not [path for path, content in direct.items() if b"client.ip" in content and path.startswith("ingest")]
    assert b"kibana.alert.rule.rule_id" not in direct["rules.ndjson"]
