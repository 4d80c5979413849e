"""Unified log records as `log show --style ndjson` prints them, and every way in which a line is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from an1498.errors import TelemetryError
from an1498.model import Host, NativeEvent
from an1498.telemetry import Reject, read_log, scan_log

Write = Callable[..., Path]

RECORD = (
    r'{"traceID":18446744073709551615,"eventMessage":"SecKeyCreateSignature","eventType":"activityCreateEvent","source":null,'
    r'"formatString":"SecKeyCreateSignature","activityIdentifier":123,"subsystem":"","category":"","threadID":7,'
    r'"processImagePath":"\/Users\/eve\/agent","timestamp":"2021-04-08 22:28:22.002306-0500","processID":501,"userID":0}'
)
HOST = Host("mac-042", "9D1F", ("10.20.0.42", "fe80::1"))


def test_a_record_keeps_its_keys_and_gets_what_the_shipper_knows(write: Write) -> None:
    (event,) = read_log(write("u.ndjson", RECORD, '{"count":1,"finished":1}'), "unifiedlog", HOST)
    assert (event.product, event.service, event.time_us) == ("macos", "unifiedlog", 1_617_938_902_002_306)
    assert (str(event.location), event.host) == ("u.ndjson:1", HOST)
    assert event.fields == {
        "traceID": 18446744073709551615,
        "eventMessage": "SecKeyCreateSignature",
        "eventType": "activityCreateEvent",
        "formatString": "SecKeyCreateSignature",
        "activityIdentifier": 123,
        "subsystem": "",
        "category": "",
        "threadID": 7,
        "processImagePath": "/Users/eve/agent",
        "timestamp": "2021-04-08 22:28:22.002306-0500",
        "processID": 501,
        "userID": 0,
        "host.name": "mac-042",
        "host.id": "9D1F",
        "host.ip": ["10.20.0.42", "fe80::1"],
    }


@pytest.mark.parametrize(
    ("host", "known"),
    [
        (None, {}),
        (Host(), {}),
        (Host("mac-042"), {"host.name": "mac-042"}),
        (Host("mac-042", ips=("10.20.0.42",)), {"host.name": "mac-042", "host.ip": ["10.20.0.42"]}),
    ],
)
def test_what_the_shipper_does_not_know_is_missing(write: Write, host: Host | None, known: dict[str, Any]) -> None:
    (event,) = read_log(write("u.ndjson", RECORD), "unifiedlog", host)
    assert {key: value for key, value in event.fields.items() if key.startswith("host.")} == known


@pytest.mark.parametrize(
    ("timestamp", "time_us"),
    [
        ("2026-01-15 10:00:07.250000+0000", 1_768_471_207_250_000),
        ("2026-01-15 10:00:07.250999+0000", 1_768_471_207_250_999),
        ("2026-01-15 10:00:07+0000", 1_768_471_207_000_000),
        ("2026-01-15 10:00:07.25+0000", 1_768_471_207_250_000),
        ("2026-01-15 10:00:07.2500007+0000", 1_768_471_207_250_000),
        ("2026-01-15 11:30:07.250000+01:30", 1_768_471_207_250_000),
        ("2026-01-15T10:00:07.250000Z", 1_768_471_207_250_000),
        ("1969-12-31 23:59:59.500000+0000", -500_000),
    ],
)
def test_times_are_utc_to_the_microsecond(write: Write, timestamp: str, time_us: int) -> None:
    (event,) = read_log(write("u.ndjson", json.dumps({"timestamp": timestamp})), "unifiedlog")
    assert event.time_us == time_us


@pytest.mark.parametrize(
    "lines",
    [
        (b"",),
        ('{"count":0,"finished":1}',),
        ("", " \t", '{"finished":1,"count":0}'),
        ('Filtering the log data using "subsystem == \\"com.apple.securityd\\""',),
    ],
)
def test_lines_that_are_no_records(write: Write, lines: tuple[str | bytes, ...]) -> None:
    assert list(read_log(write("u.ndjson", *lines), "unifiedlog")) == []


def test_private_and_masked_messages_and_unknown_keys_are_kept(write: Write) -> None:
    line = (
        '{"timestamp":"2026-01-15 10:00:07+0000","eventMessage":"user <private>, <mask.hash: \'QQ==\'>","newKey":{"a":[1]},"userID":"501"}'
    )
    (event,) = read_log(write("u.ndjson", line), "unifiedlog")
    assert event.fields["eventMessage"] == "user <private>, <mask.hash: 'QQ=='>"
    assert event.fields["newKey"] == {"a": [1]}
    assert event.fields["userID"] == 501


def test_windows_line_ends_a_byte_order_mark_and_no_last_line_end(write: Write) -> None:
    path = write("u.ndjson", b"\xef\xbb\xbf" + RECORD.encode() + b"\r\n\r\n" + RECORD.encode())
    assert [event.location.line for event in read_log(path, "unifiedlog")] == [1, 3]


def test_a_separator_that_only_unicode_knows_does_not_end_a_line(write: Write) -> None:
    line = json.dumps({"timestamp": "2026-01-15 10:00:07+0000", "eventMessage": "a\u2028b\x85c"}, ensure_ascii=False)
    (event,) = read_log(write("u.ndjson", line), "unifiedlog")
    assert event.fields["eventMessage"] == "a\u2028b\x85c"


GOOD = '{"timestamp":"2026-01-15 10:00:07+0000"}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "the line is not JSON (column 2: Expecting property name enclosed in double quotes, the line ends too early); write one"),
        ('{"timestamp":"2026-01-15 10:00:07+0000"', "the line is not JSON (column 40: Expecting ',' delimiter, the line ends too early);"),
        ("Timestamp                       Thread     Type", "the line is not JSON (column 1: Expecting value, found 'Timestamp       "),
        (GOOD + GOOD, "the line is not JSON (column 41: Extra data, found"),
        ("[1,2]", "the line is [1, 2], not a JSON object;"),
        ("null", "the line is None, not a JSON object;"),
        ("[" * 100_000, "the line is not JSON that can be read: too deeply nested"),
        ('{"traceID":' + "9" * 5000 + "}", "the line is not JSON that can be read: too deeply nested, or a number with too many digits;"),
        ('{"timestamp":NaN}', "the line has NaN, which is not JSON;"),
        ("{}", "the record has no 'timestamp'; write the log with `log show --style ndjson`"),
        ('{"timestamp":null}', "the record has no 'timestamp';"),
        ('{"timestamp":1768471207}', "'timestamp' is 1768471207, not text;"),
        ('{"timestamp":"yesterday"}', "'yesterday' is not a time; write it like 2026-01-15 10:00:07.250000+0000, with the offset from UTC"),
        ('{"timestamp":"2026-01-15 10:00:07.250000"}', "'2026-01-15 10:00:07.250000' is not a time;"),
        ('{"timestamp":"2026-02-30 10:00:07+0000"}', "'2026-02-30 10:00:07+0000' is not a time: day is out of range for month;"),
        ('{"timestamp":"2026-01-15 10:00:60+0000"}', "'2026-01-15 10:00:60+0000' is not a time: second must be in 0..59;"),
        ('{"timestamp":"2026-01-15 10:00:07+0000","processID":"x"}', "'processID' is 'x', not a whole number;"),
        ('{"timestamp":"2026-01-15 10:00:07+0000","processID":true}', "'processID' is True, not a whole number;"),
        ('{"timestamp":"2026-01-15 10:00:07+0000","userID":501.5}', "'userID' is 501.5, not a whole number;"),
        ('{"timestamp":"2026-01-15 10:00:07+0000","eventMessage":["a"]}', "'eventMessage' is ['a'], not text;"),
        (b'{"timestamp":"\xff"}\n', 'the line is not UTF-8: byte 0xff after b\'{"timestamp":"\';'),
        (b'{"a":"\x00"}\n', "the line has a NUL byte;"),
    ],
)
def test_a_malformed_line_is_one_error_and_one_reject(write: Write, line: str | bytes, message: str) -> None:
    path = write("u.ndjson", GOOD, line, GOOD)
    with pytest.raises(TelemetryError) as caught:
        list(read_log(path, "unifiedlog"))
    assert str(caught.value).startswith(f"u.ndjson:2: {message}")
    first, reject, last = scan_log(path, "unifiedlog")
    assert isinstance(first, NativeEvent)
    assert isinstance(reject, Reject) and str(reject.error()) == str(caught.value)
    assert isinstance(last, NativeEvent) and last.location.line == 3
