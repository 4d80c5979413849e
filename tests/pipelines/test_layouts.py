"""The layout tables and the pySigma pipelines are one file each; these tests hold both halves together, and both to an1498.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from an1498.content.layouts import layout_names, load_layout
from an1498.model import Layout, LayoutSource

ROOT = Path(__file__).parents[2]
PIPELINES = ROOT / "pipelines"
NAMES = layout_names(PIPELINES)


@cache
def layout(name: str) -> Layout:
    return load_layout(name, PIPELINES)


@cache
def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PIPELINES / f"{name}.yml").read_text(encoding="utf-8"))
    return loaded


SOURCES = [(name, source.service) for name in NAMES for source in layout(name).sources]


def source_of(name: str, service: str) -> LayoutSource:
    return next(source for source in layout(name).sources if source.service == service)


def items(name: str, service: str, section: str, kind: str) -> list[dict[str, Any]]:
    """The items of a pipeline of this type that apply to exactly this log source."""
    source = source_of(name, service)
    condition = {"type": "logsource", "product": source.product, "service": source.service}
    return [item for item in document(name).get(section, []) if item["type"] == kind and item["rule_conditions"] == [condition]]


def test_the_six_layouts() -> None:
    assert NAMES == ("elastic/corelight", "elastic/unifiedlogs", "elastic/zeek", "splunk/corelight", "splunk/logd", "splunk/zeek")


@pytest.mark.parametrize(("name", "service"), SOURCES)
def test_the_pipeline_maps_what_the_table_says(name: str, service: str) -> None:
    (item,) = items(name, service, "transformations", "field_name_mapping")
    assert item["mapping"] == {row.native: row.indexed for row in source_of(name, service).fields}


@pytest.mark.parametrize(("name", "service"), SOURCES)
def test_index_and_dataset_or_macro_are_those_of_the_table(name: str, service: str) -> None:
    source = source_of(name, service)
    if layout(name).backend == "splunk":
        (item,) = items(name, service, "postprocessing", "embed")
        assert item["prefix"] == f"`{source.macro}` "
        assert source.macro_definition == f'(index={source.constants["index"]} sourcetype="{source.constants["sourcetype"]}")'
    else:
        (item,) = items(name, service, "transformations", "add_condition")
        assert item["conditions"] == {"event.dataset": source.constants["event.dataset"]}
        (item,) = items(name, service, "transformations", "set_state")
        assert (item["key"], item["val"]) == ("index", source.index)


@pytest.mark.parametrize(("name", "service"), SOURCES)
def test_no_stored_field_holds_two_native_fields(name: str, service: str) -> None:
    stored = [row.indexed for row in source_of(name, service).fields]
    assert len(set(stored)) == len(stored)


@pytest.mark.parametrize(("name", "service"), SOURCES)
def test_the_machine_of_an_event_is_one_field(name: str, service: str) -> None:
    source = source_of(name, service)
    row = source.by_indexed(source.entity_field)
    derived = next((field for field in source.derived if field.indexed == source.entity_field), None)
    match service:
        case "x509":
            assert source.entity_field == ""
        case "unifiedlog":
            assert derived is not None and (derived.native, derived.derivation) == ("host.ip", "usable_address")
        case _:
            assert row is not None and (row.native, row.array, derived) == ("id.orig_h", False, None)


@pytest.mark.parametrize("name", NAMES)
def test_placeholders_have_the_parameters_values(name: str) -> None:
    parameters = tomllib.loads((ROOT / "an1498.toml").read_text(encoding="utf-8"))["parameters"]
    values = {key: value for key, value in document(name)["vars"].items() if key != "layout"}
    assert values, "a pipeline without values cannot resolve any placeholder"
    for key, value in values.items():
        assert value == parameters[key] or (not parameters[key] and value in (["0.0.0.0"], ["an1498.none"]))


def test_every_table_knows_the_fields_of_its_log() -> None:
    """Splunk keeps every native field; what Elastic's Zeek integration loses is exactly what the file's header lists."""
    lost = {
        service: {row.native for row in source_of("splunk/zeek", service).fields}
        - {row.native for row in source_of("elastic/zeek", service).fields}
        for service in ("ssl", "x509", "conn")
    }
    assert lost == {
        "ssl": {"client_subject", "community_id"},
        "x509": {"certificate.subject", "certificate.issuer"},
        "conn": {"community_id", "duration", "orig_bytes", "resp_bytes", "tunnel_parents"},
    }


def test_the_documented_aliases_cover_the_lists_that_rules_read() -> None:
    page = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    rules = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("rules/network/*.yml"))
    lists = {row.native for service in ("ssl", "x509", "conn") for row in source_of("splunk/zeek", service).fields if row.array}
    read = {name for name in lists if f" {name}:" in rules or f" {name}|" in rules}
    assert read == {"cert_chain_fps"}
    assert all(f'"{name}{{}}" ASNEW "{name}"' in page for name in read)
