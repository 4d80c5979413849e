"""pysigma-backend-sqlite on the standard library's sqlite3.

It reports every window end at which the condition holds. For counts and values the rising edges are taken from them here; an ordered
correlation does not consume its events there, so its window ends are moments (`judge.covered`). The package is a test extra: without
it every case is refused.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from an1498.content.durations import seconds
from an1498.model import CorrelationType
from an1498.proof.conformance.cases import ConformanceCase, key_text
from an1498.proof.conformance.fields import field_types
from an1498.proof.conformance.judge import Report, Status, Verdict, covered, exact
from an1498.proof.edges import rising_edges
from an1498.proof.reference import Firing, Group
from an1498.proof.sigma_match import matcher


def verdict(case: ConformanceCase) -> Verdict:
    """Convert the case's rules to SQL, run it, compare its windows' ends."""
    if find_spec("sigma.backends.sqlite") is None:
        return Verdict(Status.REFUSED, reason="pysigma-backend-sqlite is not installed; install an1498[test]")
    from sigma.backends.sqlite.sqlite import sqliteBackend

    try:
        collection = SigmaCollection.from_dicts([dict(document) for document in case.documents])
        queries = sqliteBackend(timestamp_format="unix_ms").convert(collection)  # type: ignore[no-untyped-call]
    except (SigmaError, NotImplementedError) as refusal:
        return Verdict(Status.REFUSED, reason=str(refusal))
    except TypeError as error:
        return Verdict(Status.ERROR, reason=f"the backend failed: {error}")
    text = str(queries[-1])
    try:
        ends = _window_ends(case, text)
    except sqlite3.Error as error:
        return Verdict(Status.ERROR, reason=str(error), text=text)
    if case.type is CorrelationType.TEMPORAL_ORDERED:
        window_ms = 1000 * (seconds(str(case.correlation["timespan"])) or 0)
        return covered(case.expected, (Report(group, time, time) for group, time in ends), window_ms, text)
    return exact(case.expected, _rising_edges(case, ends), text)


def _window_ends(case: ConformanceCase, query: str) -> set[Firing]:
    fields = list(field_types(case))
    with sqlite3.connect(":memory:") as connection:
        columns = ", ".join(f"`{name}`" for name in fields)
        connection.execute(f"CREATE TABLE logs (timestamp INTEGER, {columns})")
        marks = ", ".join("?" * (len(fields) + 1))
        connection.executemany(
            f"INSERT INTO logs VALUES ({marks})",
            [(time, *(_stored(event.get(name)) for name in fields)) for time, event in case.events],
        )
        cursor = connection.execute(query)
        labels = [column[0] for column in cursor.description]
        found = set()
        for row in cursor:
            alert = dict(zip(labels, row, strict=True))
            keys = json.loads(alert["group_keys"])
            found.add((tuple(key_text(keys[name]) for name in case.group_by), round(alert["window_end"] * 1000)))
        return found


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def _rising_edges(case: ConformanceCase, holding: set[Firing]) -> set[Firing]:
    """Window ends at which the condition holds, and did not at the group's event time before. Groups compare without case there."""
    times: dict[Group, set[int]] = {}
    for group, time in (*_arrivals(case), *holding):
        times.setdefault(_folded(group), set()).add(time)
    ends = {(_folded(group), time): (group, time) for group, time in holding}
    return {ends[edge] for edge in rising_edges(times, set(ends))}


def _arrivals(case: ConformanceCase) -> set[Firing]:
    """(group, time) of every event that a rule of the correlation matches."""
    aliases: Mapping[str, Mapping[str, str]] = case.correlation.get("aliases", {})
    arrivals = set()
    for document in case.documents:
        if document["name"] not in case.correlation["rules"] or "detection" not in document:
            continue
        matches = matcher(SigmaRule.from_dict(dict(document)))
        fields = [aliases[key].get(document["name"], key) if key in aliases else key for key in case.group_by]
        for time, event in case.events:
            if matches(event) and all(event.get(field) is not None for field in fields):
                arrivals.add((tuple(key_text(event[field]) for field in fields), time))
    return arrivals


def _folded(group: Group) -> Group:
    return tuple(part.lower() for part in group)
