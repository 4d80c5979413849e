"""What a log file is, told from its first lines, and the log files below a directory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from an1498.errors import Location, TelemetryError
from an1498.telemetry.files import STDIN, shown
from an1498.telemetry.lines import read_lines
from an1498.telemetry.reject import quoted
from an1498.telemetry.zeek_logs import log_name, log_of_file

_LINES = 20
_COMPACT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\d* +[A-Za-z]{1,2} +\S.*\[[0-9]+:[0-9a-fx]+\]", re.ASCII)
_COMPACT_HEADER = "Timestamp"
_PREAMBLE = "Filtering the log data using"


class Format(StrEnum):
    """What a file's lines are."""

    UNIFIEDLOG = "unifiedlog"
    COMPACT = "compact"
    ZEEK_TSV = "zeek-tsv"
    ZEEK_JSON = "zeek-json"
    SPLUNK = "splunk"
    ELASTIC = "elastic"
    EMPTY = "empty"


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
    for text in first:
        found = _of_line(path, text)
        if found is not None:
            return found
    if problem is not None:
        raise problem
    if not first:
        return LogFile(path, Format.EMPTY)
    raise TelemetryError(
        Location(shown(path), 1),
        f"begins {quoted(first[0][:40])}, which is no log that can be read",
        "give unified log (ndjson, compact), Zeek (TSV, JSON) or an export of Splunk or Elasticsearch",
    )


def _of_line(path: Path, text: str) -> LogFile | None:
    if text.startswith(("#separator", "#fields", "#path")):
        return LogFile(path, Format.ZEEK_TSV, log_of_file(path) or "")
    if text.startswith((_COMPACT_HEADER, _PREAMBLE)) or _COMPACT.match(text):
        return LogFile(path, Format.COMPACT) if not text.startswith(_PREAMBLE) else None
    if text.lstrip().startswith(("{", "[")):
        return _of_json(path, text)
    return None


def _of_json(path: Path, text: str) -> LogFile | None:
    try:
        record: Any = json.loads(text)
    except (ValueError, RecursionError):
        record = _begun(text)
    if isinstance(record, list):
        record = record[0] if record else None
    if not isinstance(record, dict):
        return None
    if isinstance(record.get("result"), dict) or ("_raw" in record and "_time" in record) or "preview" in record:
        return LogFile(path, Format.SPLUNK)
    if "_source" in record or "hits" in record or ("@timestamp" in record and "ts" not in record):
        return LogFile(path, Format.ELASTIC)
    if "timestamp" in record and {"eventMessage", "eventType", "processImagePath", "machTimestamp"} & record.keys():
        return LogFile(path, Format.UNIFIEDLOG)
    if "finished" in record and "count" in record:
        return LogFile(path, Format.UNIFIEDLOG)
    if "ts" in record:
        stated = record.get("_path")
        service = log_name(stated) if isinstance(stated, str) else log_of_file(path)
        return LogFile(path, Format.ZEEK_JSON, service or "")
    return None


def _begun(text: str) -> dict[str, None] | None:
    """The first keys of a document that goes on over several lines."""
    keys = re.findall(r'"(\w+)"\s*:', text[:4096])
    return dict.fromkeys(keys) if keys else None
