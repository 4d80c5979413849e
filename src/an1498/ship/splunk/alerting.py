"""What happens with a search's results in Enterprise Security: correlation search, notable event, risk (savedsearches.conf `action.*`).

A correlation raises a notable event and risk; an event rule is context: it adds risk to the machine and never alerts. Without
Enterprise Security these settings name no alert action and do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from an1498.compiler.correlation import Plan
from an1498.compiler.entity import is_entity
from an1498.model import Correlation, Entity, Search, Target
from an1498.ship.splunk.drilldowns import drilldowns
from an1498.ship.splunk.names import MACHINES
from an1498.ship.splunk.text import Rule, json_line, key, said_by, shown, without_tokens


def title(rule: Rule) -> str:
    with said_by(rule, "title"):
        return shown(rule.title)


def description(rule: Rule) -> str:
    """The rule's description, then author and licence: the Detection Rule License asks for them in messages based on matches."""
    by = f" by {key(rule, 'author')}" if key(rule, "author") else ""
    licence = f", {key(rule, 'license')}" if key(rule, "license") else ""
    with said_by(rule, "description"):
        return shown(f"{key(rule, 'description')} [rule {rule.name}{by}{licence}]")


def correlation_search(rule: Rule) -> dict[str, str]:
    """`action.correlationsearch.*`: what makes a saved search a correlation search, with ATT&CK annotations."""
    return {
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": title(rule),
        "action.correlationsearch.annotations": json_line(frameworks(rule)),
    }


def frameworks(rule: Rule) -> dict[str, list[str]]:
    """Techniques from the tags; the analytic and its detection strategy as frameworks of their own."""
    tags = [str(tag).lower() for tag in rule.document.get("tags") or ()]
    techniques = [tag.removeprefix("attack.").upper() for tag in tags if tag.startswith("attack.t") and tag[8:9].isdigit()]
    mitre: Mapping[str, Any] = rule.document.get("mitre") or {}
    story = [f"MITRE ATT&CK {mitre['analytic']}"] if "analytic" in mitre else []
    found = {"analytic_story": story, "mitre_attack": list(dict.fromkeys(techniques))}
    found |= {str(name): [str(text)] for name, text in sorted(mitre.items())}
    return {name: values for name, values in found.items() if values}


def notable(plan: Plan, search: Search, target: Target) -> dict[str, str]:
    """`action.notable.*` of a correlation. `next_steps` and `drilldown_searches` are JSON texts; the single drilldown is what Enterprise
    Security before 7.2 knows."""
    rule, found = plan.correlation, drilldowns(plan)
    with said_by(rule, "triage"):
        steps = without_tokens(key(rule, "triage").strip())
    return {
        "action.notable": "1",
        "action.notable.param.rule_title": _named(rule, search, target),
        "action.notable.param.rule_description": description(rule),
        "action.notable.param.security_domain": _domain(plan),
        "action.notable.param.severity": str(target.options.get("severity", {}).get(search.level, search.level)),
        "action.notable.param.nes_fields": ",".join(search.group_by),
        "action.notable.param.next_steps": json_line({"version": 1, "data": steps}),
        "action.notable.param.drilldown_searches": json_line(found),
        "action.notable.param.drilldown_name": found[0]["name"],
        "action.notable.param.drilldown_search": found[0]["search"],
        "action.notable.param.drilldown_earliest_offset": "$info_min_time$",
        "action.notable.param.drilldown_latest_offset": "$info_max_time$",
    }


def risk(rule: Rule, search: Search, target: Target) -> dict[str, str]:
    """`action.risk.*` for the machine that a result names; nothing where it names none."""
    machines = _machines(rule, search, target)
    if not machines:
        return {}
    objects = [{"risk_object_field": name, "risk_object_type": "system", "risk_score": search.risk_score} for name in machines]
    return {
        "action.risk": "1",
        "action.risk.param._risk": json_line(objects),
        "action.risk.param._risk_message": _named(rule, search, target),
        "action.risk.param._risk_score": "0",
        "action.risk.param.verbose": "0",
    }


def _machines(rule: Rule, search: Search, target: Target) -> list[str]:
    """The result's fields that hold a machine: of a correlation, those of its group; of an event, the layout's entity field. The
    alias `entity` is no machine where it is a flow."""
    if not isinstance(rule, Correlation):
        return list(search.entity_fields)
    flow = target.entity is Entity.COMMUNITY_ID
    return [name for name in search.group_by if name in MACHINES and not (flow and is_entity(rule, name))]


def _named(rule: Rule, search: Search, target: Target) -> str:
    """The title with the machine's token behind it."""
    machines = _machines(rule, search, target)
    return f"{title(rule)}: ${machines[0]}$" if machines else title(rule)


def _domain(plan: Plan) -> str:
    """Enterprise Security's security domain: both sensors together are a threat, one alone is its own domain."""
    products = {stage.source.product for _, stage in plan.evidence()}
    return {frozenset({"macos"}): "endpoint", frozenset({"zeek"}): "network"}.get(frozenset(products), "threat")
