"""`rival_sqlite.py EVENTS.json SEARCHES.json`: loads the columns that the searches read into an in-memory sqlite3 table and runs each
SELECT; prints how many rows each gave, as JSON."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def main() -> None:
    task = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    columns: list[str] = task["columns"]
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE logs ({', '.join(f'`{name}`' for name in columns)})")
    with Path(sys.argv[1]).open(encoding="utf-8") as stream:
        connection.executemany(f"INSERT INTO logs VALUES ({', '.join('?' * len(columns))})", _rows(stream, columns))
    print(json.dumps({name: len(connection.execute(text).fetchall()) for name, text in task["searches"].items()}))


def _rows(lines: Iterator[str], columns: Sequence[str]) -> Iterator[list[object]]:
    for line in lines:
        record = json.loads(line)
        yield [int(value) if isinstance(value := record.get(name), bool) else value for name in columns]


if __name__ == "__main__":
    main()
