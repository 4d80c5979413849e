"""Differential proof: the emitted text of a correlation, executed over random streams, against the brute-force reference."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from an1498.compiler import compile_pack, compile_search
from an1498.errors import Unsupported
from an1498.model import Alert, Language, Pack, Search
from an1498.proof import synthetic
from an1498.proof.reference import Firing, Observation, Spec, firings
from an1498.proof.streams import Drawn, draw
from an1498.proof.synthetic import Case
from an1498.replay.alerts import Indexed, alerts, index_streams
from an1498.replay.staging import staged, stored

TARGET_OF = {Language.SPL: "splunk", Language.EQL: "elastic", Language.ESQL: "elastic"}
STAGED_OF = {language: f"{target}-staged" for language, target in TARGET_OF.items()}


@dataclass(frozen=True, slots=True)
class Difference:
    """A stream on which a search and the reference disagree: firings that only one of them has."""

    language: Language
    stream: int
    events: tuple[Drawn, ...]
    missing: frozenset[Firing]
    surplus: frozenset[Firing]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared for one case. `streams` counts per language; `declared` those of them that differ as a deviation
    says they may; `refused` holds a language's reason; every other difference is in `differences`."""

    streams: Mapping[Language, int]
    alerts: int
    declared: Mapping[Language, int]
    refused: Mapping[Language, str]
    differences: tuple[Difference, ...]


def compare(case: Case, *, seed: int, streams: int, longest: int, targets: Mapping[Language, str] = TARGET_OF) -> Comparison:
    """Compile the case for each language, run it over `streams` random streams of up to `longest` events, and compare. `targets` names
    each language's target; a staged one runs both steps, and the second over events that are shuffled and partly written twice."""
    rng = random.Random(seed)
    drawn = [draw(case.spec, case.population, rng, longest) for _ in range(streams)]
    expected = [firings(case.spec, [event.observation for event in stream]) for stream in drawn]
    declared: dict[Language, int] = {}
    differences: list[Difference] = []
    with tempfile.TemporaryDirectory() as root:
        pack = synthetic.load(case, Path(root))
        searches, refused = _compile(pack, targets)
        tables: dict[str, Indexed] = {}
        for language, search in searches.items():
            if search.target not in tables:
                events = [[synthetic.native_event(case, event) for event in stream] for stream in drawn]
                raw = index_streams(duckdb.connect(), pack.targets[search.target], events)
                tables[search.target] = restaged(raw, compile_pack(pack, [search.target]).searches, rng) if search.staged else raw
            actual = execute(pack, search, tables[search.target])
            for number, (wanted, got) in enumerate(zip(expected, actual, strict=True)):
                if wanted == got:
                    continue
                if explained(search, case.spec, [event.observation for event in drawn[number]]):
                    declared[language] = declared.get(language, 0) + 1
                    continue
                differences.append(Difference(language, number, tuple(drawn[number]), frozenset(wanted - got), frozenset(got - wanted)))
    return Comparison(dict.fromkeys(searches, streams), sum(map(len, expected)), declared, refused, tuple(differences))


def restaged(raw: Indexed, searches: Sequence[Search], rng: random.Random) -> Indexed:
    """What the target's event searches write, some of it twice, as runs whose ranges overlap do, in any order."""
    found = staged(raw, searches)
    streams = []
    for stream in found.streams:
        arrived = [*stream, *(document for document in stream if rng.random() < 0.3)]
        streams.append(rng.sample(arrived, len(arrived)))
    return stored(raw, streams)


def execute(pack: Pack, search: Search, table: Indexed) -> list[set[Firing]]:
    """The firings of each stream, from the search's text."""
    found = alerts(pack, search, table)
    return [{_firing(search, alert) for alert in stream} for stream in found]


def _firing(search: Search, alert: Alert) -> Firing:
    group = dict(alert.group)
    return tuple(group[key] for key in search.group_by), alert.time_ms


def explained(search: Search, spec: Spec, events: Sequence[Observation]) -> bool:
    """Whether a declared deviation of the search can explain a difference on this stream: a tie between events of one
    group (or alerts of one event) where EQL has no tiebreaker, or events within the clock skew of each other where EQL cannot shift
    clocks."""
    codes = {deviation.code for deviation in search.deviations}
    tolerance = -1
    if "eql-equal-timestamps" in codes:
        tolerance = 0
    if codes & {"eql-clock-skew-reversed", "eql-clock-skew-missed"}:
        tolerance = spec.skew_ms * len(spec.rules)
    matched = [event for event in events if event.groups]
    if "staged-event-of-two-stages" in codes and any(len(event.groups) > 1 for event in matched):
        return True
    return any(
        abs(first.time_ms - second.time_ms) <= tolerance and set(first.groups.values()) & set(second.groups.values())
        for position, first in enumerate(matched)
        for second in matched[position + 1 :]
    )


def _compile(pack: Pack, targets: Mapping[Language, str]) -> tuple[dict[Language, Search], dict[Language, str]]:
    searches: dict[Language, Search] = {}
    refused: dict[Language, str] = {}
    for language, target in targets.items():
        try:
            searches[language] = compile_search(pack, synthetic.NAME, target, language)
        except Unsupported as refusal:
            refused[language] = refusal.construct
    return searches, refused
