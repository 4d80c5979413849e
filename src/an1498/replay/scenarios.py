"""Replays scenarios: raw logs in, each built search executed once over all of them, alerts compared with `expect` (formats.md).

All scenarios of a target are streams of one table, so a search is parsed and executed once however many scenarios there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import duckdb

from an1498.content.scenarios import CMDB, Scenario, load_scenario, scenario_files
from an1498.errors import SearchSyntaxError, UsageError
from an1498.model import Alert, NativeEvent, Pack, Search, Target
from an1498.replay.alerts import Indexed, Stream, index_streams, prepared_search, read_alerts, widened
from an1498.replay.assets import asset_lookups
from an1498.replay.lookup import Lookup
from an1498.replay.prepare import Prepared
from an1498.replay.staging import stored, writers, written
from an1498.telemetry import read_log
from an1498.telemetry.assets import AssetTable
from an1498.telemetry.cmdb import assets, read_cmdb
from an1498.telemetry.leases import leases

Macros = Mapping[str, Mapping[str, str]]
"""Per target, Splunk macros by name."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A scenario with its raw events, in the order of its files, and the table of assets of its dhcp.log and CMDB files."""

    scenario: Scenario
    events: tuple[NativeEvent, ...]
    assets: AssetTable = field(default_factory=AssetTable)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One search over one scenario. `status` is pass, fail or error; `detail` says more where it is not pass."""

    scenario: str
    search: Search
    status: str
    expected: tuple[Alert, ...]
    actual: tuple[Alert, ...]
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """`outcomes` are in the order of scenarios, then targets, rules and languages. `searches` counts those executed, event
    rules that no scenario names included; `skipped` says which expectations no search of a target can answer, and why."""

    scenarios: int
    searches: int
    outcomes: tuple[Outcome, ...]
    skipped: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status != "pass")


def load_scenarios(samples: Path, pack: Pack) -> tuple[Replayed, ...]:
    """All scenarios below a directory with their logs. Raises ContentError, TelemetryError, UsageError."""
    files = scenario_files(samples)
    if not files:
        raise UsageError(f"{samples}: there is no scenario.yml below this directory")
    scenarios = [load_scenario(file, pack) for file in files]
    names = [scenario.name for scenario in scenarios]
    if len(set(names)) < len(names):
        # Directories of one name in different places: the path tells them apart.
        scenarios = [replace(s, name=file.parent.relative_to(samples).as_posix()) for s, file in zip(scenarios, files, strict=True)]
    return tuple(_replayed(scenario, pack) for scenario in scenarios)


def _replayed(scenario: Scenario, pack: Pack) -> Replayed:
    logs = [source for source in scenario.sources if source.format != CMDB]
    events = tuple(event for source in logs for event in read_log(source.file, source.format, source.host, pack.layouts))
    known = [read_cmdb(source.file) for source in scenario.sources if source.format == CMDB]
    return Replayed(scenario, events, assets(leases(events), known))


def run_scenarios(pack: Pack, searches: Sequence[Search], macros: Macros, scenarios: Sequence[Replayed]) -> Report:
    """Replay every scenario through every search of the targets that `searches` are for.

    Correlations must raise exactly the alerts that a scenario names, none where it does not name them; event rules are
    compared where they are named, and must be readable where they are not. Raises UsageError where a scenario
    names a rule that the build has no search for."""
    targets = sorted({search.target for search in searches})
    work: list[tuple[Target, list[Search], list[Replayed]]] = []
    skipped: dict[str, None] = {}
    for name in targets:
        own = [search for search in searches if search.target == name]
        relevant = [replayed for replayed in scenarios if replayed.scenario.applies_to(name)]
        skipped.update(dict.fromkeys(_skipped(pack.targets[name], own, relevant)))
        work.append((pack.targets[name], own, relevant))
    outcomes: list[Outcome] = []
    stop = Event()
    # DuckDB computes outside the interpreter's lock, so a target's searches run while another's are parsed.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            futures = [pool.submit(_run_target, target, own, macros.get(target.name, {}), found, stop) for target, own, found in work]
            for future in futures:
                outcomes += future.result()
        finally:
            stop.set()
    order = {replayed.scenario.name: number for number, replayed in enumerate(scenarios)}
    outcomes.sort(key=lambda outcome: (order[outcome.scenario], outcome.search.target, outcome.search.rule, outcome.search.language))
    return Report(len(scenarios), len(searches), tuple(outcomes), tuple(skipped))


def _skipped(target: Target, searches: Iterable[Search], scenarios: Iterable[Replayed]) -> Iterable[str]:
    built = {search.rule for search in searches}
    skip: Mapping[str, str] = target.options.get("skip", {})
    for replayed in scenarios:
        for expectation in replayed.scenario.expect:
            if expectation.rule in skip:
                yield f"{expectation.rule} is not built for target {target.name}: {skip[expectation.rule]}"
            elif expectation.rule not in built:
                raise UsageError(
                    f"{expectation.location}: the build has no search for rule '{expectation.rule}' "
                    f"on target '{target.name}'; build it again"
                )


def _run_target(
    target: Target, searches: Sequence[Search], macros: Mapping[str, str], scenarios: Sequence[Replayed], stop: Event
) -> list[Outcome]:
    """`stop` ends the work early, for instance at Ctrl-C; what is returned then is not used."""
    outcomes: list[Outcome] = []
    lookups = asset_lookups(target, [replayed.assets for replayed in scenarios])
    groups = [(group, [_parsed(search, macros, lookups) for search in group]) for group in companions(searches)]
    named = {expectation.rule for replayed in scenarios for expectation in replayed.scenario.expect}
    named |= {search.rule for search in writers(searches)}
    used = [parsed for (search, *_), found in groups if search.kind == "correlation" or search.rule in named for parsed in found]
    # One thread: the tables are small, and handing work to threads would cost more than the work.
    with duckdb.connect(config={"threads": 1}) as connection:
        fields = _fields(used) | {search.time_field for search in searches}
        narrow = index_streams(connection, target, [replayed.events for replayed in scenarios], fields=fields)
        wide = widened(narrow) if any(not isinstance(parsed, str) and parsed.fields is None for parsed in used) else narrow
        staged = _staged(narrow, wide, groups) if target.staging else narrow
        for group, parsed in groups:
            if stop.is_set():
                break
            expected = {
                number: alerts for number, item in enumerate(scenarios) if (alerts := expected_alerts(item.scenario, group[0])) is not None
            }
            found: list[list[Alert]] | str | None
            if not group[0].staged:
                found = _alerts(group, parsed, narrow, wide) if expected else _fault(parsed)
            else:
                found = staged if isinstance(staged, str) else _alerts(group, parsed, staged, staged)
            if isinstance(found, str):
                wrong = expected or {0: ()}
                outcomes += [Outcome(scenarios[n].scenario.name, group[0], "error", wrong[n], (), (found,)) for n in wrong]
            elif found is not None:
                outcomes += [compared(scenarios[n].scenario.name, group[0], expected[n], found[n]) for n in expected]
    return outcomes


def _staged(narrow: Indexed, wide: Indexed, groups: Iterable[tuple[Sequence[Search], Sequence[Prepared | str]]]) -> Indexed | str:
    """What the event searches write, or why one cannot be executed."""
    parsed = {search: prepared for group, found in groups for search, prepared in zip(group, found, strict=True)}
    streams: list[Stream] = [[] for _ in narrow.streams]
    for search in writers(parsed):
        prepared = parsed[search]
        if isinstance(prepared, str):
            return f"the events of '{search.rule}' are not written: {prepared}"
        try:
            more = written(wide if prepared.fields is None else narrow, search, prepared)
        except (SearchSyntaxError, UsageError) as error:
            return f"the events of '{search.rule}' are not written: {error}"
        streams = [[*known, *new] for known, new in zip(streams, more, strict=True)]
    return stored(narrow, streams)


def companions(searches: Sequence[Search]) -> Iterable[tuple[Search, ...]]:
    """Searches that together say one rule in one language; a rule's own search first."""
    groups: dict[tuple[str, str], list[Search]] = {}
    for search in searches:
        groups.setdefault((search.rule, search.language), []).append(search)
    return (tuple(group) for group in groups.values())


def _parsed(search: Search, macros: Mapping[str, str], lookups: Mapping[str, Lookup]) -> Prepared | str:
    """The search, ready to run, or why it cannot be read."""
    try:
        return prepared_search(search, macros, lookups)
    except SearchSyntaxError as error:
        return str(error)


def _fault(parsed: Iterable[Prepared | str]) -> str | None:
    return "; ".join(found for found in parsed if isinstance(found, str)) or None


def _alerts(group: Sequence[Search], parsed: Sequence[Prepared | str], narrow: Indexed, wide: Indexed) -> list[list[Alert]] | str:
    """The alerts of all searches of a group, per stream, or why one cannot be executed."""
    last_rule = group[0].stages[-1][0] if group[0].stages else ""
    alerts: list[list[Alert]] = [[] for _ in narrow.streams]
    for search, found in zip(group, parsed, strict=True):
        if isinstance(found, str):
            return found
        indexed = wide if found.fields is None else narrow
        try:
            more = read_alerts(search, found.execute(indexed.table), indexed, last_rule=last_rule)
        except (SearchSyntaxError, UsageError) as error:
            return str(error)
        alerts = [known + new for known, new in zip(alerts, more, strict=True)]
    return alerts


def _fields(parsed: Iterable[Prepared | str]) -> frozenset[str]:
    """The columns that the searches read which know their columns."""
    return frozenset(field for search in parsed if not isinstance(search, str) for field in search.fields or ())


def expected_alerts(scenario: Scenario, search: Search) -> tuple[Alert, ...] | None:
    """What the scenario expects of a search: None where it says nothing about an event rule."""
    for expectation in scenario.expect:
        if expectation.rule == search.rule:
            return tuple(sorted({alert.on(search.target) for alert in expectation.alerts}))
    return () if search.kind == "correlation" else None


def compared(scenario: str, search: Search, expected: tuple[Alert, ...], found: Sequence[Alert]) -> Outcome:
    """Alerts are compared as a set of (time, group): two events of one millisecond are one alert to an analyst."""
    actual = tuple(sorted(set(found)))
    return Outcome(scenario, search, "pass" if actual == expected else "fail", expected, actual)
