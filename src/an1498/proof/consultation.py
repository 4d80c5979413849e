"""Asks every oracle that is installed about everything that it can judge."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from zlib import crc32

import duckdb

from an1498.compiler import compile_pack
from an1498.content.scenarios import scenario_files
from an1498.errors import ExternalError
from an1498.model import CorrelationType, Language, NativeEvent, Pack, Search
from an1498.proof import palette
from an1498.proof.cases import SHAPES, ConditionSpec, Shape
from an1498.proof.ground import event_rule_streams
from an1498.proof.oracles import Verdict, esql_grammar
from an1498.proof.streams import START_MS
from an1498.proof.synthetic import MAC, ZEEK, Case, folded
from an1498.replay.alerts import index_streams
from an1498.replay.scenarios import load_scenarios

_EXTRAS = {
    "sigma.backends.sqlite": "pysigma-backend-sqlite is not installed (extra `test`)",
    "eql": "PyPI eql is not installed (extra `test`)",
    "osmem_server": "osmem-server is not installed (extra `test`)",
}
GRAMMAR = "detection-rules-esql-py"
_WINDOW_S = 300
EQL_SHAPES = ((MAC, ZEEK), (MAC, MAC), (MAC, MAC, ZEEK))
"""Sequences inside the dialect that PyPI eql shares with Elasticsearch; it has no clock skew to add."""


def absent() -> list[str]:
    """Oracles that cannot be asked here, with the reason."""
    missing = [reason for module, reason in _EXTRAS.items() if not _installed(module)]
    if esql_grammar.python() is None:
        missing.append(
            "detection-rules-esql-py is not there: it needs Python 3.12 or newer; `make .venv-esql/ready` builds its environment, "
            f"and {esql_grammar.ENVIRONMENT_VARIABLE} names its Python"
        )
    return missing


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def sqlite_shapes() -> list[Shape]:
    """The shapes that pysigma-backend-sqlite can be asked about: one bound, one field at most, and no `not`, which it takes for "not in
    any window from this event on" where design.md takes the window up to it."""
    return [shape for shapes in SHAPES.values() for shape in shapes if _sqlite_says(shape.condition)]


def _sqlite_says(condition: ConditionSpec) -> bool:
    if isinstance(condition, Mapping):
        return isinstance(condition.get("field", ""), str) and len(set(condition) - {"field", "percentile"}) == 1
    return condition is None or " not " not in f" {condition} "


def ask_sqlite(shapes: Sequence[Shape], streams: int) -> list[Verdict]:
    """One verdict per correlation type."""
    from an1498.proof.oracles import sqlite

    return _merged(sqlite.compare(shape.case(_WINDOW_S, 0), seed=11 + n, streams=streams, longest=12) for n, shape in enumerate(shapes))


def ask_eql(streams: int) -> list[Verdict]:
    """One verdict on emitted sequences."""
    from an1498.proof.oracles import eql_package

    shapes = [Shape(CorrelationType.TEMPORAL_ORDERED, sensors) for sensors in EQL_SHAPES]
    return _merged(eql_package.compare(_with_keys(shape), seed=21 + n, streams=streams, longest=12) for n, shape in enumerate(shapes))


def _with_keys(shape: Shape) -> Case:
    """The shape's case without missing keys, which PyPI eql joins as values, and without keys that differ in case only."""
    case = folded(shape.case(_WINDOW_S, 0))
    present = [group for group in case.population.groups if None not in group]
    return replace(case, population=replace(case.population, groups=present))


def ask_lucene(pack: Pack) -> list[Verdict]:
    """One verdict per target with Lucene: every Lucene text over samples, palette and the events that decide each rule."""
    from an1498.proof.oracles import lucene_server

    streams = documents(pack)
    verdicts = []
    for target in pack.targets.values():
        if Language.LUCENE in target.languages:
            searches = compile_pack(pack, [target.name]).searches
            with duckdb.connect() as connection:
                verdicts.append(lucene_server.compare(searches, index_streams(connection, target, streams)))
    return verdicts


def documents(pack: Pack) -> list[list[NativeEvent]]:
    """Samples, one event of every kind of the palette, and the events that decide each rule."""
    streams = [[palette.of_kind(kind, START_MS + number) for number, kind in enumerate(palette.KINDS)]]
    if scenario_files(pack.root / "samples"):
        streams += [list(replayed.events) for replayed in load_scenarios(pack.root / "samples", pack)]
    rng = random.Random(1)
    for rule in pack.rules.values():
        deciding = event_rule_streams(pack, rule)[0]
        streams.append(rng.sample(deciding, min(len(deciding), 30)))
    return streams


def grammar_questions(pack: Pack, stacks: Sequence[str] = esql_grammar.STACKS) -> list[tuple[str, str]]:
    """(target, stack) pairs to ask Elastic's grammar about; none where it is not installed."""
    targets = [target.name for target in pack.targets.values() if Language.ESQL in target.languages]
    return [(target, stack) for target in targets for stack in stacks] if esql_grammar.python() else []


def ask_esql(pack: Pack, target: str, stack: str, one_in: int) -> Verdict:
    """Whether a stack's grammar and types accept a target's ES|QL texts, one in `one_in` of them."""
    interpreter = esql_grammar.python()
    if interpreter is None:
        raise ExternalError(f"{esql_grammar.ENVIRONMENT_VARIABLE} names no Python with {GRAMMAR}")
    chosen = grammar_sample(compile_pack(pack, [target]).searches, stack, one_in)
    (verdict,) = esql_grammar.check(chosen, pack.targets[target].layouts, interpreter, (stack,))
    return replace(verdict, subject=f"{verdict.subject}, target {target}")


def grammar_sample(searches: Sequence[Search], stack: str, one_in: int) -> list[Search]:
    """The ES|QL searches that a stack's grammar is asked about: one in `one_in`, at least one."""
    esql = [search for search in searches if search.language is Language.ESQL]
    return [search for search in esql if not crc32(f"{search.rule} {stack}".encode()) % one_in] or esql[:1]


def _merged(verdicts: Iterator[Verdict]) -> list[Verdict]:
    """One verdict per subject: the counts of all, the first few differences."""
    by_subject: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_subject.setdefault(verdict.subject, []).append(verdict)
    return [
        Verdict(
            several[0].oracle,
            several[0].version,
            subject,
            sum(one.comparisons for one in several),
            sum(one.agreed for one in several),
            tuple(difference for one in several for difference in one.differences)[:3],
        )
        for subject, several in by_subject.items()
    ]
