"""Elastic: plan, apply, rollback, drift over the model of Kibana and Elasticsearch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from tests.deploy.conftest import INDEX, Bench, Files, items_of, ndjson, write_files
from tests.deploy.fake_elastic import FakeElastic
from tests.deploy.siem import reply, writes

from an1498.deploy import find_drift, plan_build, plan_rollback
from an1498.deploy.drift import drifted
from an1498.deploy.objects import holds
from an1498.deploy.plan_file import plan_data
from an1498.deploy.text import plan_lines
from an1498.errors import ExternalError, StateChanged, UsageError
from an1498.model import ELASTIC_ASSETS as ASSETS

BURST = "0d554afa-2520-5c0f-aee8-df8a4924b388"


def model(bench: Bench) -> FakeElastic:
    return cast(FakeElastic, bench.model)


def edited(files: Files, rule_id: str, **fields: Any) -> Files:
    rules = [rule | (fields if rule["rule_id"] == rule_id else {}) for rule in items_of(files["bundle/rules.ndjson"])]
    return {**files, "bundle/rules.ndjson": ndjson(rules)}


def without(files: Files, rule_id: str) -> Files:
    return {**files, "bundle/rules.ndjson": ndjson([r for r in items_of(files["bundle/rules.ndjson"]) if r["rule_id"] != rule_id])}


def text(bench: Bench, *overwrite: str) -> str:
    return "\n".join("".join(part for part, _ in line) for line in plan_lines(bench.plan(*overwrite)))


def drift(bench: Bench) -> dict[str, tuple[str, tuple[str, ...]]]:
    with bench.open() as opened:
        return {str(d.key): (d.kind, d.fields) for d in find_drift(opened.siem, opened.store, opened.lock)}


def rollback(bench: Bench, number: int | None = None) -> None:
    with bench.open() as opened:
        bench.carry_out(opened, plan_rollback(opened, number))


def test_the_whole_bundle_arrives_and_a_second_apply_writes_nothing(
    elastic: Bench, pack_files: Mapping[str, Files], small_elastic: Files
) -> None:
    elastic.build({**pack_files["elastic"], INDEX: small_elastic[INDEX]})
    assert set(elastic.statuses().values()) == {"create"}
    assert not [request for request in elastic.model.log if writes(request)], "a plan only reads"
    result = elastic.apply()
    assert (result.written, result.refused) == (len(elastic.plan().changes), {})
    assert elastic.model.violations == []
    fake = model(elastic)
    built = {rule["rule_id"]: rule for rule in items_of(pack_files["elastic"]["bundle/rules.ndjson"])}
    assert set(fake.rules) == set(built)
    for rule_id, rule in built.items():
        assert holds(fake.rules[rule_id], {f: v for f, v in rule.items() if f != "exceptions_list"})
        assert {e["list_id"] for e in fake.rules[rule_id]["exceptions_list"]} == {e["list_id"] for e in rule["exceptions_list"]}
    assert json.loads(fake.saved[("dashboard", next(i for t, i in fake.saved if t == "dashboard"))]["attributes"]["panelsJSON"])
    kinds = [request.path.removeprefix("/s/soc/") for request in elastic.model.log if writes(request)]
    order = ["/_component_template", "/_ingest", "/an1498-assets", "api/exception_lists", "api/detection_engine", "api/saved_objects"]
    assert sorted(kinds, key=lambda path: next(n for n, start in enumerate(order) if path.startswith(start))) == kinds
    before = elastic.lock()
    elastic.model.log.clear()
    assert elastic.statuses() == {} and drift(elastic) == {}
    assert elastic.apply().written == 0
    assert elastic.lock() == before and not [request for request in elastic.model.log if writes(request)]


def test_an_update_shows_its_fields_and_raises_the_version(elastic: Bench, small_elastic: Files) -> None:
    elastic.apply()
    elastic.build(edited(small_elastic, BURST, name="Burst\x1b[31m", risk_score=50))
    assert elastic.statuses() == {f"rule/{BURST}": "update"}
    shown = text(elastic)
    assert f"~ update rule/{BURST}" in shown and "      -47\n      +50" in shown
    assert "\x1b" not in shown, "a terminal never gets control characters"
    elastic.apply()
    assert [model(elastic).rules[BURST][field] for field in ("name", "risk_score", "version")] == ["Burst\x1b[31m", 50, 1001]
    # The same content has the same version, also when the pack's version moves.
    elastic.build(edited(small_elastic, BURST, version=1005))
    elastic.apply()
    assert model(elastic).rules[BURST]["version"] == 1000
    elastic.build(edited(small_elastic, BURST, version=1005, name="New"))
    elastic.apply()
    assert model(elastic).rules[BURST]["version"] == 1005
    assert elastic.model.violations == []


def test_local_tuning_survives_updates(elastic: Bench, small_elastic: Files) -> None:
    elastic.apply()
    fake = model(elastic)
    rule = fake.rules[BURST]
    fake.lists["analysts"] = {"list_id": "analysts", "id": "list-analysts"}
    mine = {"id": "list-analysts", "list_id": "analysts", "type": "rule_default", "namespace_type": "single"}
    rule |= {"enabled": True, "actions": [{"id": "mail", "group": "default", "params": {}, "action_type_id": ".email"}]}
    rule["exceptions_list"] = [*rule["exceptions_list"], mine]
    fake.items["an1498-elastic"] = 3
    for name in ("Once", "Twice"):
        elastic.build(edited(small_elastic, BURST, name=name))
        shown = text(elastic)
        assert "kept as set in the SIEM: actions, enabled, exceptions_list" in shown and "locally-modified rule" not in shown
        elastic.apply()
        rule = fake.rules[BURST]
        assert rule["name"] == name and rule["enabled"] and rule["actions"][0]["id"] == "mail" and mine in rule["exceptions_list"]
    assert len(rule["exceptions_list"]) == 3
    kinds = drift(elastic)
    assert {kind for kind, _ in kinds.values()} == {"tuned"}
    assert kinds["exception_list/an1498-elastic"] == ("tuned", ("holds 3 exception items",))
    elastic.apply(BURST)
    assert not fake.rules[BURST]["enabled"] and fake.rules[BURST]["actions"] == [] and mine not in fake.rules[BURST]["exceptions_list"]


def test_local_changes_are_left_alone_until_asked(elastic: Bench, small_elastic: Files) -> None:
    elastic.apply()
    fake = model(elastic)
    fake.rules[BURST] |= {"query": "FROM x", "revision": 7}
    fake.pipelines["logs-zeek.ssl@custom"]["processors"].append({"drop": {}})
    fake.rules["a7b5b32c-1c98-5f48-a2e9-8083195bde31"]["timeline_id"] = "t"
    assert drift(elastic) == {
        f"rule/{BURST}": ("changed", ("query",)),
        "ingest_pipeline/logs-zeek.ssl@custom": ("changed", ("processors",)),
        "rule/a7b5b32c-1c98-5f48-a2e9-8083195bde31": ("added-to", ("timeline_id",)),
    }
    elastic.build(edited(small_elastic, BURST, name="New"))
    assert elastic.statuses()[f"rule/{BURST}"] == "locally-modified"
    assert "skipped; --overwrite-local" in text(elastic)
    elastic.apply()
    assert fake.rules[BURST]["query"] == "FROM x" and fake.rules[BURST]["name"] != "New"
    elastic.apply(BURST, "ingest_pipeline/logs-zeek.ssl@custom")
    assert fake.rules[BURST]["name"] == "New" and fake.rules[BURST]["query"] != "FROM x"
    built = json.loads(small_elastic["bundle/ingest_pipelines/logs-zeek.ssl@custom.json"])
    assert fake.pipelines["logs-zeek.ssl@custom"]["processors"] == built["processors"]
    with pytest.raises(UsageError, match="no deployed object"):
        elastic.plan("nothing")
    assert elastic.model.violations == []


def test_deleted_in_the_siem(elastic: Bench) -> None:
    elastic.apply()
    fake = model(elastic)
    del fake.rules[BURST]
    assert drift(elastic) == {f"rule/{BURST}": ("deleted", ())}
    assert elastic.statuses() == {f"rule/{BURST}": "locally-modified"}
    assert elastic.apply().written == 0 and BURST not in fake.rules
    elastic.apply(BURST)
    assert BURST in fake.rules and drift(elastic) == {}


def test_what_leaves_the_build_is_deleted_last_unless_people_use_it(elastic: Bench, small_elastic: Files) -> None:
    elastic.apply()
    fake = model(elastic)
    fake.items["an1498-elastic-an1498_handshake_failure_burst"] = 2
    files = edited(without(small_elastic, BURST), "a7b5b32c-1c98-5f48-a2e9-8083195bde31", name="New")
    lists = items_of(files["bundle/exceptions.ndjson"])
    kept = [item for item in lists if item["list_id"] == "an1498-elastic"]
    elastic.build({**files, "bundle/exceptions.ndjson": ndjson(kept)})
    assert elastic.statuses() == {
        f"rule/{BURST}": "delete",
        "rule/a7b5b32c-1c98-5f48-a2e9-8083195bde31": "update",
        "exception_list/an1498-elastic-an1498_handshake_failure_burst": "locally-modified",
        "exception_list/an1498-elastic-an1498_key_use_then_trust_failure_on_host": "delete",
    }
    elastic.model.log.clear()
    elastic.apply()
    done = [request.method for request in elastic.model.log if writes(request)]
    assert done == ["POST", "DELETE", "DELETE"]
    assert set(fake.lists) == {"an1498-elastic", "an1498-elastic-an1498_handshake_failure_burst"} and BURST not in fake.rules


def test_objects_that_were_there_before(elastic: Bench) -> None:
    """Installed by hand from the same bundle: adopted. Somebody else's: left alone."""
    elastic.apply()
    (elastic.state / "an1498.lock.json").unlink()
    model(elastic).templates["logs-zeek.ssl@custom"]["template"] = {"mappings": {}}
    model(elastic).rules[BURST]["enabled"] = True
    assert elastic.statuses() == {"component_template/logs-zeek.ssl@custom": "locally-modified"}
    result = elastic.apply()
    assert (result.number, result.written, len(elastic.lock()["objects"])) == (1, 0, 11)
    assert model(elastic).rules[BURST]["enabled"] and model(elastic).templates["logs-zeek.ssl@custom"]["template"] == {"mappings": {}}


def test_rollback_to_every_earlier_apply(elastic: Bench, small_elastic: Files) -> None:
    fake = model(elastic)
    builds = [
        small_elastic,
        edited(small_elastic, BURST, name="Second"),
        without(edited(small_elastic, BURST, name="Third"), "a7b5b32c-1c98-5f48-a2e9-8083195bde31"),
    ]
    seen = {}
    for number, files in enumerate(builds, 1):
        elastic.build(files)
        elastic.apply()
        seen[number] = fake.everything()
    for number in (1, 3, 2, 1):
        rollback(elastic, number)
        assert fake.everything() == seen[number], number
        assert drift(elastic) == {}
    rollback(elastic)
    assert fake.everything() == seen[2]
    history = elastic.lock()["history"]
    assert [item["action"] for item in history][3:] == ["rollback to 1", "rollback to 3", "rollback to 2", "rollback to 1", "rollback to 6"]
    assert history[0]["time"] == "2027-01-15T08:00:00Z" and all(item["complete"] for item in history)
    with pytest.raises(UsageError, match="there is no apply 99; there are: 1, 2"):
        rollback(elastic, 99)
    assert elastic.model.violations == []


def test_apply_stops_where_the_siem_changed_since_the_plan(elastic: Bench, small_elastic: Files) -> None:
    elastic.apply()
    elastic.build(edited(small_elastic, BURST, name="New"))
    with elastic.open() as opened:
        plan = plan_build(opened, elastic.directory / "dist")
        model(elastic).rules[BURST] |= {"enabled": True, "revision": 9}
        before = model(elastic).everything()
        with pytest.raises(StateChanged, match="changed in the SIEM since the plan"):
            elastic.carry_out(opened, plan)
    assert model(elastic).everything() == before
    elastic.apply()
    assert model(elastic).rules[BURST]["name"] == "New" and model(elastic).rules[BURST]["enabled"]


def test_optimistic_concurrency_where_the_api_has_it(elastic: Bench, small_elastic: Files) -> None:
    """Between the last look and the write somebody else is faster."""
    elastic.apply()
    name = "bundle/ingest_pipelines/logs-zeek.ssl@custom.json"
    pipeline = json.loads(small_elastic[name]) | {"description": "new"}
    shared, *rest = items_of(small_elastic["bundle/exceptions.ndjson"])
    lists = ndjson([shared | {"description": "new"}, *rest])
    elastic.build({**small_elastic, name: json.dumps(pipeline).encode(), "bundle/exceptions.ndjson": lists})
    fake = model(elastic)

    def meanwhile(request: Any) -> None:
        if request.method == "PUT" and "pipeline" in request.path:
            fake.pipelines["logs-zeek.ssl@custom"] |= {"version": 7, "description": "theirs"}
        elif request.method == "PUT":
            fake.lists["an1498-elastic"]["_version"] = "theirs"

    elastic.model.fault = meanwhile
    refused = {str(key): problem for key, problem in elastic.apply().refused.items()}
    assert "required version [1000]" in refused["ingest_pipeline/logs-zeek.ssl@custom"]
    assert "version conflict" in refused["exception_list/an1498-elastic"]
    assert fake.pipelines["logs-zeek.ssl@custom"]["description"] == "theirs"
    assert elastic.lock()["history"][-1]["complete"] is False


def test_two_applies_write_the_same_lock_file(new_elastic: Callable[[str], Bench]) -> None:
    one, two = new_elastic("one"), new_elastic("two")
    for bench in (one, two):
        bench.apply()
    assert one.lock() == two.lock()
    assert json.dumps(plan_data(one.plan())) == json.dumps(plan_data(two.plan()))


def test_state_and_build_that_are_not_ours(elastic: Bench, small_elastic: Files) -> None:
    elastic.apply()
    state = elastic.state
    lock = (state / "an1498.lock.json").read_bytes()
    body = state / "objects" / elastic.lock()["objects"][f"rule/{BURST}"]["sent"]
    for broken in (
        b"",
        b"[]",
        b"{}",
        lock.replace(b'"format": 1', b'"format": 2'),
        lock.replace(b"soc", b"other"),
        lock.replace(body.name.encode(), b"../../x"),
    ):
        (state / "an1498.lock.json").write_bytes(broken)
        with pytest.raises(UsageError, match=r"an1498\.lock\.json|lock file is of space"):
            elastic.plan()
    (state / "an1498.lock.json").write_bytes(lock)
    for damage, match in ((b"{}", "does not have the hash"), (b"x", "is not JSON"), (b"", "is missing")):
        if damage:
            body.write_bytes(damage)
        else:
            body.unlink()
        with pytest.raises(UsageError, match=match):
            elastic.plan()
    elastic.build({path: content for path, content in small_elastic.items() if path != "bundle/rules.ndjson"})
    with pytest.raises(UsageError, match=r"rules\.ndjson: is not in the build"):
        elastic.plan()
    dist = elastic.directory / "dist"
    write_files(dist, "elastic", {"bundle/rules.ndjson": b'{"name": "no id"}\n'})
    file = dist / "elastic" / "bundle" / "rules.ndjson"
    for match in ("bundle/rules.ndjson: is not as", "rules.ndjson: was changed after the build", "rules.ndjson: cannot read the build"):
        with pytest.raises(UsageError, match=match):
            elastic.plan()
        if match.startswith("bundle"):
            file.write_bytes(b"{}")
        else:
            file.unlink(missing_ok=True)


def test_files_of_the_bundle_that_are_not_deployed_are_named(elastic: Bench, small_elastic: Files) -> None:
    files = edited(small_elastic, BURST, query="FROM x | LOOKUP JOIN an1498-assets ON address | LOOKUP JOIN mine ON b")
    elastic.build({**files, "bundle/index_templates/x.json": b"{}"})
    assert elastic.plan().notes == (
        "bundle/rules.ndjson: rules look up index 'mine', which the build does not have: make and fill it (docs/telemetry.md)",
        "bundle/index_templates/x.json: not deployed by an1498; install it by hand",
        "component templates count for new indices: roll the data streams over after the apply",
        "a new lookup index is empty, and rules that join it see nothing until it is filled (bundle/README.md)",
    )


def with_index(files: Files, **fields: str) -> Files:
    """The build with other types of fields of the lookup index, or more fields."""
    index = json.loads(files[INDEX])
    types = {name: field["type"] for name, field in index["mappings"]["properties"].items()} | fields
    index["mappings"]["properties"] = {name: {"type": kind} for name, kind in types.items()}
    return {**files, INDEX: json.dumps(index).encode()}


def test_a_lookup_index_is_made_extended_and_never_loses_its_rows(elastic: Bench, small_elastic: Files) -> None:
    fake = model(elastic)
    built = json.loads(small_elastic[INDEX])
    elastic.apply()
    assert fake.indices[ASSETS]["settings"]["index.mode"] == "lookup"
    assert fake.indices[ASSETS]["mappings"] == {**built["mappings"], "dynamic": "false"}
    fake.documents[ASSETS] = 231  # people fill it, and serve it from more nodes
    fake.indices[ASSETS]["settings"] |= {"index.number_of_replicas": "2", "index.routing.allocation.include._tier_preference": "data_hot"}
    assert elastic.statuses() == {} and drift(elastic) == {}
    # More fields: an update of these fields alone; the rollback leaves them, since no field can be removed, and the rows.
    elastic.build(with_index(small_elastic, an1498_asset_site="keyword"))
    assert elastic.statuses() == {f"lookup_index/{ASSETS}": "update"}
    assert "mappings.properties.an1498_asset_site" in text(elastic)
    elastic.model.log.clear()
    elastic.apply()
    sent = [(request.path, json.loads(request.body)) for request in elastic.model.log if writes(request)]
    assert sent == [(f"/{ASSETS}/_mapping", {"properties": {"an1498_asset_site": {"type": "keyword"}}})]
    rollback(elastic, 1)
    assert "an1498_asset_site" in fake.indices[ASSETS]["mappings"]["properties"] and fake.documents == {ASSETS: 231}
    assert drift(elastic) == {}
    # What people do to it.
    fake.indices[ASSETS]["mappings"]["properties"]["theirs"] = {"type": "keyword"}
    assert drift(elastic) == {f"lookup_index/{ASSETS}": ("added-to", ("mappings.properties.theirs",))}
    fake.indices[ASSETS]["mappings"]["dynamic"] = "true"
    elastic.build(small_elastic)
    assert elastic.statuses() == {f"lookup_index/{ASSETS}": "locally-modified"}
    elastic.apply(ASSETS)
    assert fake.indices[ASSETS]["mappings"]["dynamic"] == "false" and drift(elastic) == {}
    # A build without it: it stays while it holds rows, whoever asks, also where they came after the plan.
    gone = {path: content for path, content in small_elastic.items() if path != INDEX}
    elastic.build(gone)
    for asked in ((), (ASSETS,)):
        assert elastic.statuses(*asked) == {f"lookup_index/{ASSETS}": "locally-modified"}
        shown = text(elastic, *asked)
        assert "but holds 231 documents; an1498 never deletes it" in shown and "--overwrite-local" not in shown
        assert elastic.apply(*asked).written == 0
    fake.documents.clear()
    with elastic.open() as opened:
        plan = plan_build(opened, elastic.directory / "dist")
        fake.documents[ASSETS] = 1
        assert list(elastic.carry_out(opened, plan).refused.values()) == ["holds 1 documents: it is not deleted"]
    fake.documents.clear()
    assert elastic.statuses() == {f"lookup_index/{ASSETS}": "delete"}
    elastic.apply()
    assert fake.indices == {} and elastic.model.violations == []


def test_a_lookup_index_that_cannot_become_what_is_wanted(elastic: Bench, small_elastic: Files) -> None:
    """Made by hand as the build has it: taken over. In another mode, or a field of another type: the remedy is said, nothing is written."""
    fake = model(elastic)
    elastic.apply()
    (elastic.state / "an1498.lock.json").unlink()
    assert elastic.statuses() == {} and elastic.apply().written == 0 and f"lookup_index/{ASSETS}" in elastic.lock()["objects"]
    elastic.model.log.clear()
    elastic.build(with_index(small_elastic, an1498_asset_ip="keyword"))
    for forced in ((), (ASSETS,)):
        with pytest.raises(
            UsageError, match=r"maps an1498_asset_ip as ip, the build as keyword, .* delete the index, then apply and fill it"
        ):
            elastic.apply(*forced)
    elastic.build(small_elastic)
    del fake.indices[ASSETS]["settings"]["index.mode"]
    assert drift(elastic) == {f"lookup_index/{ASSETS}": ("changed", ("settings.index.mode",))}
    with pytest.raises(UsageError, match=r"index 'an1498-assets' is there with index.mode standard, the build has lookup"):
        elastic.plan()
    assert not [request for request in elastic.model.log if writes(request)]
    del fake.indices[ASSETS]
    assert elastic.statuses() == {f"lookup_index/{ASSETS}": "locally-modified"}
    elastic.apply(ASSETS)
    assert fake.indices[ASSETS]["settings"]["index.mode"] == "lookup"
    # What is no index, in an answer or a build.
    wrong: tuple[Any, ...] = (
        [],
        {},
        {"settings": {}, "mappings": {"properties": {"x": 5}}},
        {"settings": {}, "mappings": {"properties": [1]}},
    )
    for index in wrong:
        answer = reply(200, {ASSETS: index})
        elastic.model.fault = lambda request, answer=answer: answer if request.path == f"/{ASSETS}" else None
        with pytest.raises(ExternalError, match="otherwise than its API is described"):
            elastic.plan()
        elastic.model.fault = None
        elastic.build({**small_elastic, INDEX: json.dumps(index).encode()})
        with pytest.raises(UsageError, match=r"an1498-assets\.json: is not as an1498 writes it"):
            elastic.plan()
        elastic.build(small_elastic)
    # A name that would reach other indices, from a build or a lock file.
    elastic.build({**small_elastic, "bundle/lookup_index/an1498-*.json": small_elastic[INDEX]})
    with pytest.raises(UsageError, match="is no name of an index"):
        elastic.plan()
    elastic.build(small_elastic)
    lock = elastic.state / "an1498.lock.json"
    lock.write_bytes(lock.read_bytes().replace(b"lookup_index/an1498-assets", b"lookup_index/*"))
    with pytest.raises(UsageError, match="is no name of one index"):
        elastic.plan()
    assert elastic.model.violations == []


def test_drifted_counts_only_what_belongs_to_the_build(elastic: Bench) -> None:
    elastic.apply()
    model(elastic).rules[BURST]["enabled"] = True
    with elastic.open() as opened:
        found = find_drift(opened.siem, opened.store, opened.lock)
    assert [d.kind for d in found] == ["tuned"] and not drifted(found)


def test_one_apply_at_a_time(elastic: Bench) -> None:
    with elastic.open() as opened:
        plan = plan_build(opened, elastic.directory / "dist")
        with opened.store.alone(), pytest.raises(UsageError, match="another apply is running"):
            elastic.carry_out(opened, plan)
        assert not [request for request in elastic.model.log if writes(request)]
        assert elastic.carry_out(opened, plan).refused == {}


def test_what_a_siem_adds_inside_a_field_is_no_difference() -> None:
    sent = {"threat": [{"tactic": {"id": "TA0011"}, "technique": [{"id": "T1573"}]}], "n": 0}
    live = {"threat": [{"tactic": {"id": "TA0011"}, "technique": [{"id": "T1573", "subtechnique": []}]}], "n": 0, "filters": []}
    assert holds(live, sent)
    for changed in ({**live, "n": False}, {**live, "n": None}, {**live, "threat": []}, {**live, "threat": [live["threat"]] * 2}):
        assert not holds(changed, sent)
