"""The searches of savedsearches.conf, read back from the file, raise over the samples exactly the alerts that the scenarios expect."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ship.pack import ROOT, searches_of
from tests.ship.splunk.conf_reader import read_conf
from tests.ship.splunk.conftest import app_of

from an1498.model import Language, Pack, Search
from an1498.replay.prepare import prepare
from an1498.replay.scenarios import load_scenarios, run_scenarios
from an1498.ship import read_macros_conf
from an1498.ship.splunk.names import macro, saved_search


def shipped(target: str) -> tuple[list[Search], dict[str, str]]:
    """The searches with the text that Splunk would run, and the app's macros: nothing of the compiled text is left."""
    app = app_of(target)
    stanzas = read_conf(app["an1498/default/savedsearches.conf"])
    macros = {name: settings["definition"] for name, settings in read_conf(app["an1498/default/macros.conf"]).items()}
    searches = [replace(search, text=stanzas.pop(saved_search(search.rule))["search"]) for search in searches_of(target)]
    assert stanzas == {}
    return searches, macros


def test_the_shipped_searches_raise_the_expected_alerts(pack: Pack, target: str) -> None:
    searches, macros = shipped(target)
    report = run_scenarios(pack, searches, {target: macros}, load_scenarios(ROOT / "samples", pack))
    assert [(o.scenario, o.search.rule, o.status, o.detail) for o in report.failures] == []
    raised = {outcome.search.rule for outcome in report.outcomes if outcome.actual and outcome.search.kind == "correlation"}
    assert raised == set(pack.correlations)


def test_a_local_filter_decides_what_is_left(pack: Pack) -> None:
    searches, macros = shipped("splunk")
    silenced = macros | {macro(name, "filter"): "search NOT _time=*" for name in pack.correlations}
    report = run_scenarios(pack, searches, {"splunk": silenced}, load_scenarios(ROOT / "samples", pack))
    assert [outcome.actual for outcome in report.outcomes if outcome.search.kind == "correlation" and outcome.actual] == []
    assert any(outcome.actual for outcome in report.outcomes)


def test_the_compiled_text_is_shipped_byte_for_byte(target: str) -> None:
    searches, _ = shipped(target)
    for compiled, search in zip(searches_of(target), searches, strict=True):
        added = search.text.removeprefix(compiled.text)
        assert search.text.startswith(compiled.text)
        assert added.splitlines()[-1] == f"| `{macro(search.rule, 'filter')}`"
        assert added.count("\n") == (1 if "addinfo" not in added else 4)


def test_the_pack_s_own_reader_reads_the_macros(tmp_path: Path, target: str) -> None:
    content = app_of(target)["an1498/default/macros.conf"]
    (tmp_path / "macros.conf").write_bytes(content)
    assert read_macros_conf(tmp_path / "macros.conf") == {name: s["definition"] for name, s in read_conf(content).items()}


def test_drilldowns_find_the_events_behind_an_alert() -> None:
    stanzas = read_conf(app_of("splunk")["an1498/default/savedsearches.conf"])
    macros = {name: settings["definition"] for name, settings in read_conf(app_of("splunk")["an1498/default/macros.conf"]).items()}
    found = 0
    for settings in stanzas.values():
        for drilldown in json.loads(settings.get("action.notable.param.drilldown_searches", "[]")):
            text = drilldown["search"]
            for column in settings["action.notable.param.nes_fields"].split(","):
                assert f"${column}$" in text
                text = text.replace(f"${column}$", "10.20.0.42")
            assert "$" not in text
            prepare(Language.SPL, text, macros=macros)
            found += 1
    assert found >= 12


@pytest.mark.parametrize("rule", ["an1498_handshake_failure_burst", "an1498_untrusted_tls_fan_out"])
def test_counts_alert_in_the_newest_interval_only(rule: str) -> None:
    """Warm-up + interval + ingest lag = lookback: the ranges in which consecutive runs alert meet, and do not overlap."""
    (search,) = (search for search in shipped("splunk")[0] if search.rule == rule)
    warm_up = int(search.text.partition("info_min_time+")[2].split("\n")[0])
    assert warm_up + search.interval_s + 120 == search.lookback_s
    assert warm_up >= 2 * search.timespan_s
