"""The streams of one rule as each target stores them: the tables over which its searches and their mutants run."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import duckdb

from an1498.model import RANK_FIELD, Layout, NativeEvent, Pack, Search, Target
from an1498.proof import ground, palette
from an1498.proof.streams import START_MS
from an1498.replay.alerts import field_types
from an1498.replay.ingest import index_event
from an1498.replay.table import EventTable, Flavour, flatten, load

Documents = list[list[dict[str, Any]]]

_EDGE_STREAMS = 60
_PALETTE_STREAMS = 60
_FINEST_MS = 0.25
"""Splunk keeps microseconds; Elasticsearch floors to milliseconds, so such events are simultaneous there."""
_MORE_THAN_A_SORT_KEEPS = 10_050
_MORE_THAN_A_RUN_RETURNS = 1_010
_FOREIGN_STREAMS = 3
_FOREIGN_EVENTS = 40


class Tables:
    """Tables by target and name, each made when it is first needed; all languages of a target share them.

    deciding  events that decide the rule, or for a correlation streams whose alert hangs on one of them
    edges     random streams of typical events, through the stages and on the edges of the window; events of other machines
    random    more of them, streams of every kind of event, and the scenarios' raw events
    long      a stream with more events than a sort keeps by default
    disguised events that decide a stage, as a part of an event of another sensor that its stage does not match
    many      a stream with more alerts than a search returns by default
    unmapped  no event, and no field that the vendor's index template does not know"""

    def __init__(self, pack: Pack, searches: Sequence[Search], samples: Sequence[Sequence[NativeEvent]]) -> None:
        self._pack = pack
        self._searches = searches
        self._samples = samples
        self._stages: Sequence[ground.Stage] | None = None
        self._streams: dict[str, ground.Streams] = {}
        self._documents: dict[tuple[str, str], Documents] = {}
        self._tables: dict[tuple[str, str], EventTable] = {}

    def digest(self, target: str) -> str:
        """Equal for two targets that store the rule's events alike."""
        text = json.dumps([self._stored(target, "deciding"), sorted(self._fields(target))], sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()

    def table(self, target: str, name: str) -> EventTable:
        if (target, name) not in self._tables:
            layouts = self._pack.targets[target]
            if name == "unmapped":
                self._tables[target, name] = _unmapped(layouts)
            else:
                self._tables[target, name] = load(
                    duckdb.connect(config={"threads": 1}),
                    "events",
                    self._stored(target, name),
                    flavour=_flavour(layouts),
                    mapping=field_types(layouts),
                    fields=self._fields(target),
                )
        return self._tables[target, name]

    def _fields(self, target: str) -> frozenset[str]:
        """The stored fields that a search of this rule, or a mutant of one, may read: every column costs a search time to plan."""
        layouts = self._pack.targets[target]
        own = [search for search in self._searches if search.target == target]
        text = "\n".join([*(search.text for search in own), *layouts.macros.values()])
        always = {"_time", RANK_FIELD, *(search.time_field for search in own), *(search.tiebreaker for search in own)}
        always |= {source.time_field for layout in layouts.layouts for source in layout.sources}
        always |= {name for layout in layouts.layouts for source in layout.sources for name in source.constants}
        stored = {name for stream in self._stored(target, "deciding") for document in stream for name, _ in flatten(document)}
        return frozenset(name for name in {*stored, *field_types(layouts)} if name in always or name in text)

    def _stored(self, target: str, name: str) -> Documents:
        """The streams as the target stores them, and the first few again: as events of a data source that no rule knows, and without the
        addresses that our ingest pipeline adds to events which have one of their own."""
        if (target, name) not in self._documents:
            layouts = self._pack.targets[target].layouts
            documents: Documents = (
                self._disguised(layouts)
                if name == "disguised"
                else [[document for event in stream for document in _documents(event, layouts)] for stream in self._native(name)]
            )
            foreign = [
                [_foreign(document, layouts) for document in stream]
                for stream in (stream[:_FOREIGN_EVENTS] for stream in documents[:_FOREIGN_STREAMS])
            ]
            added = _added_addresses(layouts)
            bare = [
                [{name: value for name, value in document.items() if added.get(name) not in document} for document in stream]
                for stream in (stream[:_FOREIGN_EVENTS] for stream in documents[:_FOREIGN_STREAMS] if added)
            ]
            self._documents[target, name] = [*documents, *foreign, *bare]
        return self._documents[target, name]

    def _disguised(self, layouts: Sequence[Layout]) -> Documents:
        rule = self._searches[0].rule
        if rule in self._pack.rules:
            return []
        sources = [source for layout in layouts for source in layout.sources]
        kept = {name for source in sources for name in (source.time_field, source.entity_field, RANK_FIELD, *source.constants)}
        streams = []
        for disguise in ground.disguises(self._pack.correlations[rule], self._of_stages(rule)):
            stream = [document for event in disguise.events for document in _documents(event, layouts)]
            inner = _documents(disguise.event, layouts)
            if inner and len(stream) == len(disguise.events):
                stream[disguise.place] |= {name: value for name, value in inner[0].items() if name not in kept}
                streams.append(stream)
        return streams

    def _native(self, name: str) -> ground.Streams:
        if name not in self._streams:
            rule = self._searches[0].rule
            self._streams[name] = self._of_event_rule(rule, name) if rule in self._pack.rules else self._of_correlation(rule, name)
        return self._streams[name]

    def _of_event_rule(self, rule: str, name: str) -> ground.Streams:
        streams = ground.event_rule_streams(self._pack, self._pack.rules[rule])
        if name == "many":
            return [streams[0][:1] * _MORE_THAN_A_RUN_RETURNS]
        return [*streams, *([palette.of_kind(kind, START_MS)] for kind in palette.KINDS)]

    def _of_stages(self, rule: str) -> Sequence[ground.Stage]:
        if self._stages is None:
            self._stages = ground.stages_of(self._pack, self._pack.correlations[rule])
        return self._stages

    def _of_correlation(self, rule: str, name: str) -> ground.Streams:
        correlation = self._pack.correlations[rule]
        stages = self._of_stages(rule)
        rng = random.Random(f"{rule} {name}")
        match name:
            case "deciding":
                return ground.deciding_streams(correlation, stages)
            case "edges":
                walks = ground.walk_streams(correlation, stages, rng, 2 * _EDGE_STREAMS, finest_ms=_FINEST_MS)
                edges = ground.edge_streams(correlation, stages, rng, _EDGE_STREAMS)
                return [*ground.placed_streams(correlation, stages), *walks, *edges]
            case "long":
                return [ground.one_long_sequence(correlation, stages, _MORE_THAN_A_SORT_KEEPS)]
            case "many":
                return [ground.many_alerts(correlation, stages, _MORE_THAN_A_RUN_RETURNS)]
            case _:
                drawn = [palette.draw(rng, palette.KINDS, (correlation.timespan_s,), 30) for _ in range(_PALETTE_STREAMS)]
                walks = ground.walk_streams(correlation, stages, rng, 6 * _EDGE_STREAMS, finest_ms=_FINEST_MS)
                edges = ground.edge_streams(correlation, stages, rng, 4 * _EDGE_STREAMS)
                return [*walks, *edges, *drawn, *map(list, self._samples)]


def _documents(event: NativeEvent, layouts: Sequence[Layout]) -> list[dict[str, Any]]:
    """What a target stores for an event: one document, or none where no layout has its log source."""
    stored = (index_event(event, layout) for layout in layouts)
    return [dict(document) for document in stored if document is not None][:1]


def _foreign(document: Mapping[str, Any], layouts: Sequence[Layout]) -> dict[str, Any]:
    """The document with other values in the fields that its source stamps on every event."""
    all_stamped = (source.constants for layout in layouts for source in layout.sources)
    own = {name for stamped in all_stamped if stamped.items() <= document.items() for name in stamped}
    return {name: "elsewhere" if name in own else value for name, value in document.items()}


def _flavour(target: Target) -> Flavour:
    return "splunk" if target.backend == "splunk" else "elastic"


def _added_addresses(layouts: Sequence[Layout]) -> Mapping[str, str]:
    """Entity fields that our ingest pipeline adds to events of a source whose own entity field is another one: the added one → that one."""
    sources = [source for layout in layouts for source in layout.sources]
    entities = {source.entity_field for source in sources}
    return {
        row.indexed: source.entity_field for source in sources for row in source.derived if row.indexed in entities - {source.entity_field}
    }


def _unmapped(target: Target) -> EventTable:
    """A table of an Elastic target without events and without the fields that the vendor's index template does not know."""
    unmapped = {row.indexed for layout in target.layouts for source in layout.sources for row in source.fields if not row.mapped}
    mapping: Mapping[str, Any] = {name: kind for name, kind in field_types(target).items() if name not in unmapped}
    return load(duckdb.connect(config={"threads": 1}), "unmapped", [[]], flavour="elastic", mapping=mapping)
