"""The pack's own correlations over random streams of raw events, every target and language against the reference."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.content.durations import seconds
from an1498.model import Language, NativeEvent, Pack, Search
from an1498.proof.differential import execute, explained, restaged
from an1498.proof.ground import edge_streams, stages_of, walk_streams
from an1498.proof.palette import KINDS, Expectation, draw
from an1498.proof.reference import Firing, firings
from an1498.replay.alerts import index_streams

SETTINGS: Mapping[str, str] = {
    "as shipped": "",
    "low thresholds": "[parameters]\nhandshake_failure_threshold = 3\nfan_out_threshold = 2\n",
    "clock skew 2 s": '[parameters]\nclock_skew = "2s"\nhandshake_failure_threshold = 4\nfan_out_threshold = 3\n',
}
"""Overlays under which the pack is compiled for the streams: without lower thresholds a burst hardly ever fires."""


@dataclass(frozen=True, slots=True)
class PackDifference:
    """A stream on which the searches of a rule and the reference disagree."""

    stream: int
    events: tuple[NativeEvent, ...]
    missing: frozenset[Firing]
    surplus: frozenset[Firing]


@dataclass(frozen=True, slots=True)
class PackComparison:
    """One rule in one language of one target over streams. `declared` of the streams differ as a deviation says they may."""

    rule: str
    target: str
    language: Language
    streams: int
    alerts: int
    declared: int
    differences: tuple[PackDifference, ...]


@contextmanager
def overlaid(root: Path, overlay: str, below: Sequence[Path] = ()) -> Iterator[Pack]:
    """The content of `root` under an overlay given as text, which lies over the overlays `below`."""
    with tempfile.TemporaryDirectory(prefix="an1498-") as directory:
        file = Path(directory, "overlay.toml")
        file.write_text(overlay, encoding="utf-8")
        yield load_pack(root, [*below, file] if overlay else below)


def compare_pack(pack: Pack, target: str, *, seed: int, streams: int, longest: int) -> list[PackComparison]:
    """Run the correlations of a target over twice `streams` random streams: half of events of every kind, up to `longest` each, half
    of events typical of one correlation, on the edges of its window."""
    rng = random.Random(seed)
    windows = sorted({correlation.timespan_s for correlation in pack.correlations.values()}) or [300]
    drawn = [draw(rng, KINDS, windows, longest) for _ in range(streams)]
    for correlation in pack.correlations.values():
        stages, share = stages_of(pack, correlation), streams // len(pack.correlations)
        walks = walk_streams(correlation, stages, rng, share // 2)
        drawn += [*walks, *edge_streams(correlation, stages, rng, share - len(walks), odd=0)]
    skew_s = _skew(pack)
    by_rule: dict[tuple[str, Language], list[Search]] = {}
    compiled = compile_pack(pack, [target]).searches
    for search in compiled:
        if search.kind == "correlation":
            by_rule.setdefault((search.rule, search.language), []).append(search)
    indexed = index_streams(duckdb.connect(), pack.targets[target], drawn)
    if pack.targets[target].staging is not None:
        indexed = restaged(indexed, compiled, rng)
    results = []
    for (rule, language), searches in sorted(by_rule.items()):
        expectation = Expectation(pack, pack.correlations[rule], skew_s)
        observed = [expectation.observe(stream) for stream in drawn]
        expected = [firings(expectation.spec, events) for events in observed]
        found = [set.union(*of_stream) for of_stream in zip(*(execute(pack, search, indexed) for search in searches), strict=True)]
        unequal = [number for number, (wanted, got) in enumerate(zip(expected, found, strict=True)) if wanted != got]
        surprising = [n for n in unequal if not any(explained(search, expectation.spec, observed[n]) for search in searches)]
        differences = tuple(
            PackDifference(n, tuple(drawn[n]), frozenset(expected[n] - found[n]), frozenset(found[n] - expected[n])) for n in surprising
        )
        alerts = sum(map(len, expected))
        results.append(PackComparison(rule, target, language, len(drawn), alerts, len(unequal) - len(surprising), differences))
    return results


def _skew(pack: Pack) -> int:
    return seconds(str(pack.parameters["clock_skew"].value)) or 0
