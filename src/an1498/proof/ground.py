"""The streams of raw events over which the mutants of one search must show themselves.

For an event rule: the events that decide it. For a correlation: each of those events of each stage amid typical events of the other stages,
so that the alert hangs on it, and random streams of typical events whose times sit on the edges of the window.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from an1498.compiler.resolve import resolve
from an1498.errors import Location
from an1498.model import Correlation, CorrelationType, EventRule, Host, NativeEvent, Pack
from an1498.proof.sigma_match import matcher
from an1498.proof.streams import START_MS
from an1498.proof.witnesses import beside_both, meeting, witnesses

Streams = list[list[NativeEvent]]

_LOCATION = Location("stream")
_STEP_MS = 7_000
_SERVERS = tuple(f"203.0.113.{number}" for number in range(10, 24))


@dataclass(frozen=True, slots=True)
class Machine:
    """A Mac: host name and address; either may be unknown (empty)."""

    name: str
    address: str


_MAC = Machine("mac-1", "10.20.0.1")
_MACHINES = (_MAC, _MAC, _MAC, Machine("mac-2", "10.20.0.11"), Machine("MAC-1", "2001:db8::5"), Machine("", ""))


@dataclass(frozen=True, slots=True)
class Stage:
    """An event rule, the events that decide it, those of them that match it and no other stage, and one with a value in every field
    that does not match it."""

    rule: EventRule
    deciding: Sequence[Mapping[str, Any]]
    typical: Sequence[Mapping[str, Any]]
    unlike: Mapping[str, Any]


def native(rule: EventRule, fields: Mapping[str, Any], time_ms: float, machine: Machine, process: int = 4331) -> NativeEvent:
    """A raw record with these fields, as a telemetry reader gives it, seen by the rule's sensor on or near a machine."""
    time_us = round(time_ms * 1000)
    if rule.product == "zeek":
        own = {"id.orig_h": machine.address} if machine.address else {}
        record = {"ts": time_us / 1_000_000, "uid": "C1", "id.orig_p": 50_000, **own, **fields}
        return NativeEvent(rule.product, rule.service, time_us, record, _LOCATION)
    record = {"processID": process, **fields}
    if machine.name:
        record["host.name"] = machine.name
    if machine.address:
        record["host.ip"] = [machine.address]
    host = Host(name=machine.name, ips=(machine.address,) if machine.address else ())
    return NativeEvent(rule.product, rule.service, time_us, record, _LOCATION, host)


def event_rule_streams(pack: Pack, rule: EventRule) -> Streams:
    """One stream that holds all events that decide the rule, a second apart; one more with one event of each, machines unknown."""
    deciding = witnesses(pack, rule)
    nowhere = Machine("", "")
    return [
        [native(rule, fields, START_MS + 1000 * number, _MAC) for number, fields in enumerate(deciding)],
        [native(rule, fields, START_MS + 1000 * number, nowhere) for number, fields in enumerate(deciding[:4])],
    ]


def stages_of(pack: Pack, correlation: Correlation) -> list[Stage]:
    """The stages of a correlation of event rules."""
    rules = [pack.rules[name] for name in correlation.rules]
    matches = {rule.name: matcher(resolve(pack, rule)[0]) for rule in rules}
    stages = []
    for rule in rules:
        deciding = witnesses(pack, rule)
        others = [matches[other.name] for other in rules if other.name != rule.name and other.service == rule.service]
        typical = [fields for fields in deciding if matches[rule.name](fields) and not any(other(fields) for other in others)]
        unlike = max((fields for fields in deciding if not matches[rule.name](fields)), key=len)
        stages.append(Stage(rule, deciding, typical, unlike))
    return [
        replace(stage, deciding=[*stage.deciding, *_both(pack, stage, stages), *_beside_both(pack, correlation, stage, stages)])
        for stage in stages
    ]


def _both(pack: Pack, stage: Stage, stages: Sequence[Stage]) -> Iterator[Mapping[str, Any]]:
    """Events of another stage from the same source that decide this stage too: the first stage must not pass for the second one,
    however like each other their events are."""
    seen: set[str] = set()
    for other in stages:
        if other is stage or (other.rule.product, other.rule.service) != (stage.rule.product, stage.rule.service):
            continue
        plain = ({**fields, **other.typical[0]} for fields in stage.deciding)
        for both in (*plain, *meeting(pack, stage.rule, other.rule)):
            if repr(sorted(both.items())) not in seen:
                seen.add(repr(sorted(both.items())))
                yield both


def _beside_both(pack: Pack, correlation: Correlation, stage: Stage, stages: Sequence[Stage]) -> Iterator[Mapping[str, Any]]:
    """Where stages have an order: events that are of this stage and another one, or nearly."""
    for other in stages if correlation.type is CorrelationType.TEMPORAL_ORDERED else ():
        if other is not stage and (other.rule.product, other.rule.service) == (stage.rule.product, stage.rule.service):
            yield from beside_both(pack, stage.rule, other.rule)


def deciding_streams(correlation: Correlation, stages: Sequence[Stage]) -> Streams:
    """A stream per deciding event of every stage, so that an alert hangs on it; for a count also one in which the event has just left
    the window when the count is reached without it."""
    places = [(position, fields) for position, stage in enumerate(stages) for fields in stage.deciding]
    streams = [_around(correlation, stages, position, fields) for position, fields in places]
    if correlation.type is not CorrelationType.TEMPORAL_ORDERED:
        streams += [_before(correlation, stages, position, fields) for position, fields in places]
    return streams


def _before(correlation: Correlation, stages: Sequence[Stage], position: int, fields: Mapping[str, Any]) -> list[NativeEvent]:
    """The event, and one window later everything that reaches the count without it."""
    machine = Machine("mac-1", str(fields.get("id.orig_h", _MAC.address)))
    last = _varied(correlation, _typical(stages[position], machine), len(_SERVERS) - 1)
    later = (correlation.timespan_s * 1000 + 1) * 1000
    after = [
        NativeEvent(event.product, event.service, event.time_us + later, event.fields, event.location, event.host)
        for event in _around(correlation, stages, position, last)
    ]
    return [native(stages[position].rule, _counted(correlation, fields), START_MS + _STEP_MS, machine), *after]


def edge_streams(correlation: Correlation, stages: Sequence[Stage], rng: random.Random, count: int, *, odd: float = 0.05) -> Streams:
    """`count` random streams of typical events on the edges of the window; a share `odd` of the events is any that decides a stage."""
    return [_edges(correlation, stages, rng, odd) for _ in range(count)]


def walk_streams(correlation: Correlation, stages: Sequence[Stage], rng: random.Random, count: int, *, finest_ms: float = 1) -> Streams:
    """`count` random streams that mostly go from stage to stage, so that sequences complete, overlap and follow each other inside one
    window; their spans sit on its edge and `finest_ms` beside it. None where no order counts."""
    ordered = correlation.type is CorrelationType.TEMPORAL_ORDERED
    return [_walk(correlation, stages, rng, finest_ms) for _ in range(count)] if ordered else []


def _walk(correlation: Correlation, stages: Sequence[Stage], rng: random.Random, finest_ms: float) -> list[NativeEvent]:
    window, number = correlation.timespan_s * 1000, len(stages)
    machines = [_MAC] if rng.random() < 0.7 else rng.sample(_MACHINES, 2)
    time: float = START_MS + rng.randrange(window)
    first, position, events = time, 0, []
    for _ in range(rng.randrange(number, 4 * number + 3)):
        stage = stages[position]
        first = time if position == 0 else first
        events.append(native(stage.rule, _typical(stage, machine := rng.choice(machines)), time, machine))
        position = (position + 1) % number if rng.random() < 0.7 else rng.randrange(number)
        edge = first + window + rng.choice((-finest_ms, 0, finest_ms))
        short = (finest_ms, 1, 500, window // (4 * number), window // (2 * number))
        time = edge if rng.random() < 0.15 and edge > time else time + rng.choice((*short, *short, *short, 0, window // 2, window))
    return rng.sample(events, len(events))


def placed_streams(correlation: Correlation, stages: Sequence[Stage]) -> Streams:
    """An alert's events of a machine that nobody knows, and once for every stage with that stage on another machine; for a count also
    all at one time."""
    nowhere, other = Machine("", ""), Machine("mac-2", "10.20.0.11")
    alert = _around(correlation, stages, len(stages) - 1, _typical(stages[-1], _MAC))
    rules = {(stage.rule.product, stage.rule.service): stage for stage in stages}

    def moved(event: NativeEvent, machine: Machine) -> NativeEvent:
        rule = rules[event.product, event.service].rule
        fields = {name: value for name, value in event.fields.items() if name not in _PLACE}
        return native(rule, fields, event.time_us / 1000, machine)

    elsewhere = [[moved(event, other) if number == place else event for number, event in enumerate(alert)] for place in range(len(alert))]
    at_once = [] if correlation.type is CorrelationType.TEMPORAL_ORDERED else [[replace(event, time_us=START_MS * 1000) for event in alert]]
    return [[moved(event, nowhere) for event in alert], [moved(event, other) for event in alert], *elsewhere, *at_once]


_PLACE = frozenset({"id.orig_h", "host.name", "host.ip"})


@dataclass(frozen=True, slots=True)
class Disguise:
    """An alert's events but for the one at `place`, whose rule does not match it; and an event that decides a stage of another sensor."""

    events: list[NativeEvent]
    place: int
    event: NativeEvent


def disguises(correlation: Correlation, stages: Sequence[Stage]) -> Iterator[Disguise]:
    """Every event that decides a stage, to take the place of a stage of each other sensor."""
    for stage in stages:
        own = (stage.rule.product, stage.rule.service)
        others = {(other.rule.product, other.rule.service): position for position, other in enumerate(stages)}
        for position in (position for sensor, position in others.items() if sensor != own):
            unlike = {**stages[position].unlike, **_address(stages[position].unlike, _MAC)}
            events = _around(correlation, stages, position, unlike)
            place = position if correlation.type is CorrelationType.TEMPORAL_ORDERED else len(events) - 1
            for fields in stage.deciding:
                yield Disguise(events, place, native(stage.rule, fields, events[place].time_us / 1000, _MAC))


def _around(correlation: Correlation, stages: Sequence[Stage], position: int, fields: Mapping[str, Any]) -> list[NativeEvent]:
    """An alert that hangs on one event: typical events of the other stages, or all but one of a count, and the event in its place."""
    machine = Machine("mac-1", str(fields.get("id.orig_h", _MAC.address)))
    if correlation.type is CorrelationType.TEMPORAL_ORDERED:
        return [
            native(stage.rule, fields if number == position else _typical(stage, machine), START_MS + _STEP_MS * number, machine)
            for number, stage in enumerate(stages)
        ]
    needed = max((round(bound) for operator, bound in correlation.condition.bounds if operator in ("gt", "gte", "eq")), default=1)
    before = [_typical(stages[number % len(stages)], machine) for number in range(needed - 1)]
    varied = [_varied(correlation, event, number) for number, event in enumerate(before)]
    events = [
        native(stages[number % len(stages)].rule, event, START_MS + _STEP_MS * number, machine) for number, event in enumerate(varied)
    ]
    return [*events, native(stages[position].rule, _counted(correlation, fields), START_MS + _STEP_MS * needed, machine)]


def _counted(correlation: Correlation, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields with a value of their own to count where they have none: no alert hangs on an event that does not count."""
    return {**_varied(correlation, {}, len(_SERVERS) - 2), **fields}


def _typical(stage: Stage, machine: Machine) -> Mapping[str, Any]:
    """A typical event of the stage on this machine: its own address instead of the rule's, where the rule names one."""
    first = stage.typical[0]
    return {**first, "id.orig_h": machine.address} if "id.orig_h" in first else first


def _varied(correlation: Correlation, fields: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The fields with a value of their own in each field that the correlation counts."""
    return {**fields, **{name: _SERVERS[number % len(_SERVERS)] for name in correlation.condition.fields}}


def _edges(correlation: Correlation, stages: Sequence[Stage], rng: random.Random, odd: float) -> list[NativeEvent]:
    window = correlation.timespan_s * 1000
    counting = correlation.type is not CorrelationType.TEMPORAL_ORDERED
    longest = 36 if counting else 10
    machines = rng.sample(_MACHINES, 2) if rng.random() < 0.7 else [_MAC]
    times = [START_MS + rng.randrange(window)]
    while len(times) < longest * (1 if rng.random() < 0.6 else 0.5):
        previous = rng.choice(times)
        steps = (0, window, window, -window, window + 1, window - 1, 1, 500, window + 500, rng.randrange(window))
        near = (rng.randrange(1, 5000), rng.randrange(1, window // 4))
        times.append(previous + rng.choice(near if counting and rng.random() < 0.6 else steps))
    arrived = rng.sample(times, len(times))
    return [_random_event(correlation, stages, time, rng.choice(machines), rng, odd) for time in arrived]


def _random_event(
    correlation: Correlation, stages: Sequence[Stage], time: int, machine: Machine, rng: random.Random, odd: float
) -> NativeEvent:
    stage = rng.choice(stages)
    fields = dict(rng.choice(stage.typical[:3]) if rng.random() >= odd else rng.choice(stage.deciding))
    if "id.orig_h" in fields:
        fields["id.orig_h"] = machine.address
        if not machine.address:
            del fields["id.orig_h"]
    for name in correlation.condition.fields:
        value = rng.choice((*_SERVERS, None)) if rng.random() < 0.9 else fields.get(name)
        fields[name] = value
    present = {name: value for name, value in fields.items() if value is not None}
    return native(stage.rule, present, time, machine, rng.choice((4331, 4331, 77)))


def many_alerts(correlation: Correlation, stages: Sequence[Stage], alerts: int) -> list[NativeEvent]:
    """A stream in which `alerts` machines raise one alert each: more rows than a search returns by default."""
    events = []
    for number in range(alerts):
        machine = Machine(f"mac-{number}", f"10.30.{number // 250}.{number % 250 + 1}")
        fields = stages[-1].typical[0]
        events += [
            NativeEvent(event.product, event.service, event.time_us, event.fields, event.location, event.host)
            for event in _around(correlation, stages, len(stages) - 1, {**fields, **_address(fields, machine)})
        ]
        if correlation.type is CorrelationType.TEMPORAL_ORDERED:
            events[-len(stages) :] = [
                native(stage.rule, _typical(stage, machine), START_MS + _STEP_MS * position, machine)
                for position, stage in enumerate(stages)
            ]
    return events


def _address(fields: Mapping[str, Any], machine: Machine) -> Mapping[str, Any]:
    return {"id.orig_h": machine.address} if "id.orig_h" in fields else {}


def one_long_sequence(correlation: Correlation, stages: Sequence[Stage], events: int) -> list[NativeEvent]:
    """A stream of more than `events` matching events whose alert comes from the last ones: what a sort that cuts would lose."""
    filler = [native(stages[0].rule, _typical(stages[0], _MAC), START_MS + number, _MAC) for number in range(events)]
    end = START_MS + events + 2 * correlation.timespan_s * 1000
    tail = _around(correlation, stages, len(stages) - 1, _typical(stages[-1], _MAC))
    shift = (end - START_MS) * 1000
    last = [NativeEvent(e.product, e.service, e.time_us + shift, e.fields, e.location, e.host) for e in tail]
    return [*filler, *last]
