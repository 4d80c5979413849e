"""This pack's compiler and replay on a case, the same path that a user's rules take.

The case becomes a small content root of its own: its rules, and a layout for Splunk and for Elastic that keeps every field name.
Elastic's field types are those of the values. Rules of an ordered correlation get ranks that fall from stage to stage, and the layout
stamps them, as `docs/semantics.md` asks of rules that EQL shall order within a millisecond.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from an1498.compiler import compile_search
from an1498.content import load_pack
from an1498.errors import ContentError, Location, SearchSyntaxError, Unsupported
from an1498.model import Alert, CorrelationType, Language, NativeEvent, Pack, Search
from an1498.proof.conformance.cases import PRODUCT, SERVICE, ConformanceCase
from an1498.proof.conformance.fields import field_types
from an1498.proof.conformance.judge import Status, Verdict, exact
from an1498.proof.reference import Firing
from an1498.replay.alerts import alerts, index_streams

_CONFIGURATION = """
[pack]
name = "conformance"
version = "0"
attack_version = "0"

[parameters]

[targets.splunk]
backend = "splunk"
languages = ["spl"]
layouts = ["splunk/events"]
entity = "ip"

[targets.elastic]
backend = "elastic"
languages = ["eql", "esql"]
layouts = ["elastic/events"]
entity = "ip"
"""
_TARGETS = {Language.SPL: "splunk", Language.EQL: "elastic", Language.ESQL: "elastic"}
_DEVIATES_ON = {"eql-equal-timestamps": "ties"}
"""The topic in which a declared deviation may show."""


def verdict(case: ConformanceCase, language: Language) -> Verdict:
    """Compile the case's correlation, run its text over the case's events, compare the alerts."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            pack = load(case, Path(directory))
            search = compile_search(pack, str(case.document["name"]), _TARGETS[language], language)
        except Unsupported as refusal:
            return Verdict(Status.REFUSED, reason=refusal.construct)
        except ContentError as refusal:
            return Verdict(Status.REFUSED, reason=refusal.problem)
        return _executed(case, pack, search)


def _executed(case: ConformanceCase, pack: Pack, search: Search) -> Verdict:
    table = index_streams(_connection(), pack.targets[search.target], [_native_events(case)])
    try:
        [found] = alerts(pack, search, table)
    except SearchSyntaxError as error:
        return Verdict(Status.ERROR, reason=str(error), text=search.text)
    declared = ", ".join(one.code for one in search.deviations if _DEVIATES_ON.get(one.code) in case.topics)
    return exact(case.expected, (_firing(search, alert) for alert in found), search.text, declared)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One for all cases, whose table each replaces: opening one costs as much as a search."""
    return duckdb.connect()


def load(case: ConformanceCase, root: Path) -> Pack:
    """The case as a pack whose content lies below `root`. Raises ContentError."""
    ranks = _ranks(case)
    (root / "rules").mkdir()
    (root / "an1498.toml").write_text(_CONFIGURATION, encoding="utf-8")
    for document in case.documents:
        ranked = {**document, "rank": ranks[document["name"]]} if document["name"] in ranks else document
        (root / "rules" / f"{document['name']}.yml").write_text(yaml.safe_dump(dict(ranked), sort_keys=False), encoding="utf-8")
    for backend in ("splunk", "elastic"):
        path = root / "pipelines" / backend / "events.yml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(_pipeline(case, backend, ranks), sort_keys=False), encoding="utf-8")
    return load_pack(root)


def _pipeline(case: ConformanceCase, backend: str, ranks: Mapping[str, int]) -> dict[str, Any]:
    types = field_types(case)
    source: dict[str, Any] = {
        "product": PRODUCT,
        "service": SERVICE,
        "fields": {name: name for name in types},
        "arrays": sorted({name for _, event in case.events for name, value in event.items() if isinstance(value, list)}),
    }
    if backend == "splunk":
        source |= {"macro": "conformance_events", "macro_definition": "(index=conformance)", "constants": {"index": "conformance"}}
    else:
        source |= {"index": "conformance", "types": {name: kind.value for name, kind in types.items()}}
        cases = [{"field": field, "equals": value, "rank": ranks[name]} for name, field, value in _simple(case) if name in ranks]
        if cases:
            source["rank"] = {"default": 0, "cases": cases}
    return {"name": "conformance", "priority": 20, "vars": {"layout": [source]}, "transformations": []}


def _ranks(case: ConformanceCase) -> dict[str, int]:
    """Rule → rank, later stages lower; empty where the layout could not tell the stages' events apart."""
    rules = case.correlation["rules"]
    simple = {name: value for name, _, value in _simple(case)}
    if case.type is not CorrelationType.TEMPORAL_ORDERED or not set(rules) <= set(simple) or len(set(simple.values())) < len(simple):
        return {}
    return {name: len(rules) - position for position, name in enumerate(rules)}


def _simple(case: ConformanceCase) -> Iterator[tuple[str, str, Any]]:
    """(rule, field, value) of the rules that ask for nothing but one value of one field."""
    for document in case.documents:
        detection = document.get("detection", {})
        selection = detection.get("selection")
        if detection.get("condition") == "selection" and isinstance(selection, Mapping) and len(selection) == 1:
            [(field, value)] = selection.items()
            if "|" not in field and isinstance(value, str):
                yield document["name"], field, value


def _native_events(case: ConformanceCase) -> Iterator[NativeEvent]:
    for time_ms, fields in case.events:
        yield NativeEvent(PRODUCT, SERVICE, time_ms * 1000, fields, Location(case.name))


def _firing(search: Search, alert: Alert) -> Firing:
    group = dict(alert.group)
    return tuple(group[key] for key in search.group_by), alert.time_ms
