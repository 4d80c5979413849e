"""Readers of raw logs: macOS unified log (NDJSON) and Zeek (TSV, JSON) → native events.

`read_log` is strict: the first line that cannot be read raises TelemetryError. `scan_log` goes on and hands out a Reject for it.
"""

from an1498.telemetry.reader import FORMATS, read_log, scan_log
from an1498.telemetry.reject import Reject

__all__ = ["FORMATS", "Reject", "read_log", "scan_log"]
