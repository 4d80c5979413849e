"""Run a search over events given as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from an1498.replay.lookup import Lookup
from an1498.replay.spl import prepare
from an1498.replay.table import load

Events = Sequence[Mapping[str, Any]]


def rows(
    text: str, events: Events, macros: Mapping[str, str] | None = None, lookups: Mapping[str, Lookup] | None = None
) -> list[dict[str, Any]]:
    prepared = prepare(text, macros=macros, lookups=lookups)
    table = load(duckdb.connect(), "t", [events], flavour="splunk", fields=prepared.fields)
    return [dict(row.values) for row in prepared.execute(table)]


def column(text: str, events: Events, name: str, macros: Mapping[str, str] | None = None) -> list[Any]:
    return [row[name] for row in rows(text, events, macros)]


def in_order(*values: Any, field: str = "x") -> list[dict[str, Any]]:
    """Events that the index returns in this order: each is a second older than the one before it."""
    return [{"_time": 1000 - place, field: value} for place, value in enumerate(values)]
