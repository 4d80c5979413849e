"""A plan as a file: what `plan --out` writes, what `apply --plan` reads, and whether a plan made now is still the one that was shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from an1498.deploy.diff import printable
from an1498.deploy.plan import STATUSES, Plan
from an1498.errors import UsageError

FORMAT = 1


def plan_data(plan: Plan) -> dict[str, Any]:
    """The plan as JSON holds it: `--format json`, and the file that `apply --plan` takes."""
    return {
        "format": FORMAT,
        "target": plan.target,
        "siem": plan.siem,
        "build": plan.build,
        "overwrite": list(plan.overwrite),
        "summary": {status: plan.count(status) for status in STATUSES},
        "objects": [
            {
                "key": str(change.key),
                "title": printable(change.title),
                "reason": printable(change.reason),
                "tuned": list(change.tuned),
                "fields": {item.field: list(item.lines) for item in change.diff},
                **change.fingerprint,
            }
            for change in plan.changes
        ],
        "notes": list(plan.notes),
    }


def read_plan(path: Path) -> dict[str, Any]:
    """A plan that `plan --out` wrote. Raises UsageError."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot read the plan: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON: {error}; plan again") from error
    try:
        if data["format"] != FORMAT:
            raise UsageError(f"{path}: has format {data['format']!r}, this an1498 knows {FORMAT}; plan again")
        objects = {str(item["key"]): {name: item[name] for name in ("status", "sent", "state")} for item in data["objects"]}
        return {"target": data["target"], "siem": data["siem"], "overwrite": tuple(map(str, data["overwrite"])), "objects": objects}
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: is not a plan that `an1498 plan --out` wrote; plan again") from error


def stale(plan: Plan, shown: Mapping[str, Any]) -> list[str]:
    """Why a plan made now is not the one that was shown (`read_plan`): one line per object; empty where it is."""
    if (shown["target"], shown["siem"]) != (plan.target, plan.siem):
        raise UsageError(f"the plan is for target '{shown['target']}' on {shown['siem']}, not for '{plan.target}' on {plan.siem}")
    now = {str(change.key): change.fingerprint for change in plan.changes}
    lines = []
    for key in sorted({*shown["objects"], *now}):
        old, new = shown["objects"].get(key), now.get(key)
        if old != new:
            elsewhere = old is not None and new is not None and old["state"] != new["state"]
            lines.append(f"{key}: {'changed in the SIEM' if elsewhere else 'the build or the lock file changed'} since the plan")
    return lines
