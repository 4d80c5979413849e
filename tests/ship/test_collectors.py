"""Collectors' configurations: what the endpoint rules need gets through, other records do not, and the repository has the newest."""

from __future__ import annotations

import configparser
import fnmatch
import plistlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.rules.conftest import events_of, rule_matcher, scenarios, whole_pack

from an1498.ship.collectors.configs import KEPT, config_files
from an1498.ship.collectors.predicate import Comparison, Term, alternatives_of, predicate

ROOT = Path(__file__).parents[2]
COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "==": lambda text, value: text == value,
    "BEGINSWITH[c]": lambda text, value: text.lower().startswith(value.lower()),
    "ENDSWITH[c]": lambda text, value: text.lower().endswith(value.lower()),
    "CONTAINS[c]": lambda text, value: value.lower() in text.lower(),
    "LIKE[c]": lambda text, value: fnmatch.fnmatchcase(text.lower(), value.lower().replace("[", "[[]")),
}


def passes(event: Mapping[str, Any], terms: tuple[Term, ...]) -> bool:
    def holds(test: Comparison) -> bool:
        found = any(COMPARE[test.operator](str(event.get(test.field, "")), value) for value in test.values)
        return found is not test.negated

    return any(all(map(holds, term)) for term in terms)


def test_every_record_that_a_rule_matches_gets_through_and_little_else() -> None:
    pack = whole_pack()
    terms = alternatives_of(pack)
    matchers = [rule_matcher(name) for name, rule in pack.rules.items() if rule.product == "macos"]
    wanted = kept = seen = 0
    for scenario in scenarios():
        for event in events_of(scenario):
            if event.product != "macos":
                continue
            seen += 1
            if any(match(event.fields) for match in matchers):
                wanted += 1
                assert passes(event.fields, terms), event.location
            kept += passes(event.fields, terms)
    assert wanted > 100
    assert kept < seen
    assert not passes({"eventMessage": "SecKeyCreateSignature", "senderImagePath": "/usr/lib/other"}, terms)


def test_a_term_that_another_one_contains_is_left_out() -> None:
    text = predicate(whole_pack())
    assert text.count("SecKeyCreateSignature") == 1
    assert "/Users/" not in text  # macos_key_use_from_user_writable_path needs nothing more than macos_public_key_use


@pytest.mark.parametrize("path", sorted(config_files(whole_pack())))
def test_the_repository_has_what_the_rules_give(path: str) -> None:
    written = (ROOT / "collectors" / path).read_bytes()
    assert written == config_files(whole_pack())[path], "write them again: .venv/bin/python -m an1498.ship.collectors collectors"


def test_each_file_reads_back() -> None:
    files = config_files(whole_pack())
    text = " ".join(predicate(whole_pack()).split("\n"))
    conf = configparser.ConfigParser(interpolation=None)
    conf.read_string(files["splunk/inputs.conf"].decode())
    assert conf["logd://an1498"]["logd-predicate"] == text
    assert yaml.safe_load(files["elastic/filebeat.yml"])["filebeat.inputs"][0]["predicate"] == [text]
    assert yaml.safe_load(files["elastic/unifiedlogs.yml"])["inputs"][0]["streams"][0]["predicate"] == [text]
    (payload,) = plistlib.loads(files["an1498.mobileconfig"])["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.system.logging"
    assert set(payload["Subsystems"]) == set(KEPT)


def test_the_profile_keeps_every_subsystem_of_the_predicate() -> None:
    named = {
        value
        for term in alternatives_of(whole_pack())
        for test in term
        if test.field == "subsystem" and test.operator == "=="
        for value in test.values
    }
    assert named <= set(KEPT)
