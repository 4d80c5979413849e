"""macOS unified log as text: `log show|stream --style compact`, `default` or `syslog` → native events (telemetry.md, part A).

Text says less than NDJSON. Images are names without their directories, so a record's `processImagePath` is a bare name, which no list of
paths excuses; where the path is certain it is written out (the sender `Security`, and process 1, which is launchd). The compact style
has no offset from UTC: the host's `timezone` gives it. The syslog style does not tell activities from messages.

A message may go on over several lines; a line belongs to the record above it unless it begins with a date and a time. So a message that
contains such a line reads as two records: whoever needs to rule that out collects NDJSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from an1498.errors import Location
from an1498.model import Host, NativeEvent
from an1498.telemetry.lines import decoded, read_lines, shown
from an1498.telemetry.reject import Malformed, Reject, quoted
from an1498.telemetry.times import UTC_ZONE, iso_us, local_us, zone

PRODUCT, SERVICE = "macos", "unifiedlog"
LONGEST_MESSAGE = 2**20
"""Characters of a message of several lines; the lines after that are rejects."""

HEADER = re.compile(r"Timestamp +(?:Ty +Process\[PID:TID\]|\(process\)\[PID\]|Thread +Type +Activity +PID +TTL)\s*")
# What `log` prints before the records, and below them in the default style.
PREAMBLES = ("Filtering the log data using", "Skipping info and debug messages", "Skipping debug messages", "Skipping info messages")
# Below the records the default style prints a rule and what there was of each kind.
_RULE, _TOTALS = re.compile(r"-{80,}\s*"), re.compile(r"(?:Log|Activity|Trace|Signpost|State|Loss|User Action|Other|Total) +- .*")

_TIME = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,9})"
START = re.compile(rf"{_TIME}(?P<offset>[+-]\d{{4}})?\s+", re.ASCII)
_COMPACT = re.compile(r"(?P<type>[A-Z][A-Za-z]?) +(?P<process>[^\n]+?)\[(?P<pid>\d+):(?P<tid>[0-9a-f]+)\] ?", re.ASCII)
_DEFAULT = re.compile(
    r"0x(?P<tid>[0-9a-f]+) +(?P<type>[A-Z][A-Za-z]+) +0x(?P<activity>[0-9a-f]+) +(?P<pid>\d+) +\d+ +"
    r"(?:\[spid [^\]]*\] )?(?P<process>[^\n:]+): ?",
    re.ASCII,
)
_SYSLOG = re.compile(r"\S+ (?P<process>[^\n]+?)\[(?P<pid>\d+)\]: ?", re.ASCII)
_SENDER = re.compile(r"\((?P<sender>[^()\n]{1,255})\) ?")
_SUBSYSTEM = re.compile(r"\[(?P<subsystem>[^\s\[\]:]+(?: \[\d+\])?):(?P<category>[^\[\]\n]*)\] ?")
_LEVEL = re.compile(r"<(?P<level>Notice|Info|Debug|Error|Fault)>: ?")

_MESSAGES = {
    "Df": "Default",
    "Default": "Default",
    "Notice": "Default",
    "I": "Info",
    "In": "Info",
    "Info": "Info",
    "Db": "Debug",
    "Debug": "Debug",
    "E": "Error",
    "Er": "Error",
    "Error": "Error",
    "F": "Fault",
    "Ft": "Fault",
    "Fault": "Fault",
}
_EVENTS = {
    "A": "activityCreateEvent",
    "Ac": "activityCreateEvent",
    "Activity": "activityCreateEvent",
    "T": "traceEvent",
    "Tr": "traceEvent",
    "Trace": "traceEvent",
    "S": "signpostEvent",
    "Sp": "signpostEvent",
    "Signpost": "signpostEvent",
    "St": "stateEvent",
    "State": "stateEvent",
    "L": "lossEvent",
    "Ls": "lossEvent",
    "Loss": "lossEvent",
    "U": "userActionEvent",
    "Ua": "userActionEvent",
    "UserAction": "userActionEvent",
}
_REMEDY = "write the log with `log show --style compact`, or better with `--style ndjson`"


def is_text(line: str) -> bool:
    """Whether a line is one of a log in text: its header or a record."""
    if HEADER.fullmatch(line):
        return True
    start = START.match(line)
    return start is not None and _shape(line, start) is not None


def scan(path: Path, host: Host | None) -> Iterator[NativeEvent | Reject]:
    """The records of a file in the order of its lines; a record's place is its first line. Raises UsageError for an unknown time zone."""
    return Reader(path, host).scan(read_lines(path))


class Reader:
    """Puts the lines of a record together."""

    def __init__(self, path: Path, host: Host | None) -> None:
        self._name = shown(path)
        self._host = host
        self._known = {"host.name": host.name, "host.id": host.id, "host.ip": list(host.ips)} if host is not None else {}
        self._known = {key: value for key, value in self._known.items() if value}
        self._zone: tzinfo = zone(host.timezone) if host is not None and host.timezone else UTC_ZONE

    def scan(self, numbered: Iterable[tuple[int, bytes]]) -> Iterator[NativeEvent | Reject]:
        first, lines, size = 0, list[str](), 0
        for number, line in numbered:
            try:
                text = decoded(line).rstrip("\r")
                starts = START.match(text) is not None
                if starts or _between(text):
                    if lines:
                        yield self.record(first, lines)
                    first, lines, size = (number, [text], 0) if starts else (0, [], 0)
                elif not lines and _TOTALS.fullmatch(text):
                    continue
                elif not lines:
                    raise Malformed(f"the line begins {quoted(text[:40])}, which is no record of the unified log", _REMEDY)
                elif size + len(text) > LONGEST_MESSAGE:
                    raise Malformed(f"the message is longer than {LONGEST_MESSAGE // 2**20} Mi characters", _REMEDY)
                else:
                    lines.append(text)
                    size += len(text)
            except Malformed as error:
                yield error.at(Location(self._name, number), line)
        if lines:
            yield self.record(first, lines)

    def record(self, number: int, lines: Sequence[str]) -> NativeEvent | Reject:
        """The event of a record's lines, the first of which has this number."""
        location = Location(self._name, number)
        try:
            time_us, fields = self._fields(lines)
        except Malformed as error:
            return error.at(location, "\n".join(lines).encode("utf-8", "surrogatepass"))
        return NativeEvent(PRODUCT, SERVICE, time_us, fields | self._known, location, self._host)

    def _fields(self, lines: Sequence[str]) -> tuple[int, dict[str, Any]]:
        line = lines[0]
        start = START.match(line)
        shape = _shape(line, start) if start is not None else None
        if start is None:
            raise Malformed(f"the record begins {quoted(line[:40])}, which is no time", _REMEDY)
        if shape is None:
            raise Malformed(f"the record goes on {quoted(line[start.end() : start.end() + 40])}, which is no style of `log`", _REMEDY)
        offset = start["offset"]
        time_us = iso_us(start["time"] + offset) if offset else local_us(start["time"], self._zone)
        found = shape.groupdict()
        process, pid = found["process"], int(found["pid"])
        path = "/sbin/launchd" if (process, pid) == ("launchd", 1) else process
        fields: dict[str, Any] = {"processImagePath": path, "processID": pid, "senderImagePath": path}
        if found.get("tid"):
            fields["threadID"] = int(found["tid"], 16)
        if found.get("activity"):
            fields["activityIdentifier"] = int(found["activity"], 16)
        fields |= _typed(found.get("type"))
        rest = line[shape.end() :]
        for pattern in (_SENDER, _SUBSYSTEM, _LEVEL):
            part = pattern.match(rest)
            if part is not None:
                fields |= _part(part.groupdict())
                rest = rest[part.end() :]
        fields["eventMessage"] = "\n".join([rest, *lines[1:]])
        return time_us, fields


def _between(text: str) -> bool:
    """Whether the line stands between records: a header, what `log` says about its work, the rule above its totals."""
    return bool(HEADER.fullmatch(text) or text.startswith(PREAMBLES) or _RULE.fullmatch(text) or text.startswith("=== "))


def _shape(line: str, start: re.Match[str]) -> re.Match[str] | None:
    patterns = (_DEFAULT, _SYSLOG) if start["offset"] else (_COMPACT,)
    return next((found for pattern in patterns if (found := pattern.match(line, start.end()))), None)


def _typed(code: str | None) -> dict[str, str]:
    """An unknown code is a message of an unknown type: a release may know more of them."""
    if code in _EVENTS:
        return {"eventType": _EVENTS[code]}
    message = _MESSAGES.get(code or "")
    return {"eventType": "logEvent"} | ({"messageType": message} if message else {})


def _part(part: Mapping[str, str]) -> dict[str, str]:
    if "sender" in part:
        sender = part["sender"]
        return {"senderImagePath": "/System/Library/Frameworks/Security.framework/Versions/A/Security" if sender == "Security" else sender}
    if "level" in part:
        return {"messageType": _MESSAGES[part["level"]]}
    return {key: value for key, value in part.items() if value}
