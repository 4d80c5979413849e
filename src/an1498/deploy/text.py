"""Plans and drifts as lines for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from an1498.deploy.diff import FieldDiff, printable
from an1498.deploy.drift import Drift
from an1498.deploy.plan import STATUSES, Change, Plan

SIGNS = {"create": "+", "update": "~", "delete": "-", "locally-modified": "!", "unchanged": "="}
STYLES = {"+": "green", "~": "yellow", "-": "red", "!": "magenta", "=": "", "@": "cyan"}

Styled = list[tuple[str, str]]


def plan_lines(plan: Plan, *, every: bool = False) -> Iterator[Styled]:
    """The plan; unchanged objects only where asked for."""
    yield [(f"{plan.action}: target '{plan.target}', {plan.siem}", "bold")]
    for change in plan.changes:
        if change.status != "unchanged" or change.tuned or every:
            yield from _change(change)
    yield [(", ".join(f"{plan.count(status)} {status}" for status in STATUSES), "bold")]


def _change(change: Change) -> Iterator[Styled]:
    sign = SIGNS[change.status]
    line = f"{sign} {change.status} {printable(str(change.key))}"
    line += f" ({printable(change.title)})" if change.title != change.key.name else ""
    line += f": {printable(change.reason)}" if change.reason else ""
    yield [(line, STYLES[sign])]
    if change.status == "locally-modified" and change.overwritable:
        yield [(f"    skipped; --overwrite-local {json.dumps(printable(change.key.name))} makes it as the build has it", "")]
    if change.tuned:
        yield [(f"    kept as set in the SIEM: {', '.join(change.tuned)}", "")]
    if change.status in ("update", "locally-modified"):
        yield from _diff(change.diff)


def _diff(diff: Sequence[FieldDiff]) -> Iterator[Styled]:
    for item in diff:
        yield [(f"    {item.field}:", "")]
        for line in item.lines:
            yield [(f"      {line}", STYLES.get(line[:1], ""))]


def drift_lines(drifts: Sequence[Drift]) -> Iterator[Styled]:
    for drift in drifts:
        line = f"{drift.kind} {printable(str(drift.key))}"
        line += f" ({printable(drift.title)})" if drift.title != drift.key.name else ""
        line += f": {', '.join(drift.fields)}" if drift.fields else ""
        yield [(line, "" if drift.kind == "tuned" else "red")]
        yield from _diff(drift.diff)


def drift_data(drifts: Sequence[Drift]) -> list[dict[str, object]]:
    return [
        {
            "key": str(drift.key),
            "title": printable(drift.title),
            "kind": drift.kind,
            "fields": list(drift.fields),
            "diff": {item.field: list(item.lines) for item in drift.diff},
        }
        for drift in drifts
    ]
