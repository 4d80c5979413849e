"""macOS unified log as `log show|stream --style ndjson` prints it (telemetry.md, part A) → native events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from an1498.errors import Location
from an1498.model import Host, NativeEvent
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
_DIGITS = re.compile(r"-?\d{1,40}", re.ASCII)
# `log stream` prints this line before the first record.
_PREAMBLE = "Filtering the log data using"


def scan(path: Path, host: Host | None) -> Iterator[NativeEvent | Reject]:
    """The events of a file in the order of its lines, or a Reject for a line that is none."""
    reader = LineReader(path, host)
    for number, line in read_lines(path):
        item = reader.read(number, line)
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
            record = json_object(text)
            if "finished" in record and "timestamp" not in record:
                return None
            fields = {key: _value(key, value) for key, value in record.items() if value is not None}
            time_us = _time(fields)
        except Malformed as error:
            return error.at(location)
        return NativeEvent(PRODUCT, SERVICE, time_us, fields | self._known, location, self._host)


def _time(fields: dict[str, Any]) -> int:
    if "timestamp" not in fields:
        raise Malformed("the record has no 'timestamp'", "write the log with `log show --style ndjson`")
    return iso_us(fields["timestamp"])


def _value(key: str, value: Any) -> Any:
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
