"""osmem-server, a server that we did not write, as Elasticsearch's side: component templates, bulk loading, Lucene searches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from osmem_server import OsmemServer
from tests.deploy.conftest import INDEX, Bench, Files
from tests.deploy.test_verify import scenarios  # noqa: F401 - a fixture

from an1498.deploy import find_drift, open_session, plan_build
from an1498.deploy.apply import apply_plan
from an1498.deploy.objects import Write
from an1498.deploy.verify_live import verify_live
from an1498.model import ELASTIC_ASSETS, FieldType, Language
from an1498.replay.alerts import field_types
from an1498.replay.scenarios import Replayed
from an1498.ship import read_build

TEMPLATE = "logs-zeek.ssl@custom"


@pytest.fixture
def server() -> Iterator[str]:
    with OsmemServer.start(japanese=False) as started:
        yield started.url


def properties(types: Mapping[str, FieldType]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in types.items():
        *parents, leaf = name.split(".")
        level = found
        for parent in parents:
            level = level.setdefault(parent, {"properties": {}})["properties"]
        level[leaf] = {"type": "text", "fields": {"keyword": {"type": "keyword"}}} if kind is FieldType.TEXT else {"type": str(kind)}
    return found


def test_component_templates_and_an_index(elastic: Bench, small_elastic: Files, server: str) -> None:
    """It has neither ingest pipelines nor index modes, so the build has none; Kibana is our model, over a socket."""
    index = json.dumps({**json.loads(small_elastic[INDEX]), "settings": {}}).encode()
    elastic.build({path: content for path, content in small_elastic.items() if "pipelines" not in path} | {INDEX: index})
    with elastic.model.serving() as kibana:
        deploy = {"url": kibana, "elasticsearch_url": server, "space": "soc"}
        target = replace(elastic.target, options={**elastic.target.options, "deploy": deploy})
        with open_session(target, elastic.directory / "state", elastic.environment) as opened:
            plan = plan_build(opened, elastic.directory / "dist")
            assert apply_plan(plan, opened.siem, opened.store, opened.lock, opened.clock, lambda _: None).refused == {}
        body = httpx.get(f"{server}/_component_template/{TEMPLATE}").json()["component_templates"][0]["component_template"]
        assert body["_meta"] == {"managed_by": "an1498"}
        with open_session(target, elastic.directory / "state", elastic.environment) as opened:
            assert find_drift(opened.siem, opened.store, opened.lock) == ()
            httpx.put(f"{server}/_component_template/{TEMPLATE}", json={**body, "_meta": {"managed_by": "somebody"}})
            (drift,) = find_drift(opened.siem, opened.store, opened.lock)
            assert (drift.key.name, drift.kind, drift.fields) == (TEMPLATE, "changed", ("_meta",))
            wider = index.replace(b'"an1498_asset_mac": {', b'"an1498_asset_site": {"type": "keyword"}, "an1498_asset_mac": {')
            elastic.build({"bundle/rules.ndjson": small_elastic["bundle/rules.ndjson"], INDEX: wider})
            plan = plan_build(opened, elastic.directory / "dist")
            update = next(change for change in plan.changes if change.key.kind == "lookup_index")
            assert update.sent is not None and opened.siem.write([Write(update.key, update.sent, update.live)]) == {}
            assert httpx.get(f"{server}/{ELASTIC_ASSETS}/_mapping/field/an1498_asset_site").json()[ELASTIC_ASSETS]["mappings"]
            httpx.put(f"{server}/{ELASTIC_ASSETS}/_doc/1?refresh=true", json={"an1498_asset_ip": "10.0.0.1"})
            (live,) = opened.siem.read([update.key]).values()
            assert opened.siem.delete(live) == "holds 1 documents: it is not deleted"
            httpx.delete(f"{server}/{ELASTIC_ASSETS}/_doc/1?refresh=true")
            assert opened.siem.delete(live) == "" and opened.siem.read([update.key]) == {}


def test_samples_load_and_lucene_searches_find_them(
    elastic: Bench,
    pack_files: Mapping[str, Files],
    scenarios: Sequence[Replayed],  # noqa: F811
    server: str,
) -> None:
    """It has no data streams: plain indices of the same names take the documents."""
    types = {name: column.type for name, column in field_types(elastic.target).items()}
    mappings = {"properties": properties(types | {"data_stream.namespace": FieldType.KEYWORD})}
    template = {"index_patterns": ["logs-*"], "template": {"mappings": mappings}}
    assert httpx.put(f"{server}/_index_template/logs", json=template).status_code == 200
    elastic.build(pack_files["elastic"])
    searches = [s for s in read_build(elastic.directory / "dist", ("elastic",)).searches if s.language is Language.LUCENE]
    deploy = {"url": "http://127.0.0.1:1", "elasticsearch_url": server}
    target = replace(elastic.target, options={**elastic.target.options, "deploy": deploy})
    report = verify_live(target, elastic.environment, searches, {}, scenarios, clock=elastic.clock)
    assert report.failures == () and sum(bool(outcome.actual) for outcome in report.outcomes) >= 3
    assert httpx.get(f"{server}/logs-zeek.ssl-an1498test/_count").json()["count"] > 0
