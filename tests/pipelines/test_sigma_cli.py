"""Plain sigma-cli with our pipelines: one small rule, the exact text of every language of every layout, and all event rules of the pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from sigma.cli.convert import convert as sigma_convert

from an1498.content.layouts import load_layout

ROOT = Path(__file__).parents[2]
PIPELINES = ROOT / "pipelines"

RULES = {
    "unifiedlog": """
title: Signature by a program in a user's folder
id: 0d5b2c7e-7a3c-4f51-9a27-3f4d3c1d0a01
logsource: {product: macos, service: unifiedlog}
detection:
  selection:
    eventType: activityCreateEvent
    eventMessage: SecKeyCreateSignature
  own: {processID: 1}
  condition: selection and not own
""",
    "ssl": """
title: Self-signed server on a known port
id: 0d5b2c7e-7a3c-4f51-9a27-3f4d3c1d0a02
logsource: {product: zeek, service: ssl}
detection:
  selection:
    validation_status: self signed certificate
    established: true
  usual: {id.resp_p|expand: "%ports%"}
  condition: selection and not usual
""",
}

EXPECTED = {
    (
        "splunk",
        "splunk/logd",
    ): '`an1498_macos_unifiedlog` eventType="activityCreateEvent" eventMessage="SecKeyCreateSignature" NOT processID=1',
    (
        "splunk",
        "splunk/zeek",
    ): '`an1498_zeek_ssl` validation_status="self signed certificate" established=true NOT (id.resp_p IN ("443", "853"))',
    ("splunk", "splunk/corelight"): (
        '`an1498_corelight_ssl` validation_status="self signed certificate" established=true NOT (id.resp_p IN ("443", "853"))'
    ),
    ("lucene", "elastic/unifiedlogs"): (
        "event.dataset:unifiedlogs.log AND ((unified_log.event_type:activityCreateEvent AND message:SecKeyCreateSignature) "
        "AND (NOT process.pid:1))"
    ),
    ("lucene", "elastic/zeek"): (
        'event.dataset:zeek.ssl AND ((zeek.ssl.validation.status:"self signed certificate" AND tls.established:true) '
        "AND (NOT (destination.port:(443 OR 853))))"
    ),
    ("lucene", "elastic/corelight"): (
        'event.dataset:tls AND ((ssl.validation_status:"self signed certificate" AND tls.established:true) '
        "AND (NOT (destination.port:(443 OR 853))))"
    ),
    ("eql", "elastic/unifiedlogs"): (
        'any where event.dataset:"unifiedlogs.log" and ((unified_log.event_type:"activityCreateEvent" and message:"SecKeyCreateSignature") '
        "and (not process.pid:1))"
    ),
    ("eql", "elastic/zeek"): (
        'any where event.dataset:"zeek.ssl" and ((zeek.ssl.validation.status:"self signed certificate" and tls.established:true) '
        "and (not (destination.port like~ (443, 853))))"
    ),
    ("eql", "elastic/corelight"): (
        'any where event.dataset:"tls" and ((ssl.validation_status:"self signed certificate" and tls.established:true) '
        "and (not (destination.port like~ (443, 853))))"
    ),
    ("esql", "elastic/unifiedlogs"): (
        'from logs-unifiedlogs.log-* metadata _id, _index, _version | where event.dataset=="unifiedlogs.log" '
        'and unified_log.event_type=="activityCreateEvent" and message=="SecKeyCreateSignature" and not process.pid==1'
    ),
    ("esql", "elastic/zeek"): (
        'from logs-zeek.ssl-* metadata _id, _index, _version | where event.dataset=="zeek.ssl" '
        'and zeek.ssl.validation.status=="self signed certificate" and tls.established==true and not (destination.port in (443, 853))'
    ),
    ("esql", "elastic/corelight"): (
        'from logs-corelight.ssl-* metadata _id, _index, _version | where event.dataset=="tls" '
        'and ssl.validation_status=="self signed certificate" and tls.established==true and not (destination.port in (443, 853))'
    ),
}


def convert(target: str, layout: str, rule: Path, *more: Path) -> str:
    pipelines = [argument for path in (PIPELINES / f"{layout}.yml", *more) for argument in ("-p", str(path))]
    result = CliRunner().invoke(sigma_convert, ["-t", target, *pipelines, str(rule)])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.mark.parametrize(("target", "layout"), EXPECTED)
def test_one_rule_in_every_language(target: str, layout: str, tmp_path: Path) -> None:
    """The values of the rule's placeholder come from a second pipeline here, so that the expected text does not follow an1498.toml."""
    rule, values = tmp_path / "rule.yml", tmp_path / "values.yml"
    rule.write_text(RULES["unifiedlog" if layout in ("splunk/logd", "elastic/unifiedlogs") else "ssl"])
    values.write_text("name: values\npriority: 10\nvars: {ports: [443, 853]}\ntransformations: []\n")
    assert convert(target, layout, rule, values) == EXPECTED[target, layout]


def fields(node: Any) -> Iterator[str]:
    """The fields that a rule's detections read, also those that it compares with."""
    if isinstance(node, list):
        for item in node:
            yield from fields(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key.partition("|")[0]
            if re.search(r"\|fieldref\b", key):
                yield from [value] if isinstance(value, str) else value


def cases() -> Iterator[tuple[str, str, Path]]:
    """Every event rule with every layout that stores all its fields."""
    for path in sorted([*ROOT.glob("rules/endpoint/*.yml"), *ROOT.glob("rules/network/*.yml")]):
        rule = yaml.safe_load(path.read_text(encoding="utf-8"))
        read = {field for name, item in rule["detection"].items() if name != "condition" for field in fields(item)}
        for target, layout in EXPECTED:
            for source in load_layout(layout, PIPELINES).sources:
                same = (source.product, source.service) == (rule["logsource"]["product"], rule["logsource"]["service"])
                if same and all(source.by_native(field) for field in read):
                    yield target, layout, path


CASES = list(cases())


@pytest.mark.parametrize(("target", "layout", "path"), CASES, ids=[f"{path.stem}-{target}-{layout}" for target, layout, path in CASES])
def test_every_event_rule_converts(target: str, layout: str, path: Path) -> None:
    text = convert(target, layout, path)
    source = next(
        one for one in load_layout(layout, PIPELINES).sources if one.service == yaml.safe_load(path.read_text())["logsource"]["service"]
    )
    first = {
        "splunk": f"`{source.macro}` ",
        "lucene": f"event.dataset:{source.constants.get('event.dataset')} AND ",
        "eql": f'any where event.dataset:"{source.constants.get("event.dataset")}" and ',
        "esql": f'from {source.index} metadata _id, _index, _version | where event.dataset=="{source.constants.get("event.dataset")}" and ',
    }
    assert text.startswith(first[target])
    assert "%" not in text


def test_every_rule_converts_for_both_siems() -> None:
    paths = {path for _, _, path in CASES}
    assert paths == {*ROOT.glob("rules/endpoint/*.yml"), *ROOT.glob("rules/network/*.yml")}
