"""`replay(search, events)` runs an ES|QL search over one stream of events and gives its rows; `row` evaluates expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import pytest

from an1498.model import FieldType
from an1498.replay.esql import prepare
from an1498.replay.lookup import Lookup
from an1498.replay.table import ColumnType, load

Event = Mapping[str, Any]
Replay = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def replay() -> Replay:
    connection = duckdb.connect()

    def run(
        text: str,
        events: Sequence[Event] = (),
        *,
        mapping: Mapping[str, str] | None = None,
        lookups: Mapping[str, Lookup] | None = None,
    ) -> list[dict[str, Any]]:
        types = {field: ColumnType(FieldType(name.rstrip("*")), name.endswith("*")) for field, name in (mapping or {}).items()}
        table = load(connection, "events", [events], flavour="elastic", mapping=types)
        return [dict(row.values) for row in prepare(text, lookups=lookups).execute(table)]

    return run


@pytest.fixture(scope="session")
def evaluate(replay: Replay) -> Callable[[str], Any]:
    """The value of one expression."""
    return lambda expression: replay(f"ROW x = {expression}")[0]["x"]


@pytest.fixture(scope="session")
def kept(replay: Replay) -> Callable[..., list[int]]:
    """The numbers of the documents that a WHERE condition keeps."""

    def run(condition: str, documents: Sequence[Event], *, mapping: Mapping[str, str] | None = None) -> list[int]:
        events = [{"number": number, **document} for number, document in enumerate(documents)]
        return [row["number"] for row in replay(f"FROM events | WHERE {condition} | KEEP number", events, mapping=mapping)]

    return run
