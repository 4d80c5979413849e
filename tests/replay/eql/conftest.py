"""`replay(search, events)` runs an EQL search over one stream of events and gives its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import pytest

from an1498.model import FieldType
from an1498.replay.eql import prepare
from an1498.replay.table import ColumnType, load

Event = Mapping[str, Any]
Replay = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def replay() -> Replay:
    connection = duckdb.connect()

    def run(text: str, events: Sequence[Event], *, mapping: Mapping[str, str] | None = None, **options: Any) -> list[dict[str, Any]]:
        types = {field: ColumnType(FieldType(name.rstrip("*")), name.endswith("*")) for field, name in (mapping or {}).items()}
        table = load(connection, "events", [events], flavour="elastic", mapping=types)
        return [dict(row.values) for row in prepare(text, **options).execute(table)]

    return run


@pytest.fixture(scope="session")
def matching(replay: Replay) -> Callable[..., list[int]]:
    """The numbers of the documents that a condition keeps. Documents get a timestamp each."""

    def run(condition: str, documents: Sequence[Event], *, mapping: Mapping[str, str] | None = None) -> list[int]:
        events = [{"@timestamp": number, **document} for number, document in enumerate(documents)]
        return [row["events"][0] for row in replay(f"any where {condition}", events, mapping=mapping)]

    return run
