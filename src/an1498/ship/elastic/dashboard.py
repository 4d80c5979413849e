"""The dashboard "AN1498 overview" as saved objects (Kibana, "Saved objects API: import"): alerts over time, machines, issuers, and whether
the logs arrive as the rules need them. Its fields are those of the target's layouts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

from an1498.model import LayoutSource, Target
from an1498.ship.elastic.fields import indexed_names, indexes, target_sources
from an1498.ship.elastic.selection import NAMESPACE

ALERTS = ".alerts-security.alerts-*"
OURS = 'kibana.alert.rule.tags : "AN1498"'
SHOWN = f"{OURS} and not kibana.alert.building_block_type : *"

MIGRATIONS: Mapping[str, Mapping[str, str]] = {
    "index-pattern": {"coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.0.0"},
    "dashboard": {"coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.9.0"},
}
"""Formats of the saved objects that the import migrates from (Kibana 8.9)."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Panel:
    """One Lens panel. `rows` and `split` are fields of terms; `over_time` draws bars by time, else a table or, without rows, one number."""

    title: str
    view: str
    query: str
    width: int
    height: int
    rows: tuple[str, ...] = ()
    over_time: bool = False
    last_time: bool = False


def dashboard(target: Target) -> list[Item]:
    """The saved objects: two data views, then the dashboard that refers to them."""
    sources = target_sources(target)
    alerts, events = (
        _view(target, "alerts", ALERTS, "AN1498 alerts"),
        _view(target, "events", ",".join(indexes(sources)), "AN1498 telemetry"),
    )
    return [alerts, events, _dashboard(target, list(_panels(sources, alerts["id"], events["id"])))]


def _panels(sources: Iterable[LayoutSource], alerts: str, events: str) -> Iterable[Panel]:
    machines = tuple(dict.fromkeys(source.entity_field for source in sources if source.entity_field))
    yield Panel("Alerts", alerts, SHOWN, 12, 10)
    yield Panel("Alerts over time", alerts, SHOWN, 36, 10, ("kibana.alert.rule.name",), over_time=True)
    yield Panel("Alerts by rule and severity", alerts, SHOWN, 24, 12, ("kibana.alert.rule.name", "kibana.alert.severity"), last_time=True)
    yield Panel(
        "Context by rule (building blocks)", alerts, f"{OURS} and kibana.alert.building_block_type : *", 24, 12, ("kibana.alert.rule.name",)
    )
    for machine in machines:
        yield Panel(f"Machines in alerts and context ({machine})", alerts, OURS, 48 // len(machines), 12, (machine,), last_time=True)
    for title, native in (("Certificate issuers", "issuer"), ("Validation verdicts", "validation_status"), ("Server names", "server_name")):
        fields = _fields(sources, "ssl", native)
        if fields:
            yield Panel(title, events, f"{fields[0]} : *", 16, 12, fields)
    yield Panel("Telemetry: records over time", events, "", 24, 12, ("event.dataset",), over_time=True)
    yield Panel("Telemetry: last record", events, "", 12, 12, ("event.dataset",), last_time=True)
    yield Panel("Telemetry: records without an1498.rank (pipeline missing)", events, "not an1498.rank : *", 12, 12, ("event.dataset",))


def _fields(sources: Iterable[LayoutSource], service: str, native: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for source in sources if source.service == service for name in indexed_names(source, native)))[:1]


def _view(target: Target, name: str, pattern: str, title: str) -> Item:
    return {
        "type": "index-pattern",
        "id": _id(target, name),
        "attributes": {"title": pattern, "name": f"{title} ({target.name})", "timeFieldName": "@timestamp", "allowNoIndex": True},
        "references": [],
        **MIGRATIONS["index-pattern"],
    }


def _dashboard(target: Target, panels: list[Panel]) -> Item:
    placed, references = [], []
    x = y = row_height = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > 48:
            x, y, row_height = 0, y + row_height, 0
        index = f"panel-{number}"
        lens = _lens(panel)
        placed.append(
            {
                "type": "lens",
                "panelIndex": index,
                "gridData": {"x": x, "y": y, "w": panel.width, "h": panel.height, "i": index},
                "title": panel.title,
                "embeddableConfig": {"attributes": lens, "enhancements": {}},
            }
        )
        references += [{**reference, "name": f"{index}:{reference['name']}"} for reference in lens["references"]]
        x, row_height = x + panel.width, max(row_height, panel.height)
    search = {"query": {"query": "", "language": "kuery"}, "filter": []}
    options = {"useMargins": True, "syncColors": False, "syncCursor": True, "syncTooltips": False, "hidePanelTitles": False}
    return {
        "type": "dashboard",
        "id": _id(target, "dashboard"),
        "attributes": {
            "title": f"AN1498 overview ({target.name})",
            "description": "Alerts and context of the AN1498 rules, and whether the logs arrive as the rules need them.",
            "panelsJSON": json.dumps(placed),
            "optionsJSON": json.dumps(options),
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(search)},
            "timeRestore": True,
            "timeFrom": "now-7d",
            "timeTo": "now",
            "version": 1,
        },
        "references": references,
        **MIGRATIONS["dashboard"],
    }


def _lens(panel: Panel) -> Item:
    columns: dict[str, Item] = {}
    if panel.over_time:
        columns["time"] = _column("@timestamp", "date", "date_histogram", "@timestamp", bucketed=True, params={"interval": "auto"})
    for number, field in enumerate(panel.rows, 1):
        params = {
            "size": 20,
            "orderBy": {"type": "column", "columnId": "count"},
            "orderDirection": "desc",
            "otherBucket": False,
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
        }
        columns[f"row{number}"] = _column(field, "string", "terms", field, bucketed=True, params=params)
    columns["count"] = _column("Records", "number", "count", "___records___", bucketed=False, params={"emptyAsNull": False})
    if panel.last_time:
        columns["last"] = _column("Last", "date", "max", "@timestamp", bucketed=False, params={"emptyAsNull": True})
    layer = {"columns": columns, "columnOrder": list(columns), "incompleteColumns": {}, "sampling": 1}
    kind, visualization = _visualization(panel, list(columns))
    return {
        "title": panel.title,
        "type": "lens",
        "visualizationType": kind,
        "references": [{"type": "index-pattern", "id": panel.view, "name": "indexpattern-datasource-layer-layer1"}],
        "state": {
            "visualization": visualization,
            "query": {"query": panel.query, "language": "kuery"},
            "filters": [],
            "datasourceStates": {"formBased": {"layers": {"layer1": layer}}},
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


def _visualization(panel: Panel, columns: list[str]) -> tuple[str, Item]:
    if panel.over_time:
        layer = {
            "layerId": "layer1",
            "layerType": "data",
            "seriesType": "bar_stacked",
            "xAccessor": "time",
            "splitAccessor": "row1",
            "accessors": ["count"],
        }
        legend = {"isVisible": True, "position": "right"}
        return "lnsXY", {"preferredSeriesType": "bar_stacked", "legend": legend, "valueLabels": "hide", "layers": [layer]}
    if panel.rows:
        return "lnsDatatable", {"layerId": "layer1", "layerType": "data", "columns": [{"columnId": column} for column in columns]}
    return "lnsMetric", {"layerId": "layer1", "layerType": "data", "metricAccessor": "count"}


def _column(label: str, kind: str, operation: str, field: str, *, bucketed: bool, params: Item) -> Item:
    return {
        "label": label,
        "customLabel": True,
        "dataType": kind,
        "operationType": operation,
        "sourceField": field,
        "isBucketed": bucketed,
        "scale": "ordinal" if operation == "terms" else "interval" if operation == "date_histogram" else "ratio",
        "params": params,
    }


def _id(target: Target, name: str) -> str:
    return str(uuid5(NAMESPACE, f"saved-object/{target.name}/{name}"))
