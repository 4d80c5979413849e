"""One way into every language: a search's text → Prepared, which can be executed over any number of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from an1498.model import Language
from an1498.replay.lookup import Lookup
from an1498.replay.table import EventTable, Flavour, ResultRow

FLAVOURS: Mapping[Language, Flavour] = {
    Language.SPL: "splunk",
    Language.EQL: "elastic",
    Language.ESQL: "elastic",
    Language.LUCENE: "elastic",
}


class Prepared(Protocol):
    """A parsed search. `fields` are the indexed fields that it reads, None where it may read any."""

    @property
    def language(self) -> Language: ...

    @property
    def fields(self) -> frozenset[str] | None: ...

    def execute(self, table: EventTable) -> list[ResultRow]: ...


def prepare(
    language: Language,
    text: str,
    *,
    name: str = "search",
    macros: Mapping[str, str] | None = None,
    lookups: Mapping[str, Lookup] | None = None,
    tiebreaker: str = "",
    timestamp: str = "@timestamp",
) -> Prepared:
    """Parse a search. `name` stands for the text in messages; `tiebreaker` and `timestamp` are EQL's `tiebreaker_field` and
    `timestamp_field`.

    Raises SearchSyntaxError or UnsupportedConstruct."""
    macros, lookups = macros or {}, lookups or {}
    match language:
        case Language.SPL:
            from an1498.replay import spl

            return spl.prepare(text, name=name, macros=macros, lookups=lookups)
        case Language.EQL:
            from an1498.replay import eql

            return eql.prepare(text, name=name, macros=macros, lookups=lookups, tiebreaker=tiebreaker, timestamp_field=timestamp)
        case Language.ESQL:
            from an1498.replay import esql

            return esql.prepare(text, name=name, macros=macros, lookups=lookups)
        case Language.LUCENE:
            from an1498.replay import lucene

            return lucene.prepare(text, name=name, macros=macros, lookups=lookups)
