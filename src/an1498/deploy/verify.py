"""Samples in a live SIEM: load them into places named for tests, run the built searches over the API, compare alerts with what the
scenarios expect, clean up.

Every scenario is moved by whole seconds into a time slot of its own in the recent past, so that one run of each search serves all
scenarios and none can meet another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import duckdb

from an1498.deploy.http import Unsure
from an1498.errors import ExternalError, UsageError
from an1498.model import Alert, Entity, Language, Search, Target
from an1498.replay.alerts import index_streams, read_alerts
from an1498.replay.scenarios import Outcome, Replayed, Report, companions, compared, expected_alerts
from an1498.replay.table import ResultRow, epoch_microseconds
from an1498.telemetry.assets import AssetTable

TEST_NAME = re.compile(r"an1498_?test[a-z0-9_]*")
"""Where samples may be written: nothing that was not named for this. A data stream's namespace and a Splunk index may both be so named."""

GAP_S = 6 * 3600
"""Between two scenarios: more than any search looks back."""

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One event to load: `id` is unique, `service` its log (`product/service`), `document` its indexed form."""

    id: str
    service: str
    time_us: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a search's result. `events` are the ids of an EQL match's events."""

    values: Mapping[str, Any]
    events: tuple[str, ...] = ()


class SampleStore(Protocol):
    """The data side of a SIEM. Methods raise ExternalError, Unsure, UsageError."""

    def clean(self) -> None:
        """Remove what was loaded, now or by an earlier run."""

    def load(self, samples: Sequence[Sample], assets: AssetTable) -> None:
        """Load and wait until everything can be searched; `assets` only where the target looks machines up."""

    def run(self, search: Search, first_us: int, last_us: int) -> list[Found]:
        """The search over the loaded events of a time range."""


def checked_name(name: str, default: str) -> str:
    """The name of a test index or namespace. Raises UsageError for a place that is not named for tests."""
    name = name or default
    if not TEST_NAME.fullmatch(name):
        raise UsageError(
            f"{name[:60]!r} is not named for tests; nothing is written there: choose a name that begins with an1498test or an1498_test"
        )
    return name


def verify(
    target: Target, searches: Sequence[Search], scenarios: Sequence[Replayed], side: SampleStore, *, now_s: float, keep: bool
) -> Report:
    """Load the scenarios, run the target's searches, compare. Raises UsageError for a target whose searches need more than the raw logs."""
    if target.staging is not None:
        raise UsageError(f"target '{target.name}' is staged: its correlations read what scheduled searches wrote; verify the direct target")
    if target.entity is Entity.LOOKUP and target.backend == "splunk":
        # REST API Reference Manual 9.4, "data/lookup-table-files": `eai:data` is a path on the server.
        problem = "looks machines up, and Splunk's API takes lookup files from the server's own disk only"
        raise UsageError(f"target '{target.name}' {problem}: use `an1498 test`, or verify a target with entity = \"ip\"")
    relevant = [item for item in scenarios if item.scenario.applies_to(target.name) and item.events]
    if not relevant:
        raise UsageError(f"no scenario with events applies to target '{target.name}'")
    shifts = _shifts(relevant, now_s)
    moved = [
        [replace(event, time_us=event.time_us + shift * SECOND) for event in item.events]
        for item, shift in zip(relevant, shifts, strict=True)
    ]
    with duckdb.connect() as connection:
        indexed = index_streams(connection, target, moved)
        samples = [
            Sample(f"{stream}-{place}", f"{event.product}/{event.service}", event.time_us, document)
            for stream, events in enumerate(indexed.streams)
            for place, (event, document) in enumerate(events)
        ]
        starts = [min(event.time_us for event in events) for events in moved]
        last = max(event.time_us for events in moved for event in events)
        outcomes: list[Outcome] = []
        ran = 0
        try:
            side.clean()
            side.load(samples, _moved_assets(relevant, shifts))
            for group in companions(searches):
                wanted = {n: some for n, item in enumerate(relevant) if (some := expected_alerts(item.scenario, group[0])) is not None}
                if not wanted:
                    continue
                alerts: list[list[Alert]] = [[] for _ in relevant]
                for search in group:
                    ran += 1
                    rows = [_row(search, found, starts) for found in side.run(search, starts[0] - GAP_S * SECOND, last + SECOND)]
                    last_rule = group[0].stages[-1][0] if group[0].stages else ""
                    for stream, more in enumerate(read_alerts(search, rows, indexed, last_rule=last_rule)):
                        alerts[stream] += [replace(alert, time_ms=alert.time_ms - shifts[stream] * 1000) for alert in more]
                outcomes += [compared(relevant[n].scenario.name, group[0], wanted[n], alerts[n]) for n in wanted]
        except Unsure as error:
            raise ExternalError(str(error)) from error
        finally:
            if not keep:
                _cleaned(side)
    order = {item.scenario.name: number for number, item in enumerate(relevant)}
    outcomes.sort(key=lambda outcome: (order[outcome.scenario], outcome.search.rule, outcome.search.language))
    return Report(len(relevant), ran, tuple(outcomes))


def _shifts(scenarios: Sequence[Replayed], now_s: float) -> list[int]:
    """Seconds by which each scenario moves: one after the other with gaps, the last one ends an hour ago."""
    shifts = []
    end = int(now_s) - 3600
    for item in reversed(scenarios):
        times = [event.time_us for event in item.events]
        shifts.append(end - max(times) // SECOND - 1)
        end = min(times) // SECOND + shifts[-1] - GAP_S
    return shifts[::-1]


def _moved_assets(scenarios: Sequence[Replayed], shifts: Sequence[int]) -> AssetTable:
    """One table for all scenarios: each one's rows moved with it, and cut to its own time slot, so that none reaches into another's."""
    rows = []
    for item, shift in zip(scenarios, shifts, strict=True):
        times = [event.time_us // SECOND + shift for event in item.events]
        first, last = min(times) - GAP_S // 2, max(times) + GAP_S // 2
        for row in item.assets.rows:
            start, end = max(row.start_s + shift, first), min(row.end_s + shift, last)
            if start < end:
                rows.append(replace(row, start_s=start, end_s=end))
    return AssetTable(tuple(sorted(rows)))


def _row(search: Search, found: Found, starts: Sequence[int]) -> ResultRow:
    if search.language is Language.EQL:
        places = [identity.partition("-") for identity in found.events]
        return ResultRow(int(places[0][0]), {**found.values, "events": [int(place) for _, _, place in places]})
    time_us = epoch_microseconds(found.values.get(search.time_field))
    stream = sum(start - GAP_S * SECOND // 2 <= time_us for start in starts) - 1
    return ResultRow(max(stream, 0), found.values)


def _cleaned(side: SampleStore) -> None:
    try:
        side.clean()
    except Unsure as error:
        raise ExternalError(f"the samples could not be removed: {error}") from error
