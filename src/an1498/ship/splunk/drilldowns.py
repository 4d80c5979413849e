"""From an alert to the events behind it: per stage the macro of its events, restricted to the alert's group.

A drilldown names macros instead of repeating conditions, because Splunk replaces `$…$` in it: a condition may hold a dollar sign.
"""

from __future__ import annotations

from an1498.compiler.correlation import Plan
from an1498.ship.splunk.names import macro


def drilldowns(plan: Plan) -> list[dict[str, str]]:
    """All stages together, then each alone (ES: name, search, offsets). Tokens are the group's columns in the result."""
    searches = [_search(plan, number) for number in range(len(plan.stages))]
    every = searches[0] if len(searches) == 1 else f"| multisearch {' '.join(f'[ search {search} ]' for search in searches)}"
    named = [("All events behind the alert", every)]
    if len(searches) > 1:
        named += [(f"Events of {stage.name}", search) for stage, search in zip(plan.stages, searches, strict=True)]
    return [
        {"name": name, "search": search, "earliest_offset": "$info_min_time$", "latest_offset": "$info_max_time$"} for name, search in named
    ]


def _search(plan: Plan, number: int) -> str:
    stage = plan.stages[number]
    # A written value has "=" before it (compiler/spl_staged.py).
    mark = "=" if stage.staged else ""
    terms = " ".join(f'"{row.indexed}"="{mark}${group}$"' for row, group in zip(stage.keys, plan.groups, strict=True))
    return f"`{macro(stage.name, 'events')}` | search {terms}"
