"""From an alert to the events behind it: per stage the macro of its events, restricted to the alert's group.

A drilldown names macros instead of repeating conditions, because Splunk replaces `$…$` in it: a condition may hold a dollar sign.
"""

from __future__ import annotations

from an1498.compiler.correlation import Plan, Stage
from an1498.ship.splunk.names import macro


def drilldowns(plan: Plan) -> list[dict[str, str]]:
    """All stages together, then each alone (ES: name, search, offsets). Tokens are the group's columns in the result."""
    found = {stage.name: _search(plan, owner, stage) for owner, stage in plan.evidence()}
    searches = list(found.values())
    every = searches[0] if len(searches) == 1 else f"| multisearch {' '.join(f'[ search {search} ]' for search in searches)}"
    named = [("All events behind the alert", every)]
    if len(searches) > 1:
        named += [(f"Events of {name}", search) for name, search in found.items()]
    return [
        {"name": name, "search": search, "earliest_offset": "$info_min_time$", "latest_offset": "$info_max_time$"} for name, search in named
    ]


def _search(plan: Plan, owner: Plan, stage: Stage) -> str:
    """`owner` is the correlation of a chain that refers to the stage; the alert has the outermost one's group."""
    fields = dict(zip(owner.keys, stage.keys, strict=True))
    # A written value has "=" before it (compiler/spl_staged.py).
    mark = "=" if stage.staged else ""
    terms = " ".join(f'"{fields[column].indexed}"="{mark}${group}$"' for column, group in zip(plan.keys, plan.groups, strict=True))
    return f"`{macro(stage.name, 'events')}` | search {terms}"
