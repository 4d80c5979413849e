"""From an alert to the events behind it: per stage the macro of its events, restricted to the alert's group.

A drilldown names macros instead of repeating conditions, because Splunk replaces `$…$` in it: a condition may hold a dollar sign.
"""

from __future__ import annotations

from an1498.compiler.correlation import Plan, Stage
from an1498.compiler.entity import HostField
from an1498.compiler.spl_parts import ORIGINAL_TIME, stored_value
from an1498.model import SPLUNK_ASSETS, LayoutField
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
    terms: list[str] = []
    steps = [f"`{macro(stage.name, 'events')}`"]
    for column, group in zip(plan.keys, plan.groups, strict=True):
        key = fields[column]
        term = f'"{key.indexed}"="{mark}${group}$"'
        if not isinstance(key, HostField):
            terms.append(term)
        elif key.by_address:
            steps += _of_address(stage, key, group)
        else:  # the name may have a domain there
            terms.append(f'({term} OR "{key.indexed}"="{mark}${group}$.*")')
    if terms:
        steps.insert(1, f"search {' '.join(terms)}")
    return " | ".join(steps)


def _of_address(stage: Stage, key: LayoutField, group: str) -> list[str]:
    """Events of an address while the host had it."""
    time = f", _time=tonumber({ORIGINAL_TIME})" if stage.staged else ""
    return [
        f"eval an1498_ip={stored_value(stage, key)}{time}",
        f"lookup {SPLUNK_ASSETS} ip AS an1498_ip OUTPUT host AS an1498_host, end AS an1498_end",
        f'where an1498_host="${group}$" AND _time<tonumber(an1498_end)',
    ]
