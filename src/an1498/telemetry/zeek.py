"""Zeek logs, TSV or JSON, told apart by what the lines look like → native events of `product: zeek, service: <log>`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from an1498.errors import Location
from an1498.model import Host, NativeEvent
from an1498.telemetry import zeek_json
from an1498.telemetry.jsonlines import json_object
from an1498.telemetry.lines import decoded, read_lines, shown
from an1498.telemetry.reject import Malformed, Reject, quoted
from an1498.telemetry.times import epoch_us
from an1498.telemetry.zeek_logs import log_name, log_of_file
from an1498.telemetry.zeek_tsv import Header

PRODUCT = "zeek"


def scan(path: Path, host: Host | None) -> Iterator[NativeEvent | Reject]:
    """The events of a file in the order of its lines, or a Reject for a line that is none. Header lines are no events.

    The log's name comes from `#path` or `_path`, else from the file's name."""
    name = shown(path)
    named = log_of_file(path)
    header: Header | None = None
    for number, line in read_lines(path):
        location = Location(name, number)
        try:
            text = decoded(line)
            if text.startswith("#"):
                if header is None or text.startswith("#separator"):
                    header = Header()
                header.read(text)
                continue
            if header is not None:
                fields = header.record(text)
                log = _log(header.path, named)
            elif text.lstrip().startswith("{"):
                document = json_object(text)
                log = _log(document.get("_path"), named)
                fields = zeek_json.record(log, document)
            else:
                raise Malformed(
                    f"the line begins {quoted(text[:20])}, neither a Zeek header (#separator) nor a JSON object",
                    "copy a TSV log with its header, or write JSON",
                )
            if "ts" not in fields:
                raise Malformed("the record has no 'ts'", "a Zeek log that is an event log has a time in every record")
            event = NativeEvent(PRODUCT, log, _time(fields["ts"]), fields, location, host)
        except Malformed as error:
            yield error.at(location)
            continue
        yield event


def _time(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"'ts': {quoted(value)} is not a time", "write epoch seconds or ISO 8601")
    return epoch_us(value)


def _log(stated: object, named: str | None) -> str:
    if stated:
        log = log_name(stated) if isinstance(stated, str) else None
        if log is None:
            raise Malformed(f"the log's name is {quoted(stated)}", "a log's name is made of letters, digits and '_', such as ssl")
        return log
    if named is None:
        raise Malformed("nothing tells which Zeek log this is", "name the file after the log (ssl.log), or keep #path or _path")
    return named
