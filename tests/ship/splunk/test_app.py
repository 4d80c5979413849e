"""What is in the app, and that it is the same bytes every time."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.ship.pack import searches_of
from tests.ship.splunk.conf_reader import read_conf
from tests.ship.splunk.conftest import app_of

from an1498.compiler import Compilation, compile_pack
from an1498.errors import ContentError
from an1498.model import Pack
from an1498.ship import read_build, write_build
from an1498.ship.splunk import app_files
from an1498.ship.splunk.names import macro, saved_search
from an1498.ship.splunk.schedule import cron

Conf = dict[str, dict[str, str]]


def conf_of(target: str, name: str) -> Conf:
    return read_conf(app_of(target)[f"an1498/default/{name}.conf"])


def stanzas(target: str, kind: str) -> Conf:
    found = conf_of(target, "savedsearches")
    return {saved_search(s.rule): found[saved_search(s.rule)] for s in searches_of(target) if s.kind == kind}


def test_files(target: str) -> None:
    names = {path.removeprefix("an1498/") for path in app_of(target)}
    assert names == {
        *("default/app.conf", "default/savedsearches.conf", "default/macros.conf", "default/transforms.conf", "default/props.conf"),
        *("default/data/ui/nav/default.xml", "default/data/ui/views/an1498_overview.xml", "metadata/default.meta"),
        *("lookups/an1498_assets.csv", "lookups/an1498_trusted_endpoints.csv", "lookups/an1498_allowed_processes.csv"),
        *("README.md", "README/collections.conf.example", "app.manifest", "LICENSE.txt", "NOTICE.txt", "LICENSE-rules.md"),
        "an1498-0.1.0.tar.gz",
    }


def test_one_search_per_rule_all_disabled(pack: Pack, target: str) -> None:
    found = conf_of(target, "savedsearches")
    assert len(found) == len(searches_of(target)) >= len(pack.rules) + len(pack.correlations) - len(pack.targets[target].options["skip"])
    for name, settings in found.items():
        assert name.startswith("AN1498 - ") and name.endswith(" - Rule") and len(name) <= 99
        assert settings["disabled"] == "1"
        assert settings["alert.track"] == "0"


def test_correlations_alert_once_per_group_and_first_event(pack: Pack, target: str) -> None:
    found = stanzas(target, "correlation")
    assert set(found) == {saved_search(name) for name in pack.correlations}
    for search in searches_of(target):
        if search.kind != "correlation":
            continue
        settings = found[saved_search(search.rule)]
        assert settings["enableSched"] == "1"
        assert settings["alert.suppress"] == "1" and settings["alert.digest_mode"] == "0"
        assert settings["alert.suppress.fields"].split(",") == [*search.group_by, "first_time"]
        assert settings["alert.suppress.period"] == f"{search.lookback_s}s"
        # The fields of the suppression are columns of the result.
        columns = [column.strip().strip('"') for column in search.text.splitlines()[-1].removeprefix("| table ").split(",")]
        assert {*search.group_by, "first_time", "_time"} <= set(columns)
        assert settings["dispatch.earliest_time"] == f"-{search.lookback_s}s"
        assert settings["dispatch.latest_time"] == "-120s"
        assert settings["action.correlationsearch.enabled"] == settings["action.notable"] == settings["action.risk"] == "1"
        assert settings["action.notable.param.severity"] == search.level
        annotations = json.loads(settings["action.correlationsearch.annotations"])
        assert annotations["mitre_attack"] == ["T1573.002"] and annotations["detection_strategy"] == ["DET0543"]
        (risk,) = json.loads(settings["action.risk.param._risk"])
        assert risk == {"risk_object_field": search.group_by[0], "risk_object_type": "system", "risk_score": search.risk_score}


def test_event_rules_are_context_and_never_alert(target: str) -> None:
    for search in searches_of(target):
        if search.kind != "event":
            continue
        settings = conf_of(target, "savedsearches")[saved_search(search.rule)]
        assert settings.get("action.notable", "0") == "0"
        assert not any(key.startswith(("action.notable.", "action.email")) for key in settings)
        if search.entity_fields:
            (risk,) = json.loads(settings["action.risk.param._risk"])
            assert (risk["risk_object_field"], risk["risk_score"]) == (search.entity_fields[0], search.risk_score)
        else:
            assert settings["enableSched"] == "0" and "action.risk" not in settings


def test_authors_and_licence_are_in_the_messages(pack: Pack, target: str) -> None:
    for name, rule in pack.correlations.items():
        text = stanzas(target, "correlation")[saved_search(name)]["action.notable.param.rule_description"]
        assert text.endswith(f"[rule {name} by {rule.document['author']}, DRL-1.1]")


def test_searches_do_not_start_together(target: str) -> None:
    starts = [settings["cron_schedule"] for settings in conf_of(target, "savedsearches").values() if settings["enableSched"] == "1"]
    assert len(set(starts)) == 5
    for start in starts:
        minutes = [int(minute) for minute in start.split()[0].split(",")]
        assert start.split()[1:] == ["*"] * 4
        assert [later - earlier for earlier, later in pairwise(minutes)] == [5] * 11


@pytest.mark.parametrize(("minutes", "runs"), [(1, 60 * 24), (5, 12 * 24), (60, 24), (120, 12), (360, 4), (1440, 1)])
def test_cron_keeps_every_interval(minutes: int, runs: int) -> None:
    for rule in ("a", "b", "an1498_x"):
        minute, hour = (
            list(range(size)) if part == "*" else [int(n) for n in part.split(",")]
            for part, size in zip(cron(rule, minutes).split(), (60, 24), strict=False)
        )
        times = [h * 60 + m for h in hour for m in minute]
        assert len(times) == runs
        assert {(later - earlier) % 1440 for earlier, later in zip(times, times[1:] + times[:1], strict=True)} <= {minutes % 1440}


def test_macros(pack: Pack, target: str) -> None:
    macros = conf_of(target, "macros")
    for search in searches_of(target):
        assert macros[macro(search.rule, "filter")]["definition"] == "search *"
    for correlation in pack.correlations.values():
        for rule in correlation.rules:
            assert macros[macro(rule, "events")]["definition"].startswith("`an1498_")
    assert {"an1498_alerts", "an1498_risk", "an1498_macos_unifiedlog"} <= set(macros)


def test_lists_get_their_native_names(target: str) -> None:
    aliases = conf_of(target, "props")
    name = {"splunk": "bro:ssl:json", "splunk-corelight": "corelight_ssl"}[target]
    assert aliases[name]["FIELDALIAS-an1498_cert_chain_fps"] == '"cert_chain_fps{}" ASNEW "cert_chain_fps"'


def test_lookups_have_definitions_and_the_parameters(pack: Pack, target: str) -> None:
    app = app_of(target)
    for name, settings in conf_of(target, "transforms").items():
        assert f"an1498/lookups/{settings['filename']}" in app
        assert settings["filename"] == f"{name}.csv"
    rows = list(csv.DictReader(io.StringIO(app["an1498/lookups/an1498_allowed_processes.csv"].decode())))
    assert tuple(row["value"] for row in rows if row["kind"] == "executable") == pack.parameters["allowed_processes"].value


def test_the_dashboard_names_only_macros_and_lookups_that_exist(target: str) -> None:
    root = ElementTree.fromstring(app_of(target)["an1498/default/data/ui/views/an1498_overview.xml"])
    assert root.attrib == {"version": "2", "theme": "dark"}
    definition = json.loads(root.findtext("definition") or "")
    titles = {panel["title"] for panel in definition["visualizations"].values()}
    assert {"Alerts over time", "Machines with most alerts", "Rarest certificate issuers", "Telemetry health, last hour"} <= titles
    assert {item["item"] for item in definition["layout"]["structure"]} == set(definition["visualizations"])
    for panel in definition["visualizations"].values():
        assert panel["dataSources"]["primary"] in definition["dataSources"]
    for source in definition["dataSources"].values():
        query = source["options"]["query"]
        assert "$" not in query
        assert set(query.split("`")[1::2]) <= set(conf_of(target, "macros"))
        if "inputlookup" in query:
            assert query.split()[-1] in conf_of(target, "transforms")
    boxes = [item["position"] for item in definition["layout"]["structure"]]
    for number, one in enumerate(boxes):
        assert one["x"] + one["w"] <= 1440
        for other in boxes[:number]:
            apart = one["x"] >= other["x"] + other["w"] or other["x"] >= one["x"] + one["w"]
            assert apart or one["y"] >= other["y"] + other["h"] or other["y"] >= one["y"] + one["h"]


def test_nothing_is_shipped_where_local_settings_live(target: str) -> None:
    assert not [path for path in app_of(target) if "/local" in path]


def test_the_archive_holds_the_directory_and_nothing_of_the_machine(target: str) -> None:
    app = app_of(target)
    with tarfile.open(fileobj=io.BytesIO(app["an1498-0.1.0.tar.gz"])) as archive:
        members = archive.getmembers()
        found = {}
        for member in members:
            if member.isfile():
                extracted = archive.extractfile(member)
                assert extracted is not None
                found[member.name] = extracted.read()
    assert found == {path: content for path, content in app.items() if path.startswith("an1498/")}
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 0)}
    assert {m.mode for m in members if m.isfile()} == {0o644} and {m.mode for m in members if m.isdir()} == {0o755}
    assert [m.name for m in members] == sorted(m.name for m in members)


def test_two_builds_are_the_same_bytes(pack: Pack, tmp_path: Path, target: str) -> None:
    searches = searches_of(target)
    macros = {target: {"an1498_x": "index=x"}}
    for name, order in (("a", searches), ("b", tuple(reversed(searches)))):
        write_build(Compilation(order, (), macros), tmp_path / name, pack=pack)
    trees = [{p.relative_to(tmp_path / n).as_posix(): p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()} for n in ("a", "b")]
    assert trees[0] == trees[1]
    for path, content in app_of(target).items():
        assert trees[0][f"{target}/{path}"] == content
    assert {search.rule for search in read_build(tmp_path / "a").searches} == {search.rule for search in searches}


def test_a_chain_over_a_count_has_the_warm_up_of_both(pack: Pack) -> None:
    burst = "an1498_handshake_failure_burst"
    chain = replace(
        pack.correlations["an1498_public_key_use_then_unrecognised_certificate"],
        name="an1498_chain",
        rules=("macos_public_key_use", burst),
        aliases={"entity": {"macos_public_key_use": "host.ip", burst: "entity"}},
    )
    wider = replace(pack, correlations={**pack.correlations, chain.name: chain})
    app = app_files(wider, "splunk", compile_pack(wider, ("splunk",)).searches)
    settings = read_conf(app["an1498/default/savedsearches.conf"])["AN1498 - chain - Rule"]
    assert settings["dispatch.earliest_time"] == "-1320s"
    assert "| where _time>=info_min_time+900\n" in settings["search"]
    assert "an1498_zeek_tls_handshake_failed_events" in read_conf(app["an1498/default/macros.conf"])
    drilldowns = settings["action.notable.param.drilldown_searches"]
    assert 'zeek_tls_handshake_failed_events` | search \\"id.orig_h\\"=\\"$entity$\\"' in drilldowns, drilldowns


def test_a_version_that_splunk_does_not_take(pack: Pack) -> None:
    with pytest.raises(ContentError, match=r"an1498\.toml: the version '1\.0' .*; write three numbers"):
        app_files(replace(pack, version="1.0"), "splunk", searches_of("splunk"))


def test_names_that_would_be_one_saved_search(pack: Pack) -> None:
    search = searches_of("splunk")[0]
    twin = replace(search, rule="handshake-failure burst", kind="event")
    rules = {**pack.rules, twin.rule: replace(next(iter(pack.rules.values())), name="handshake_failure_burst")}
    with pytest.raises(ContentError, match=r"rule 'handshake-failure burst' cannot go into the Splunk app: another rule's saved search"):
        app_files(replace(pack, rules=rules), "splunk", (search, twin))


@pytest.mark.parametrize("interval_s", [0, 30, 90, 420, 5400, 172_800])
def test_an_interval_that_cron_cannot_keep(pack: Pack, interval_s: int) -> None:
    searches = [replace(search, interval_s=interval_s) for search in searches_of("splunk")]
    with pytest.raises(ContentError, match=rf"an interval of {interval_s} s, which cron cannot keep; use 1m"):
        app_files(pack, "splunk", searches)
