"""The text styles of `log show`: compact, default, syslog."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.telemetry.conftest import Write

from an1498.errors import UsageError
from an1498.model import Host, NativeEvent
from an1498.telemetry import Reject, scan_log
from an1498.telemetry.detect import Format, detect

SECURITY = "/System/Library/Frameworks/Security.framework/Versions/A/Security"
HEADER = "Timestamp               Ty Process[PID:TID]"
# (line, fields that must be there, fields that must not)
RECORDS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (
        "2026-01-15 10:00:00.250 A  node[19887:998b3a] (Security) SecTrustEvaluateIfNecessary",
        {
            "eventType": "activityCreateEvent",
            "eventMessage": "SecTrustEvaluateIfNecessary",
            "senderImagePath": SECURITY,
            "processImagePath": "node",
            "processID": 19887,
            "threadID": 0x998B3A,
        },
        ("messageType", "subsystem", "category"),
    ),
    (
        "2026-01-15 10:00:00.250 Df launchd[1:3] [gui/501/com.example.agent [56604]:] Successfully spawned agent[56604] because ipc (mach)",
        {
            "processImagePath": "/sbin/launchd",
            "subsystem": "gui/501/com.example.agent [56604]",
            "eventMessage": "Successfully spawned agent[56604] because ipc (mach)",
            "messageType": "Default",
            "eventType": "logEvent",
        },
        ("category",),
    ),
    (
        "2026-01-15 10:00:00.250 E  Chrome He[80328:99] (CFNetwork) [com.apple.network:boringssl] f(2) [C1.1.1.1:2][0x1] read alert",
        {
            "processImagePath": "Chrome He",
            "senderImagePath": "CFNetwork",
            "subsystem": "com.apple.network",
            "category": "boringssl",
            "eventMessage": "f(2) [C1.1.1.1:2][0x1] read alert",
            "messageType": "Error",
        },
        (),
    ),
    (
        "2026-01-15 10:00:00.250 Df kernel[0:1] [C44 Hostname#ad896fdc:443 tcp, url hash: 1, tls] start",
        {"eventMessage": "[C44 Hostname#ad896fdc:443 tcp, url hash: 1, tls] start", "processID": 0},
        ("subsystem",),
    ),
    (
        "2026-01-15 10:00:00.250 Qq x[1:1] of a type to come",
        {"eventType": "logEvent", "eventMessage": "of a type to come"},
        ("messageType",),
    ),
    ("2026-01-15 10:00:00.250 launchd[7]: no type", {}, ()),
    (
        "2026-01-15 10:00:00.250000+0000 0x1590e    Activity    0x8e1f               1766   0    node: (Security) SecKeyCreateSignature",
        {
            "eventType": "activityCreateEvent",
            "eventMessage": "SecKeyCreateSignature",
            "senderImagePath": SECURITY,
            "processID": 1766,
            "activityIdentifier": 0x8E1F,
        },
        (),
    ),
    (
        "2026-01-15 11:00:00.250000+0100  localhost secd[41737]: (Security) [com.apple.security:seckey] <Error>: call failed: x",
        {
            "subsystem": "com.apple.security",
            "category": "seckey",
            "messageType": "Error",
            "eventMessage": "call failed: x",
        },
        ("threadID",),
    ),
]
TIME_US = 1768471200250000


@pytest.mark.parametrize(("line", "wanted", "absent"), RECORDS, ids=[line[24:44] for line, _, _ in RECORDS])
def test_record(write: Write, line: str, wanted: dict[str, Any], absent: tuple[str, ...]) -> None:
    (item,) = scan_log(write("log.txt", HEADER, line), "unifiedlog", Host("mac", ips=("10.0.0.1",)))
    if not wanted:
        assert isinstance(item, Reject)
        assert item.text == line.encode()
        return
    assert isinstance(item, NativeEvent), item
    assert item.time_us == TIME_US
    assert (item.product, item.service, item.location.line) == ("macos", "unifiedlog", 2)
    assert {key: item.fields.get(key) for key in wanted} == wanted
    assert not set(absent) & item.fields.keys()
    assert item.fields["host.ip"] == ["10.0.0.1"]


def test_style_json_is_an_array_of_the_same_records(write: Write) -> None:
    record = {"timestamp": "2026-01-15 10:00:00.250000+0000", "eventMessage": "a", "eventType": "logEvent", "machTimestamp": 1}
    path = write("log.json", json.dumps([record, {"eventMessage": "no time"}, record], indent=1))
    assert detect(path).format is Format.UNIFIEDLOG_ARRAY
    first, bad, last = scan_log(path, "unifiedlog", Host("mac"))
    assert isinstance(first, NativeEvent)
    assert isinstance(bad, Reject)
    assert (first.time_us, first.fields["host.name"], last.location.line) == (TIME_US, "mac", 3)


def test_a_message_goes_on_until_the_next_record(write: Write) -> None:
    path = write(
        "log.txt",
        "Skipping info and debug messages, pass --info and/or --debug to include.",
        HEADER,
        "2026-01-15 10:00:00.250 Df a[1:1] first {\n    2026-01-15 00:00:00 +0000 is no record\n}",
        HEADER,
        "2026-01-15 10:00:01.250 Df a[1:1] second",
        "-" * 116,
        "Log      - Default:          2, Info:                0, Debug:             0, Error:          0, Fault:          0",
        "Activity - Create:           0, Transition:          0, Actions:           0",
    )
    items = list(scan_log(path, "unifiedlog"))
    assert [item.fields["eventMessage"] for item in items if isinstance(item, NativeEvent)] == [
        "first {\n    2026-01-15 00:00:00 +0000 is no record\n}",
        "second",
    ]
    assert [item.location.line for item in items] == [3, 7]


def test_lines_that_belong_to_nothing_are_rejects(write: Write) -> None:
    path = write("log.txt", HEADER, "lost line", "2026-01-15 10:00:00.250 Df a[1:1] x", b"\xff\n", "2026-02-30 10:00:00.250 Df a[1:1] x")
    first, event, middle, last = sorted(scan_log(path, "unifiedlog"), key=lambda item: item.location.line)
    assert isinstance(event, NativeEvent)
    for item, problem in ((first, "'lost line'"), (middle, "not UTF-8"), (last, "2026-02-30 10:00:00.250")):
        assert isinstance(item, Reject)
        assert problem in item.problem


@pytest.mark.parametrize(("zone", "hours"), [("", 0), ("UTC", 0), ("+02:00", 2), ("-0530", -5.5), ("America/New_York", -5)])
def test_the_zone_of_the_host_counts(write: Write, zone: str, hours: float) -> None:
    (event,) = scan_log(write("log.txt", "2026-01-15 10:00:00.250 Df a[1:1] x"), "unifiedlog", Host(timezone=zone))
    assert isinstance(event, NativeEvent)
    assert event.time_us == TIME_US - hours * 3_600_000_000


def test_an_unknown_zone_is_a_usage_error(write: Write) -> None:
    with pytest.raises(UsageError, match="the time zone 'CEST' is unknown; write UTC, an offset"):
        list(scan_log(write("log.txt", "2026-01-15 10:00:00.250 Df a[1:1] x"), "unifiedlog", Host(timezone="CEST")))
