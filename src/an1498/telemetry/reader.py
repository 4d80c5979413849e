"""A raw log file of a named format → native events, strictly or with rejects."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from an1498.errors import UsageError
from an1498.model import Host, NativeEvent
from an1498.telemetry import unifiedlog, zeek
from an1498.telemetry.reject import Reject

_SCANS: Mapping[str, Callable[[Path, Host | None], Iterator[NativeEvent | Reject]]] = {
    "unifiedlog": unifiedlog.scan,
    "zeek": zeek.scan,
}
FORMATS = tuple(_SCANS)


def scan_log(path: Path, format: str, host: Host | None = None) -> Iterator[NativeEvent | Reject]:
    """Every line of the file as an event or as a Reject, in the order of the file (which need not be the order of time).

    Raises TelemetryError where the file as a whole cannot be read, UsageError for an unknown format."""
    try:
        scan = _SCANS[format]
    except KeyError:
        close = difflib.get_close_matches(format, FORMATS, 1)
        remedy = f"did you mean '{close[0]}'?" if close else f"choose one of {', '.join(FORMATS)}"
        raise UsageError(f"the log format '{format}' is unknown; {remedy}") from None
    return scan(path, host)


def read_log(path: Path, format: str, host: Host | None = None) -> Iterator[NativeEvent]:
    """As `scan_log`, but the first line that cannot be read raises TelemetryError with its file and line."""
    for item in scan_log(path, format, host):
        if isinstance(item, Reject):
            raise item.error()
        yield item
