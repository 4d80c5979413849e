"""The syntax tree of a query_string search. `at` is the offset of a node in the text; `field` is None where none is given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Occur(StrEnum):
    """Lucene's BooleanClause.Occur."""

    MUST = "must"
    SHOULD = "should"
    MUST_NOT = "must_not"


@dataclass(frozen=True, slots=True)
class Term:
    """Unquoted text, escapes resolved; several words where Lucene hands them to the analyzer together."""

    at: int
    field: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    at: int
    field: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` and `?` with backslash escapes kept."""

    at: int
    field: str | None
    pattern: str


@dataclass(frozen=True, slots=True)
class Regex:
    at: int
    field: str | None
    pattern: str


@dataclass(frozen=True, slots=True)
class Range:
    """`low` and `high` are None where the range is open."""

    at: int
    field: str | None
    low: str | None
    high: str | None
    low_included: bool
    high_included: bool


@dataclass(frozen=True, slots=True)
class Exists:
    at: int
    field: str


@dataclass(frozen=True, slots=True)
class All:
    at: int


@dataclass(frozen=True, slots=True)
class Boolean:
    """Clauses of a BooleanQuery; of only prohibited clauses Elasticsearch makes "everything but these"."""

    at: int
    clauses: tuple[tuple[Occur, Query], ...]


Query = Term | Phrase | Wildcard | Regex | Range | Exists | All | Boolean
