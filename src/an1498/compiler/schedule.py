"""How far a search looks back and how long it stays silent, derived from window, interval, ingest lag and clock skew.

A run must see every event that the last alert of its interval depends on: the whole window before the oldest event that this run
is the first to see, which may have been indexed `ingest_lag` late and stamped `clock_skew` early. Counts also need the state at the
event before (design.md section 4, rising edge), hence a second window. Where stages are what event rules have written, an
event is there only after its rule's next run, hence one more interval and the staging lag.
"""

from __future__ import annotations

from dataclasses import dataclass

from an1498.compiler.correlation import Plan
from an1498.model import Target


@dataclass(frozen=True, slots=True)
class Schedule:
    """All in seconds. `suppress_s`: for how long an alert with the same group and time is a repetition."""

    timespan_s: int
    interval_s: int
    lookback_s: int
    suppress_s: int


def settled_s(target: Target, *, staged: bool) -> int:
    """How long ago an event must have happened for a search to be sure to see it (seconds); `staged` for a correlation over what event
    rules have written: they see it one lag later, run within an interval, and may take the staging lag."""
    if not staged or target.staging is None:
        return target.ingest_lag_s
    return target.ingest_lag_s + target.interval_s + target.staging.lag_s


def event_schedule(target: Target) -> Schedule:
    """An event rule: everything since the last run, and what came late."""
    lookback = target.interval_s + target.ingest_lag_s
    return Schedule(0, target.interval_s, lookback, lookback)


def correlation_schedule(plan: Plan, target: Target) -> Schedule:
    """A correlation: its window once (ordered) or twice (rising edges), those of its inner correlations likewise, then interval, lag and
    skew."""
    skew = max(plan.skew_s, plan.shift_s)
    lookback = plan.windows_s + target.interval_s + settled_s(target, staged=plan.staged) + skew
    return Schedule(plan.window_s, target.interval_s, lookback, lookback)
