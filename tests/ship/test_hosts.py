"""What is shipped for targets whose machine is the host that had an address: lookup definitions, index, guides, drilldowns."""

from __future__ import annotations

import json
import re
from typing import Any

import duckdb
import pytest
from tests.ship.pack import ROOT, hosts_pack, hosts_searches_of
from tests.ship.splunk.conf_reader import read_conf

from an1498.model import ELASTIC_ASSET_TYPES, ELASTIC_ASSETS, SPLUNK_ASSET_COLUMNS, SPLUNK_ASSETS, Language
from an1498.replay.alerts import index_streams
from an1498.replay.assets import asset_lookups
from an1498.replay.prepare import prepare
from an1498.replay.scenarios import load_scenarios
from an1498.ship.assets import asset_bulk, asset_csv
from an1498.ship.elastic import bundle_files
from an1498.ship.explanation import explanation
from an1498.ship.splunk import app_files
from an1498.ship.splunk.names import saved_search
from an1498.telemetry.assets import Asset, AssetTable

RULE = "an1498_public_key_use_then_unrecognised_certificate"
TABLE = AssetTable(
    (Asset("10.0.0.1", 10, 20, 'a,"b', "", "dhcp"), Asset("2001:db8::1", 10, 253_402_300_799, "c", "02:00:00:00:00:0a", "cmdb"))
)


@pytest.fixture(scope="module")
def app() -> dict[str, bytes]:
    return app_files(hosts_pack(), "splunk-hosts", hosts_searches_of("splunk-hosts"))


@pytest.fixture(scope="module")
def bundle() -> dict[str, bytes]:
    return bundle_files(hosts_pack(), "elastic-hosts", hosts_searches_of("elastic-hosts"))


def test_the_app_has_the_lookup_that_its_searches_read(app: dict[str, bytes]) -> None:
    """The definition is the one that replay models, the file has the header of what `assets build` writes."""
    stanza = read_conf(app["an1498/default/transforms.conf"])[SPLUNK_ASSETS]
    assert stanza == {
        "filename": f"{SPLUNK_ASSETS}.csv",
        "case_sensitive_match": "0",
        "time_field": "start",
        "time_format": "%s",
        "max_matches": "1",
    }
    assert app[f"an1498/lookups/{SPLUNK_ASSETS}.csv"] == asset_csv(AssetTable())
    readme = app["an1498/README.md"].decode()
    assert "empty until you fill it" in readme and "filename = an1498_assets_site.csv" in readme


def test_the_app_ships_the_text_that_was_proved(app: dict[str, bytes]) -> None:
    saved = read_conf(app["an1498/default/savedsearches.conf"])
    for search in hosts_searches_of("splunk-hosts"):
        assert saved[saved_search(search.rule)]["search"].startswith(search.text)
        assert "$" not in search.text  # else Splunk might see a token between two of them


def test_drilldowns_find_the_events_behind_an_alert(app: dict[str, bytes]) -> None:
    """Over the sample in which the host changes its address; the shipper says the host's name with its domain."""
    pack = hosts_pack()
    target = pack.targets["splunk-hosts"]
    settings = read_conf(app["an1498/default/savedsearches.conf"])[saved_search(RULE)]
    macros = {name: found["definition"] for name, found in read_conf(app["an1498/default/macros.conf"]).items()}
    replayed = load_scenarios(ROOT / "environments/hosts/host_moves_to_another_address", pack)
    lookups = asset_lookups(target, [one.assets for one in replayed])
    with duckdb.connect() as connection:
        table = index_streams(connection, target, [one.events for one in replayed]).table
        [alert] = prepare(Language.SPL, settings["search"], macros=macros, lookups=lookups).execute(table)
        counts = []
        for drilldown in json.loads(settings["action.notable.param.drilldown_searches"]):
            text = drilldown["search"].replace("$entity$", str(alert.values["entity"]))
            counts.append(len(prepare(Language.SPL, text, macros=macros, lookups=lookups).execute(table)))
    # Two sessions at the old address: the one after the move is another host's.
    assert counts == [2, 1, 1]


def test_the_bundle_has_the_index_that_its_rules_join(bundle: dict[str, bytes]) -> None:
    index: dict[str, Any] = json.loads(bundle[f"lookup_index/{ELASTIC_ASSETS}.json"])
    assert index["settings"] == {"index": {"mode": "lookup"}}
    mapped = {name: field["type"] for name, field in index["mappings"]["properties"].items()}
    assert {name: mapped[name] for name in ELASTIC_ASSET_TYPES} == dict(ELASTIC_ASSET_TYPES)
    documents = [json.loads(line) for line in asset_bulk(TABLE).splitlines()]
    assert all(set(document) <= set(mapped) for document in documents[1::2])
    assert f"lookup_index/{ELASTIC_ASSETS}.json" in bundle["README.md"].decode()


def test_the_bundle_ships_the_text_that_was_proved(bundle: dict[str, bytes]) -> None:
    rules = [json.loads(line) for line in bundle["rules.ndjson"].splitlines()]
    texts = {search.text for search in hosts_searches_of("elastic-hosts")}
    assert {rule["query"] for rule in rules} <= texts
    [rule] = [rule for rule in rules if rule["name"] == hosts_pack().correlations[RULE].title]
    assert rule["type"] == "esql" and "Alternative" not in rule["tags"] and f"LOOKUP JOIN {ELASTIC_ASSETS}" in rule["query"]
    assert "the machine is `host.name`" in rule["setup"] and "the machine is the host that had `source.ip`" in rule["setup"]
    assert f"lookup index `{ELASTIC_ASSETS}`" in rule["setup"]
    buttons = [line for line in rule["note"].splitlines() if line.startswith("!{investigate{")]
    assert [re.findall(r"\{\{(.*?)\}\}", button[1:]) for button in buttons] == [["entity"]]


def test_explain_says_whose_events_they_are() -> None:
    pack = hosts_pack()
    for name, said in (("splunk-hosts", "entity is the host: where an event has its name"), ("splunk", "entity is the address")):
        lines = list(explanation(pack, pack.correlations[RULE], pack.targets[name]))
        assert any(said in line for line in lines)
    lines = list(explanation(pack, pack.correlations[RULE], pack.targets["elastic-hosts"]))
    assert any(line.strip().startswith("eql: cannot say it: a host that is looked up") for line in lines)


def test_both_forms_of_the_table() -> None:
    assert asset_csv(TABLE).decode().splitlines() == [
        ",".join(SPLUNK_ASSET_COLUMNS),
        '10,20,10.0.0.1,"a,""b",,dhcp',
        "10,253402300799,2001:db8::1,c,02:00:00:00:00:0a,cmdb",
    ]
    lines = [json.loads(line) for line in asset_bulk(TABLE).splitlines()]
    assert [line["index"]["_id"] for line in lines[::2]] == ["10.0.0.1@10", "2001:db8::1@10"]
    assert lines[1]["an1498_asset_host"] == 'a,"b' and lines[1]["an1498_asset_until"] == "1970-01-01T00:00:20Z"
    assert lines[3]["an1498_asset_until"] == "9999-12-31T23:59:59Z" and lines[1]["an1498_asset_table"] == lines[3]["an1498_asset_table"]
