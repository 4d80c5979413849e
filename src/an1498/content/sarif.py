"""Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code scanning services."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from an1498.content.findings import MALFORMED, Finding, Severity
from an1498.content.lints import all_lints

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Finding], version: str) -> dict[str, Any]:
    """A SARIF log with one run; its rules are all lints and loader errors, with their pages as help."""
    rules: list[dict[str, Any]] = [_rule(code, name, Severity.ERROR, text, text) for name, (code, text) in MALFORMED.items()]
    rules += [_rule(lint.code, lint.name, lint.severity, lint.title, lint.page.strip()) for lint in all_lints()]
    order = {rule["id"]: index for index, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "an1498", "semanticVersion": version, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, order[finding.code]) for finding in findings],
            }
        ],
    }


def _rule(code: str, name: str, severity: Severity, title: str, page: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": title},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": severity.value},
    }


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.location.file)}}
    if finding.location.line:
        place["region"] = {"startLine": finding.location.line}
        if finding.location.column:
            place["region"]["startColumn"] = finding.location.column
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": finding.severity.value,
        "message": {"text": f"{finding.problem}; {finding.remedy}"},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
