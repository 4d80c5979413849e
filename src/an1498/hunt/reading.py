"""What reading any kind of log file has in common: DuckDB reads it, and Python the lines that DuckDB does not get or cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile
from threading import Event

from an1498.errors import TelemetryError
from an1498.hunt.clean import Clean, clean
from an1498.hunt.columns import Source
from an1498.hunt.sql import Staged
from an1498.hunt.store import Seen, Store
from an1498.model import Host, NativeEvent
from an1498.telemetry.detect import LogFile
from an1498.telemetry.reject import Reject
from an1498.telemetry.stored import Site

Read = Callable[[int, bytes], NativeEvent | Reject | None]
OnReject = Callable[[int, Reject, bytes], None]
"""Called with the file's number, the reject and its line, from several threads at a time."""


class Stopped(Exception):
    """The run ends early: what a thread has begun comes to nothing."""


@dataclass(slots=True)
class Loaded:
    """What came of one file. `events` are its records that are events (also those that no search needs), `rejects` those that cannot be
    read. `skipped` says why a file was not read, `unread` why nothing of it could be read, `damage` why its end could not."""

    file: LogFile
    number: int
    events: int = 0
    rejects: int = 0
    skipped: str = ""
    fast: bool = True
    host: Host | None = None
    unread: TelemetryError | None = None
    damage: TelemetryError | None = None


@dataclass(slots=True)
class Reading:
    """A file that is being read: what DuckDB gets of it, and the reader of the lines that it does not get."""

    loaded: Loaded
    found: Clean
    read: Read

    @property
    def copied(self) -> bool:
        return self.found.path != self.loaded.file.path


@dataclass(slots=True)
class Batch:
    """Reads files of one kind, in one thread and with one connection. `stop` is set when the run ends early; `site` helps to
    read exports of a SIEM."""

    store: Store
    on_reject: OnReject
    stop: Event
    site: Site | None = None

    def cleaned(self, files: Sequence[Loaded], read: Callable[[Loaded], Read], *, json: bool) -> list[Reading]:
        """The files that can be read; of the others the error is noted. `json` says which of DuckDB's readers will read them."""
        readings = []
        for one in files:
            try:
                readings.append(Reading(one, self.clean(one, json=json), read(one)))
            except TelemetryError as error:
                one.unread = error
        return readings

    def clean(self, loaded: Loaded, *, json: bool, always: bool = False) -> Clean:
        """Raises TelemetryError where nothing of the file can be read."""
        self.go_on()
        found = clean(loaded.file.path, self.store.work / f"copy-{loaded.number}", json=json, always=always)
        loaded.damage = found.damage
        return found

    def together(
        self, readings: Sequence[Reading], source: Source | None, staged: Callable[[Sequence[Reading]], Staged]
    ) -> list[Seen | None]:
        """What DuckDB saw in each file; None where it cannot read the file, and all of it is left to Python."""
        if source is None or not source.plain or not readings:
            return [None] * len(readings)
        self.go_on()
        seen = self.store.add_staged(staged(readings), source, [(one.loaded.number, one.found.lines) for one in readings])
        self.go_on()
        if seen is not None:
            return list(seen)
        if len(readings) == 1:
            return [None]
        middle = len(readings) // 2
        return [one for half in (readings[:middle], readings[middle:]) for one in self.together(half, source, staged)]

    def finish(self, reading: Reading, seen: Seen | None, headers: int | None = None) -> None:
        """Read with Python what DuckDB did not: the lines that it has not got, and its odd ones (None: all lines). `headers` is how many
        lines begin with `#`, in a log where those have been read before."""
        loaded, found = reading.loaded, reading.found
        loaded.fast = seen is not None
        lines: Iterator[tuple[int, bytes]] = (pair for pair in found.numbered() if headers is None or not pair[1].startswith(b"#"))
        if seen is not None:
            chosen, last = frozenset(seen.odd), max(seen.odd, default=0)
            loaded.events += found.lines - len(chosen) - (headers or 0)
            lines = (pair for pair in takewhile(lambda pair: pair[0] <= last, lines) if pair[0] in chosen) if chosen else iter(())
        self.store.add_events(self._events(reading, chain(found.odd.items(), lines)), loaded.number)
        if reading.copied:
            found.path.unlink(missing_ok=True)

    def _events(self, reading: Reading, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, NativeEvent]]:
        for number, line in lines:
            self.go_on()
            item = reading.read(number, line)
            if isinstance(item, NativeEvent):
                reading.loaded.events += 1
                yield number, item
            elif isinstance(item, Reject):
                self.reject(reading.loaded, item, line)

    def reject(self, loaded: Loaded, reject: Reject, line: bytes) -> None:
        loaded.rejects += 1
        self.on_reject(loaded.number, reject, line)

    def go_on(self) -> None:
        """Raises Stopped where the run ends early."""
        if self.stop.is_set():
            raise Stopped
