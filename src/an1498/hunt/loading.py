"""One log file → kept events: by DuckDB where it reads every record as our readers do, line by line in Python where it does not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile

from an1498.errors import TelemetryError
from an1498.hunt import unifiedlog, zeek_json, zeek_tsv
from an1498.hunt.clean import Clean, clean, header_lines
from an1498.hunt.columns import Source
from an1498.hunt.store import Store
from an1498.model import Host, NativeEvent
from an1498.telemetry import unifiedlog as unifiedlog_reader
from an1498.telemetry import zeek as zeek_reader
from an1498.telemetry.detect import Format, LogFile
from an1498.telemetry.reader import format_of, scan_log
from an1498.telemetry.reject import Reject
from an1498.telemetry.stored import Site
from an1498.telemetry.zeek_logs import log_name
from an1498.telemetry.zeek_tsv import Header

Read = Callable[[int, bytes], NativeEvent | Reject | None]
OnReject = Callable[[Reject, bytes], None]

_MOST_BLOCKS = 100
"""Header blocks of a concatenated TSV file that DuckDB gets; with more, the file is read by Python."""


@dataclass(slots=True)
class Loaded:
    """What came of one file. `events` are its records that are events (also those that no search needs), `rejects` those that cannot be
    read. `skipped` says why a file was not read."""

    file: LogFile
    number: int
    events: int = 0
    rejects: int = 0
    skipped: str = ""
    fast: bool = True
    host: Host | None = None
    damage: TelemetryError | None = None


def load(store: Store, file: LogFile, number: int, host: Host | None, on_reject: OnReject, site: Site | None = None) -> Loaded:
    """`site` helps to read exports of a SIEM. Raises TelemetryError where the file cannot be read at all."""
    loaded = Loaded(file, number, host=host)
    match file.format:
        case Format.EMPTY:
            loaded.skipped = "it is empty"
        case Format.UNIFIEDLOG:
            source = store.plan.source("macos", "unifiedlog")
            if source is None or not source.wanted:
                loaded.skipped = "no search reads the unified log"
            else:
                _Load(store, loaded, on_reject).unifiedlog(source)
        case Format.ZEEK_TSV:
            _Load(store, loaded, on_reject).zeek_tsv()
        case Format.ZEEK_JSON:
            _Load(store, loaded, on_reject).zeek_json()
        case _:
            _Load(store, loaded, on_reject).records(site)
    return loaded


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines `first` to `last` of a TSV file, which stand under `header` (None: no header came before)."""

    first: int
    last: int
    header: Header | None


@dataclass(slots=True)
class _Load:
    store: Store
    loaded: Loaded
    on_reject: OnReject

    def unifiedlog(self, source: Source) -> None:
        read = unifiedlog_reader.LineReader(self.loaded.file.path, self.loaded.host).read
        self._json(source, lambda path: unifiedlog.staged(path, source, self.loaded.host or Host()), read)

    def zeek_json(self) -> None:
        file = self.loaded.file
        if self._wanted(file.service):
            source = self.store.plan.source("zeek", file.service)
            self._json(source, lambda path: zeek_json.staged(path, source) if source else "", zeek_reader.LineReader(file.path, None).read)

    def records(self, site: Site | None) -> None:
        """Formats that only the readers of `telemetry` read: text, and exports of a SIEM."""
        format = format_of(self.loaded.file.format)
        assert format is not None
        self.loaded.fast = False
        self.store.add_events(self._scanned(scan_log(self.loaded.file.path, format, self.loaded.host, site)), self.loaded.number)

    def _scanned(self, items: Iterable[NativeEvent | Reject]) -> Iterator[tuple[int, NativeEvent]]:
        """A file that ends in damage keeps what came before it."""
        try:
            for item in items:
                if isinstance(item, NativeEvent):
                    self.loaded.events += 1
                    yield item.location.line, item
                else:
                    self.loaded.rejects += 1
                    self.on_reject(item, item.text)
        except TelemetryError as error:
            if not self.loaded.events and not self.loaded.rejects:
                raise
            self.loaded.damage = error

    def _json(self, source: Source | None, staged: Callable[[str], str], read: Read) -> None:
        odd: list[int] | None = None
        for copy in (False, True):
            # Where DuckDB saw other records than there are lines (it skips lines of blanks), it gets a copy without such lines.
            found = self._clean(json=True, copy=copy)
            if source is not None and source.plain:
                odd = self.store.add_staged(staged(str(found.path)), source, self.loaded.number, found.lines)
            if odd is not None or found.path != self.loaded.file.path:
                break
        self._finish(found, read, odd)

    def zeek_tsv(self) -> None:
        file = self.loaded.file
        if not self._wanted(file.service):
            return
        found = self._clean(json=False)
        reader = zeek_reader.LineReader(file.path, None)
        blocks, headers = self._blocks(found, reader)
        self.loaded.events -= headers
        odd: list[int] | None = [] if len(blocks) <= _MOST_BLOCKS else None
        for same in _alike(blocks).values() if odd is not None else ():
            more = self._zeek_tsv_blocks(found, same)
            odd = None if odd is None or more is None else odd + more
            if odd is None:
                self.store.remove(self.loaded.number)
                break
        starts = [block.first for block in blocks]

        def read(number: int, line: bytes) -> NativeEvent | Reject | None:
            reader.header = blocks[bisect_right(starts, number) - 1].header
            return reader.read(number, line)

        self._finish(found, read, odd, headers=True)

    def _zeek_tsv_blocks(self, found: Clean, blocks: Sequence[_Block]) -> list[int] | None:
        """The odd lines of blocks under like headers; None where all must be read by Python."""
        header = blocks[0].header
        ranges = [(block.first, block.last) for block in blocks]
        if header is None or header.broken or not header.converters:
            return [number for first, last in ranges for number in range(first, last + 1)]
        service = log_name(header.path) if header.path else self.loaded.file.service
        source = self.store.plan.source("zeek", service or "")
        if not service or source is None or not source.plain:
            return None
        return self.store.add_staged(zeek_tsv.staged(str(found.path), source, header, ranges), source, self.loaded.number, found.lines)

    def _blocks(self, found: Clean, reader: zeek_reader.LineReader) -> tuple[list[_Block], int]:
        """The blocks of data lines, and how many header lines there are. A header line that cannot be read is a reject."""
        blocks: list[_Block] = []
        before = headers = 0
        for number, line in header_lines(found.path):
            if number > before + 1:
                blocks.append(_Block(before + 1, number - 1, replace(reader.header) if reader.header else None))
            item = reader.read(number, line)
            if isinstance(item, Reject):
                self._reject(item, line)
            else:
                headers += 1
            before = number
        if found.lines > before:
            blocks.append(_Block(before + 1, found.lines, replace(reader.header) if reader.header else None))
        return blocks, headers

    def _wanted(self, service: str) -> bool:
        source = self.store.plan.source("zeek", service)
        if service and (source is None or not source.wanted):
            self.loaded.skipped = f"no search reads {service}.log"
            return False
        return True

    def _clean(self, *, json: bool, copy: bool = False) -> Clean:
        found = clean(self.loaded.file.path, self.store.work, json=json, copy=copy)
        self.loaded.damage = found.damage
        self.loaded.events = found.lines - found.blank
        return found

    def _finish(self, found: Clean, read: Read, odd: list[int] | None, *, headers: bool = False) -> None:
        """Read with Python what DuckDB did not: the lines that it has not got, and its odd ones (None: all lines). `headers`: the lines
        that begin with `#` have been read before."""
        self.loaded.fast = odd is not None
        lines: Iterator[tuple[int, bytes]] = (pair for pair in found.numbered() if not (headers and pair[1].startswith(b"#")))
        if odd is not None:
            chosen, last = frozenset(odd), max(odd, default=0)
            lines = iter([pair for pair in takewhile(lambda pair: pair[0] <= last, lines) if pair[0] in chosen] if odd else [])
        self.store.add_events(self._read(read, chain(found.odd.items(), lines)), self.loaded.number)

    def _read(self, read: Read, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, NativeEvent]]:
        for number, line in lines:
            item = read(number, line)
            if isinstance(item, NativeEvent):
                yield number, item
            elif isinstance(item, Reject):
                self._reject(item, line)
            else:
                self.loaded.events -= 1

    def _reject(self, reject: Reject, line: bytes) -> None:
        self.loaded.events -= 1
        self.loaded.rejects += 1
        self.on_reject(reject, line)


def _alike(blocks: Iterable[_Block]) -> Mapping[object, list[_Block]]:
    """Blocks whose headers say the same."""
    groups: dict[object, list[_Block]] = {}
    for block in blocks:
        header = block.header
        key = header and (
            header.separator,
            header.set_separator,
            header.empty,
            header.unset,
            header.path,
            header.fields,
            header.types,
            header.broken,
        )
        groups.setdefault(key, []).append(block)
    return groups
