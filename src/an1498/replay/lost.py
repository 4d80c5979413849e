"""Why a search did not raise the expected alerts: which raw events each stage matched, and where the chain broke.

Each stage is a rule with a search of its own. That search is executed with every raw event as a stream of its own, so that its
result says which raw events it matched, in any language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from an1498.content.durations import text as span_text
from an1498.errors import SearchSyntaxError, UsageError
from an1498.model import Alert, Correlation, CorrelationType, Entity, LayoutSource, NativeEvent, Pack, Search, Target
from an1498.replay.alerts import Indexed, index_streams
from an1498.replay.prepare import prepare
from an1498.replay.scenarios import Macros, Outcome, Replayed, Report
from an1498.replay.table import flatten
from an1498.telemetry.assets import host_key
from an1498.times import time_text

SHOWN = 5
EXPLAINED = 50
"""Failures that get a diagnosis; a report with more of them has one cause, and the first ones show it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A raw event that a stage's rule matched, with its group key (None where a part of it is missing)."""

    event: NativeEvent
    group: tuple[tuple[str, str], ...] | None

    @property
    def time_ms(self) -> int:
        return self.event.time_us // 1000


def diagnosed(report: Report, pack: Pack, searches: Sequence[Search], macros: Macros, scenarios: Sequence[Replayed]) -> Report:
    """The report with a diagnosis in the `detail` of failed outcomes."""
    loaded = {replayed.scenario.name: replayed for replayed in scenarios}
    tables: dict[tuple[str, str], Indexed] = {}
    outcomes = []
    explained = 0
    for outcome in report.outcomes:
        if outcome.status == "fail" and explained < EXPLAINED:
            explained += 1
            key = (outcome.scenario, outcome.search.target)
            if key not in tables:
                streams = [[event] for event in loaded[outcome.scenario].events]
                tables[key] = index_streams(duckdb.connect(), pack.targets[outcome.search.target], streams)
            finder = _Finder(pack, searches, macros.get(outcome.search.target, {}), tables[key], loaded[outcome.scenario])
            outcome = replace(outcome, detail=(*outcome.detail, *finder.lines(outcome)))
        outcomes.append(outcome)
    return replace(report, outcomes=tuple(outcomes))


@dataclass(frozen=True, slots=True)
class _Finder:
    pack: Pack
    searches: Sequence[Search]
    macros: Mapping[str, str]
    indexed: Indexed
    replayed: Replayed

    @property
    def events(self) -> Sequence[NativeEvent]:
        return self.replayed.events

    def lines(self, outcome: Outcome) -> Iterator[str]:
        search = outcome.search
        correlation = self.pack.correlations.get(search.rule)
        if correlation is None:
            rows = self._matched(search)
            yield f"the search matched {_count(len(rows), 'event')}"
            yield from (f"  {_place(self.events[number])}" for number in rows[:SHOWN])
            return
        stages: list[list[Hit] | None] = []
        for number, rule in enumerate(correlation.rules, 1):
            hits, lines = self._stage(number, rule, correlation, search)
            stages.append(hits)
            yield from lines
        known = [hits for hits in stages if hits is not None]
        if len(known) == len(stages):
            for alert in outcome.expected:
                if alert not in outcome.actual:
                    yield f"missing {time_text(alert.time_ms)}: {_reason(correlation, known, alert)}"

    def _stage(self, number: int, rule: str, correlation: Correlation, search: Search) -> tuple[list[Hit] | None, list[str]]:
        own = [s for s in self.searches if s.rule == rule and s.target == search.target and s.kind == "event"]
        stage = next((s for s in own if s.language is search.language), own[0] if own else None)
        if stage is None:
            return None, [f"stage {number} {rule}: has no search of its own on this target, so its events are not known"]
        try:
            rows = self._matched(stage)
        except (SearchSyntaxError, UsageError) as error:
            return None, [f"stage {number} {rule}: {error}"]
        hits = [Hit(self.events[row], self._group(row, rule, correlation)) for row in rows]
        lines = [f"stage {number} {rule} [{stage.language}]: {_count(len(hits), 'event')}" + ("" if hits else ", lost here")]
        lines += [f"  {_place(hit.event)} {_group_text(hit.group)}" for hit in hits[:SHOWN]]
        if len(hits) > SHOWN:
            lines.append(f"  … and {len(hits) - SHOWN} more")
        return hits, lines

    def _matched(self, search: Search) -> list[int]:
        prepared = prepare(search.language, search.text, name=search.rule, macros=self.macros, tiebreaker=search.tiebreaker)
        return sorted({row.stream for row in prepared.execute(self.indexed.table)})

    def _group(self, row: int, rule: str, correlation: Correlation) -> tuple[tuple[str, str], ...] | None:
        event, document = self.indexed.streams[row][0]
        source = _source(self.indexed.target, event)
        present = dict(flatten(document))
        group = []
        for key in correlation.group_by:
            values = present.get(_group_field(correlation, rule, key, source), [])
            if key == "entity" and key in correlation.aliases and self.indexed.target.entity is not Entity.IP:
                values = self._entity(event, source, present)
            if len(values) != 1:
                return None
            group.append((key, _text(values[0])))
        return tuple(sorted(group))

    def _entity(self, event: NativeEvent, source: LayoutSource, present: Mapping[str, list[Any]]) -> list[Any]:
        """What the alias `entity` is where it is not the address: the host or the flow."""
        if self.indexed.target.entity is Entity.COMMUNITY_ID:
            row = source.by_native("community_id")
            return present.get(row.indexed, []) if row is not None else []
        named = source.by_native("host.name")
        if named is not None:
            return [key for name in present.get(named.indexed, []) if (key := host_key(name)) is not None]
        found = [self.replayed.assets.host_at(str(address), event.time_us) for address in present.get(source.entity_field, [])]
        return [host for host in found if host is not None]


def _source(target: Target, event: NativeEvent) -> LayoutSource:
    sources = [source for layout in target.layouts for source in layout.sources]
    return next(source for source in sources if (source.product, source.service) == (event.product, event.service))


def _group_field(correlation: Correlation, rule: str, key: str, source: LayoutSource) -> str:
    """The indexed field of a group key; the alias `entity` is what the target's layout says that a machine is."""
    if key == "entity" and key in correlation.aliases:
        return source.entity_field
    native = correlation.aliases.get(key, {}).get(rule, key)
    row = source.by_native(native)
    return row.indexed if row else native


def _reason(correlation: Correlation, stages: Sequence[Sequence[Hit]], alert: Alert) -> str:
    """In words, why this alert cannot come from these stage events."""
    last = stages[-1]
    if correlation.type is not CorrelationType.TEMPORAL_ORDERED:
        inside = [hit for hits in stages for hit in hits if 0 <= alert.time_ms - hit.time_ms <= correlation.timespan_s * 1000]
        own = sum(hit.group == alert.group for hit in inside)
        window = span_text(correlation.timespan_s)
        return f"in the {window} up to it, {_count(len(inside), 'event')} matched, {own} of them with {_group_text(alert.group)}"
    at_time = [hit for hit in last if hit.time_ms == alert.time_ms]
    if not at_time:
        return f"no event of the last stage ({correlation.rules[-1]}) has this time"
    ending = next((hit for hit in at_time if hit.group == alert.group), None)
    if ending is None:
        return f"the last stage's event has {_group_text(at_time[0].group)}, not {_group_text(alert.group)}"
    current = ending
    for number in range(len(stages) - 2, -1, -1):
        rule = f"stage {number + 1} ({correlation.rules[number]})"
        of_group = [hit for hit in stages[number] if hit.group == alert.group]
        before = [hit for hit in of_group if hit.event.time_us < current.event.time_us]
        if not of_group:
            return f"{rule} has no event with {_group_text(alert.group)}"
        if not before:
            at = "at the same time" if any(hit.event.time_us == current.event.time_us for hit in of_group) else "later"
            return f"order: {rule} happened only {at}: {_place(of_group[0].event)}"
        current = max(before, key=lambda hit: hit.event.time_us)
    span = (ending.event.time_us - current.event.time_us) / 1_000_000
    if span > correlation.timespan_s:
        return f"window: first to last are {span:.3f}s apart, more than {correlation.timespan_s}s"
    return "every stage matched in order and in time: an earlier alert used these events, or the search is wrong"


def _place(event: NativeEvent) -> str:
    return f"{event.location}  {time_text(event.time_us // 1000)}"


def _group_text(group: tuple[tuple[str, str], ...] | None) -> str:
    return "no group key" if group is None else " ".join(f"{key}={value}" for key, value in group)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
