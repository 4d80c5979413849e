"""pysigma-backend-sqlite on the standard library's sqlite3: all correlation types, windows that slide.

It reports every window end at which the condition holds; the rising edges are taken from them here. For `temporal_ordered` it asks
only whether an ordered set of events exists, and does not consume events; so there the first alert of each group is compared,
and every alert of ours must be among its windows. Its distinct values and group keys ignore case: the streams drawn for it hold none
that differ in case only.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

from an1498.model import CorrelationType
from an1498.proof.edges import rising_edges
from an1498.proof.oracles import Verdict
from an1498.proof.reference import Firing, Group, Spec, firings
from an1498.proof.streams import Drawn, draw
from an1498.proof.synthetic import Case, folded

_NAME = "correlation"
_WORDS = "words"


def compare(case: Case, *, seed: int, streams: int, longest: int) -> Verdict:
    """Ask sqlite for the alerts of random streams of the case and compare them with the reference."""
    case = folded(case)
    rng = random.Random(seed)
    drawn = [draw(case.spec, case.population, rng, longest) for _ in range(streams)]
    windows = _windows(case, drawn)
    agreed = 0
    differences: list[str] = []
    for number, stream in enumerate(drawn):
        observations = [event.observation for event in stream]
        wanted = firings(case.spec, observations)
        if case.spec.type is CorrelationType.TEMPORAL_ORDERED:
            same = _first_of_each_group(wanted) == _first_of_each_group(windows[number]) and wanted <= windows[number]
        else:
            same = wanted == _rising_edges(case.spec, stream, windows[number])
        if same:
            agreed += 1
        elif len(differences) < 3:
            differences.append(f"stream {number}: reference {sorted(wanted)}, sqlite windows {sorted(windows[number])}")
    return Verdict("pysigma-backend-sqlite", version("pysigma-backend-sqlite"), str(case.spec.type), streams, agreed, tuple(differences))


def _windows(case: Case, drawn: list[list[Drawn]]) -> list[set[Firing]]:
    keys = [f"key{index}" for index in range(len(case.group_by))]
    fields = list(case.population.values)
    names = {field: f"value{index}" for index, field in enumerate(fields)}
    connection = sqlite3.connect(":memory:")
    columns = ["stream", "timestamp INTEGER", _WORDS, *keys, *names.values()]
    connection.execute(f"CREATE TABLE logs ({', '.join(columns)})")
    rows = (
        (
            number,
            event.observation.time_ms,
            " ".join(event.observation.groups),
            *event.group,
            *(event.observation.values.get(field) for field in fields),
        )
        for number, stream in enumerate(drawn)
        for event in stream
    )
    connection.executemany(f"INSERT INTO logs VALUES ({', '.join('?' * len(columns))})", rows)
    found: list[set[Firing]] = [set() for _ in drawn]
    for query in sqliteBackend(timestamp_format="unix_ms").convert(  # type: ignore[no-untyped-call]
        SigmaCollection.from_dicts(_documents(case, keys, names))
    ):
        cursor = connection.execute(query)
        labels = [column[0] for column in cursor.description]
        for row in cursor:
            alert = dict(zip(labels, row, strict=True))
            group = json.loads(alert["group_keys"])
            found[int(group["stream"])].add((tuple(str(group[key]) for key in keys), round(alert["window_end"] * 1000)))
    return found


def _documents(case: Case, keys: list[str], names: Mapping[str, str]) -> list[dict[str, Any]]:
    logsource = {"category": "synthetic"}
    rules = [
        {
            "title": word,
            "name": word,
            "logsource": logsource,
            "detection": {"selection": {f"{_WORDS}|contains": word}, "condition": "selection"},
        }
        for word in case.spec.rules
    ]
    body = {key: value for key, value in case.correlation.items() if key != "aliases"}
    body["group-by"] = ["stream", *keys]
    condition = body.get("condition")
    if isinstance(condition, Mapping) and "field" in condition:
        body["condition"] = {**condition, "field": names[condition["field"]]}
    return [*rules, {"title": _NAME, "name": _NAME, "correlation": body}]


def _rising_edges(spec: Spec, stream: list[Drawn], holding: set[Firing]) -> set[Firing]:
    times: dict[Group, set[int]] = {}
    for event in stream:
        for rule, group in event.observation.groups.items():
            if rule in spec.rules and group is not None:
                times.setdefault(group, set()).add(event.observation.time_ms)
    return rising_edges(times, holding)


def _first_of_each_group(alerts: Iterable[Firing]) -> set[Firing]:
    first: dict[Group, int] = {}
    for group, time in alerts:
        first[group] = min(time, first.get(group, time))
    return set(first.items())
