"""Mutation control: every mutant of every search must give other rows than the search, or be refused, over the streams made for it.

The search itself is the judge here; that its rows are the right ones is what scenarios, differential tests and oracles say.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

import duckdb

from an1498.errors import An1498Error
from an1498.model import NativeEvent, Pack, Search
from an1498.proof import ground, palette
from an1498.proof.equivalents import Equivalents
from an1498.proof.mutants import Mutant, mutants
from an1498.proof.streams import START_MS
from an1498.replay.alerts import field_types
from an1498.replay.ingest import index_event
from an1498.replay.prepare import prepare
from an1498.replay.table import EventTable, Flavour, ResultRow, load

_EDGE_STREAMS = 60
_PALETTE_STREAMS = 60
_LONGEST_STEP = 300
"""A line of a search longer than this holds a rule's condition; a step of the correlation is shorter."""
_MORE_THAN_A_SORT_KEEPS = 10_050
_MORE_THAN_A_RUN_RETURNS = 1_010


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no stream told from its search; `reason` says why it means the same, empty where nobody declared it."""

    search: Search
    mutant: Mutant
    reason: str = ""

    def __str__(self) -> str:
        where = f"{self.search.target}/{self.search.rule} {self.search.language}:{self.mutant.line}"
        return f"{where}: {self.mutant.operator}: '{_short(self.mutant.before)}' → '{_short(self.mutant.after)}'"


@dataclass(frozen=True, slots=True)
class Control:
    """What became of the mutants of one search. `refused` of the `killed` ones were not executed, because replay does not accept them."""

    search: Search
    tried: int
    killed: int
    refused: int
    equivalent: tuple[Survivor, ...]
    survived: tuple[Survivor, ...]


def control(
    pack: Pack, search: Search, equivalents: Equivalents, *, one_in: int = 1, samples: Sequence[Sequence[NativeEvent]] = ()
) -> Control:
    """Try the mutants of a search (one in `one_in` of them, chosen by their text). `samples` are scenarios' raw events."""
    trial = _Trial(pack, search, samples)
    outcomes: Counter[str] = Counter()
    equivalent: list[Survivor] = []
    survived: list[Survivor] = []
    for mutant in mutants(search):
        if crc32(mutant.text.encode()) % one_in:
            continue
        outcome = trial.outcome(mutant)
        outcomes[outcome] += 1
        if outcome == "survived":
            reason = equivalents.reason(search, mutant)
            (equivalent if reason else survived).append(Survivor(search, mutant, reason))
    killed = outcomes["killed"] + outcomes["refused"]
    return Control(search, outcomes.total(), killed, outcomes["refused"], tuple(equivalent), tuple(survived))


class _Trial:
    """The tables of one search, made when they are first needed, with the search's own rows over each."""

    def __init__(self, pack: Pack, search: Search, samples: Sequence[Sequence[NativeEvent]]) -> None:
        self._pack = pack
        self._search = search
        self._samples = samples
        self._macros = pack.targets[search.target].macros
        self._tables: dict[str, tuple[EventTable, Counter[str]]] = {}

    def outcome(self, mutant: Mutant) -> str:
        for ground_name in self._grounds(mutant):
            table, own = self._table(ground_name)
            try:
                rows = self._run(mutant.text, table)
            except An1498Error:
                return "refused"
            if rows != own:
                return "killed"
        return "survived"

    def _grounds(self, mutant: Mutant) -> Iterable[str]:
        """Where the mutant most likely shows first: a changed condition over the events that decide it, a changed step over edges."""
        changed = self._search.text.splitlines()[mutant.line - 1] if mutant.line else ""
        if self._search.kind == "event":
            yield "deciding"
        elif len(changed) > _LONGEST_STEP:
            yield from ("deciding", "edges", "random")
        else:
            yield from ("edges", "deciding", "random")
        if mutant.operator == "sort without 0":
            yield "long"
        elif mutant.before.startswith("| LIMIT"):
            yield "many"
        elif mutant.operator == "? dropped":
            yield "unmapped"

    def _table(self, name: str) -> tuple[EventTable, Counter[str]]:
        if name not in self._tables:
            table = _unmapped(self._pack, self._search) if name == "unmapped" else self._stored(self._streams(name))
            self._tables[name] = table, self._run(self._search.text, table)
        return self._tables[name]

    def _streams(self, name: str) -> ground.Streams:
        rng = random.Random(f"{self._search.rule} {name}")
        pack = self._pack
        if self._search.kind == "event":
            rule = pack.rules[self._search.rule]
            streams = ground.event_rule_streams(pack, rule)
            if name == "many":
                return [streams[0][:1] * _MORE_THAN_A_RUN_RETURNS]
            return [*streams, *([palette.of_kind(kind, START_MS)] for kind in palette.KINDS)]
        correlation = pack.correlations[self._search.rule]
        match name:
            case "deciding":
                return ground.deciding_streams(pack, correlation)
            case "edges":
                return ground.edge_streams(pack, correlation, rng, _EDGE_STREAMS)
            case "long":
                return [ground.one_long_sequence(pack, correlation, _MORE_THAN_A_SORT_KEEPS)]
            case "many":
                return [ground.many_alerts(pack, correlation, _MORE_THAN_A_RUN_RETURNS)]
            case _:
                drawn = [palette.draw(rng, palette.KINDS, (correlation.timespan_s,), 30) for _ in range(_PALETTE_STREAMS)]
                more = ground.edge_streams(pack, correlation, rng, 4 * _EDGE_STREAMS)
                return [*more, *drawn, *map(list, self._samples)]

    def _stored(self, streams: ground.Streams) -> EventTable:
        """The streams as the target stores them, and the first few again as events of a data source that no rule knows."""
        target = self._pack.targets[self._search.target]
        constants = {name for layout in target.layouts for source in layout.sources for name in source.constants}
        documents = []
        for stream in streams:
            stored = (next((d for layout in target.layouts if (d := index_event(event, layout)) is not None), None) for event in stream)
            documents.append([document for document in stored if document is not None])
        foreign = [
            [{name: "elsewhere" if name in constants else value for name, value in document.items()} for document in stream[:40]]
            for stream in documents[:3]
        ]
        flavour: Flavour = "splunk" if target.backend == "splunk" else "elastic"
        return load(_connect(), "events", [*documents, *foreign], flavour=flavour, mapping=field_types(target))

    def _run(self, text: str, table: EventTable) -> Counter[str]:
        prepared = prepare(self._search.language, text, name=self._search.rule, macros=self._macros, tiebreaker=self._search.tiebreaker)
        return Counter(map(_row, prepared.execute(table)))


def _row(row: ResultRow) -> str:
    return f"{row.stream} {row.values}"


def _connect() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _unmapped(pack: Pack, search: Search) -> EventTable:
    """A table of an Elastic target without events and without the fields that the vendor's index template does not know."""
    target = pack.targets[search.target]
    unmapped = {row.indexed for layout in target.layouts for source in layout.sources for row in source.fields if not row.mapped}
    mapping = {name: kind for name, kind in field_types(target).items() if name not in unmapped}
    return load(_connect(), "unmapped", [[]], flavour="elastic", mapping=mapping)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:28]} … {text[-28:]}"
