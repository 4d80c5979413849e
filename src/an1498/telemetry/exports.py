"""Exports of a SIEM → its stored records, one after the other, whatever the export wraps around them.

Splunk: `{"preview": …, "result": {…}}` a line (REST export, `splunk search -output json`), `{"results": [{…}]}`, an array or lines of bare
results, CSV with a header. Elasticsearch: responses of `_search` or scroll (`hits.hits`), lines or arrays of hits (elasticdump), bulk files
(an action line before each document), bare documents, and what Beats write to files. Preview results of Splunk are left out: the
final ones repeat them.

A record's number is its line; where a line or a document holds several records, they are counted on from there.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from an1498.errors import Location
from an1498.telemetry.jsonlines import json_object
from an1498.telemetry.lines import decoded, read_lines, shown
from an1498.telemetry.reject import Malformed, Reject, quoted

LARGEST = 128 * 2**20
"""Bytes of the largest document that is read, on one line or several; of files with a record a line there is no bound."""

Numbered = tuple[int, Mapping[str, Any] | Reject]
_ACTIONS = frozenset({"index", "create", "update", "delete"})


def records(path: Path) -> Iterator[Numbered]:
    """(number from 1, stored record or why there is none)."""
    return read_records(shown(path), read_lines(path, LARGEST))


def read_records(name: str, lines: Iterator[tuple[int, bytes]]) -> Iterator[Numbered]:
    """As `records`, of a file's lines; `name` is the file's in messages."""
    first = next(lines, None)
    if first is None:
        return
    everything = chain([first], lines)
    text = first[1].lstrip()
    if not text.startswith((b"{", b"[")):
        yield from _csv(name, everything)
    elif _whole(text):
        yield from _renumbered(_by_line(name, everything))
    else:
        yield from _renumbered(_document(name, everything))


def _whole(text: bytes) -> bool:
    """Whether a line is a JSON value of its own, and not the beginning of a document of several lines. A line that is neither (cut off,
    not JSON at all) counts as a line of its own where it ends like one."""
    if len(text) > LARGEST:
        return True
    stripped = text.rstrip()
    return stripped.endswith((b"}", b"]")) and stripped not in (b"{}", b"[]") and len(stripped) > 2


def _by_line(name: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Numbered]:
    for number, line in lines:
        try:
            text = decoded(line, LARGEST)
            if text.lstrip().startswith("["):
                for item in _array(text):
                    yield from ((number, record) for record in _unwrapped(item))
            else:
                yield from ((number, record) for record in _unwrapped(json_object(text)))
        except Malformed as error:
            yield number, error.at(Location(name, number), line)


def _document(name: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Numbered]:
    size = 0
    parts: list[bytes] = []
    for _, line in lines:
        size += len(line)
        if size > LARGEST:
            problem = f"is one JSON document of more than {LARGEST // 2**20} MiB"
            yield 1, Reject(Location(name, 1), problem, "write one record a line, for instance with jq -c '.hits.hits[]' or '.results[]'")
            return
        parts.append(line)
    try:
        text = decoded_document(b"\n".join(parts))
        items: Iterable[Any] = _array(text) if text.lstrip().startswith("[") else [json_object(text)]
        for item in items:
            yield from ((1, record) for record in _unwrapped(item))
    except Malformed as error:
        yield 1, error.at(Location(name, 1))


def decoded_document(document: bytes) -> str:
    """As `decoded`, without a line's bound. Raises Malformed."""
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"the document is not UTF-8: byte 0x{document[error.start]:02x}", "write the export as UTF-8") from None


def _array(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the array is not JSON: {error}", "export it again") from None
    return found if isinstance(found, list) else [found]


def _unwrapped(item: Any) -> Iterator[Mapping[str, Any]]:
    """The stored records in a value. Raises Malformed for a value that holds none and says nothing else either."""
    if not isinstance(item, dict):
        raise Malformed(f"{quoted(item)} is no record", "export JSON objects")
    hits = item.get("hits")
    if isinstance(hits, dict) and isinstance(hits.get("hits"), list):
        hits = hits["hits"]
    if isinstance(hits, list):
        for hit in hits:
            yield from _unwrapped(hit)
    elif isinstance(item.get("results"), list):
        # Here `preview` speaks of all rows: a job that still ran.
        if item.get("preview") is not True:
            for row in item["results"]:
                yield from _unwrapped(row)
    elif isinstance(item.get("result"), dict):
        if item.get("preview") is not True:
            yield item["result"]
    elif not _says_nothing(item):
        yield item


def _says_nothing(item: Mapping[str, Any]) -> bool:
    """Splunk's closing line (`{"preview": false, "lastrow": true}`) and an action line of a bulk file."""
    if "preview" in item:
        return "_raw" not in item and "_time" not in item
    return len(item) == 1 and bool(_ACTIONS & item.keys())


def _renumbered(found: Iterable[Numbered]) -> Iterator[Numbered]:
    last = 0
    for number, item in found:
        last = max(number, last + 1)
        yield last, item


def _csv(name: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Numbered]:
    """Rows under the header. A cell may go on over several lines, and a multivalue has one value a line."""
    place = [1]

    def texts() -> Iterator[str]:
        for number, line in lines:
            place[0] = number
            try:
                yield decoded(line, LARGEST) + "\n"
            except Malformed as error:
                bad.append((number, error.at(Location(name, number), line)))

    bad: list[Numbered] = []
    # For the whole process, and for good: files are read in several threads.
    csv.field_size_limit(max(LARGEST, csv.field_size_limit()))
    reader = csv.reader(texts(), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        yield place[0], Reject(Location(name, place[0]), f"the header is not CSV: {error}", "export it again")
        return
    begins = place[0] + 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield begins, Reject(Location(name, begins), f"is not CSV: {error}", "export it again")
            row = []
        yield from bad
        bad.clear()
        if row is None:
            return
        if row and len(row) != len(header):
            problem = f"the row has {len(row)} cells, the header has {len(header)}"
            text = ",".join(row).encode("utf-8", "surrogatepass")
            yield begins, Reject(Location(name, begins), problem, "the file may be cut off; export it again", text)
        elif row:
            yield begins, {key: value for key, value in zip(header, row, strict=True) if value != ""}
        begins = place[0] + 1
