"""Readers of raw logs: macOS unified log (NDJSON, text), Zeek (TSV, JSON), exports of Splunk and Elasticsearch → native events.

`read_log` is strict: the first line that cannot be read raises TelemetryError. `scan_log` goes on and hands out a Reject for it.
"""

from an1498.telemetry.reader import FORMATS, read_log, scan_log
from an1498.telemetry.reject import Reject
from an1498.telemetry.stored import Site

__all__ = ["FORMATS", "Reject", "Site", "read_log", "scan_log"]
