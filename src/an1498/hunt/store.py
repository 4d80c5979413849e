"""The DuckDB side of a hunt: the table of kept events, and how records get into it from SQL or from Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from an1498.hunt.columns import Plan, Source
from an1498.hunt.sql import KEPT, NUMBER, ODD, TIME
from an1498.model import FieldType, NativeEvent
from an1498.replay.algebra import ORDER, STREAM, identifier, literal, streams_table
from an1498.replay.ingest import index_event
from an1498.replay.table import ROW, ColumnType, EventTable

EVENTS = "events"
FILE_STEP = 2**40
"""An event's row number is its file's number times this, plus its line's number."""

_BATCH = 20_000


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
        return EventTable(self.connection, name, "splunk", schema)

    def add_staged(self, select: str, source: Source, file: int, lines: int) -> list[int] | None:
        """Keep what a fast reader's SELECT gives; the numbers of its odd records. None, and nothing is kept, where DuckDB fails or does
        not see exactly `lines` records, because then their numbers mean nothing."""
        try:
            # One condition, one statement: planning it costs more than asking it of a small file's records.
            judged = f'SELECT *, ({source.condition}) AS "{KEPT}" FROM ({select})'
            kept = f'"{ODD}" OR "{NUMBER}" >= {lines} OR "{KEPT}"'
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE staged AS SELECT * FROM ({judged}) WHERE {kept}")
        except duckdb.Error:
            return None
        seen = self.connection.execute(f'SELECT max("{NUMBER}") FROM staged').fetchone()
        if lines and (seen is None or seen[0] != lines):
            return None
        self._insert("staged", source, file, f'NOT "{ODD}" AND "{KEPT}" AND {identifier(TIME)} IS NOT NULL')
        odd = self.connection.execute(f'SELECT "{NUMBER}" FROM staged WHERE "{ODD}" ORDER BY 1').fetchall()
        self.connection.execute("DROP TABLE staged")
        return [number for (number,) in odd]

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
        self._insert(f'(SELECT n AS "{NUMBER}", t AS {identifier(TIME)}, {named} FROM {reader})', source, file, source.condition)
        batch.unlink()

    def _insert(self, relation: str, source: Source, file: int, condition: str) -> None:
        names = [TIME, *(name for column in source.columns for name in column.indexed), *source.layout.constants]
        listed = ", ".join(map(identifier, names))
        row = f'{file * FILE_STEP} + "{NUMBER}"'
        self.connection.execute(
            f"INSERT INTO {EVENTS} ({STREAM}, {ORDER}, {identifier(ROW)}, {listed}) "
            f"SELECT 0, {row}, {row}, {listed} FROM {relation} WHERE {condition}"
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
    }
    with duckdb.connect(config=config) as connection:
        fields = ", ".join(f"{identifier(name)} {'VARCHAR[]' if array else 'VARCHAR'}" for name, array in plan.fields.items())
        columns = f"{STREAM} INTEGER, {ORDER} BIGINT, {identifier(ROW)} BIGINT, {identifier(TIME)} DOUBLE, {fields}"
        connection.execute(f"CREATE TABLE {EVENTS} ({columns})")
        connection.execute(f"CREATE TABLE {identifier(streams_table(EVENTS))} AS SELECT 0::INTEGER AS {STREAM}")
        yield Store(connection, plan, work)
