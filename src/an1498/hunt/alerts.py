"""A search's result rows → findings: the alert, the events that made it, their machine, and the certificate of the TLS session."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from an1498.compiler import compile_search
from an1498.errors import SearchSyntaxError, UsageError
from an1498.hunt.columns import Source
from an1498.hunt.reading import Loaded
from an1498.hunt.sql import TIME
from an1498.hunt.store import EVENTS, FILE_STEP, Store
from an1498.model import Correlation, Language, Pack, Search
from an1498.replay.algebra import ORDER, STREAM, identifier, literal, streams_table
from an1498.replay.prepare import prepare
from an1498.replay.spl import Prepared
from an1498.replay.table import ROW, EventTable, ResultRow
from an1498.telemetry.files import shown

MOST_EVENTS = 200
"""Events of one finding that are kept; a burst may have thousands."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One event of a finding under its native field names, the rules that it matches, and what x509.log says about its certificate."""

    time_s: float
    product: str
    service: str
    file: str
    line: int
    fields: Mapping[str, Any]
    rules: tuple[str, ...] = ()
    certificate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sni_entropy(self) -> float | None:
        """Shannon entropy of the server name, bits per character."""
        name = self.fields.get("server_name")
        return shannon(name) if isinstance(name, str) and name else None


@dataclass(frozen=True, slots=True)
class Finding:
    """One alert. `group` are the search's group-by columns; `first_s` and `time_s` are the first and last event's times."""

    rule: str
    title: str
    level: str
    kind: str
    time_s: float
    first_s: float
    group: tuple[tuple[str, str], ...]
    events: tuple[Evidence, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotRun:
    """A rule whose search could not be executed over these events, and why."""

    rule: str
    why: str


def shannon(text: str) -> float:
    """Bits per character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts) + 0.0


def findings(pack: Pack, store: Store, loaded: Sequence[Loaded]) -> tuple[tuple[Finding, ...], list[NotRun]]:
    """Every search, once, over the kept events; findings in the order of time, then rule. A search that cannot be executed over these
    events stops no other one."""
    found: list[Finding] = []
    refused: list[NotRun] = []
    # Pushing filters through projections copies computed columns into every use (replay/table.py).
    store.connection.execute("SET disabled_optimizers = 'filter_pushdown,cte_filter_pusher'")
    places = {one.number: shown(one.file.path) for one in loaded}
    for search, prepared in store.plan.searches:
        try:
            found += _found(pack, store, search, prepared, places)
        except (SearchSyntaxError, UsageError) as error:
            refused.append(NotRun(search.rule, str(error)))
    return tuple(sorted(found, key=lambda one: (one.time_s, one.rule, one.group))), refused


def _found(pack: Pack, store: Store, search: Search, prepared: Prepared, places: Mapping[int, str]) -> list[Finding]:
    if search.kind == "event":
        return list(_events(pack, store, search, places))
    table = store.table(_partitioned(pack, store, search))
    return list(_alerts(pack, store, search, prepared.execute(_narrow(table, prepared)), places))


def _partitioned(pack: Pack, store: Store, search: Search) -> str:
    """The name of a table of the events in which each value of the search's first group key is a stream of its own. No alert depends on
    events of two groups, so the alerts are the same, and replay's limits hold for a machine and not for the whole archive."""
    correlation = pack.correlations[search.rule]
    rules = list(event_rules(pack, correlation))
    cases = []
    for source in store.plan.sources:
        column = _key_column(correlation, rules, correlation.group_by[0], source, pack) if correlation.group_by else None
        if source.wanted and column:
            cases.append(f"WHEN {_is(source)} THEN {identifier(column)}")
    key = f"CASE {' '.join(cases)} END" if cases else "NULL"
    columns = ", ".join([ORDER, identifier(ROW), *(identifier(name) for name in (TIME, *store.plan.fields))])
    connection = store.connection
    connection.execute(
        f"CREATE OR REPLACE TABLE keys AS SELECT key, row_number() OVER () AS stream FROM (SELECT DISTINCT {key} AS key FROM {EVENTS})"
    )
    joined = f"{EVENTS} JOIN keys ON keys.key IS NOT DISTINCT FROM {key}"
    connection.execute(f"CREATE OR REPLACE TABLE partitioned AS SELECT CAST(stream AS INTEGER) AS {STREAM}, {columns} FROM {joined}")
    streams = identifier(streams_table("partitioned"))
    connection.execute(f"CREATE OR REPLACE TABLE {streams} AS SELECT CAST(stream AS INTEGER) AS {STREAM} FROM keys")
    return "partitioned"


def _narrow(table: EventTable, prepared: Prepared) -> EventTable:
    """The same table with only the columns that the search reads: every column costs a search time to plan."""
    if prepared.fields is None:
        return table
    schema = {name: column for name, column in table.schema.items() if name in prepared.fields}
    return replace(table, schema=schema)


# --- correlations ------------------------------------------------------------------------------------------------------------


def _alerts(pack: Pack, store: Store, search: Search, results: Sequence[ResultRow], places: Mapping[int, str]) -> Iterator[Finding]:
    correlation = pack.correlations[search.rule]
    spans: list[tuple[float, float, tuple[str, ...]]] = []
    for row in results:
        time_s = float(row.values[search.time_field])
        first = row.values.get("first_time")
        spans.append((time_s if first is None else float(first), time_s, tuple(_text(row.values[key]) for key in search.group_by)))
    evidence = _evidence(pack, store, correlation, spans, places)
    for number, (row, (first_s, time_s, group)) in enumerate(zip(results, spans, strict=True)):
        known = {search.time_field, "first_time", *search.group_by}
        more = {name: value for name, value in row.values.items() if name not in known and value is not None}
        events = tuple(evidence.get(number, ()))
        pairs = tuple(zip(search.group_by, group, strict=True))
        yield Finding(search.rule, search.title, search.level, search.kind, time_s, first_s, pairs, events, more)


def _evidence(
    pack: Pack, store: Store, correlation: Correlation, spans: Sequence[tuple[float, float, tuple[str, ...]]], places: Mapping[int, str]
) -> Mapping[int, list[Evidence]]:
    """Per alert, the events of its group and span that one of its stages' rules matches, in the order of time."""
    rules = list(event_rules(pack, correlation))
    if not spans:
        return {}
    keys = ", ".join(f"k{number} VARCHAR" for number in range(len(correlation.group_by)))
    store.connection.execute(f"CREATE OR REPLACE TEMP TABLE spans (alert BIGINT, first DOUBLE, last DOUBLE, {keys})")
    marks = ", ".join("?" * (3 + len(correlation.group_by)))
    # Times are exact to the microsecond on both sides; a tenth of one absorbs what doubles add.
    values = [[number, first - 1e-7, last + 1e-7, *group] for number, (first, last, group) in enumerate(spans)]
    store.connection.executemany(f"INSERT INTO spans VALUES ({marks})", values)
    joined = []
    for source in store.plan.sources:
        columns = [_key_column(correlation, rules, key, source, pack) for key in correlation.group_by]
        if source.wanted and all(columns):
            same = " AND ".join(f"e.{identifier(str(column))} = s.k{number}" for number, column in enumerate(columns))
            joined.append(
                f"SELECT s.alert, e.{identifier(ROW)} AS row FROM spans s JOIN {EVENTS} e "
                f"ON {same} AND e.{identifier(TIME)} BETWEEN s.first AND s.last WHERE {_is(source, 'e.')}"
            )
    if not joined:
        return {}
    store.connection.execute(f"CREATE OR REPLACE TEMP TABLE pairs AS {' UNION ALL '.join(joined)}")
    matched = _matched(pack, store, rules, f"{identifier(ROW)} IN (SELECT row FROM pairs)")
    events = {row: event for row, event in rows(store, "one_each", places) if row in matched}
    found: dict[int, list[Evidence]] = {}
    for alert, row in store.connection.execute("SELECT alert, row FROM pairs ORDER BY alert, row").fetchall():
        if row in events:
            found.setdefault(alert, []).append(replace(events[row], rules=tuple(matched[row])))
    return {alert: sorted(many, key=lambda one: one.time_s)[-MOST_EVENTS:] for alert, many in found.items()}


def event_rules(pack: Pack, correlation: Correlation) -> Iterator[str]:
    """The event rules that a correlation is made of, those of correlations inside it too."""
    for name in correlation.rules:
        if name in pack.correlations:
            yield from event_rules(pack, pack.correlations[name])
        else:
            yield name


def _key_column(correlation: Correlation, rules: Sequence[str], key: str, source: Source, pack: Pack) -> str | None:
    """The stored column of a group key in this log; None where no rule of the correlation reads the log."""
    for name in rules:
        rule = pack.rules[name]
        if (rule.product, rule.service) == (source.product, source.service):
            if key in correlation.aliases and key == "entity":
                return source.layout.entity_field
            native = correlation.aliases.get(key, {}).get(name, key)
            return next((column.indexed[0] for column in source.columns if column.native == native), None)
    return None


def _matched(pack: Pack, store: Store, rules: Sequence[str], where: str) -> Mapping[int, list[str]]:
    """Row number → the rules that match it, of the kept events for which `where` holds. Leaves them in the table `one_each`, every
    event as a stream of its own, so that a search's result says which events it matched."""
    columns = ", ".join(identifier(name) for name in (TIME, *store.plan.fields))
    row = identifier(ROW)
    store.connection.execute(
        f"CREATE OR REPLACE TABLE one_each AS SELECT CAST(row_number() OVER (ORDER BY {row}) - 1 AS INTEGER) AS {STREAM}, "
        f"{row} AS {ORDER}, {row}, {columns} FROM {EVENTS} WHERE {where}"
    )
    store.connection.execute(f"CREATE OR REPLACE TABLE {identifier(streams_table('one_each'))} AS SELECT {STREAM} FROM one_each")
    numbers = [row for (row,) in store.connection.execute(f"SELECT {row} FROM one_each ORDER BY {STREAM}").fetchall()]
    matched: dict[int, list[str]] = {}
    for name in dict.fromkeys(rules):
        search = compile_search(pack, name, store.plan.target.name, Language.SPL)
        prepared = prepare(search.language, search.text, name=name, macros=store.plan.target.macros)
        for stream in sorted({result.stream for result in prepared.execute(store.table("one_each"))}):
            matched.setdefault(numbers[stream], []).append(name)
    return matched


# --- event rules -------------------------------------------------------------------------------------------------------------


def _events(pack: Pack, store: Store, search: Search, places: Mapping[int, str]) -> Iterator[Finding]:
    matched = _matched(pack, store, [search.rule], "TRUE")
    for row, event in rows(store, "one_each", places):
        if row in matched:
            source = store.plan.source(event.product, event.service)
            assert source is not None
            entity = event.fields.get(source.native(source.layout.entity_field))
            group = (("entity", _text(entity)),) if entity is not None else ()
            event = replace(event, rules=(search.rule,))
            yield Finding(search.rule, search.title, search.level, search.kind, event.time_s, event.time_s, group, (event,))


def rows(store: Store, table: str, places: Mapping[int, str]) -> Iterator[tuple[int, Evidence]]:
    """(row number, event) of every event of a table."""
    for source in store.plan.sources:
        if not source.wanted:
            continue
        names = [(column.native, column.indexed[0]) for column in source.columns]
        listed = ", ".join(identifier(indexed) for _, indexed in names)
        query = f"SELECT {identifier(ROW)}, {identifier(TIME)}{', ' if listed else ''}{listed} FROM {table} WHERE {_is(source)}"
        for row, time_s, *values in store.connection.execute(query).fetchall():
            fields = {native: value for (native, _), value in zip(names, values, strict=True) if value is not None}
            file, line = divmod(row, FILE_STEP)
            yield row, Evidence(time_s, source.product, source.service, places[file], line, fields)


def _is(source: Source, prefix: str = "") -> str:
    constants = source.layout.constants.items()
    return " AND ".join(f"{prefix}{identifier(name)} = {literal(str(value))}" for name, value in constants) or "TRUE"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
