"""The app of a staged target: event searches that write, correlations that read what they have written, both from savedsearches.conf."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from tests.ship.pack import ROOT, staged_pack, staged_searches_of
from tests.ship.splunk.conf_reader import read_conf

from an1498.compiler import compile_search
from an1498.compiler.spl_staged import parted
from an1498.model import Language, Pack, Search
from an1498.replay.prepare import prepare
from an1498.replay.scenarios import load_scenarios, run_scenarios
from an1498.ship.splunk import app_files
from an1498.ship.splunk.names import macro, saved_search

TARGET = "splunk-staged"
Conf = dict[str, dict[str, str]]


@cache
def conf(name: str) -> Conf:
    return read_conf(app_files(staged_pack(), TARGET, staged_searches_of(TARGET))[f"an1498/default/{name}.conf"])


def macros() -> dict[str, str]:
    return {name: settings["definition"] for name, settings in conf("macros").items()}


def shipped() -> list[Search]:
    return [replace(search, text=conf("savedsearches")[saved_search(search.rule)]["search"]) for search in staged_searches_of(TARGET)]


def test_both_steps_of_the_shipped_searches_raise_the_expected_alerts() -> None:
    pack = staged_pack()
    report = run_scenarios(pack, shipped(), {TARGET: macros()}, load_scenarios(ROOT / "samples", pack))
    assert [(o.scenario, o.search.rule, o.status, o.detail) for o in report.failures] == []
    raised = {outcome.search.rule for outcome in report.outcomes if outcome.actual and outcome.search.kind == "correlation"}
    assert raised == set(pack.correlations)


def test_a_local_filter_of_an_event_search_decides_what_is_written() -> None:
    pack = staged_pack()
    correlation = pack.correlations["an1498_public_key_use_then_unrecognised_certificate"]
    (scenario,) = (
        replace(replayed, scenario=replace(replayed.scenario, expect=()))
        for replayed in load_scenarios(ROOT / "samples" / "implant_self_signed_server", pack)
    )
    searches = [search for search in shipped() if search.rule in (correlation.name, *correlation.rules)]
    for definition, alerts in (("search *", 1), ("search NOT _time=*", 0)):
        filtered = macros() | {macro("macos_public_key_use", "filter"): definition}
        outcomes = run_scenarios(pack, searches, {TARGET: filtered}, [scenario]).outcomes
        assert [len(outcome.actual) for outcome in outcomes if outcome.search.staged] == [alerts]


def hostile_pack(value: str) -> Pack:
    """With a list parameter whose text tries to be the end of a search."""
    pack = staged_pack()
    parameter = pack.parameters["allowed_processes"]
    return replace(pack, parameters={**pack.parameters, parameter.name: replace(parameter, value=(value,))})


@pytest.mark.parametrize(
    "value",
    [
        '/x" | collect index=main',
        "/x | eval an1498_orig_time=1",
        "/x\n| eval an1498_orig_time=1 | collect `an1498_staged` output_format=hec",
        "/x`an1498_staged`",
        "/x]] [search *",
        "$source$ %s",
        'source="AN1498 - zeek tls handshake failed - Rule"',
    ],
)
def test_values_do_not_change_what_a_search_writes(value: str) -> None:
    """Whatever a list holds, the part that writes is the same, stands alone at the end (replay takes no other), and reads the same."""
    pack = hostile_pack(value)
    rule = "macos_public_key_use"
    (ordinary,) = (search.text for search in staged_searches_of(TARGET) if search.rule == rule)
    text = compile_search(pack, rule, TARGET, Language.SPL).text
    assert parted(text)[1] == parted(ordinary)[1]
    assert prepare(Language.SPL, text, macros=macros()).fields == prepare(Language.SPL, ordinary, macros=macros()).fields


def test_stages_are_written_and_nothing_else_is() -> None:
    pack = staged_pack()
    stages = {rule for correlation in pack.correlations.values() for rule in correlation.rules}
    for rule in pack.rules:
        settings = conf("savedsearches")[saved_search(rule)]
        writes = settings["search"].endswith("| collect `an1498_staged` output_format=hec")
        assert writes == (rule in stages)
        if writes:
            assert (settings["enableSched"], settings["disabled"], settings["action.risk"]) == ("1", "1", "0")
            assert settings["action.notable"] == "0"
            assert f"| `{macro(rule, 'filter')}`\n| eval an1498_orig_time=" in settings["search"]
    assert macros()["an1498_staged"] == "index=risk"


def test_correlations_end_where_all_event_searches_have_written() -> None:
    """Over hours of runs: a correlation's range lies inside what the runs have written that ended a staging lag ago."""
    saved = conf("savedsearches")
    lag = staged_pack().targets[TARGET].staging
    assert lag is not None
    for correlation in staged_pack().correlations.values():
        settings = saved[saved_search(correlation.name)]
        for rule in correlation.rules:
            writer = saved[saved_search(rule)]
            assert writer["schedule_window"] == "0" and writer["realtime_schedule"] == "0"
            for run in runs(settings)[-24:]:
                begin, end = (run + bound for bound in bounds(settings))
                covered = [tuple(at + bound for bound in bounds(writer)) for at in runs(writer) if at + lag.lag_s <= run]
                covered = [found for found in covered if found[1] > begin]
                assert covered[0][0] <= begin and covered[-1][1] >= end
                if "info_min_time" in settings["search"]:
                    assert begin + int(settings["search"].partition("info_min_time+")[2].split("\n")[0]) == end - 300
                assert all(earlier[1] == later[0] for earlier, later in pairwise(covered))


def runs(settings: dict[str, str]) -> list[int]:
    minutes = [int(minute) for minute in settings["cron_schedule"].split()[0].split(",")]
    return [hour * 3600 + minute * 60 for hour in range(4) for minute in minutes]


def bounds(settings: dict[str, str]) -> tuple[int, int]:
    earliest, latest = (int(settings[f"dispatch.{end}_time"].removesuffix("s")) for end in ("earliest", "latest"))
    return earliest, latest


@pytest.mark.parametrize("rule", ["an1498_public_key_use_then_unrecognised_certificate", "an1498_key_use_then_trust_failure_on_host"])
def test_drilldowns_find_the_written_events(rule: str) -> None:
    """Over the written events of a sample, each stage's drilldown finds some for the group that alerts."""
    import duckdb

    from an1498.replay.alerts import index_streams
    from an1498.replay.staging import staged

    pack = staged_pack()
    (search,) = (search for search in staged_searches_of(TARGET) if search.rule == rule)
    settings = conf("savedsearches")[saved_search(rule)]
    streams = [replayed.events for replayed in load_scenarios(ROOT / "samples", pack)]
    with duckdb.connect(config={"threads": 1}) as connection:
        found = staged(index_streams(connection, pack.targets[TARGET], streams), staged_searches_of(TARGET))
        alert = prepare(Language.SPL, settings["search"], macros=macros()).execute(found.table)[0]
        for drilldown in json.loads(settings["action.notable.param.drilldown_searches"]):
            text = drilldown["search"]
            for column in search.group_by:
                text = text.replace(f"${column}$", str(alert.values[column]))
            assert prepare(Language.SPL, text, macros=macros()).execute(found.table)
