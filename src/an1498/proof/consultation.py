"""Asks every oracle that is installed about everything that it can judge."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec

import duckdb

from an1498.compiler import compile_pack
from an1498.content.scenarios import scenario_files
from an1498.model import CorrelationType, Language, NativeEvent, Pack
from an1498.proof import palette
from an1498.proof.cases import SHAPES, Shape
from an1498.proof.ground import event_rule_streams
from an1498.proof.oracles import Verdict, esql_grammar
from an1498.proof.streams import START_MS
from an1498.proof.synthetic import MAC, ZEEK
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
    """The shapes that pysigma-backend-sqlite can be asked about: those whose condition names one field at most."""
    return [
        shape
        for shapes in SHAPES.values()
        for shape in shapes
        if not (isinstance(shape.condition, dict) and isinstance(shape.condition.get("field"), list))
    ]


def ask_sqlite(shapes: Sequence[Shape], streams: int) -> list[Verdict]:
    """One verdict per correlation type."""
    from an1498.proof.oracles import sqlite

    return _merged(sqlite.compare(shape.case(_WINDOW_S, 0), seed=11 + n, streams=streams, longest=12) for n, shape in enumerate(shapes))


def ask_eql(streams: int) -> list[Verdict]:
    """One verdict on emitted sequences."""
    from an1498.proof.oracles import eql_package

    shapes = [Shape(CorrelationType.TEMPORAL_ORDERED, sensors) for sensors in EQL_SHAPES]
    return _merged(
        eql_package.compare(shape.case(_WINDOW_S, 0), seed=21 + n, streams=streams, longest=12) for n, shape in enumerate(shapes)
    )


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
        streams.append(rng.sample(deciding, min(len(deciding), 60)))
    return streams


def ask_esql(pack: Pack) -> list[Verdict]:
    """One verdict per target and stack version."""
    interpreter = esql_grammar.python()
    if interpreter is None:
        return []
    return [
        replace(verdict, subject=f"{verdict.subject}, target {target.name}")
        for target in pack.targets.values()
        if Language.ESQL in target.languages
        for verdict in esql_grammar.check(compile_pack(pack, [target.name]).searches, target.layouts, interpreter)
    ]


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
