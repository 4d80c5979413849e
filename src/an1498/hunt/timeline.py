"""A finding's events drawn along its time: endpoint events above, TLS events below, the window between first and last as a box."""

from __future__ import annotations

from html import escape

from an1498.hunt.alerts import Evidence, Finding
from an1498.hunt.output import moment, printable

_LEFT, _RIGHT, _HEIGHT = 90, 910, 120
_LANES = {"endpoint": (35, "endpoint"), "tls": (75, "TLS")}


def timeline(one: Finding) -> str:
    """An inline SVG picture, with a text for those who cannot see it. Times run from the first to the last event, a tenth added."""
    times = [event.time_s for event in one.events] or [one.first_s, one.time_s]
    start, end = min(one.first_s, *times), max(one.time_s, *times)
    margin = max((end - start) * 0.1, 0.5)

    def x(time_s: float) -> float:
        return _LEFT + (time_s - start + margin) / (end - start + 2 * margin) * (_RIGHT - _LEFT)

    first, last = x(one.first_s), x(one.time_s)
    label = f"{len(one.events)} events from {moment(one.first_s)} to {moment(one.time_s)}"
    parts = [
        f'<svg viewBox="0 0 1000 {_HEIGHT}" role="img" aria-label="{escape(label)}">',
        f'<rect class="window" x="{first:.1f}" y="14" width="{max(last - first, 1):.1f}" height="82"/>',
        *(
            f'<text x="4" y="{y + 4}">{name}</text><line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>'
            for y, name in _LANES.values()
        ),
        *(_dot(event, x(event.time_s)) for event in one.events),
        f'<text x="{first:.1f}" y="112" text-anchor="middle">{moment(one.first_s)[11:23]}</text>',
    ]
    if last - first > 90:
        parts.append(f'<text x="{last:.1f}" y="112" text-anchor="middle">{moment(one.time_s)[11:23]}</text>')
        parts.append(f'<text x="{(first + last) / 2:.1f}" y="10" text-anchor="middle">{one.time_s - one.first_s:.3f} s</text>')
    return "".join([*parts, "</svg>"])


def _dot(event: Evidence, x: float) -> str:
    kind = "endpoint" if event.product == "macos" else "tls"
    what = event.fields.get("eventMessage") or event.fields.get("server_name") or event.fields.get("id.resp_h") or ""
    title = escape(printable(f"{moment(event.time_s)} {what}"))
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{_LANES[kind][0]}" r="6"><title>{title}</title></circle>'
