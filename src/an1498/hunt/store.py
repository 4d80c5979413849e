"""The DuckDB side of a hunt: the table of kept events, and how records get into it from SQL or from Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb

from an1498.hunt.columns import Plan, Source
from an1498.hunt.sql import FILE, HEADER, NUMBER, ODD, TIME, Staged, of_file
from an1498.model import FieldType, NativeEvent
from an1498.replay.algebra import ORDER, STREAM, identifier, literal, streams_table
from an1498.replay.ingest import index_event
from an1498.replay.table import ROW, ColumnType, EventTable

EVENTS = "events"
FILE_STEP = 2**40
"""An event's row number is its file's number times this, plus its line's number."""

_BATCH = 20_000


@dataclass(slots=True)
class Seen:
    """What a fast reader saw in a file beside what it read: the numbers of its odd lines, and its header lines (number, line)."""

    odd: list[int] = field(default_factory=list)
    headers: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class Store:
    """`connection` has the events' table. `work` is a directory for files that are needed for a moment."""

    connection: duckdb.DuckDBPyConnection
    plan: Plan
    work: Path

    def table(self, name: str = EVENTS) -> EventTable:
        """The kept events as searches see them."""
        schema = {field: ColumnType(FieldType.KEYWORD, array) for field, array in self.plan.fields.items()}
        schema[TIME] = ColumnType(FieldType.DOUBLE)
        return EventTable(self.connection, name, "splunk", schema, limits=False)

    def beside(self, name: str) -> Store:
        """The same store for another thread: a connection and a working directory of its own."""
        work = self.work / name
        work.mkdir(exist_ok=True)
        connection = self.connection.cursor()
        # So that `query_progress` answers.
        connection.execute("SET enable_progress_bar = true")
        connection.execute("SET enable_progress_bar_print = false")
        connection.execute("SET progress_bar_time = 0")
        return Store(connection, self.plan, work)

    def add_staged(self, staged: Staged, source: Source, files: Sequence[tuple[int, int]]) -> list[Seen] | None:
        """Keep what a fast reader gives of `files`, each as its number and how many lines it has; what it saw in each. None, and nothing is
        kept, where DuckDB fails or does not see exactly these lines, because then their numbers mean nothing."""
        ends = list(accumulate(lines for _, lines in files))
        if not ends[-1]:
            return [Seen() for _ in files]
        try:
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE staged AS {staged.select(source, ends)}")
        except (duckdb.InterruptException, duckdb.BinderException, duckdb.ParserException):
            raise
        except duckdb.Error:
            return None
        last = dict(self.connection.execute(f'SELECT "{FILE}", max("{NUMBER}") FROM staged GROUP BY 1').fetchall())
        if last != {place: end for place, (end, (_, lines)) in enumerate(zip(ends, files, strict=True)) if lines}:
            return None
        starts = [end - lines for end, (_, lines) in zip(ends, files, strict=True)]
        row = of_file([number * FILE_STEP - start for (number, _), start in zip(files, starts, strict=True)]) + f' + "{NUMBER}"'
        self._insert(f'(FROM staged WHERE NOT "{ODD}" AND {identifier(TIME)} IS NOT NULL)', source, row)
        seen = [Seen() for _ in files]
        header = f'"{HEADER}"' if staged.headers else "NULL"
        query = f'SELECT "{FILE}", "{NUMBER}", {header} FROM staged WHERE "{ODD}" OR {header} IS NOT NULL ORDER BY 2'
        for place, number, text in self.connection.execute(query).fetchall():
            if text is None:
                seen[place].odd.append(number - starts[place])
            else:
                seen[place].headers.append((number - starts[place], text.encode()))
        self.connection.execute("DROP TABLE staged")
        return seen

    def add_events(self, events: Iterable[tuple[int, NativeEvent]], file: int) -> int:
        """Keep (number, event) pairs of a Python reader; returns how many there were."""
        waiting: dict[tuple[str, str], list[dict[str, Any]]] = {}
        count = 0
        for number, event in events:
            count += 1
            key = (event.product, event.service)
            source = self.plan.source(*key)
            if source is None or not source.wanted:
                continue
            rows = waiting.setdefault(key, [])
            rows.append({NUMBER: number} | self._document(event))
            if len(rows) >= _BATCH:
                self._flush(source, waiting.pop(key), file)
        for key, rows in waiting.items():
            source = self.plan.source(*key)
            assert source is not None
            self._flush(source, rows, file)
        return count

    def remove(self, file: int) -> None:
        """Forget what was kept of a file."""
        self.connection.execute(f"DELETE FROM {EVENTS} WHERE {ORDER} BETWEEN {file * FILE_STEP} AND {(file + 1) * FILE_STEP - 1}")

    def _document(self, event: NativeEvent) -> dict[str, Any]:
        for layout in self.plan.target.layouts:
            document = index_event(event, layout)
            if document is not None:
                return document
        raise AssertionError("a plan's source is in one of its target's layouts")

    def _flush(self, source: Source, documents: list[dict[str, Any]], file: int) -> None:
        fields = {name: column.array for column in source.columns for name in column.indexed}
        fields |= dict.fromkeys(source.layout.constants, False)
        keys = {name: f"c{number}" for number, name in enumerate(fields)}
        batch = self.work / "batch.ndjson"
        with batch.open("w", encoding="utf-8", errors="replace") as stream:
            for document in documents:
                record = {keys[name]: _stored(document[name], array) for name, array in fields.items() if name in document}
                stream.write(
                    json.dumps(record | {"n": document[NUMBER], "t": document[source.layout.time_field]}, ensure_ascii=False) + "\n"
                )
        types = ", ".join(f"{keys[name]}: '{'VARCHAR[]' if array else 'VARCHAR'}'" for name, array in fields.items())
        reader = f"read_json({literal(str(batch))}, format='newline_delimited', columns={{n: 'BIGINT', t: 'DOUBLE', {types}}})"
        named = ", ".join(f"{key} AS {identifier(name)}" for name, key in keys.items())
        shared = ", ".join(["*", *(f"{sql} AS {identifier(name)}" for name, sql in source.passing.condition.shared)])
        rows = f'SELECT {shared} FROM (SELECT n AS "{NUMBER}", t AS {identifier(TIME)}, {named} FROM {reader})'
        self._insert(f"(FROM ({rows}) WHERE {source.passing.condition.sql})", source, f'{file * FILE_STEP} + "{NUMBER}"')
        batch.unlink()

    def _insert(self, relation: str, source: Source, row: str) -> None:
        names = [TIME, *(name for column in source.columns for name in column.indexed), *source.layout.constants]
        listed = ", ".join(map(identifier, names))
        self.connection.execute(
            f"INSERT INTO {EVENTS} ({STREAM}, {ORDER}, {identifier(ROW)}, {listed}) SELECT 0, {row}, {row}, {listed} FROM {relation}"
        )


def _stored(value: Any, array: bool) -> Any:
    if array:
        return value if isinstance(value, list) else [value]
    return value[0] if isinstance(value, list) else value


@contextmanager
def opened_store(plan: Plan, work: Path, memory_mb: int) -> Iterator[Store]:
    """A store whose memory is bounded; what does not fit is spilled to files below `work`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb}MB",
        "temp_directory": str(work / "spill"),
        "preserve_insertion_order": True,
        # Pushing filters through projections copies computed columns into every use (replay/table.py).
        "disabled_optimizers": "filter_pushdown,cte_filter_pusher",
    }
    with duckdb.connect(config=config) as connection:
        fields = ", ".join(f"{identifier(name)} {'VARCHAR[]' if array else 'VARCHAR'}" for name, array in plan.fields.items())
        columns = f"{STREAM} INTEGER, {ORDER} BIGINT, {identifier(ROW)} BIGINT, {identifier(TIME)} DOUBLE, {fields}"
        connection.execute(f"CREATE TABLE {EVENTS} ({columns})")
        connection.execute(f"CREATE TABLE {identifier(streams_table(EVENTS))} AS SELECT 0::INTEGER AS {STREAM}")
        yield Store(connection, plan, work)
