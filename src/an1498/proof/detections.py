"""Differential proof of single-event conditions: random rules, compiled and executed, against the meaning of their Sigma detection.

Every rule is compiled to SPL, EQL, ES|QL and Lucene, and each text runs over the events of its batch, which went through the layouts'
ingest; what it finds must be what `sigma_match` says of the native events.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, uuid5

import duckdb
from sigma.rule import SigmaRule

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.errors import An1498Error, Location, UnsupportedConstruct
from an1498.model import EventRule, Language, NativeEvent, Pack, Search, Target
from an1498.proof.rules import FIELDS, MAC, ZEEK, Document, Fields, Sensor, draw_events, draw_rule
from an1498.proof.sigma_match import matcher
from an1498.replay.alerts import Indexed, index_streams, read_alerts
from an1498.replay.prepare import prepare

START_MS = 1_768_471_200_000
BATCH = 8
"""Rules that share one table of events: loading one costs as much as running a few searches."""

_CONFIGURATION = """
[pack]
name = "detections"
version = "0"
attack_version = "0"

[parameters]

[targets.splunk]
backend = "splunk"
languages = ["spl"]
layouts = ["splunk/logd", "splunk/zeek"]
entity = "ip"

[targets.elastic]
backend = "elastic"
languages = ["eql", "esql", "lucene"]
layouts = ["elastic/unifiedlogs", "elastic/zeek"]
entity = "ip"
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule whose search in a language finds other events than the detection means, or cannot be executed (`error`)."""

    language: Language
    rule: Document
    text: str
    missing: tuple[Fields, ...] = ()
    surplus: tuple[Fields, ...] = ()
    error: str = ""

    def __str__(self) -> str:
        events = [*(f"missing: {event}" for event in self.missing[:2]), *(f"surplus: {event}" for event in self.surplus[:2])]
        return "\n".join([f"{self.language}: {self.rule['detection']}", self.text, self.error, *events])


@dataclass(frozen=True, slots=True)
class Comparison:
    """`executed`, `refused`, `declared`, `unmodelled` count rules per language; `decisions` the (search, event) pairs compared, `matches`
    those of them that match. `refused` rules the compiler cannot say; `unmodelled` ones replay does not answer over these events;
    `declared` ones differ only on events for which the search declares a deviation."""

    rules: int
    executed: Mapping[Language, int]
    refused: Mapping[Language, int]
    declared: Mapping[Language, int]
    unmodelled: Mapping[Language, int]
    decisions: int
    matches: int
    differences: tuple[Difference, ...]


def compare(seed: int, rules: int, events: int) -> Comparison:
    """Draw `rules` rules with `events` events each, compile and run them, and compare."""
    rng = random.Random(seed)
    batches = [_batch(rng, min(BATCH, rules - start), events) for start in range(0, rules, BATCH)]
    return merged([compare_batch(documents, drawn) for documents, drawn in batches])


def merged(parts: Sequence[Comparison]) -> Comparison:
    """Several comparisons as one."""
    executed: Counter[Language] = Counter()
    refused: Counter[Language] = Counter()
    declared: Counter[Language] = Counter()
    unmodelled: Counter[Language] = Counter()
    for part in parts:
        executed.update(part.executed)
        refused.update(part.refused)
        declared.update(part.declared)
        unmodelled.update(part.unmodelled)
    return Comparison(
        sum(part.rules for part in parts),
        executed,
        refused,
        declared,
        unmodelled,
        sum(part.decisions for part in parts),
        sum(part.matches for part in parts),
        tuple(difference for part in parts for difference in part.differences),
    )


def _batch(rng: random.Random, rules: int, events: int) -> tuple[list[Document], list[tuple[Sensor, Fields]]]:
    documents = []
    drawn: list[tuple[Sensor, Fields]] = []
    for number in range(rules):
        sensor = rng.choice((MAC, ZEEK))
        document = draw_rule(rng, sensor, f"rule_{number}")
        documents.append(document)
        drawn += [(sensor, fields) for fields in draw_events(rng, sensor, SigmaRule.from_dict(dict(document)), events)]
    return documents, drawn


def compare_batch(documents: Sequence[Document], drawn: Sequence[tuple[Sensor, Fields]]) -> Comparison:
    """The rules over the events, each in every language. Events lie a millisecond apart, so that a time names one."""
    pack = rules_pack(documents)
    compilation = compile_pack(pack)
    expected = {str(document["name"]): _expected(document, drawn) for document in documents}
    by_name = {str(document["name"]): document for document in documents}
    native = [
        NativeEvent(*sensor, (START_MS + number) * 1000, fields, Location("random", number + 1))
        for number, (sensor, fields) in enumerate(drawn)
    ]
    matches = 0
    executed: Counter[Language] = Counter()
    declared: Counter[Language] = Counter()
    unmodelled: Counter[Language] = Counter()
    differences: list[Difference] = []
    tables = {name: index_streams(_connection(name), target, [native], fields=_columns(target)) for name, target in pack.targets.items()}
    for search in compilation.searches:
        document = by_name[search.rule]
        try:
            found = _found(pack, search, tables[search.target])
        except UnsupportedConstruct:
            unmodelled[search.language] += 1
            continue
        except An1498Error as error:
            differences.append(Difference(search.language, document, search.text, error=str(error)))
            continue
        executed[search.language] += 1
        matches += len(expected[search.rule])
        wrong = found ^ expected[search.rule]
        if wrong and all(_is_declared(search, drawn[number][1]) for number in wrong):
            declared[search.language] += 1
        elif wrong:
            missing = tuple(drawn[number][1] for number in sorted(expected[search.rule] - found))
            surplus = tuple(drawn[number][1] for number in sorted(found - expected[search.rule]))
            differences.append(Difference(search.language, document, search.text, missing, surplus))
    return Comparison(
        len(documents),
        executed,
        Counter(Language(refusal.language) for refusal in compilation.refused),
        declared,
        unmodelled,
        sum(executed.values()) * len(drawn),
        matches,
        tuple(differences),
    )


def _found(pack: Pack, search: Search, table: Indexed) -> frozenset[int]:
    macros = pack.targets[search.target].macros
    prepared = prepare(search.language, search.text, name=search.rule, macros=macros)
    rows = prepared.execute(table.table)
    [found] = read_alerts(search, rows, table)
    return frozenset(alert.time_ms - START_MS for alert in found)


def _columns(target: Target) -> frozenset[str]:
    """The stored names of the fields that rules are drawn over, and what tells sources apart: every other column costs time to plan."""
    columns = set()
    for source in (source for layout in target.layouts for source in layout.sources):
        columns |= {source.time_field, *source.constants}
        known = FIELDS.get((source.product, source.service))
        rows = [source.by_native(name) for name in known.names] if known else []
        columns |= {row.indexed for row in rows if row is not None}
    return frozenset(columns)


def _expected(document: Document, drawn: Sequence[tuple[Sensor, Fields]]) -> frozenset[int]:
    matches = matcher(SigmaRule.from_dict(dict(document)))
    logsource = (document["logsource"]["product"], document["logsource"]["service"])
    return frozenset(number for number, (sensor, fields) in enumerate(drawn) if sensor == logsource and matches(fields))


def _is_declared(search: Search, fields: Fields) -> bool:
    """Whether the search declares a deviation that this event is an instance of."""
    codes = {deviation.code for deviation in search.deviations}
    lists = [value for value in fields.values() if isinstance(value, list)]
    return "esql-array-separator" in codes and any("\n" in str(item) for value in lists for item in value)


def rules_pack(documents: Sequence[Document]) -> Pack:
    """The rules as a pack with a Splunk and an Elastic target, without going through files."""
    rules = {}
    for document in documents:
        name = str(document["name"])
        logsource = document["logsource"]
        rules[name] = EventRule(
            name,
            str(uuid5(NAMESPACE_URL, f"an1498:detections:{name}")),
            str(document["title"]),
            "low",
            logsource["product"],
            logsource["service"],
            document,
            Location("random", 1),
            {},
        )
    return replace(_empty_pack(), rules=rules)


@cache
def _connection(_target: str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@cache
def _empty_pack() -> Pack:
    with TemporaryDirectory() as directory:
        (Path(directory) / "rules").mkdir()
        (Path(directory) / "an1498.toml").write_text(_CONFIGURATION, encoding="utf-8")
        return load_pack(Path(directory))
