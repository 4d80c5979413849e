"""Zeek logs, TSV or JSON, told apart by what the lines look like → native events of `product: zeek, service: <log>`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from an1498.errors import Location
from an1498.model import Host, NativeEvent
from an1498.telemetry import zeek_json
from an1498.telemetry.jsonlines import json_object
from an1498.telemetry.lines import decoded, read_lines, shown
from an1498.telemetry.reject import Malformed, Reject, quoted
from an1498.telemetry.times import epoch_us, json_time_us
from an1498.telemetry.zeek_logs import FIELD_TYPES, log_name, log_of_fields, log_of_file
from an1498.telemetry.zeek_tsv import Header

PRODUCT = "zeek"


def scan(path: Path, host: Host | None) -> Iterator[NativeEvent | Reject]:
    """The events of a file in the order of its lines, or a Reject for a line that is none."""
    reader = LineReader(path, host)
    for number, line in read_lines(path):
        item = reader.read(number, line)
        if item is not None:
            yield item


class LineReader:
    """Reads a file's lines in their order. Header lines are no events; they say how the lines below them are read.

    The log's name comes from `#path` or `_path`, else it is `named`, else it comes from the file's name, at last from a JSON
    record's fields."""

    def __init__(self, path: Path, host: Host | None, *, named: str | None = None) -> None:
        self._name = shown(path)
        self._named = named or log_of_file(path)
        self._host = host
        self.header: Header | None = None

    def read(self, number: int, line: bytes) -> NativeEvent | Reject | None:
        """The event of the line with this number (from 1), why it is none, or None for a header line."""
        location = Location(self._name, number)
        try:
            text = decoded(line)
            if text.startswith("#"):
                if self.header is None or text.startswith("#separator"):
                    self.header = Header()
                self.header.read(text)
                return None
            if self.header is not None:
                fields = self.header.record(text)
                return self._event(location, log_of_record(self.header.path, self._named, fields), fields)
            return self.event(number, self._object(text))
        except Malformed as error:
            return error.at(location)

    def event(self, number: int, document: Mapping[str, Any]) -> NativeEvent | Reject | None:
        """The event of a JSON record."""
        location = Location(self._name, number)
        try:
            log = log_of_record(document.get("_path"), self._named, document)
            return self._event(location, log, zeek_json.record(log, document))
        except Malformed as error:
            return error.at(location)

    def _event(self, location: Location, log: str, fields: dict[str, Any]) -> NativeEvent | None:
        if "ts" not in fields and log not in FIELD_TYPES:
            return None  # a list, such as loaded_scripts.log
        if "ts" not in fields:
            raise Malformed("the record has no 'ts'", "a Zeek log that is an event log has a time in every record")
        return NativeEvent(PRODUCT, log, _time(fields["ts"]), fields, location, self._host)

    def _object(self, text: str) -> Mapping[str, Any]:
        if not text.lstrip().startswith("{"):
            raise Malformed(
                f"the line begins {quoted(text[:20])}, neither a Zeek header (#separator) nor a JSON object",
                "copy a TSV log with its header, or write JSON",
            )
        return json_object(text)


def _time(value: Any) -> int:
    if isinstance(value, str):
        try:
            return json_time_us(value)  # zeek-cut -d makes it a text
        except Malformed as error:
            raise Malformed(f"'ts': {error.problem}", error.remedy) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"'ts': {quoted(value)} is not a time", "write epoch seconds or ISO 8601")
    return epoch_us(value)


def log_of_record(stated: object, named: str | None, fields: Iterable[str]) -> str:
    """The log that a record belongs to: what the record says, else what the file's name says, else what its fields show.
    Raises Malformed."""
    if stated:
        log = log_name(stated) if isinstance(stated, str) else None
        if log is None and isinstance(stated, str) and "/" in stated:
            log = log_of_fields(fields)  # Zeek was told to write to /dev/stdout, say
        if log is None:
            raise Malformed(f"the log's name is {quoted(stated)}", "a log's name is made of letters, digits, '_', '-' and '.', such as ssl")
        return log
    named = named or log_of_fields(fields)
    if named is None:
        raise Malformed("nothing tells which Zeek log this is", "name the file after the log (ssl.log), or keep #path or _path")
    return named
