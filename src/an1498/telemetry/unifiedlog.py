"""macOS unified log as `log show|stream --style ndjson` prints it (telemetry.md, part A) → native events.

`--style json`, an array of the same records, is read too; the text styles are the business of `logtext`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from an1498.errors import Location
from an1498.model import Host, NativeEvent
from an1498.telemetry import logtext
from an1498.telemetry.exports import read_records
from an1498.telemetry.jsonlines import json_object
from an1498.telemetry.lines import decoded, read_lines, shown
from an1498.telemetry.reject import Malformed, Reject, quoted
from an1498.telemetry.times import iso_us

PRODUCT, SERVICE = "macos", "unifiedlog"

_TEXT_KEYS = """
    timestamp timezoneName eventType messageType eventMessage formatString subsystem category
    processImagePath processImageUUID senderImagePath senderImageUUID bootUUID
"""
_INTEGER_KEYS = """
    processID userID threadID activityIdentifier parentActivityIdentifier creatorActivityID traceID machTimestamp senderProgramCounter
"""
_TEXTS = frozenset(_TEXT_KEYS.split())
_INTEGERS = frozenset(_INTEGER_KEYS.split())
_LINES = 20
_DIGITS = re.compile(r"-?\d{1,40}", re.ASCII)
# `log stream` prints this line before the first record.
_PREAMBLE = "Filtering the log data using"


def scan(path: Path, host: Host | None) -> Iterator[NativeEvent | Reject]:
    """The events of a file in the order of its lines, or a Reject for a line that is none. Text styles are told by their first line."""
    lines = read_lines(path)
    head = list(islice(lines, _LINES))
    lines = chain(head, lines)
    if head and head[0][1].startswith(b"["):
        yield from _array(path, host, lines)
        return
    texts = (line[:65536].decode("utf-8", "replace") for _, line in head)
    if next((logtext.is_text(text) for text in texts if text.startswith("{") or logtext.is_text(text)), False):
        yield from logtext.Reader(path, host).scan(lines)
        return
    reader = LineReader(path, host)
    for number, line in lines:
        item = reader.read(number, line)
        if item is not None:
            yield item


def _array(path: Path, host: Host | None, lines: Iterator[tuple[int, bytes]]) -> Iterator[NativeEvent | Reject]:
    """`--style json`: one array; a record's line is its number."""
    reader = LineReader(path, host)
    for number, record in read_records(shown(path), lines):
        item = record if isinstance(record, Reject) else reader.event(number, record)
        if item is not None:
            yield item


class LineReader:
    """Reads one line at a time, in any order.

    The closing `{"count":n,"finished":1}` is no event. What the shipper knows about its machine becomes the fields `host.name`,
    `host.id` and `host.ip` (a list). Keys with null are left out; unknown keys are kept."""

    def __init__(self, path: Path, host: Host | None) -> None:
        self._name = shown(path)
        self._host = host
        self._known = host_fields(host)

    def read(self, number: int, line: bytes) -> NativeEvent | Reject | None:
        """The event of the line with this number (from 1), why it is none, or None where it says nothing."""
        location = Location(self._name, number)
        try:
            text = decoded(line)
            if number == 1 and text.startswith(_PREAMBLE):
                return None
            return self.event(number, json_object(text))
        except Malformed as error:
            return error.at(location)

    def event(self, number: int, record: Mapping[str, Any]) -> NativeEvent | Reject | None:
        """The event of a line's record."""
        location = Location(self._name, number)
        if "finished" in record and "timestamp" not in record:
            return None
        try:
            fields = {key: value(key, item) for key, item in record.items() if item is not None}
            time_us = _time(fields)
        except Malformed as error:
            return error.at(location)
        return NativeEvent(PRODUCT, SERVICE, time_us, fields | self._known, location, self._host)


def _time(fields: dict[str, Any]) -> int:
    if "timestamp" not in fields:
        raise Malformed("the record has no 'timestamp'", "write the log with `log show --style ndjson`")
    return iso_us(fields["timestamp"])


def value(key: str, value: Any) -> Any:
    """A key's value, checked: text, or an integer where the key has one. Raises Malformed."""
    if key in _TEXTS and not isinstance(value, str):
        raise Malformed(f"'{key}' is {quoted(value)}, not text", "write the log with `log show --style ndjson`")
    if key in _INTEGERS:
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Malformed(f"'{key}' is {quoted(value)}, not a whole number", "write the log with `log show --style ndjson`")
    return value


def host_fields(host: Host | None) -> dict[str, Any]:
    """What a shipper knows about its machine, as native fields."""
    if host is None:
        return {}
    fields = {"host.name": host.name, "host.id": host.id, "host.ip": list(host.ips)}
    return {key: value for key, value in fields.items() if value}
