"""When a saved search runs and over which time (Splunk, savedsearches.conf): cron with an offset of its own, window, time range.

A run looks at events whose lateness is over: from `lookback_s` ago to `ingest_lag_s` ago, so that two runs see the same past. The
lookback is window(s) + interval + lag + skew (compiler/schedule.py); with continuous scheduling (`realtime_schedule = 0`) no run is left
out. Ordered correlations find in the older part of the range only what an earlier run found as well: suppression by group and first
event's time silences the repetition. Counts, and chains over counts, need that part to know the state; an edge that they see there may
be an effect of the range's beginning, so `settled` keeps alerts of the newest interval only, which no other run covers.

On a staged target an event search has no schedule window: what it writes must be there before the correlations' range ends.
"""

from __future__ import annotations

import zlib

from an1498.compiler.correlation import Plan
from an1498.compiler.schedule import settled_s
from an1498.model import Search, Target
from an1498.ship.splunk.conf import Unwritable

_HOUR, _DAY = 60, 24 * 60


def schedule(search: Search, target: Target) -> dict[str, str]:
    """The settings. Raises Unwritable where cron cannot say the interval."""
    minutes = _minutes(search.interval_s)
    return {
        "enableSched": "1",
        "cron_schedule": cron(search.rule, minutes),
        "schedule_window": str(max(minutes // 5, 1) if minutes > 1 and not search.staged_as else 0),
        "realtime_schedule": "0",
        **time_range(search, target),
    }


def time_range(search: Search, target: Target) -> dict[str, str]:
    ago = settled_s(target, staged=search.staged)
    return {"dispatch.earliest_time": f"-{search.lookback_s}s", "dispatch.latest_time": f"-{ago}s" if ago else "now"}


def cron(rule: str, minutes: int) -> str:
    """Every `minutes`; the offset is the rule's own, the same in every build, so that searches do not start together."""
    offset = zlib.crc32(rule.encode()) % minutes
    if minutes <= _HOUR:
        # Written out: `2-59/5` is cron, but not every reader of savedsearches.conf takes it.
        return f"{','.join(str(minute) for minute in range(offset, _HOUR, minutes))} * * * *"
    hours = minutes // _HOUR
    first = offset // _HOUR
    return f"{offset % _HOUR} {','.join(str(hour) for hour in range(first, 24, hours))} * * *"


def settled(plan: Plan) -> str:
    """What keeps alerts to the newest interval (and the clock skew before it, where a stage may still have been unseen); "" for
    correlations whose alerts do not depend on a state."""
    if not plan.stateful:
        return ""
    return f"| addinfo\n| where _time>=info_min_time+{plan.windows_s}\n| fields - info_*"


def _minutes(interval_s: int) -> int:
    minutes, rest = divmod(interval_s, 60)
    even = 0 < minutes <= _DAY and not rest and (_HOUR % minutes == 0 if minutes <= _HOUR else minutes % _HOUR == 0 and _DAY % minutes == 0)
    if not even:
        raise Unwritable(f"an interval of {interval_s} s, which cron cannot keep", "use 1m, 5m, 10m, 15m, 30m, 1h, 2h, 4h, 6h, 12h or 24h")
    return minutes
