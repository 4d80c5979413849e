"""Samples in a live SIEM: loaded, searched, compared, removed; over the models, whose searches the embedded evaluator executes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import cast

import pytest
from tests.deploy.conftest import ROOT, Bench, Files
from tests.deploy.fake_elastic import FakeElastic
from tests.deploy.fake_splunk import FakeSplunk
from tests.deploy.siem import reply
from tests.deploy.test_faults import once
from tests.ship.pack import hosts_pack, hosts_searches_of

from an1498.content import load_pack
from an1498.deploy.verify_live import verify_live
from an1498.errors import ExternalError, UsageError
from an1498.model import ELASTIC_ASSET_TYPES, Entity, Search
from an1498.replay.alerts import field_types
from an1498.replay.scenarios import Replayed, Report, load_scenarios
from an1498.ship import read_build
from an1498.ship.macros_conf import read_macros_conf

SCENARIOS = ("window_exactly", "window_plus_1ms", "equal_timestamps", "certificates_in_context")
PLACES = ("/_bulk", "/_query", "/_data_stream/logs-", "/an1498test-assets")
RULES = ("an1498_public_key_use_then_unrecognised_certificate", "an1498_handshake_failure_burst", "zeek_tls_self_signed_certificate")


@pytest.fixture(scope="module")
def scenarios() -> Sequence[Replayed]:
    pack = load_pack(ROOT)
    return [load_scenarios(ROOT / "samples" / name, pack)[0] for name in SCENARIOS]


def searches(bench: Bench, files: Mapping[str, Files]) -> list[Search]:
    bench.build(files[bench.target.name])
    built = read_build(bench.directory / "dist", (bench.target.name,)).searches
    return [search for search in built if search.rule in RULES]


def run(
    bench: Bench,
    found: Sequence[Search],
    scenarios: Sequence[Replayed],
    environment: Mapping[str, str] | None = None,
    *,
    keep: bool = False,
) -> Report:
    macros = bench.directory / "dist" / bench.target.name / "macros.conf"
    return verify_live(
        bench.target,
        {**bench.environment, **(environment or {})},
        found,
        read_macros_conf(macros) if macros.is_file() else {},
        scenarios,
        keep=keep,
        clock=bench.clock,
        transport=bench.model.transport,
    )


def test_elastic(elastic: Bench, pack_files: Mapping[str, Files], scenarios: Sequence[Replayed]) -> None:
    fake = cast(FakeElastic, elastic.model)
    fake.types = {name: column.type for name, column in field_types(elastic.target).items()}
    found = searches(elastic, pack_files)
    report = run(elastic, found, scenarios, keep=True)
    assert report.failures == () and fake.violations == []
    assert {str(outcome.search.language) for outcome in report.outcomes} == {"eql", "esql", "lucene"}
    assert sum(bool(outcome.actual) for outcome in report.outcomes) >= 4
    assert fake.streams and all(name.endswith("-an1498test") for name in fake.streams)
    times = [document["@timestamp"] for documents in fake.streams.values() for document in documents.values()]
    assert "2027-01-13" < min(times) < max(times) < "2027-01-15T07:00:00.000Z", "moved into the recent past"
    # A search that finds nothing is a failure where alerts are expected; what was kept is removed at the end.
    fake.fault = lambda request: reply(200, {"hits": {}, "timed_out": False}) if request.path.endswith("/_eql/search") else None
    report = run(elastic, found, scenarios)
    assert {str(outcome.search.language) for outcome in report.failures} == {"eql"}
    assert fake.streams == {}


def test_elastic_where_machines_are_looked_up(elastic: Bench) -> None:
    """One table for all scenarios: the same addresses, other hosts, other times; some rows without end."""
    pack, fake = hosts_pack(), cast(FakeElastic, elastic.model)
    elastic.target = replace(pack.targets["elastic-hosts"], options={"deploy": elastic.target.options["deploy"]})
    elastic.environment = {"AN1498_ELASTIC_HOSTS_API_KEY": "c2VjcmV0OmtleQ=="}
    fake.types = {name: column.type for name, column in field_types(elastic.target).items()}
    found = [search for search in hosts_searches_of("elastic-hosts") if search.rule == RULES[0]]
    hosts = load_scenarios(ROOT / "environments" / "hosts", pack)
    report = run(elastic, found, hosts, keep=True)
    assert report.failures == () and fake.violations == []
    claims: dict[str, list[tuple[str, str]]] = {}
    for row in fake.streams["an1498test-assets"].values():
        ip, start, end = (row[name] for name in tuple(ELASTIC_ASSET_TYPES)[:3])
        claims.setdefault(ip, []).append((start, end))
    assert all(one[1] <= two[0] for rows in claims.values() for one, two in pairwise(sorted(rows))), (
        "no scenario's row reaches into another"
    )
    assert len(report.outcomes) == len(hosts) and {bool(outcome.actual) for outcome in report.outcomes} == {False, True}
    assert all(request.path.startswith(PLACES) for request in fake.log), "the SOC's own table is not touched"
    # The table matters: without its rows the alerts that need it are missing.
    fake.fault = lambda request: reply(200, {"errors": False, "items": []}) if b"an1498test-assets" in request.body[:60] else None
    assert {outcome.actual for outcome in run(elastic, found, hosts).failures} == {()}
    assert (fake.streams, fake.indices) == ({}, {}), "removed"


def test_splunk(splunk: Bench, pack_files: Mapping[str, Files], scenarios: Sequence[Replayed], monkeypatch: pytest.MonkeyPatch) -> None:
    fake = cast(FakeSplunk, splunk.model)
    fake.late = 2
    fake.events = [{"_time": 1_799_990_000.0, "index": "an1498_test", "source": "an1498-verify-1", "sourcetype": "bro:ssl:json"}]
    found = searches(splunk, pack_files)
    hec = {"AN1498_SPLUNK_HEC_URL": "http://127.0.0.1:2", "AN1498_SPLUNK_HEC_TOKEN": "hec-token"}
    report = run(splunk, found, scenarios, hec)
    assert report.failures == () and fake.violations == []
    assert sum(bool(outcome.actual) for outcome in report.outcomes) >= 3
    assert splunk.waits == [2.0, 2.0] and len(fake.events) == 1
    with pytest.raises(UsageError, match="AN1498_SPLUNK_HEC_URL and AN1498_SPLUNK_HEC_TOKEN"):
        run(splunk, found, scenarios)
    fake.late = 1000
    monkeypatch.setattr("an1498.deploy.splunk.samples.WAIT_S", 4)
    with pytest.raises(ExternalError, match="can be searched after 4 s"):
        run(splunk, found, scenarios, hec)
    assert len(fake.events) == 1, "cleaned up all the same"


@pytest.mark.parametrize(
    "name", ["default", "main", "an1498", "test", "an1498test-*", "an1498_test,main", "AN1498_TEST", "an1498test/../x"]
)
def test_nothing_is_written_into_a_place_that_is_not_named_for_tests(
    elastic: Bench, pack_files: Mapping[str, Files], scenarios: Sequence[Replayed], name: str
) -> None:
    elastic.build(pack_files["elastic"])
    with pytest.raises(UsageError, match="not named for tests"):
        run(elastic, [], scenarios, {"AN1498_ELASTIC_TEST_NAMESPACE": name})
    assert elastic.model.log == []


def test_faults(elastic: Bench, pack_files: Mapping[str, Files], scenarios: Sequence[Replayed]) -> None:
    found = searches(elastic, pack_files)
    refused = reply(200, {"errors": True, "items": [{"create": {"error": {"type": "mapper_parsing_exception"}}}]})
    for path, answer, match in (
        ("/_bulk", refused, "1 samples were refused, first"),
        ("/_bulk", reply(500, {}), "answers 500"),
        ("/_query", reply(200, {"is_partial": True}), "before it was complete"),
        ("/_query", reply(200, []), "otherwise than its API is described"),
        ("/_query", reply(400, {"error": {"reason": "Unknown column"}}), "400: Unknown column"),
        ("/_data_stream", reply(403, {"error": {"reason": "no"}}), "lack a privilege"),
    ):
        elastic.model.fault = once(path, answer, 99)
        with pytest.raises(ExternalError, match=match):
            run(elastic, [search for search in found if search.language == "esql"], scenarios)
    assert cast(FakeElastic, elastic.model).streams == {}


def test_splunk_cannot_load_a_lookup(splunk: Bench, scenarios: Sequence[Replayed]) -> None:
    splunk.target = replace(splunk.target, entity=Entity.LOOKUP)
    hec = {"AN1498_SPLUNK_HEC_URL": "http://127.0.0.1:2", "AN1498_SPLUNK_HEC_TOKEN": "hec-token"}
    with pytest.raises(UsageError, match="from the server's own disk only: use `an1498 test`"):
        run(splunk, [], scenarios, hec)
    assert splunk.model.log == []
