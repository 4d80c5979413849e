"""The same rules in the form of elastic/detection-rules (`detection_rules/rule.py`: RuleMeta, BaseRuleData and the data classes of each
type), for teams that keep their content in that repository's TOML and deploy with its command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from an1498.ship.elastic.rule import Rule

MIN_STACK = "8.18.0"
"""The first release with suppression of every rule type and with the integration `unifiedlogs`."""

# What BaseRuleData and its subclasses have no field for.
_NOT_THERE = frozenset({"timestamp_override_fallback_disabled", "exceptions_list", "actions"})
_TAIL = ("threat", "required_fields", "related_integrations", "investigation_fields", "alert_suppression")


def detection_rules_document(rule: Rule, document: Mapping[str, Any]) -> dict[str, Any]:
    """`document` is the Sigma rule's. Exceptions stay in Kibana; detection-rules keeps them in files of its own."""
    created = _date(document.get("date"))
    metadata: dict[str, Any] = {
        "creation_date": created,
        "updated_date": _date(document.get("modified")) if document.get("modified") else created,
        "maturity": "production" if document.get("status") == "stable" else "development",
        "min_stack_version": MIN_STACK,
        "integration": [item["package"] for item in rule["related_integrations"]],
    }
    if "building_block_type" in rule:
        # The pack's building blocks run as often as its correlations, not hourly.
        metadata["bypass_bbr_timing"] = True
    plain = {key: value for key, value in rule.items() if key not in _NOT_THERE and key not in _TAIL and value != []}
    return {"metadata": metadata, "rule": plain | {key: rule[key] for key in _TAIL if rule.get(key)}}


def _date(value: object) -> str:
    """Sigma writes 2026-01-15, detection-rules 2026/01/15; a rule without a date has the pack's first."""
    return str(value or "2026-01-15").replace("-", "/")
