"""The ingest pipelines compute what replay's model of the ingest computes: the shipped script texts run over the documents that the
vendor's pipelines leave, and a defect in script or table is noticed."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ship.elastic.conftest import TARGETS, bundle_of
from tests.ship.elastic.painless import PainlessError, execute
from tests.ship.pack import ROOT, whole_pack

from an1498.errors import ContentError, Location
from an1498.model import Derivation, DerivedField, FieldType, Layout, LayoutSource, NativeEvent, RankCase, Scalar
from an1498.replay.ingest import index_event
from an1498.replay.scenarios import load_scenarios
from an1498.ship.elastic.datastreams import custom_names
from an1498.ship.elastic.fields import target_sources
from an1498.ship.elastic.ingest import component_template, ingest_pipeline, layout_of

MAC = ("macos", "unifiedlog")


def source_of(target: str, product: str, service: str) -> tuple[Layout, LayoutSource]:
    chosen = whole_pack().targets[target]
    source = next(source for source in target_sources(chosen) if (source.product, source.service) == (product, service))
    return layout_of(chosen, source), source


def shipped_pipeline(target: str, source: LayoutSource) -> dict[str, Any]:
    (name,) = (name for name, own in custom_names(target_sources(whole_pack().targets[target])).items() if own == source)
    body: dict[str, Any] = json.loads(bundle_of(target)[f"ingest_pipelines/{name}.json"])
    return body


def nested(document: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as objects: the form in which a pipeline sees a document."""
    root: dict[str, Any] = {}
    for name, value in document.items():
        *parents, leaf = name.split(".")
        level = root
        for parent in parents:
            level = level.setdefault(parent, {})
        level[leaf] = list(value) if isinstance(value, list) else value
    return root


def vendor_document(event: NativeEvent, layout: Layout) -> dict[str, Any]:
    """What the vendor's pipeline hands to ours: everything but our own fields, and the addresses as the agent sent them."""
    document = index_event(event, layout)
    assert document is not None
    document = {name: value for name, value in document.items() if not name.startswith("an1498.")}
    if "host.ip" in event.fields:
        document["host.ip"] = event.fields["host.ip"]
    return nested(document)


def run(pipeline: Mapping[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The `an1498` object after the pipeline's processors (Elasticsearch, "Ingest processor reference": set, script)."""
    for processor in pipeline["processors"]:
        ((kind, body),) = processor.items()
        if kind == "script":
            assert body["lang"] == "painless"
            execute(body["source"], document, body["params"])
        else:
            assert kind == "set"
            value = body["value"] if "value" in body else find(document, body["copy_from"])
            if value is not None:
                *parents, leaf = body["field"].split(".")
                level = document
                for parent in parents:
                    level = level.setdefault(parent, {})
                level[leaf] = value
    own: dict[str, Any] = document.get("an1498", {})
    return own


def find(document: Mapping[str, Any], name: str) -> Any:
    value: Any = document
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def expected(event: NativeEvent, layout: Layout) -> dict[str, Any]:
    document = index_event(event, layout) or {}
    return {name.removeprefix("an1498."): value for name, value in document.items() if name.startswith("an1498.")}


def canonical(own: Mapping[str, Any]) -> dict[str, Any]:
    """An ip field compares addresses, not their spelling, and takes an IPv4-mapped address for the IPv4 one."""
    if "entity" not in own:
        return dict(own)
    address = ipaddress.ip_address(own["entity"])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return {**own, "entity": mapped or address}


def test_every_event_of_the_samples_gets_the_same_fields(target: str) -> None:
    pack = whole_pack()
    seen: set[tuple[str, bool, int]] = set()
    for replayed in load_scenarios(ROOT / "samples", pack):
        for event in replayed.events:
            for layout in pack.targets[target].layouts:
                source = next((s for s in layout.sources if (s.product, s.service) == (event.product, event.service)), None)
                if source is not None:
                    own = run(shipped_pipeline(target, source), vendor_document(event, layout))
                    assert canonical(own) == canonical(expected(event, layout)), event.location
                    seen.add((event.service, "entity" in own, own["rank"]))
    assert {("unifiedlog", True, rank) for rank in (1, 2, 3)} | {("unifiedlog", False, 2), ("ssl", True, 1)} <= seen


ADDRESSES = st.sampled_from(
    [
        "10.20.0.42",
        "192.168.1.7",
        "127.0.0.1",
        "127.255.0.9",
        "169.254.10.1",
        "169.255.0.1",
        "0.0.0.0",
        "224.0.0.251",
        "239.255.255.250",
        "240.0.0.1",
        "::1",
        "::",
        "::2",
        "fe80::1c2b",
        "FEBF::1",
        "fec0::1",
        "ff02::fb",
        "fd00::42",
        "FD00:0:0::42",
        "2001:db8::42",
        "2001:0DB8:0::42",
        "2001:db8::42%en0",
        "fe80::1%en0",
        "::ffff:10.20.0.42",
        "::FFFF:a14:2a",
        "::ffff:127.0.0.1",
        "",
        "not an address",
        "10.20.0.42/24",
        "10.20.0.256",
    ]
)
# Letters whose case folds differently in Java and Python are left out: no subsystem, category or path of the tables has one.
TEXTS = st.sampled_from(["SecError", "secerror", "BORINGSSL", "seckey", "SecKey ", "com.apple.network", "COM.APPLE.CFNETWORK", ""])


@given(st.one_of(ADDRESSES, st.lists(ADDRESSES, max_size=4)))
def test_the_entity_is_the_one_usable_address(addresses: Any) -> None:
    layout, source = source_of("elastic", *MAC)
    event = NativeEvent(*MAC, 0, {"host.ip": addresses}, Location("x"))
    own = run(shipped_pipeline("elastic", source), vendor_document(event, layout))
    assert canonical(own) == canonical(expected(event, layout))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "category": TEXTS,
            "subsystem": TEXTS,
            "eventType": st.sampled_from(["activityCreateEvent", "ACTIVITYCREATEEVENT", "logEvent"]),
            "processImagePath": st.sampled_from(["/sbin/launchd", "/SBIN/launchd", "/usr/bin/ssh"]),
        },
    )
)
def test_the_rank_is_the_first_case_that_holds(fields: dict[str, Any]) -> None:
    layout, source = source_of("elastic", *MAC)
    event = NativeEvent(*MAC, 0, fields, Location("x"))
    assert run(shipped_pipeline("elastic", source), vendor_document(event, layout)) == expected(event, layout)


@pytest.mark.parametrize("value", [None, 5, True, {"nested": "object"}, [None, 5, "10.20.0.42"]])
def test_addresses_that_are_no_texts_do_no_harm(value: Any) -> None:
    _, source = source_of("elastic", *MAC)
    own = run(shipped_pipeline("elastic", source), {"host": {"ip": value}})
    assert own == ({"rank": 1, "entity": "10.20.0.42"} if isinstance(value, list) else {"rank": 1})


def test_what_a_sender_put_there_does_not_stay() -> None:
    _, source = source_of("elastic", *MAC)
    own = run(shipped_pipeline("elastic", source), {"host": {"ip": ["127.0.0.1"]}, "an1498": {"entity": "10.6.6.6", "rank": 9}})
    assert own == {"rank": 1}


def differs(pipeline: Mapping[str, Any]) -> bool:
    """Whether a pipeline is found wrong by events that the tests above generate."""
    layout, _ = source_of("elastic", *MAC)
    lists: Iterable[list[str]] = [
        [],
        ["10.20.0.42"],
        ["10.20.0.42", "FD00::42"],
        ["fd00:0::42", "FD00::42"],
        ["x", "10.20.0.42", "127.0.0.1"],
    ]
    single = [["127.0.0.1"], ["169.254.1.1"], ["0.0.0.0"], ["224.0.0.1"], ["::"], ["::1"], ["fe80::1"], ["ff02::1"]]
    cases: list[dict[str, Any]] = [{"host.ip": addresses} for addresses in [*lists, *single]]
    for name, values in {
        "category": ("SECERROR", "boringssl", "seckey"),
        "subsystem": ("com.apple.boringssl", "com.apple.CFNetwork", "com.apple.network"),
    }.items():
        cases += [{name: value, "eventType": "activityCreateEvent"} for value in values]
    cases += [{"eventType": "activityCreateEvent"}, {"category": "seckey"}, {"processImagePath": "/sbin/launchd"}]
    for fields in cases:
        event = NativeEvent(*MAC, 0, fields, Location("x"))
        try:
            own = run(pipeline, vendor_document(event, layout))
        except PainlessError:
            return True
        if canonical(own) != canonical(expected(event, layout)):
            return True
    return False


def test_the_shipped_pipeline_is_not_found_wrong() -> None:
    assert not differs(shipped_pipeline("elastic", source_of("elastic", *MAC)[1]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("several = true", "several = false"),
        ("!new CIDR(found).contains(item)", "found != item"),
        ("return false", "return true"),
        ("if (found == null || several)", "if (found == null)"),
        ("equalsIgnoreCase", "equals"),
        ("if (rank == null && value != null)", "if (value != null)"),
        ("rank == null ? params.default_rank", "rank == null ? rank"),
        ("rule.path", "params.path"),
    ],
)
def test_a_changed_script_is_found_wrong(old: str, new: str) -> None:
    pipeline = shipped_pipeline("elastic", source_of("elastic", *MAC)[1])
    changed = json.loads(json.dumps(pipeline).replace(old, new))
    assert changed != pipeline
    assert differs(changed)


def test_a_changed_table_is_found_wrong() -> None:
    pipeline = shipped_pipeline("elastic", source_of("elastic", *MAC)[1])
    entity, rank = (processor["script"]["params"] for processor in pipeline["processors"])
    for networks in (entity["unusable"][:n] + entity["unusable"][n + 1 :] for n in range(len(entity["unusable"]))):
        assert differs(with_params(pipeline, 0, {**entity, "unusable": networks})), networks
    for number, case in enumerate(rank["cases"]):
        others = rank["cases"][:number] + rank["cases"][number + 1 :]
        assert differs(with_params(pipeline, 1, {**rank, "cases": others})), case
        for value in case["values"]:
            fewer = [*rank["cases"]]
            fewer[number] = {**case, "values": [other for other in case["values"] if other != value]}
            assert differs(with_params(pipeline, 1, {**rank, "cases": fewer})), value
    assert differs(with_params(pipeline, 1, {**rank, "cases": rank["cases"][::-1]}))
    assert differs(with_params(pipeline, 1, {**rank, "default_rank": 2}))


def with_params(pipeline: Mapping[str, Any], number: int, params: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(pipeline))
    changed["processors"][number]["script"]["params"] = params
    return changed


def test_pipelines_are_called_by_the_integrations_own() -> None:
    assert [name for name in bundle_of("elastic") if name.startswith("ingest_pipelines/")] == [
        "ingest_pipelines/logs-unifiedlogs.log@custom.json",
        "ingest_pipelines/logs-zeek.connection@custom.json",
        "ingest_pipelines/logs-zeek.ssl@custom.json",
        "ingest_pipelines/logs-zeek.x509@custom.json",
    ]


@pytest.mark.parametrize(
    ("index", "names"),
    [
        ("logs-zeek.ssl-*", ["logs-zeek.ssl@custom"]),
        ("logs-zeek.ssl-prod", ["logs-zeek.ssl@custom"]),
        ("logs-zeek.ssl-a,logs-zeek.ssl-b", ["logs-zeek.ssl@custom"]),
        ("logs-zeek.ssl-*, logs-other.ssl-*", ["logs-other.ssl@custom", "logs-zeek.ssl@custom"]),
        ("zeek-*", ["an1498-zeek-ssl"]),
        ("far:logs-zeek.ssl-*", ["an1498-zeek-ssl"]),
        ("../../etc", ["an1498-zeek-ssl"]),
        ("", ["an1498-zeek-ssl"]),
    ],
)
def test_names_of_other_indexes(index: str, names: list[str]) -> None:
    _, source = source_of("elastic", "zeek", "ssl")
    assert list(custom_names([replace(source, index=index)])) == names


def test_two_sources_of_one_data_stream_get_names_of_their_own() -> None:
    sources = [replace(source_of("elastic", "zeek", service)[1], index="logs-zeek.all-*") for service in ("ssl", "conn")]
    assert list(custom_names(sources)) == ["an1498-zeek-conn", "an1498-zeek-ssl"]


def test_component_templates_have_our_fields_and_what_the_vendor_does_not_map(target: str) -> None:
    for source in target_sources(whole_pack().targets[target]):
        flat = dict(mappings(component_template(source, 1)["template"]["mappings"]["properties"]))
        unmapped = {row.indexed: row.type for row in source.fields if not row.mapped}
        texts = {row.indexed for row in source.fields if row.type is FieldType.TEXT}
        own = {"an1498.rank", *(row.indexed for row in source.derived if row.indexed.startswith("an1498."))}
        assert set(flat) == own | set(unmapped) | texts
        assert {name: flat[name]["type"] for name in unmapped} == {name: str(kind) for name, kind in unmapped.items()}
        assert flat["an1498.rank"] == {"type": "long"}
    mac = dict(mappings(component_template(source_of(target, *MAC)[1], 1)["template"]["mappings"]["properties"]))
    assert mac["an1498.entity"] == {"type": "ip"}
    assert mac["message"] == {"type": "match_only_text", "fields": {"keyword": {"type": "keyword", "ignore_above": 8191}}}


def mappings(properties: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, dict[str, Any]]]:
    for name, body in properties.items():
        if "properties" in body:
            yield from mappings(body["properties"], f"{prefix}{name}.")
        if set(body) - {"properties"}:
            yield f"{prefix}{name}", {key: value for key, value in body.items() if key != "properties"}


def test_a_copied_entity_is_set_by_a_processor() -> None:
    layout, source = source_of("elastic", "zeek", "ssl")
    copied = replace(source, derived=(*source.derived, DerivedField("an1498.entity", "id.orig_h", Derivation.COPY, FieldType.IP)))
    pipeline = ingest_pipeline(layout, copied, 1)
    assert run(pipeline, {"source": {"ip": "10.20.0.42"}}) == {"entity": "10.20.0.42", "rank": 1}
    assert run(pipeline, {}) == {"rank": 1}


def test_a_field_that_no_step_computes_is_refused() -> None:
    layout, source = source_of("elastic", "zeek", "ssl")
    wrong = replace(source, derived=(DerivedField("an1498.version", "version", Derivation.TLS_VERSION),))
    with pytest.raises(ContentError, match=r"zeek\.yml:\d+.*'an1498.version' is derived from 'version' by 'tls_version'"):
        ingest_pipeline(layout, wrong, 1)


HOSTILE = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0x2FFF), max_size=20)
SCRIPTS = {processor["script"]["source"] for processor in shipped_pipeline("elastic", source_of("elastic", *MAC)[1])["processors"]}


@given(st.one_of(HOSTILE, st.sampled_from(["'", '"', "\\", "${x}", "{{x}}", "'; ctx.an1498 = null; //", "\u2028", "*/"])), HOSTILE)
def test_no_value_of_a_table_changes_a_script(value: Scalar, other: str) -> None:
    layout, source = source_of("elastic", *MAC)
    hostile = replace(source, rank_cases=(RankCase("category", (value,), 7), RankCase(f"x{other}", (other,), 8)))
    pipeline = json.loads(json.dumps(ingest_pipeline(layout, hostile, 1)))
    assert {processor["script"]["source"] for processor in pipeline["processors"]} == SCRIPTS
    assert run(pipeline, {"unified_log": {"category": value}}) == {"rank": 7}
    assert run(pipeline, {"unified_log": {"category": f"{value}!"}}) == {"rank": source.rank}


def test_targets() -> None:
    assert set(TARGETS) == {name for name, target in whole_pack().targets.items() if target.backend == "elastic"}
