"""What a log file is, told from its first lines, and the log files below a directory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from an1498.errors import Location, TelemetryError
from an1498.telemetry import logtext
from an1498.telemetry.files import STDIN, shown
from an1498.telemetry.lines import read_lines
from an1498.telemetry.reject import quoted
from an1498.telemetry.zeek_logs import log_name, log_of_file

_LINES = 20


class Format(StrEnum):
    """What a file's lines are."""

    UNIFIEDLOG = "unifiedlog"
    UNIFIEDLOG_ARRAY = "unifiedlog-array"
    UNIFIEDLOG_TEXT = "unifiedlog-text"
    ZEEK_TSV = "zeek-tsv"
    ZEEK_JSON = "zeek-json"
    SPLUNK = "splunk"
    ELASTIC = "elastic"
    EMPTY = "empty"


MACS = frozenset({Format.UNIFIEDLOG, Format.UNIFIEDLOG_ARRAY, Format.UNIFIEDLOG_TEXT})
"""Formats whose files one machine's unified log is in."""

EXPORTS = frozenset({Format.SPLUNK, Format.ELASTIC})
"""Formats whose files hold records of many logs and machines."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """`service` is the Zeek log, where the first record or the file's name tells it."""

    path: Path
    format: Format
    service: str = ""


def log_files(paths: Iterable[Path]) -> Iterator[LogFile | TelemetryError]:
    """The files named, and those below the directories named, in the order of their names; a file that is no log, or cannot be read,
    as the error that says so. Files whose names begin with a dot are left out; a link to a directory is not followed."""
    for path in paths:
        if path != STDIN and path.is_dir():
            for found in sorted(path.rglob("*")):
                hidden = any(part.startswith(".") for part in found.relative_to(path).parts)
                if found.is_file() and not hidden:
                    yield _detected(found)
        else:
            yield _detected(path)


def _detected(path: Path) -> LogFile | TelemetryError:
    try:
        return detect(path)
    except TelemetryError as error:
        return error


def detect(path: Path) -> LogFile:
    """Raises TelemetryError where the file cannot be read or its first lines are of no known log. The standard input has to be copied to
    a file first, because looking at it takes its lines away."""
    first: list[str] = []
    problem: TelemetryError | None = None
    try:
        first = [line[:65536].decode("utf-8", "replace") for _, line in islice(read_lines(path), _LINES)]
    except TelemetryError as error:
        problem = error
    for number, text in enumerate(first, 1):
        found = _of_line(path, number, text)
        if found is not None:
            return found
    begun = _of_json(path, "\n".join(first)) if first and first[0].lstrip().startswith(("{", "[")) else None
    if begun is not None:
        return replace(begun, format=Format.UNIFIEDLOG_ARRAY) if begun.format is Format.UNIFIEDLOG else begun
    if problem is not None:
        raise problem
    if not first:
        return LogFile(path, Format.EMPTY)
    raise TelemetryError(
        Location(shown(path), 1),
        f"begins {quoted(first[0][:40])}, which is no log that can be read",
        "give unified log (ndjson, or the text of `log`), Zeek (TSV, JSON) or an export of Splunk or Elasticsearch",
    )


def _of_line(path: Path, number: int, text: str) -> LogFile | None:
    if text.startswith(("#separator", "#fields", "#path")):
        return LogFile(path, Format.ZEEK_TSV, log_of_file(path) or "")
    if logtext.is_text(text):
        return LogFile(path, Format.UNIFIEDLOG_TEXT)
    if text.lstrip().startswith(("{", "[")):
        return _of_json(path, text)
    return LogFile(path, Format.SPLUNK) if number == 1 and _is_csv_header(text) else None


def _is_csv_header(text: str) -> bool:
    """Whether it is the header of Splunk's CSV export: internal fields begin with `_`."""
    names = next(csv.reader([text]), [])
    return len(names) > 1 and ("_raw" in names or "_time" in names)


def _of_json(path: Path, text: str) -> LogFile | None:
    try:
        record: Any = json.loads(text)
    except (ValueError, RecursionError):
        record = _begun(text)
    array = isinstance(record, list)
    if isinstance(record, list):
        record = record[0] if record else None
    if not isinstance(record, dict):
        return None
    if "_raw" in record or "_time" in record or "preview" in record or "result" in record:
        return LogFile(path, Format.SPLUNK)
    if {"_source", "hits", "_index"} & record.keys() or ("@timestamp" in record and not {"ts", "eventMessage"} & record.keys()):
        return LogFile(path, Format.ELASTIC)
    if len(record) == 1 and {"index", "create"} & record.keys():
        return LogFile(path, Format.ELASTIC)
    if "results" in record:
        return LogFile(path, Format.SPLUNK)
    if "timestamp" in record and {"eventMessage", "eventType", "processImagePath", "machTimestamp"} & record.keys():
        return LogFile(path, Format.UNIFIEDLOG_ARRAY if array else Format.UNIFIEDLOG)
    if "finished" in record and "count" in record:
        return LogFile(path, Format.UNIFIEDLOG)
    if "ts" in record:
        stated = record.get("_path")
        service = log_name(stated) if isinstance(stated, str) else log_of_file(path)
        return LogFile(path, Format.ZEEK_JSON, service or "")
    return None


def _begun(text: str) -> dict[str, None] | None:
    """The first keys of a document that goes on over several lines."""
    keys = re.findall(r'"([\w.@]+)"\s*:', text[:4096])
    return dict.fromkeys(keys) if keys else None
