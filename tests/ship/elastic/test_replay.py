"""The queries of rules.ndjson, read back from the file, raise over the samples exactly the alerts that the scenarios expect."""

from __future__ import annotations

from dataclasses import replace

from tests.ship.elastic.conftest import rules_of
from tests.ship.pack import ROOT, searches_of

from an1498.model import Pack
from an1498.replay.scenarios import load_scenarios, run_scenarios
from an1498.ship.elastic.selection import select


def test_the_shipped_rules_raise_the_expected_alerts(pack: Pack, target: str) -> None:
    shipped = {rule["rule_id"]: rule for rule in rules_of(target)}
    searches = []
    for item in select(searches_of(target)):
        rule = shipped.pop(item.rule_id)
        # Nothing of the compiled search's own text is left: what runs is what Kibana would run.
        searches.append(replace(item.search, text=rule["query"], tiebreaker=rule.get("tiebreaker_field", "")))
    assert shipped == {}
    report = run_scenarios(pack, searches, {}, load_scenarios(ROOT / "samples", pack))
    assert [(o.scenario, o.search.rule, o.search.language, o.status, o.detail) for o in report.failures] == []
    raised = {outcome.search.rule for outcome in report.outcomes if outcome.actual and outcome.search.kind == "correlation"}
    assert raised == set(pack.correlations)
