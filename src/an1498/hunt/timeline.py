"""Findings drawn along their time: endpoint events above, TLS events below, the window between first and last as a box."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from an1498.hunt.alerts import Evidence, Finding
from an1498.hunt.output import moment, printable

_LEFT, _RIGHT, _HEIGHT = 90, 910, 120
_LANES = {"endpoint": (35, "endpoint"), "tls": (75, "TLS")}
_MOST_DOTS = 2000


def timeline(findings: Sequence[Finding]) -> str:
    """An inline SVG picture of one finding, or of all of a machine, with a text for those who cannot see it. Times run from the first to
    the last event, a tenth added. Events that several findings share are drawn once."""
    events = list({(event.file, event.line, event.time_s): event for one in findings for event in one.events}.values())[:_MOST_DOTS]
    times = [*(time for one in findings for time in (one.first_s, one.time_s)), *(event.time_s for event in events)]
    start, end = min(times), max(times)
    margin = max((end - start) * 0.1, 0.5)

    def x(time_s: float) -> float:
        return _LEFT + (time_s - start + margin) / (end - start + 2 * margin) * (_RIGHT - _LEFT)

    windows = dict.fromkeys((x(one.first_s), x(one.time_s)) for one in findings)
    label = f"{len(events)} events from {moment(start)} to {moment(end)}"
    parts = [
        f'<svg viewBox="0 0 1000 {_HEIGHT}" role="img" aria-label="{escape(label)}">',
        *(f'<rect class="window" x="{left:.1f}" y="14" width="{max(right - left, 1.5):.1f}" height="82"/>' for left, right in windows),
        *(
            f'<text x="4" y="{y + 4}">{name}</text><line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>'
            for y, name in _LANES.values()
        ),
        *(_dot(event, x(event.time_s), 6 if len(findings) == 1 else 4) for event in events),
        *_times(start, end, x(start), x(end), spell=f"{end - start:.3f} s" if len(findings) == 1 else ""),
    ]
    return "".join([*parts, "</svg>"])


def _times(start: float, end: float, left: float, right: float, *, spell: str) -> list[str]:
    # The day is said where the picture goes on into another one.
    shown = slice(11, 23) if moment(start)[:10] == moment(end)[:10] else slice(5, 16)
    parts = [f'<text x="{left:.1f}" y="112" text-anchor="middle">{moment(start)[shown]}</text>']
    if right - left > 90:
        parts.append(f'<text x="{right:.1f}" y="112" text-anchor="middle">{moment(end)[shown]}</text>')
        if spell:
            parts.append(f'<text x="{(left + right) / 2:.1f}" y="10" text-anchor="middle">{spell}</text>')
    return parts


def _dot(event: Evidence, x: float, radius: int) -> str:
    kind = "endpoint" if event.product == "macos" else "tls"
    what = event.fields.get("eventMessage") or event.fields.get("server_name") or event.fields.get("id.resp_h") or ""
    title = escape(printable(f"{moment(event.time_s)} {what}"))
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{_LANES[kind][0]}" r="{radius}"><title>{title}</title></circle>'
