"""Batches of Zeek's TSV logs: those whose lines all stand under like headers are read in one statement, others block by block."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from an1498.hunt import zeek_tsv
from an1498.hunt.clean import Clean
from an1498.hunt.columns import Source
from an1498.hunt.reading import Batch, Loaded, Reading
from an1498.hunt.sql import Staged
from an1498.hunt.store import Seen
from an1498.model import NativeEvent
from an1498.telemetry import zeek as zeek_reader
from an1498.telemetry.reject import Reject
from an1498.telemetry.zeek_logs import log_name
from an1498.telemetry.zeek_tsv import Header

_MOST_BLOCKS = 100
"""Header blocks of a concatenated file that DuckDB gets; with more, the file is read by Python."""

Numbered = Iterable[tuple[int, bytes]]


def read_tsv(batch: Batch, files: Sequence[Loaded]) -> None:
    readings = batch.cleaned(files, lambda one: zeek_reader.LineReader(one.file.path, None).read, json=False)
    alike: dict[object, tuple[Header | None, list[Reading]]] = {}
    for reading in readings:
        header = _first_header(reading.found)
        alike.setdefault((_said(header), reading.loaded.file.service), (header, []))[1].append(reading)
    for header, some in alike.values():
        source = _source(batch, some[0].loaded, header)
        if header is None or source is None:
            for reading in some:
                _blocks_of(batch, reading)
            continue
        seen = batch.together(some, source, _staging(source, header))
        for reading, one in zip(some, seen, strict=True):
            _finish(batch, reading, header, one)


def _finish(batch: Batch, reading: Reading, header: Header, seen: Seen | None) -> None:
    """Header lines further down may say something else: then the file is read anew."""
    if seen is not None:
        blocks = _Blocks.of(seen.headers, reading)
        if all(_said(block.header) == _said(header) for block in blocks.blocks):
            blocks.tell(batch, reading)
            batch.finish(reading, seen, len(seen.headers))
            return
        batch.store.remove(reading.loaded.number)
    _blocks_of(batch, reading)


# --- block by block ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines `first` to `last` of a file, which stand under `header` (None: no header came before)."""

    first: int
    last: int
    header: Header | None


@dataclass(slots=True)
class _Blocks:
    """The blocks of data lines of a file, its reader, how many header lines there are, and those that cannot be read."""

    reader: zeek_reader.LineReader
    blocks: list[_Block] = field(default_factory=list)
    headers: int = 0
    broken: list[tuple[Reject, bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, headers: Numbered, reading: Reading) -> _Blocks:
        """From all header lines of the file, in their order."""
        found = cls(zeek_reader.LineReader(reading.loaded.file.path, None))
        before = 0
        for number, line in headers:
            found._add(before + 1, number - 1)
            item = found.reader.read(number, line)
            found.headers += 1
            if isinstance(item, Reject):
                found.broken.append((item, line))
            before = number
        found._add(before + 1, reading.found.lines)
        return found

    def _add(self, first: int, last: int) -> None:
        if first <= last:
            self.blocks.append(_Block(first, last, replace(self.reader.header) if self.reader.header else None))

    def tell(self, batch: Batch, reading: Reading) -> None:
        """Count the header lines that cannot be read as rejects, and let each line be read under the header of its block."""
        for reject, line in self.broken:
            batch.reject(reading.loaded, reject, line)
        starts = [block.first for block in self.blocks]

        def read(number: int, line: bytes) -> NativeEvent | Reject | None:
            self.reader.header = self.blocks[bisect_right(starts, number) - 1].header
            return self.reader.read(number, line)

        reading.read = read


def _blocks_of(batch: Batch, reading: Reading) -> None:
    blocks = _Blocks.of(_header_lines(reading.found), reading)
    blocks.tell(batch, reading)
    odd: list[int] | None = [] if len(blocks.blocks) <= _MOST_BLOCKS else None
    for same in _alike(blocks.blocks).values() if odd is not None else ():
        more = _odd_lines(batch, reading, same)
        odd = None if odd is None or more is None else odd + more
        if odd is None:
            batch.store.remove(reading.loaded.number)
            break
    batch.finish(reading, None if odd is None else Seen(odd), blocks.headers)


def _odd_lines(batch: Batch, reading: Reading, blocks: Sequence[_Block]) -> list[int] | None:
    """The odd lines of blocks under like headers; None where all must be read by Python."""
    header = blocks[0].header
    ranges = [(block.first, block.last) for block in blocks]
    if not _good(header):
        return [number for first, last in ranges for number in range(first, last + 1)]
    source = _source(batch, reading.loaded, header)
    if source is None:
        return None
    (seen,) = batch.together([reading], source, _staging(source, header, ranges))
    return None if seen is None else seen.odd


def _staging(source: Source, header: Header, ranges: Sequence[tuple[int, int]] = ()) -> Callable[[Sequence[Reading]], Staged]:
    return lambda readings: zeek_tsv.staged([str(one.found.path) for one in readings], source, header, ranges)


def _source(batch: Batch, loaded: Loaded, header: Header | None) -> Source | None:
    """The log that lines under the header belong to; None where they must be read by Python."""
    if not _good(header):
        return None
    service = log_name(header.path) if header.path else loaded.file.service
    return batch.store.plan.source("zeek", service or "")


def _good(header: Header | None) -> TypeGuard[Header]:
    return header is not None and not header.broken and bool(header.converters)


def _first_header(found: Clean) -> Header | None:
    """What the header lines say that the file begins with; None where that cannot be read."""
    reader = zeek_reader.LineReader(found.path, None)
    for number, line in found.numbered():
        if not line.startswith(b"#"):
            break
        if isinstance(reader.read(number, line), Reject):
            return None
    return reader.header if _good(reader.header) else None


def _header_lines(found: Clean) -> Iterator[tuple[int, bytes]]:
    return (pair for pair in found.numbered() if pair[1].startswith(b"#"))


def _alike(blocks: Iterable[_Block]) -> Mapping[object, list[_Block]]:
    """Blocks whose headers say the same."""
    groups: dict[object, list[_Block]] = {}
    for block in blocks:
        groups.setdefault(_said(block.header), []).append(block)
    return groups


def _said(header: Header | None) -> object:
    return header and (
        header.separator,
        header.set_separator,
        header.empty,
        header.unset,
        header.path,
        header.fields,
        header.types,
        header.broken,
    )
