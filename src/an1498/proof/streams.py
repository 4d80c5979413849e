"""Random event streams, biased to where searches go wrong: ties, spans of W and W ± 1 ms, bucket edges, missing keys, bursts."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from an1498.proof.reference import Group, Observation, Spec, Value

START_MS = 1_768_471_200_000  # 2026-01-15T10:00:00Z


@dataclass(frozen=True, slots=True)
class Population:
    """What a stream's events are drawn from. `sensor_rules` groups the rules by sensor: an event comes from one sensor and
    may match several of its rules or none. In a group, None is a missing part of the key; in `values`, a missing field."""

    sensor_rules: Mapping[str, tuple[str, ...]]
    groups: Sequence[tuple[str | None, ...]]
    values: Mapping[str, Sequence[Value | None]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A random event: what the reference sees, and what is needed to write it down as a raw record."""

    observation: Observation
    sensor: str
    group: tuple[str | None, ...]


def draw(spec: Spec, population: Population, rng: random.Random, longest: int) -> list[Drawn]:
    """One stream of 1 to `longest` events, in shuffled arrival order."""
    window = spec.window_ms
    origin = START_MS - START_MS % window + rng.choice((0, 0, window // 2, rng.randrange(window)))
    times = [origin]
    for _ in range(rng.randrange(longest)):
        times.append(_next_time(rng.choice(times), window, spec.skew_ms, rng))
    events = [_event(time, population, rng) for time in times]
    rng.shuffle(events)
    return events


def _next_time(previous: int, window: int, skew: int, rng: random.Random) -> int:
    kind = rng.random()
    if kind < 0.12:
        return previous
    if kind < 0.45:
        edge = rng.choice((window, window, -window, skew, -skew, window + skew, window - skew))
        return previous + edge + rng.choice((-1, 0, 0, 1))
    if kind < 0.6:
        return previous - previous % window + rng.choice((0, window)) + rng.choice((-1, 0, 1))
    return previous + rng.choice((1, rng.randrange(1, 50), rng.randrange(1, window), rng.randrange(1, 2 * window)))


def _event(time: int, population: Population, rng: random.Random) -> Drawn:
    sensor = rng.choice(sorted(population.sensor_rules))
    rules = population.sensor_rules[sensor]
    matched = sorted(rng.sample(rules, rng.choice((1, 1, 1, 1, 0, min(2, len(rules))))))
    parts = rng.choice(population.groups)
    key: Group | None = None if None in parts else tuple(part for part in parts if part is not None)
    values = {name: rng.choice(choices) for name, choices in population.values.items()}
    return Drawn(Observation(time, dict.fromkeys(matched, key), values), sensor, parts)
