"""PyPI `eql`, Endgame's engine, as a second opinion on emitted sequences (AGPL: a test extra, never a runtime dependency).

It runs the emitted text itself, inside the dialect that both engines share: `:` and `in~` comparisons, scalar keys that are
present, events fed in time order with the tiebreaker applied. Its clock ticks are 100 ns.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from an1498.compiler import compile_search
from an1498.model import RANK_FIELD, Language, Pack, Search
from an1498.proof import synthetic
from an1498.proof.differential import explained
from an1498.proof.oracles import Verdict
from an1498.proof.reference import Firing, firings
from an1498.proof.streams import Drawn, draw
from an1498.proof.synthetic import Case
from an1498.replay.ingest import index_event
from an1498.replay.table import flatten

_TICKS_PER_MS = 10_000
_TARGET = "elastic"


def compare(case: Case, *, seed: int, streams: int, longest: int) -> Verdict:
    """Run the case's emitted EQL over random streams in PyPI eql and compare its alerts with the reference. Streams on which a
    declared deviation of the search may show (ties that no tiebreaker orders) are not compared."""
    import eql
    from eql.parser import elasticsearch_syntax

    rng = random.Random(seed)
    drawn = [draw(case.spec, case.population, rng, longest) for _ in range(streams)]
    with tempfile.TemporaryDirectory() as root:
        pack = synthetic.load(case, Path(root))
        search = compile_search(pack, synthetic.NAME, _TARGET, Language.EQL)
        with elasticsearch_syntax:
            query = eql.parse_query(search.text)
        agreed = compared = 0
        differences: list[str] = []
        for number, stream in enumerate(drawn):
            observations = [event.observation for event in stream]
            if explained(search, case.spec, observations):
                continue
            compared += 1
            wanted = firings(case.spec, observations)
            got = _run(query, _events(case, pack, search, stream), stream)
            if wanted == got:
                agreed += 1
            elif len(differences) < 3:
                differences.append(f"stream {number}: reference {sorted(wanted)}, eql {sorted(got)}")
    return Verdict("PyPI eql", version("eql"), str(case.spec.type), compared, agreed, tuple(differences))


def _events(case: Case, pack: Pack, search: Search, stream: list[Drawn]) -> list[tuple[int, int, Mapping[str, Any]]]:
    """(time in ms, position in the stream, nested document), in the order in which EQL sees them."""
    stored = []
    for position, event in enumerate(stream):
        native = synthetic.native_event(case, event)
        documents = (index_event(native, layout) for layout in pack.targets[_TARGET].layouts)
        document = next(document for document in documents if document is not None)
        flat = {name: values[0] for name, values in flatten(document)}
        rank = flat.get(search.tiebreaker or RANK_FIELD, 0)
        if "message" in flat:
            flat["message.keyword"] = flat.pop("message")
        stored.append((event.observation.time_ms, rank, position, _nested(flat)))
    return [(time, position, document) for time, _, position, document in sorted(stored, key=lambda item: item[:3])]


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        level = nested
        for parent in parents:
            level = level.setdefault(parent, {})
        level[leaf] = value
    return nested


def _run(query: Any, events: list[tuple[int, int, Mapping[str, Any]]], stream: list[Drawn]) -> set[Firing]:
    import eql

    found: set[Firing] = set()

    def alert(result: Any) -> None:
        last = stream[result.events[-1].data["position"]]
        found.add((tuple(part or "" for part in last.group), last.observation.time_ms))

    engine = eql.PythonEngine({"flatten": False})
    engine.add_query(query)
    engine.add_output_hook(alert)
    engine.stream_events(
        [eql.Event("any", time * _TICKS_PER_MS, {**document, "position": position}) for time, position, document in events]
    )
    return found
