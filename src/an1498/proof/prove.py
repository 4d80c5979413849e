"""One proof run: differential tests, the pack's own streams, mutants, oracles, in as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.content.scenarios import scenario_files
from an1498.errors import UsageError
from an1498.model import CorrelationType, Language, NativeEvent, Pack, Search
from an1498.proof import consultation
from an1498.proof.budget import Budget
from an1498.proof.cases import SHAPES, SKEWS_S, WINDOWS_S, Shape
from an1498.proof.differential import Comparison, Difference, compare
from an1498.proof.equivalents import load_equivalents
from an1498.proof.evidence import Evidence, SearchEvidence, TypeEvidence
from an1498.proof.mutation import Control, control
from an1498.proof.oracles import Verdict
from an1498.proof.pack_streams import SETTINGS, PackComparison, PackDifference, compare_pack, overlaid
from an1498.replay.scenarios import load_scenarios

_T = TypeVar("_T")
_SECONDS_BETWEEN_LINES = 15
_LANGUAGES = (Language.SPL, Language.EQL, Language.ESQL)


@dataclass(frozen=True, slots=True)
class Batch:
    """One differential comparison to make."""

    shape: Shape
    window_s: int
    skew_s: int
    seed: int
    streams: int
    longest: int


@dataclass(slots=True)
class _Results:
    types: dict[CorrelationType, list[tuple[Batch, Comparison]]] = field(default_factory=dict)
    packs: list[PackComparison] = field(default_factory=list)
    controls: dict[tuple[str, str, str], list[Control]] = field(default_factory=dict)


def prove(root: Path, overlays: Sequence[Path], budget: Budget, label: str, progress: Callable[[str], None]) -> Evidence:
    """Run everything; `progress` is told in one line when a part is done."""
    pack = load_pack(root, overlays)
    staged = sorted(name for name, target in pack.targets.items() if target.staging is not None)
    if staged:
        raise UsageError(f"target '{staged[0]}' is staged: prove runs searches over raw events; leave its overlay out, an1498 test runs it")
    searches = compile_pack(pack).searches
    results = _Results()
    with _workers() as pool:
        todo = batches(budget)
        for batch, comparison in zip(todo, _told(pool.map(_compare, todo), len(todo), "batches of random streams", progress), strict=True):
            results.types.setdefault(batch.shape.type, []).append((batch, comparison))
        progress(f"{sum(batch.streams for batch in todo):,} random streams through {len(results.types)} correlation types")
        settings = [(overlay, target) for overlay in SETTINGS.values() for target in sorted(pack.targets)]
        over_pack = pool.map(partial(_compare_pack, root, overlays, budget.pack_streams), settings)
        for compared in _told(over_pack, len(settings), "targets and settings", progress):
            results.packs += compared
        progress(f"the pack's correlations over random raw events: {sum(one.streams for one in results.packs):,} streams")
        rules = sorted({search.rule for search in searches}, key=lambda rule: (rule not in pack.correlations, rule))
        tried_rules = pool.map(partial(_control, root, overlays, budget.one_mutant_in), rules)
        for made in _told(tried_rules, len(rules), "rules' mutants", progress):
            for one in made:
                results.controls.setdefault(_key(one.search), []).append(one)
        tried = sum(one.tried for several in results.controls.values() for one in several)
        progress(f"{tried:,} mutants of {len(searches)} searches")
        asked = partial(_ask_grammar, root, overlays, budget.grammar_one_in)
        grammar = list(pool.map(asked, consultation.grammar_questions(pack)))
    verdicts = [*_consult(pack, budget), *grammar]
    for verdict in verdicts:
        progress(f"{verdict.oracle} {verdict.version}, {verdict.subject}: {verdict.agreed:,} of {verdict.comparisons:,} comparisons agree")
    return Evidence(
        f"{pack.name} {pack.version}",
        label,
        _engines(),
        tuple(_type_evidence(results)),
        tuple(_search_evidence(searches, results, verdicts, budget.grammar_one_in)),
        tuple(verdicts),
        tuple(consultation.absent()),
    )


@contextmanager
def _workers() -> Iterator[ProcessPoolExecutor]:
    """As many processes as there are cores. On an interrupt they end at once, and nothing is left behind."""
    pool = ProcessPoolExecutor(max_workers=os.cpu_count(), initializer=_leave_interrupts_to_the_parent)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
            process.join()
        raise
    pool.shutdown()


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _told(results: Iterable[_T], total: int, what: str, progress: Callable[[str], None]) -> Iterator[_T]:
    """The results, with a line of progress now and then."""
    last = time.monotonic()
    for done, result in enumerate(results, 1):
        yield result
        if time.monotonic() - last > _SECONDS_BETWEEN_LINES and done < total:
            last = time.monotonic()
            progress(f"  {done:,} of {total:,} {what}")


def batches(budget: Budget) -> list[Batch]:
    """Batches of every correlation type: its shapes in turn, windows and skews varied, at least `streams_per_type` streams."""
    todo = []
    for shapes in SHAPES.values():
        number = max(len(shapes), -(-budget.streams_per_type // budget.batch))
        for seed in range(number):
            shape = shapes[seed % len(shapes)]
            skew = SKEWS_S[seed % len(SKEWS_S)] if shape.crosses_sensors else 0
            streams = -(-budget.streams_per_type // number)
            todo.append(Batch(shape, WINDOWS_S[seed % len(WINDOWS_S)], skew, seed, streams, budget.longest + 3 * len(shape.sensors)))
    return todo


def _compare(batch: Batch) -> Comparison:
    case = batch.shape.case(batch.window_s, batch.skew_s)
    return compare(case, seed=batch.seed, streams=batch.streams, longest=batch.longest)


def _compare_pack(root: Path, overlays: Sequence[Path], streams: int, setting: tuple[str, str]) -> list[PackComparison]:
    overlay, target = setting
    with overlaid(root, overlay, overlays) as pack:
        return compare_pack(pack, target, seed=len(overlay), streams=streams, longest=24)


def _control(root: Path, overlays: Sequence[Path], one_in: int, rule: str) -> list[Control]:
    pack, searches, samples = _content(root, tuple(overlays))
    own = [search for search in searches if search.rule == rule]
    return list(control(pack, own, load_equivalents(), one_in=one_in, samples=samples))


@cache
def _content(root: Path, overlays: tuple[Path, ...]) -> tuple[Pack, Sequence[Search], Sequence[Sequence[NativeEvent]]]:
    """The pack, its searches and its scenarios' raw events, loaded once in each process."""
    pack = load_pack(root, overlays)
    samples = load_scenarios(root / "samples", pack) if scenario_files(root / "samples") else ()
    return pack, compile_pack(pack).searches, [replayed.events for replayed in samples]


def _ask_grammar(root: Path, overlays: Sequence[Path], one_in: int, question: tuple[str, str]) -> Verdict:
    return consultation.ask_esql(load_pack(root, overlays), *question, one_in)


def _consult(pack: Pack, budget: Budget) -> list[Verdict]:
    missing = " ".join(consultation.absent())
    verdicts: list[Verdict] = []
    if "sqlite" not in missing:
        verdicts += consultation.ask_sqlite(consultation.sqlite_shapes(), budget.oracle_streams)
    if "PyPI eql" not in missing:
        verdicts += consultation.ask_eql(budget.oracle_streams)
    if "osmem" not in missing:
        verdicts += consultation.ask_lucene(pack)
    return verdicts


def _engines() -> tuple[str, ...]:
    return (f"an1498 {version('an1498')} embedded evaluator on DuckDB {version('duckdb')}",)


def _type_evidence(results: _Results) -> Iterable[TypeEvidence]:
    for kind, made in results.types.items():
        for language in _LANGUAGES:
            said = [(batch, one) for batch, one in made if language in one.streams]
            refused = {str(batch.shape): one.refused[language] for batch, one in made if language in one.refused}
            yield TypeEvidence(
                str(kind),
                str(language),
                len({str(batch.shape) for batch, _ in said}),
                len(refused),
                tuple(sorted(set(refused.values()))),
                sum(one.streams[language] for _, one in said),
                sum(one.alerts for _, one in said),
                sum(one.declared.get(language, 0) for _, one in said),
                tuple(
                    _difference(batch, difference)
                    for batch, one in said
                    for difference in one.differences
                    if difference.language is language
                )[:5],
            )


def _difference(batch: Batch, difference: Difference) -> str:
    where = f"{batch.shape}, window {batch.window_s} s, skew {batch.skew_s} s, seed {batch.seed}, stream {difference.stream}"
    return f"{where}: missing {sorted(difference.missing)}, surplus {sorted(difference.surplus)}"


def _search_evidence(
    searches: Sequence[Search], results: _Results, verdicts: Sequence[Verdict], grammar_one_in: int
) -> Iterable[SearchEvidence]:
    seen: set[tuple[str, str, str]] = set()
    for search in searches:
        key = _key(search)
        if key in seen:
            continue
        seen.add(key)
        compared = [one for one in results.packs if (one.target, one.rule, str(one.language)) == key]
        controls = results.controls.get(key, [])
        yield SearchEvidence(
            *key,
            search.kind,
            sum(one.streams for one in compared),
            sum(one.alerts for one in compared),
            sum(one.declared for one in compared),
            tuple(_pack_difference(difference) for one in compared for difference in one.differences)[:5],
            sum(one.tried for one in controls),
            sum(one.killed for one in controls),
            tuple(f"{survivor}: {survivor.reason}" for one in controls for survivor in one.equivalent),
            tuple(str(survivor) for one in controls for survivor in one.survived),
            tuple(str(survivor) for one in controls for survivor in one.contradicted),
            tuple(_accepting(search, searches, verdicts, grammar_one_in)),
            tuple(deviation.code for deviation in search.deviations),
        )


def _pack_difference(difference: PackDifference) -> str:
    return f"random raw events, stream {difference.stream}: missing {sorted(difference.missing)}, surplus {sorted(difference.surplus)}"


def _accepting(search: Search, searches: Sequence[Search], verdicts: Iterable[Verdict], one_in: int) -> Iterable[str]:
    """The grammars that were asked about this ES|QL text and accept it, by stack version."""
    own = [one for one in searches if one.target == search.target]
    for verdict in verdicts:
        if verdict.oracle != consultation.GRAMMAR or not verdict.subject.endswith(f", target {search.target}"):
            continue
        subject = verdict.subject.split(",")[0]
        refused = any(difference.startswith(f"{search.target}/{search.rule}:") for difference in verdict.differences)
        if search in consultation.grammar_sample(own, subject.rsplit(" ", 1)[-1], one_in) and not refused:
            yield subject


def _key(search: Search) -> tuple[str, str, str]:
    return search.target, search.rule, str(search.language)
