"""The dashboard "AN1498 overview" (Splunk Dashboard Studio: a view of version 2 that holds its definition as JSON).

Searches name macros and fields only. A field or macro with a dollar sign is refused: in a dashboard it would begin a token.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from an1498.model import LayoutField, LayoutSource
from an1498.ship.splunk.lookups import lookup_names
from an1498.ship.splunk.macros import ALERTS, RISK
from an1498.ship.splunk.names import MACHINES, PREFIX
from an1498.ship.splunk.text import without_tokens

VIEW = "an1498_overview"
LABEL = f"{PREFIX} overview"
_DESCRIPTION = "Alerts, machines, certificate issuers, and whether the logs arrive as the searches need them."
_WIDTH = 1440
_GLOBAL = {"earliest": "$global_time.earliest$", "latest": "$global_time.latest$"}
_LAST_HOUR = {"earliest": "-60m", "latest": "now"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One visualization. `width` is in twelfths of a row, `height` in pixels; `hour` reads the last hour whatever the time picker says."""

    title: str
    query: str
    width: int
    height: int
    kind: str = "splunk.table"
    hour: bool = False


def overview(sources: Sequence[LayoutSource], groups: Iterable[str]) -> bytes:
    """The view. `groups` are the columns of the alerts' groups. Raises Unwritable."""
    text = json.dumps(_definition(list(_panels(sources, tuple(groups)))), indent=2, ensure_ascii=True)
    # Nothing in the JSON can end the CDATA section.
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return (
        '<dashboard version="2" theme="dark">\n'
        f"  <label>{escape(LABEL)}</label>\n"
        f"  <description>{escape(_DESCRIPTION)}</description>\n"
        f"  <definition><![CDATA[\n{text}\n  ]]></definition>\n"
        "</dashboard>\n"
    ).encode()


def navigation() -> bytes:
    """The app's menu."""
    return (
        '<nav search_view="search">\n'
        f'  <view name="{VIEW}" default="true" />\n'
        '  <view name="search" />\n  <view name="reports" />\n  <view name="alerts" />\n  <view name="dashboards" />\n'
        "</nav>\n"
    ).encode()


def _panels(sources: Sequence[LayoutSource], groups: tuple[str, ...]) -> Iterator[Panel]:
    machine = ", ".join(_quoted(name) for name in groups if name in MACHINES) or "host"
    yield Panel("Alerts", f"`{ALERTS}` | stats count", 2, 260, "splunk.singlevalue")
    yield Panel("Alerts over time", f"`{ALERTS}` | timechart count by source", 10, 260, "splunk.column")
    yield Panel(
        "Machines with most alerts",
        f"`{ALERTS}` | eval machine=coalesce({machine}) | stats count as alerts dc(source) as rules max(_time) as last by machine"
        ' | sort 0 -alerts | head 50 | eval last=strftime(last, "%F %T")',
        6,
        320,
    )
    yield Panel(
        "Machines with most context (risk)",
        f"`{RISK}` | stats sum(risk_score) as risk dc(source) as rules max(_time) as last by risk_object"
        ' | sort 0 -risk | head 50 | eval last=strftime(last, "%F %T")',
        6,
        320,
    )
    yield from _issuers(sources)
    yield Panel("Telemetry health, last hour", _health(sources), 12, 260, hour=True)
    for name in lookup_names():
        yield Panel(f"Lookup {name}", f"| inputlookup {name}", 4, 260)


def _issuers(sources: Sequence[LayoutSource]) -> Iterator[Panel]:
    """Sessions that the sensor could not verify, and the issuers that few certificates have. Fields by the layouts' own names."""
    for source in sources:
        status, issuer, client = (source.by_native(name) for name in ("validation_status", "issuer", "id.orig_h"))
        if status and issuer and client:
            yield Panel(
                "Unverified TLS sessions by verdict and issuer",
                f"`{source.macro}` {_term(status)}=* NOT {_term(status)}=ok"
                f' | fillnull value="(not logged)" {_quoted(issuer.indexed)}'
                f" | stats count as sessions dc({_quoted(client.indexed)}) as machines"
                f" by {_quoted(status.indexed)}, {_quoted(issuer.indexed)} | sort 0 -sessions | head 100",
                6,
                320,
            )
        issuer, key = source.by_native("certificate.issuer"), source.by_native("fingerprint")
        if issuer and key:
            yield Panel(
                "Rarest certificate issuers",
                f"`{source.macro}` {_term(issuer)}=* | stats dc({_quoted(key.indexed)}) as certificates max(_time) as last"
                f' by {_quoted(issuer.indexed)} | sort 0 certificates | head 100 | eval last=strftime(last, "%F %T")',
                6,
                320,
            )


def _health(sources: Sequence[LayoutSource]) -> str:
    """Per log: events, machines, events without one, minutes since the last; a log without any event is a row of zeros."""
    branches = []
    for source in sources:
        entity = f"'{without_tokens(source.entity_field)}'" if source.entity_field else "null()"
        branches.append(
            f'[ search `{without_tokens(source.macro)}` | eval an1498_log="{source.product}/{source.service}", an1498_machine={entity} ]'
        )
    start = f"| multisearch {' '.join(branches)}" if len(branches) > 1 else branches[0][1:-1].strip()
    logs = ",".join(f"{source.product}/{source.service}" for source in sources)
    return (
        f"{start} | stats count as events dc(an1498_machine) as machines count(eval(isnull(an1498_machine))) as without_machine"
        f" max(_time) as last by an1498_log"
        f' | append [| makeresults | eval an1498_log=split("{logs}", ","), events=0, machines=0, without_machine=0'
        " | mvexpand an1498_log | fields - _time ]"
        " | stats sum(events) as events sum(machines) as machines sum(without_machine) as without_machine max(last) as last by an1498_log"
        ' | eval minutes_since_last=if(isnull(last), "no event", round((now()-last)/60, 1)) | fields - last | rename an1498_log as log'
    )


def _quoted(name: str) -> str:
    """A field's name in a command's arguments."""
    return f'"{without_tokens(name)}"' if not name.replace("_", "a").isalnum() else name


def _term(row: LayoutField) -> str:
    return without_tokens(row.indexed)


def _definition(panels: Sequence[Panel]) -> dict[str, Any]:
    names = [f"an1498_{number:02}" for number in range(1, len(panels) + 1)]
    return {
        "title": LABEL,
        "description": _DESCRIPTION,
        "inputs": {
            "input_global_time": {
                "type": "input.timerange",
                "title": "Time",
                "options": {"token": "global_time", "defaultValue": "-7d@h,now"},
            }
        },
        "defaults": {},
        "dataSources": {f"ds_{name}": _data_source(panel) for name, panel in zip(names, panels, strict=True)},
        "visualizations": {f"viz_{name}": _visualization(panel, f"ds_{name}") for name, panel in zip(names, panels, strict=True)},
        "layout": {
            "type": "absolute",
            "globalInputs": ["input_global_time"],
            "options": {"width": _WIDTH, "height": _rows(panels)[-1][1] + panels[-1].height, "display": "auto-scale"},
            "structure": [
                {
                    "item": f"viz_{name}",
                    "type": "block",
                    "position": {"x": x, "y": y, "w": panel.width * _WIDTH // 12, "h": panel.height},
                }
                for name, panel, (x, y) in zip(names, panels, _rows(panels), strict=True)
            ],
        },
    }


def _rows(panels: Sequence[Panel]) -> list[tuple[int, int]]:
    """Each panel's left upper corner: rows are filled from the left."""
    places: list[tuple[int, int]] = []
    x = y = height = 0
    for panel in panels:
        if x + panel.width > 12:
            x, y, height = 0, y + height, 0
        places.append((x * _WIDTH // 12, y))
        x, height = x + panel.width, max(height, panel.height)
    return places


def _data_source(panel: Panel) -> dict[str, Any]:
    times = _LAST_HOUR if panel.hour else _GLOBAL
    return {"type": "ds.search", "name": panel.title, "options": {"query": panel.query, "queryParameters": dict(times)}}


def _visualization(panel: Panel, source: str) -> dict[str, Any]:
    options: dict[str, Any] = {"stackMode": "stacked"} if panel.kind == "splunk.column" else {}
    return {"type": panel.kind, "title": panel.title, "dataSources": {"primary": source}, "options": options}
