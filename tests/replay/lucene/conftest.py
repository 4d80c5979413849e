"""`found(search, documents)` gives the numbers of the documents that a query_string search matches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import pytest

from an1498.model import FieldType
from an1498.replay.lucene import prepare
from an1498.replay.table import ColumnType, load

Document = Mapping[str, Any]
Found = Callable[..., list[int]]


@pytest.fixture(scope="session")
def documents() -> Callable[..., list[dict[str, Any]]]:
    connection = duckdb.connect()

    def run(text: str, stored: Sequence[Document], *, mapping: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        types = {field: ColumnType(FieldType(name.rstrip("*")), name.endswith("*")) for field, name in (mapping or {}).items()}
        table = load(connection, "documents", [stored], flavour="elastic", mapping=types)
        return [dict(row.values) for row in prepare(text).execute(table)]

    return run


@pytest.fixture(scope="session")
def found(documents: Callable[..., list[dict[str, Any]]]) -> Found:
    def run(text: str, stored: Sequence[Document], *, mapping: Mapping[str, str] | None = None) -> list[int]:
        return [int(row["_id"]) for row in documents(text, stored, mapping=mapping)]

    return run
