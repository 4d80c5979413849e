"""Alert suppression, by what Kibana itself does with repeated results of each rule type.

- query: an alert's id comes from the event's id and index, so overlapping runs raise it once; nothing to suppress. A building block
  that is suppressed would hide events from whoever counts them.
- eql sequences: the ids come from the events of the sequence; overlapping runs raise it once.
- esql with STATS: the result has no event, the id comes from the run's time range, so that every overlapping run would alert again.
  Suppression by the group's keys and the first event's time for as long as runs overlap makes it one alert.
"""

from __future__ import annotations

from typing import Any

from an1498.model import Language, Search

FIRST_TIME = "first_time"
"""The ES|QL result's column that tells a group's alerts apart: two alerts of a group never begin at the same event."""

MOST_FIELDS = 3
"""Kibana's limit of `group_by`."""


def alert_suppression(search: Search) -> dict[str, Any] | None:
    """Kibana's `alert_suppression`, or None where it repeats nothing, or where more keys than Kibana takes would merge alerts."""
    if search.language is not Language.ESQL or search.kind != "correlation":
        return None
    fields = [*search.group_by, FIRST_TIME]
    if len(fields) > MOST_FIELDS:
        return None
    return {
        "group_by": fields,
        "duration": {"value": search.lookback_s, "unit": "s"},
        "missing_fields_strategy": "doNotSuppress",
    }
