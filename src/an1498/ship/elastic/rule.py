"""A search → a rule of Kibana's detection engine (API `POST /api/detection_engine/rules/_import`, schema RuleToImport)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from an1498.compiler.alerts_index import index as alerts_index
from an1498.compiler.deviations import MAX_SIGNALS
from an1498.compiler.schedule import settled_s
from an1498.content.data import attack_object
from an1498.content.kibana import ORIGINAL_TIME
from an1498.model import Language, LayoutSource, Pack, Search, Target
from an1498.ship.elastic import exceptions, guide
from an1498.ship.elastic.fields import distinct_sources, indexes, investigation_fields, required_fields
from an1498.ship.elastic.selection import LANGUAGE_NAMES, Selected
from an1498.ship.elastic.suppression import alert_suppression
from an1498.ship.elastic.threat import tactic_names, threat

Rule = dict[str, Any]

TYPES: Mapping[Language, str] = {Language.EQL: "eql", Language.ESQL: "esql", Language.LUCENE: "query"}

INTEGRATIONS: Mapping[str, str] = {"unifiedlogs": ">=0.5.0", "zeek": ">=2.1.0"}
"""Fleet packages by `event.module`, from the version on that stores what the layouts say (their changelogs: unifiedlogs 0.5.0 brought
the ingest pipeline, zeek 2.1.0 the certificates). Corelight's mapping is not a Fleet package."""


def rule_version(pack_version: str) -> int:
    """The pack's version as one growing number, 1 or more: 1.2.3 → 1002003."""
    parts = [int(part) if part.isdecimal() else 0 for part in f"{pack_version}.0.0".split(".")[:3]]
    return max(1, parts[0] * 1_000_000 + parts[1] * 1_000 + parts[2])


def detection_rule(pack: Pack, selected: Selected, searches: Mapping[tuple[str, Language], Search]) -> Rule:
    """The rule, disabled. `searches` are the target's, by rule and language."""
    search = selected.search
    document = (pack.rules.get(search.rule) or pack.correlations[search.rule]).document
    sources = distinct_sources(pack, search)
    rule: Rule = {
        "rule_id": selected.rule_id,
        "name": _name(selected),
        "description": str(document.get("description") or "").strip() or search.title,
        "enabled": False,
        "version": rule_version(pack.version),
        "type": TYPES[search.language],
        "language": str(search.language),
        "query": search.text,
    }
    if search.language is not Language.ESQL:
        rule["index"] = [alerts_index(pack.targets[search.target])] if search.staged else indexes(sources)
    if search.kind == "event":
        rule["building_block_type"] = "default"
    rule |= _schedule(pack.targets[search.target], search) | _rating(pack, search)
    suppression = alert_suppression(search)
    if suppression:
        rule["alert_suppression"] = suppression
    entries = threat(tuple(map(str, document.get("tags") or ())))
    rule |= {
        "threat": entries,
        "tags": _tags(selected, document, sources, tactic_names(entries)),
        "author": [str(document["author"])] if document.get("author") else [],
        "license": str(document.get("license") or ""),
        "references": [str(item) for item in document.get("references") or ()],
        "false_positives": [str(item) for item in document.get("falsepositives") or ()],
        "note": guide.note(pack, selected, searches),
        "setup": guide.setup(pack, selected),
        "required_fields": required_fields(pack, search),
        "related_integrations": _integrations(sources),
        "investigation_fields": {"field_names": investigation_fields(pack, search)},
        "exceptions_list": exceptions.references(selected),
        "actions": [],
    }
    return rule


def _name(selected: Selected) -> str:
    title = selected.search.title
    if selected.companion:
        title += " (reversed clocks)"
    return f"{title} [{LANGUAGE_NAMES[selected.search.language]}]" if selected.instead_of else title


def _schedule(target: Target, search: Search) -> Rule:
    """Single events are searched by the time at which they were indexed: one that comes late is still seen, and an event's alert is
    raised once. Correlations look at the events' own times: their lookback holds window, interval and ingest lag, and a range on
    `event.ingested` would cut a pair apart whose halves came at different times (so do Elastic's own EQL sequence rules). Staged
    correlations look at the events' own times too, in the alerts, and end where every building block has run."""
    schedule: Rule = {
        "from": f"now-{search.lookback_s}s",
        "to": "now",
        "interval": _span(search.interval_s),
        "max_signals": MAX_SIGNALS,
    }
    if search.kind == "event":
        schedule |= {"timestamp_override": "event.ingested", "timestamp_override_fallback_disabled": False}
    elif search.staged:
        schedule |= {"timestamp_override": ORIGINAL_TIME, "timestamp_override_fallback_disabled": True}
        schedule["to"] = f"now-{settled_s(target, staged=True)}s"
    if search.language is Language.EQL:
        schedule["timestamp_field"] = search.time_field
        if search.tiebreaker:
            schedule["tiebreaker_field"] = search.tiebreaker
    return schedule


def _span(seconds: int) -> str:
    """Kibana takes s, m, h and d."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _rating(pack: Pack, search: Search) -> Rule:
    """No mappings: neither log has a field that rates an event, so the level is the rule's own."""
    severity: Mapping[str, str] = pack.targets[search.target].options["severity"]
    return {"risk_score": search.risk_score, "risk_score_mapping": [], "severity": severity[search.level], "severity_mapping": []}


def _tags(selected: Selected, document: Mapping[str, Any], sources: tuple[LayoutSource, ...], tactics: list[str]) -> list[str]:
    search = selected.search
    mitre = document.get("mitre") or {}
    tags = ["AN1498", *(str(value) for value in mitre.values())]
    tags += [f"OS: {platform}" for platform in _platforms(str(mitre.get("analytic", "")))]
    tags += [f"Data Source: {source.product}/{source.service}" for source in sources]
    tags += [f"Tactic: {name}" for name in tactics]
    tags += ["Use Case: Threat Detection", f"Language: {search.language}"]
    tags += ["Rule Type: BBR"] if search.kind == "event" else []
    tags += ["Alternative"] if selected.instead_of else []
    return list(dict.fromkeys(tags))


def _platforms(analytic: str) -> list[str]:
    try:
        return list(attack_object(analytic).get("x_mitre_platforms", ()))
    except KeyError:
        return []


def _integrations(sources: tuple[LayoutSource, ...]) -> list[dict[str, str]]:
    modules = dict.fromkeys(str(source.constants.get("event.module", "")) for source in sources)
    return [{"package": name, "version": INTEGRATIONS[name]} for name in modules if name in INTEGRATIONS]
