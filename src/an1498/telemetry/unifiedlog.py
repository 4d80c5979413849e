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
    """The events of a file in the order of its lines, or a Reject for a line that is none.

    The closing `{"count":n,"finished":1}` is no event. What the shipper knows about its machine becomes the fields `host.name`,
    `host.id` and `host.ip` (a list). Keys with null are left out; unknown keys are kept."""
    name = shown(path)
    known = _host_fields(host)
    for number, line in read_lines(path):
        location = Location(name, number)
        try:
            text = decoded(line)
            if number == 1 and text.startswith(_PREAMBLE):
                continue
            record = json_object(text)
            if "finished" in record and "timestamp" not in record:
                continue
            fields = {key: _value(key, value) for key, value in record.items() if value is not None}
            time_us = _time(fields)
        except Malformed as error:
            yield error.at(location)
            continue
        yield NativeEvent(PRODUCT, SERVICE, time_us, fields | known, location, host)


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


def _host_fields(host: Host | None) -> dict[str, Any]:
    if host is None:
        return {}
    fields = {"host.name": host.name, "host.id": host.id, "host.ip": list(host.ips)}
    return {key: value for key, value in fields.items() if value}
