"""rules.ndjson: every rule has the form that Kibana imports, reads only fields that the layouts produce, and says what its search says."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from tests.ship.elastic.conftest import TARGETS, rules_of
from tests.ship.pack import searches_of, whole_pack

from an1498.model import Language, Pack
from an1498.replay.prepare import prepare
from an1498.ship.elastic.fields import stored_types, target_sources
from an1498.ship.elastic.rule import rule_version
from an1498.ship.elastic.selection import select
from an1498.ship.elastic.suppression import alert_suppression

SCHEMA = json.loads((Path(__file__).parent / "rule_import.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
LANGUAGE = {"eql": Language.EQL, "esql": Language.ESQL, "lucene": Language.LUCENE}

EACH = [(target, rule) for target in TARGETS for rule in rules_of(target)]


def each(case: tuple[str, dict[str, Any]]) -> str:
    return f"{case[0]}-{case[1]['language']}-{case[1]['name'][:40]}"


def known_fields(target: str) -> set[str]:
    return {name for source in target_sources(whole_pack().targets[target]) for name in stored_types(source)}


def fields_of(rule: dict[str, Any], known: set[str]) -> set[str]:
    """The stored fields that a query names, read from its text; for Lucene without the help of replay, which may read any field."""
    text = rule["query"]
    if rule["language"] == "lucene":
        bare = re.sub(r'"(?:\\.|[^"\\])*"|/(?:\\.|[^/\\])*/', " ", text)
        return set(re.findall(r"([\w@.]+):", bare)) - {"_exists_"} | set(re.findall(r"_exists_:([\w@.]+)", bare))
    prepared = prepare(LANGUAGE[rule["language"]], text, tiebreaker=rule.get("tiebreaker_field", ""))
    assert prepared.fields is not None
    # Columns that an ES|QL query makes, its metadata, and what replay reads to know which data streams `FROM` takes.
    made = {name for name in prepared.fields if re.search(rf"(EVAL|STATS|,) {re.escape(name)} = ", text)}
    metadata = {name for name in prepared.fields if name.startswith(("data_stream.", "_"))}
    return set(prepared.fields) - (made - known) - metadata


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("case", EACH, ids=each)
def test_a_rule_has_the_form_of_the_import(case: tuple[str, dict[str, Any]]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(case[1])] == []


@pytest.mark.parametrize(
    "change",
    [
        {"type": "threshold"},
        {"severity": "informational"},
        {"risk_score": 101},
        {"interval": "5 minutes"},
        {"from": "-7m"},
        {"version": 0},
        {"alert_suppression": {"group_by": []}},
        {"required_fields": [{"name": "x"}]},
        {"threat": [{"framework": "MITRE ATT&CK"}]},
        {"investigation_fields": {"field_names": []}},
        {"tiebreaker_feild": "x"},
    ],
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    rule = next(rule for rule in rules_of("elastic") if rule["type"] == "eql")
    assert not VALIDATOR.is_valid(rule | change)


def test_an_es_ql_rule_has_no_index() -> None:
    rule = next(rule for rule in rules_of("elastic") if rule["type"] == "esql")
    assert not VALIDATOR.is_valid(rule | {"index": ["logs-*"]})


@pytest.mark.parametrize("case", EACH, ids=each)
def test_every_field_is_one_that_the_layouts_produce(case: tuple[str, dict[str, Any]]) -> None:
    target, rule = case
    known = known_fields(target)
    read = fields_of(rule, known)
    required = {item["name"] for item in rule["required_fields"]}
    assert required <= known
    # replay falls back from a multi-field to its field.
    assert read - required - {name.removesuffix(".keyword") for name in required} <= {"@timestamp", "an1498.rank"}
    assert set(rule["investigation_fields"]["field_names"]) <= known
    assert {rule.get("timestamp_field", "@timestamp"), rule.get("tiebreaker_field", "an1498.rank")} <= known


def test_types_of_required_fields_are_those_of_the_layouts(target: str) -> None:
    types = {item["name"]: (item["type"], item["ecs"]) for rule in rules_of(target) for item in rule["required_fields"]}
    assert types["an1498.entity"] == ("ip", False)
    assert types["source.ip"] == ("ip", True)
    assert types["message.keyword"] == ("keyword", False)
    assert types["message"] == ("match_only_text", True)
    assert types["process.pid"] == ("long", True)


def test_every_rule_of_the_target_is_there_once_per_purpose(pack: Pack, target: str) -> None:
    searches = searches_of(target)
    selected = select(searches)
    assert {item.search.rule for item in selected} == {search.rule for search in searches}
    events = Counter(item.search.rule for item in selected if item.search.kind == "event")
    assert set(events.values()) == {1}
    correlations = {(item.search.rule, item.search.language) for item in selected if item.search.kind == "correlation"}
    assert correlations == {(search.rule, search.language) for search in searches if search.kind == "correlation"}
    enabled = [item.search.rule for item in selected if item.instead_of is None and item.search.kind == "correlation"]
    assert sorted(enabled) == sorted(pack.correlations)


@pytest.mark.parametrize("case", EACH, ids=each)
def test_a_rule_says_what_its_search_says(case: tuple[str, dict[str, Any]]) -> None:
    target, rule = case
    item = next(item for item in select(searches_of(target)) if item.rule_id == rule["rule_id"])
    search, pack = item.search, whole_pack()
    assert rule["query"] == search.text
    assert rule["enabled"] is False
    assert rule["from"] == f"now-{search.lookback_s}s"
    assert rule["interval"] == "5m"
    assert rule["risk_score"] == search.risk_score
    assert ("building_block_type" in rule) == (search.kind == "event") == ("timestamp_override" in rule)
    assert rule.get("tiebreaker_field", "") == search.tiebreaker
    assert ("Alternative" in rule["tags"]) == (item.instead_of is not None)
    document = (pack.rules.get(search.rule) or pack.correlations[search.rule]).document
    assert rule["description"] == document["description"].strip()
    assert document["triage"].strip() in rule["note"]
    assert rule["references"] == document["references"]
    assert rule["false_positives"] == document["falsepositives"]


def test_rules_read_the_data_streams_of_their_stages() -> None:
    by_name = {(rule["name"], rule["type"]): rule for rule in rules_of("elastic")}
    pair = by_name["Public-key routine on a Mac, then TLS to an external server with an unrecognised certificate", "eql"]
    assert pair["index"] == ["logs-unifiedlogs.log-*", "logs-zeek.ssl-*"]
    assert [item["package"] for item in pair["related_integrations"]] == ["unifiedlogs", "zeek"]
    weak = by_name["Certificate with a weak key", "query"]
    assert weak["index"] == ["logs-zeek.x509-*"]
    assert weak["related_integrations"] == [{"package": "zeek", "version": ">=2.1.0"}]


def test_threat_has_the_names_of_attack(target: str) -> None:
    for rule in rules_of(target):
        assert rule["threat"] == [
            {
                "framework": "MITRE ATT&CK",
                "tactic": {"id": "TA0011", "name": "Command and Control", "reference": "https://attack.mitre.org/tactics/TA0011/"},
                "technique": [
                    {
                        "id": "T1573",
                        "name": "Encrypted Channel",
                        "reference": "https://attack.mitre.org/techniques/T1573/",
                        "subtechnique": [
                            {
                                "id": "T1573.002",
                                "name": "Asymmetric Cryptography",
                                "reference": "https://attack.mitre.org/techniques/T1573/002/",
                            }
                        ],
                    }
                ],
            }
        ]


def test_only_aggregating_queries_are_suppressed_and_by_columns_of_their_result(target: str) -> None:
    for rule in rules_of(target):
        suppressed = rule.get("alert_suppression")
        assert (suppressed is not None) == (rule["type"] == "esql" and "building_block_type" not in rule)
        if suppressed:
            (keep,) = (line for line in rule["query"].splitlines() if line.startswith("| KEEP "))
            columns = keep.removeprefix("| KEEP ").split(", ")
            assert set(suppressed["group_by"]) == set(columns) - {"@timestamp"}
            assert suppressed["duration"] == {"value": int(rule["from"][4:-1]), "unit": "s"}
            assert suppressed["missing_fields_strategy"] == "doNotSuppress"


def test_ids_are_stable_unique_uuids() -> None:
    ids = [rule["rule_id"] for target in TARGETS for rule in rules_of(target)]
    assert len(set(ids)) == len(ids)
    assert {UUID(text).version for text in ids} == {5}
    # Written down once: an id that changes leaves an orphan in every Kibana.
    named = {(rule["name"], rule["type"]): rule["rule_id"] for rule in rules_of("elastic")}
    assert named["Certificate with a weak key", "query"] == "0645a85c-b603-57d2-b96f-bbb3f5331330"
    pair = "Public-key routine on a Mac, then TLS to an external server with an unrecognised certificate"
    assert named[pair, "eql"] == "b60165dc-3893-52bf-be4f-6012c286f436"


@pytest.mark.parametrize(
    ("text", "number"), [("0.1.0", 1000), ("1.2.3", 1_002_003), ("0.0.0", 1), ("2", 2_000_000), ("1.0.0rc1", 1_000_000)]
)
def test_versions_grow(text: str, number: int) -> None:
    assert rule_version(text) == number


def test_a_group_of_more_keys_than_kibana_takes_is_not_suppressed() -> None:
    search = next(search for search in searches_of("elastic") if search.language is Language.ESQL and search.kind == "correlation")
    two, three = (replace(search, group_by=("a", "b", "c")[:number]) for number in (2, 3))
    suppressed = alert_suppression(two)
    assert suppressed is not None
    assert suppressed["group_by"] == ["a", "b", "first_time"]
    assert alert_suppression(three) is None
