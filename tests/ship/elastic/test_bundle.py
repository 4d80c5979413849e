"""The bundle as a whole: its files, the same bytes every time, exception lists, dashboard, TOML, and what `build` writes."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.ship.elastic.conftest import bundle_of, lines, rules_of
from tests.ship.pack import ROOT, searches_of, whole_pack

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.model import Language, Pack, Search
from an1498.ship import read_build, write_build
from an1498.ship.elastic import bundle_files
from an1498.ship.elastic.fields import stored_types, target_sources
from an1498.ship.elastic.page import generated, with_generated
from an1498.ship.elastic.selection import select
from an1498.ship.elastic.tomltext import toml


def test_the_same_content_gives_the_same_bytes_whatever_the_order(target: str) -> None:
    again = bundle_files(load_pack(ROOT), target, list(reversed(searches_of(target))))
    assert again == dict(bundle_of(target))


def test_build_writes_the_bundle_beside_the_searches(tmp_path: Path, pack: Pack) -> None:
    compilation = compile_pack(pack, ("elastic", "splunk"))
    write_build(compilation, tmp_path, pack=pack)
    bundle = tmp_path / "elastic/bundle"
    written = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in files_below(bundle)}
    assert written == dict(bundle_of("elastic"))
    manifest = json.loads((tmp_path / "elastic/manifest.json").read_text(encoding="utf-8"))
    assert {f"bundle/{name}" for name in written} <= set(manifest["files"])
    assert not (tmp_path / "splunk/bundle").exists()
    assert len(read_build(tmp_path, ("elastic",)).searches) == len(searches_of("elastic"))


def files_below(directory: Path) -> list[Path]:
    return [path for path in sorted(directory.rglob("*")) if path.is_file()]


def test_exception_lists_are_those_that_rules_name(target: str) -> None:
    lists = {item["list_id"]: item for item in lines(bundle_of(target)["exceptions.ndjson"])}
    named = {reference["list_id"]: reference for rule in rules_of(target) for reference in rule["exceptions_list"]}
    assert set(lists) == set(named)
    for name, item in lists.items():
        assert {key: item[key] for key in ("id", "type", "namespace_type")} == {k: named[name][k] for k in ("id", "type", "namespace_type")}
        assert UUID(item["id"]).version == 5
        # What Kibana's import takes for a list, and nothing else.
        assert set(item) == {"id", "list_id", "name", "description", "type", "namespace_type", "os_types", "tags", "version"}
    alerting = [rule for rule in rules_of(target) if "building_block_type" not in rule]
    assert {len(rule["exceptions_list"]) for rule in alerting} == {2}
    assert {len(rule["exceptions_list"]) for rule in rules_of(target) if rule not in alerting} == {1}


def test_the_dashboard_refers_to_what_is_there(target: str) -> None:
    objects = lines(bundle_of(target)["dashboard.ndjson"])
    views, (board,) = objects[:-1], objects[-1:]
    assert [item["type"] for item in objects] == ["index-pattern", "index-pattern", "dashboard"]
    ids = {item["id"] for item in views}
    panels = json.loads(board["attributes"]["panelsJSON"])
    assert {reference["id"] for reference in board["references"]} == ids
    known = {name for source in target_sources(whole_pack().targets[target]) for name in stored_types(source)}
    for panel in panels:
        lens = panel["embeddableConfig"]["attributes"]
        (layer_id, layer), *more = lens["state"]["datasourceStates"]["formBased"]["layers"].items()
        assert more == []
        assert layer["columnOrder"] == list(layer["columns"])
        named = {column["sourceField"] for column in layer["columns"].values()} | set(
            re.findall(r"([\w.]+) :", lens["state"]["query"]["query"])
        )
        assert {name for name in named if not name.startswith("kibana.alert.")} <= known | {"___records___"}
        (reference,) = lens["references"]
        assert reference["name"] == f"indexpattern-datasource-layer-{layer_id}"
        assert {**reference, "name": f"{panel['panelIndex']}:{reference['name']}"} in board["references"]
        assert accessors(lens["state"]["visualization"]) <= set(layer["columns"])
    titles = [panel["title"] for panel in panels]
    assert {"Alerts over time", "Certificate issuers", "Telemetry: records over time"} <= set(titles)
    assert len(set(titles)) == len(titles)


def accessors(visualization: dict[str, Any]) -> set[str]:
    layers = visualization.get("layers", [visualization])
    found = {layer[key] for layer in layers for key in ("xAccessor", "splitAccessor", "metricAccessor") if key in layer}
    found |= {column for layer in layers for column in layer.get("accessors", ())}
    return found | {column["columnId"] for column in visualization.get("columns", ())}


def test_panels_do_not_overlap(target: str) -> None:
    board = lines(bundle_of(target)["dashboard.ndjson"])[-1]
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(board["attributes"]["panelsJSON"]):
        grid = panel["gridData"]
        cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 48
        taken |= cells


# Field names of elastic/detection-rules: RuleMeta, BaseRuleData, QueryRuleData, EQLRuleData, ESQLRuleData in detection_rules/rule.py at
# commit facc76b80a65b1b4edf0a449e686e750b364e556.
METADATA = frozenset(
    """creation_date updated_date deprecation_date bypass_bbr_timing comments integration maturity min_stack_version min_stack_comments
    os_type_list query_schema_validation related_endpoint_rules promotion extended""".split()  # noqa: SIM905
)
RULE = frozenset(
    """name author description from investigation_fields related_integrations required_fields revision setup risk_score rule_id severity
    type actions building_block_type enabled exceptions_list false_positives filters interval license max_signals meta note references
    risk_score_mapping rule_name_override severity_mapping tags threat throttle timeline_id timeline_title timestamp_override to version
    index query language alert_suppression event_category_override timestamp_field tiebreaker_field""".split()  # noqa: SIM905
)
# Empty lists, and what those classes have no field for.
LEFT_OUT = {"exceptions_list", "actions", "timestamp_override_fallback_disabled", "risk_score_mapping", "severity_mapping"}


def test_the_toml_says_what_the_ndjson_says(target: str) -> None:
    rules = {rule["rule_id"]: rule for rule in rules_of(target)}
    documents = [tomllib.loads(text.decode()) for name, text in bundle_of(target).items() if name.endswith(".toml")]
    assert {document["rule"]["rule_id"] for document in documents} == set(rules)
    for document in documents:
        metadata, rule = document["metadata"], document["rule"]
        assert set(metadata) <= METADATA
        assert set(rule) <= RULE
        whole = rules[rule["rule_id"]]
        assert rule == {key: whole[key] for key in rule}
        left_out = {key for key in whole if key not in rule}
        assert left_out <= {*LEFT_OUT, "related_integrations"}
        assert re.fullmatch(r"\d{4}/\d\d/\d\d", metadata["creation_date"])
        assert metadata.get("bypass_bbr_timing", False) == (rule.get("building_block_type") == "default")
        for entry in rule["threat"]:
            assert re.fullmatch(r"https://attack\.mitre\.org/techniques/T\d+/\d+/", entry["technique"][0]["subtechnique"][0]["reference"])


def test_toml_of_nested_values_reads_back() -> None:
    document = {
        "text": 'a "quoted" \\ text',
        "long": 'first\n"""\nlast"',
        "blank": "ends \nwith\t\nblanks ",
        "yes": True,
        "number": -3,
        "none": [],
        "list": ["x" * 60, "y" * 60, "with\nline"],
        "a table": {"inner": {"key.with.dots": 1}},
        "tables": [{"name": "one", "deep": [{"n": 1}, {"n": 2}]}, {"name": "two"}],
    }
    assert tomllib.loads(toml(document).decode()) == document
    assert tomllib.loads(toml({"gone": None, "lone": "\ud800"}).decode()) == {"lone": "\ufffd"}
    assert toml({"quoted": 'first\nthe "last"'}) == b'quoted = """\nfirst\nthe "last\\""""\n'
    with pytest.raises(TypeError, match="float has no TOML form here"):
        toml({"x": 1.5})


def companions() -> tuple[Search, ...]:
    first = next(search for search in searches_of("elastic") if search.kind == "correlation" and search.language is Language.EQL)
    other = replace(first, id="6b2d0b0e-0000-4000-8000-000000000002", text="sequence reversed", stages=first.stages[::-1])
    return first, other


def test_a_second_search_of_a_rule_is_a_rule_of_its_own(pack: Pack) -> None:
    files = bundle_files(pack, "elastic", companions())
    one, two = lines(files["rules.ndjson"])
    assert two["name"] == f"{one['name']} (reversed clocks)"
    assert two["rule_id"] != one["rule_id"]
    assert "Enable it together with the rule of the same name." in two["setup"]
    assert [name for name in files if name.endswith(".toml")] == [
        f"detection-rules/{companions()[0].rule}.eql.toml",
        f"detection-rules/{companions()[0].rule}.2.eql.toml",
    ]
    assert [item.companion for item in select(companions())] == [False, True]


def test_the_readme_names_every_file_to_install(target: str) -> None:
    text = bundle_of(target)["README.md"].decode()
    for name in bundle_of(target):
        if not name.startswith(("detection-rules/", "README")):
            assert name in text
    numbers = re.search(r"^(\d+) rules", text, re.MULTILINE)
    assert numbers
    assert int(numbers[1]) == len(rules_of(target))


def test_the_guide_translates_the_names_of_the_raw_logs() -> None:
    rule = next(rule for rule in rules_of("elastic") if rule["type"] == "eql" and "unrecognised certificate" in rule["name"])
    assert "| `processImagePath` | `process.executable` |" in rule["note"]
    assert "| `server_name` | `zeek.ssl.server.name` |" in rule["note"]
    buttons = [line for line in rule["note"].splitlines() if line.startswith("!{investigate{")]
    values = [json.loads(line[len("!{investigate") : -1])["providers"][0][-1]["value"] for line in buttons]
    assert values == ["{{an1498.entity}}", "{{source.ip}}"]
    esql = next(rule for rule in rules_of("elastic") if rule["type"] == "esql" and "unrecognised certificate" in rule["name"])
    assert esql["note"].count('"value": "{{entity}}"') == 2
    assert "Enable one of the two, not both." in esql["setup"]


def test_the_page_shows_what_the_bundle_holds(pack: Pack) -> None:
    text = (ROOT / "docs/elastic.md").read_text(encoding="utf-8")
    assert with_generated(text, generated(pack)) == text
    for name, content in bundle_of("elastic").items():
        if name.startswith("ingest_pipelines/"):
            for processor in json.loads(content)["processors"]:
                assert processor.get("script", {}).get("source", "").strip() in text
    with pytest.raises(ValueError, match="no place for the generated part"):
        with_generated("# A page", "x")
