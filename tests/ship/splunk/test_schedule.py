"""Scheduled runs, one every interval over their own time range, raise together what one search over all time raises: each alert once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import duckdb
import pytest
from tests.ship.pack import ROOT, searches_of, whole_pack
from tests.ship.splunk.conf_reader import read_conf
from tests.ship.splunk.conftest import app_of

from an1498.model import Language, NativeEvent
from an1498.replay.alerts import index_streams
from an1498.replay.prepare import prepare
from an1498.replay.scenarios import Replayed, load_scenarios
from an1498.ship.splunk.names import saved_search

# At this time (epoch seconds) every run takes place: its events are moved there, so that one search text does for all runs.
NOW = 1_900_000_000
Found = tuple[float, tuple[str, ...], float]


@cache
def scenarios() -> tuple[Replayed, ...]:
    return load_scenarios(ROOT / "samples", whole_pack())


def events_of(*names: str) -> list[NativeEvent]:
    return [event for replayed in scenarios() if replayed.scenario.name in names for event in replayed.events]


def moved(events: Sequence[NativeEvent], by_us: int) -> list[NativeEvent]:
    return [replace(event, time_us=event.time_us + by_us) for event in events]


def sustained(name: str, step_s: int, times: int) -> list[NativeEvent]:
    """The scenario's events again and again: one long burst, whose window no range of a run holds whole."""
    return [event for n in range(times) for event in moved(events_of(name), n * step_s * 1_000_000)]


STREAMS = {
    "all samples of bursts": events_of("handshake_failure_burst", "handshake_failure_burst_edges", "handshake_failure_burst_slides"),
    "a burst of an hour": sustained("handshake_failure_burst", 40, 90),
    "a fan-out of an hour": sustained("untrusted_tls_fan_out", 60, 60),
    "pairs": events_of(
        "encrypted_without_handshake",
        "window_exactly",
        "window_plus_1ms",
        "consumed_sequences",
        "two_hosts_interleaved",
        "launchd_window_edges",
    ),
    "pairs again and again": sustained("implant_self_signed_server", 47, 60),
    "flows": events_of("encrypted_without_handshake", "encrypted_without_handshake_edges"),
    "on the host": sustained("on_host_window_and_hosts", 61, 40),
}


def execute(text: str, streams: Sequence[Sequence[NativeEvent]], macros: dict[str, str], group_by: Sequence[str]) -> list[list[Found]]:
    prepared = prepare(Language.SPL, text, macros=macros)
    found: list[list[Found]] = [[] for _ in streams]
    with duckdb.connect(config={"threads": 1}) as connection:
        indexed = index_streams(connection, whole_pack().targets["splunk"], streams, fields=prepared.fields)
        for row in prepared.execute(indexed.table):
            group = tuple(str(row.values[name]) for name in group_by)
            found[row.stream].append((float(row.values["_time"]), group, float(row.values["first_time"])))
    return found


def over_runs(rule: str, stream: str, *, guarded: bool = True) -> tuple[list[Found], list[Found]]:
    """The alerts of all runs, those that suppression silences left out, and the alerts of one search over all time."""
    (search,) = (search for search in searches_of("splunk") if search.rule == rule)
    settings = read_conf(app_of("splunk")["an1498/default/savedsearches.conf"])[saved_search(rule)]
    macros = {name: s["definition"] for name, s in read_conf(app_of("splunk")["an1498/default/macros.conf"]).items()}
    earliest, latest = (int(settings[f"dispatch.{end}_time"].removesuffix("s")) for end in ("earliest", "latest"))
    period = int(settings["alert.suppress.period"].removesuffix("s"))
    events = STREAMS[stream]
    first, last = (pick(event.time_us for event in events) // 1_000_000 for pick in (min, max))
    start = first - first % 3600 + int(settings["cron_schedule"].partition(",")[0]) * 60
    runs = range(start, last - earliest + search.interval_s, search.interval_s)
    assert runs[0] + latest <= first + search.interval_s * 12 and runs[-1] + latest > last
    seen = [
        moved(
            [event for event in events if (run + earliest) * 1_000_000 <= event.time_us < (run + latest) * 1_000_000],
            (NOW - run) * 1_000_000,
        )
        for run in runs
    ]
    text = settings["search"].replace("info_min_time", str(NOW + earliest) if guarded else "0")
    raised: dict[tuple[tuple[str, ...], float], int] = {}
    alerts: list[Found] = []
    for run, results in zip(runs, execute(text, seen, macros, search.group_by), strict=True):
        for time, group, first_time in results:
            key = (group, round(first_time - NOW + run, 3))
            if key not in raised or run - raised[key] >= period:
                alerts.append((round(time - NOW + run, 3), *key))
                raised[key] = run
    (whole,) = execute(settings["search"], [events], macros, search.group_by)
    return sorted(alerts), sorted((round(time, 3), group, round(first_time, 3)) for time, group, first_time in whole)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("rule", sorted(whole_pack().correlations))
def test_runs_together_raise_each_alert_once(rule: str, stream: str) -> None:
    alerts, whole = over_runs(rule, stream)
    assert alerts == whole


@pytest.mark.parametrize(
    ("rule", "stream"),
    [("an1498_handshake_failure_burst", "a burst of an hour"), ("an1498_untrusted_tls_fan_out", "a fan-out of an hour")],
)
def test_without_the_guard_a_long_burst_would_alert_in_every_run(rule: str, stream: str) -> None:
    alerts, whole = over_runs(rule, stream, guarded=False)
    assert set(whole) < set(alerts) and len(alerts) > len(whole) + 5


def test_the_streams_make_every_correlation_alert() -> None:
    silent = set(whole_pack().correlations)
    macros = {name: s["definition"] for name, s in read_conf(app_of("splunk")["an1498/default/macros.conf"]).items()}
    for search in searches_of("splunk"):
        if search.kind == "correlation" and any(execute(search.text, list(STREAMS.values()), macros, search.group_by)):
            silent.discard(search.rule)
    assert silent == set()
