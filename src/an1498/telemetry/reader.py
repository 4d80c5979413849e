"""A raw log file of a named format → native events, strictly or with rejects."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from an1498.errors import UsageError
from an1498.model import Host, Layout, NativeEvent
from an1498.telemetry import stored, unifiedlog, zeek
from an1498.telemetry.detect import Format
from an1498.telemetry.reject import Reject

_SCANS: Mapping[str, Callable[[Path, Host | None], Iterator[NativeEvent | Reject]]] = {
    "unifiedlog": unifiedlog.scan,
    "zeek": zeek.scan,
}
_EXPORTS = ("splunk", "elastic")
FORMATS = (*_SCANS, *_EXPORTS)

_FORMAT_OF: Mapping[Format, str] = {
    Format.UNIFIEDLOG: "unifiedlog",
    Format.UNIFIEDLOG_ARRAY: "unifiedlog",
    Format.UNIFIEDLOG_TEXT: "unifiedlog",
    Format.ZEEK_TSV: "zeek",
    Format.ZEEK_JSON: "zeek",
    Format.SPLUNK: "splunk",
    Format.ELASTIC: "elastic",
}


def format_of(detected: Format) -> str | None:
    """The name, as `scan_log` takes it, of what a file was detected to be; None for an empty one."""
    return _FORMAT_OF.get(detected)


def scan_log(path: Path, format: str, host: Host | None = None, site: stored.Site | None = None) -> Iterator[NativeEvent | Reject]:
    """Every record of the file as an event or as a Reject, in the order of the file (which need not be the order of time).

    `host` is the machine that wrote the file. Exports of a SIEM hold records of many machines, about which `site` knows more. An event's
    line is its own one, or its number in an export's document.
    Raises TelemetryError where the file as a whole cannot be read, UsageError for an unknown format."""
    if format in _EXPORTS:
        return stored.scan(path, format, site or stored.Site())
    try:
        scan = _SCANS[format]
    except KeyError:
        close = difflib.get_close_matches(format, FORMATS, 1)
        remedy = f"did you mean '{close[0]}'?" if close else f"choose one of {', '.join(FORMATS)}"
        raise UsageError(f"the log format '{format}' is unknown; {remedy}") from None
    return scan(path, host)


def read_log(path: Path, format: str, host: Host | None = None, layouts: Sequence[Layout] = ()) -> Iterator[NativeEvent]:
    """As `scan_log`, but the first line that cannot be read raises TelemetryError with its file and line. In an export, `host` is known of
    every machine."""
    for item in scan_log(path, format, host, stored.Site(layouts, lambda _: host)):
        if isinstance(item, Reject):
            raise item.error()
        yield item
