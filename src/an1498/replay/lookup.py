"""Lookup tables: CSV files that a search joins to its events (SPL `lookup`, ES|QL `LOOKUP JOIN` and `ENRICH`).

A lookup has no streams: every stream sees the same rows, in file order; a table of assets alone may differ from scenario to scenario
(`streams`). All values are text, an empty cell is a missing value.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import duckdb

from an1498.errors import UsageError
from an1498.model import FieldType
from an1498.replay.algebra import ORDER, STREAM, Scan, identifier


class Match(StrEnum):
    """How a key column meets an event's value (Splunk transforms.conf `match_type`)."""

    EXACT = "exact"
    WILDCARD = "wildcard"
    CIDR = "cidr"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup table. `matches` names key columns that are not compared exactly; `case_sensitive` is Splunk's
    `case_sensitive_match` (true by default); `max_matches` cuts the rows that one event can meet, None does not. With `time_column`
    (`time_field`, epoch seconds) the lookup is time-based. `types` are those of an Elasticsearch index's fields that are no keywords; a
    DATE cell is milliseconds since the epoch. `streams` are the rows of each stream where they differ (`rows` is not used then)."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    matches: dict[str, Match] = field(default_factory=dict)
    case_sensitive: bool = True
    max_matches: int | None = None
    time_column: str = ""
    types: Mapping[str, FieldType] = field(default_factory=dict)
    streams: tuple[tuple[tuple[str | None, ...], ...], ...] | None = None

    @property
    def shared(self) -> bool:
        """Whether all streams see the same rows."""
        return self.streams is None

    def numbered(self) -> Iterator[tuple[int, tuple[str | None, ...]]]:
        """Each row with its stream, 0 for a shared table."""
        for stream, rows in enumerate((self.rows,) if self.streams is None else self.streams):
            yield from ((stream, row) for row in rows)

    def scan(self, connection: duckdb.DuckDBPyConnection, prefix: str = "") -> Scan:
        """The lookup as a relation of `connection`; its columns are text and get `prefix`, so that no name meets an event's.

        `_stream` is 0 in every row of a shared table (use `Join(shared=True)`), `_ord` is the row's place in the file."""
        table = f"lookup {prefix}{self.name}"
        names = tuple(prefix + column for column in self.columns)
        definition = ", ".join([f"{STREAM} INTEGER", f"{ORDER} BIGINT", *(f"{identifier(name)} VARCHAR" for name in names)])
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(table)} ({definition})")
        marks = ", ".join("?" for _ in range(len(names) + 2))
        numbered = [[stream, number, *row] for number, (stream, row) in enumerate(self.numbered())]
        if numbered:
            connection.executemany(f"INSERT INTO {identifier(table)} VALUES ({marks})", numbered)
        return Scan(table, names)


def read_lookup(path: Path, name: str = "") -> Lookup:
    """Read a CSV file with a header line. Raises UsageError (`file:line: …`) where it is not such a file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, None)
            if not header or any(not column.strip() for column in header):
                raise UsageError(f"{path}:1: a lookup needs a header line that names every column")
            columns = tuple(column.strip() for column in header)
            if len(set(columns)) != len(columns):
                raise UsageError(f"{path}:1: two columns have the same name")
            rows = []
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(columns):
                    raise UsageError(f"{path}:{reader.line_num}: {len(cells)} cells, the header has {len(columns)}")
                rows.append(tuple(cell or None for cell in cells))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the lookup: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: a lookup must be UTF-8 text") from error
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}") from error
    return Lookup(name or path.stem, columns, tuple(rows))
