"""Files that only the readers of `telemetry` read: the unified log as text or as one JSON array, exports of a SIEM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from an1498.errors import TelemetryError
from an1498.hunt.reading import Batch, Loaded
from an1498.model import NativeEvent
from an1498.telemetry.reader import format_of, scan_log
from an1498.telemetry.reject import Reject


def read_records(batch: Batch, files: Sequence[Loaded]) -> None:
    for one in files:
        format = format_of(one.file.format)
        assert format is not None
        one.fast = False
        try:
            scanned = scan_log(one.file.path, format, one.host, batch.site)
            batch.store.add_events(_events(batch, one, scanned), one.number)
        except TelemetryError as error:
            one.unread = error


def _events(batch: Batch, loaded: Loaded, items: Iterable[NativeEvent | Reject]) -> Iterator[tuple[int, NativeEvent]]:
    """A file that ends in damage keeps what came before it."""
    try:
        for item in items:
            batch.go_on()
            if isinstance(item, NativeEvent):
                loaded.events += 1
                yield item.location.line, item
            else:
                batch.reject(loaded, item, item.text)
    except TelemetryError as error:
        if not loaded.events and not loaded.rejects:
            raise
        loaded.damage = error
