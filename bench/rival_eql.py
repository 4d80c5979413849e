"""`rival_eql.py EVENTS.json QUERY.eql`: runs one EQL query with PyPI's `eql` over the events; prints the number of sequences as JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import eql

TICKS_PER_MS = 10_000
"""`eql` counts time in units of 100 ns."""


def main() -> None:
    found: list[Any] = []
    engine = eql.PythonEngine({"flatten": False})
    query = Path(sys.argv[2]).read_text(encoding="utf-8")
    engine.add_query(eql.parse_query(query))
    engine.add_output_hook(found.append)
    engine.stream_events(_events(Path(sys.argv[1]), query))
    print(json.dumps({"sequences": len(found)}))


def _events(path: Path, query: str) -> Iterator[Any]:
    """In the order of time, in which the engine wants them, with the fields that the query names; its dots become underscores, because
    a dot leads to a nested field."""
    words = set(re.findall(r"\w+", query))
    with path.open(encoding="utf-8") as stream:
        records = [_record(json.loads(line), words) for line in stream]
    for time, kind, fields in sorted(records, key=lambda record: record[0]):
        yield eql.Event(kind, time * TICKS_PER_MS, fields)


def _record(document: Mapping[str, Any], words: Collection[str]) -> tuple[int, str, dict[str, Any]]:
    named = ((key.replace(".", "_"), value) for key, value in document.items())
    return document["timestamp"], document["product"], {sys.intern(key): value for key, value in named if key in words}


if __name__ == "__main__":
    main()
