"""One incident, written in every form that can be read, is the same alert."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from an1498.hunt.engine import hunt
from an1498.hunt.hosts import Hosts, host_options
from an1498.hunt.output import moment
from an1498.model import Host, NativeEvent, Pack
from an1498.replay.ingest import index_event
from an1498.telemetry import read_log

SAMPLE = Path(__file__).parents[2] / "samples" / "implant_self_signed_server"
MAC = Host("mac-042", ips=("10.20.0.42",))
Write = Callable[[str, bytes], Path]


@pytest.fixture(scope="module")
def events() -> list[NativeEvent]:
    logs = (("unifiedlog.ndjson", "unifiedlog"), ("ssl.log", "zeek"), ("x509.log", "zeek"))
    return [event for file, format in logs for event in read_log(SAMPLE / file, format, MAC if format == "unifiedlog" else None)]


def _stored(pack: Pack, events: list[NativeEvent], target: str) -> list[dict[str, object]]:
    layouts = pack.targets[target].layouts
    return [document for event in events for layout in layouts if (document := index_event(event, layout)) is not None]


def _compact(events: list[NativeEvent]) -> str:
    lines = ["Timestamp               Ty Process[PID:TID]"]
    for event in events:
        if event.product == "macos":
            local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=event.time_us, hours=2)).isoformat(" ", "milliseconds")[:23]
            type_ = "A " if event.fields["eventType"] == "activityCreateEvent" else "Df"
            process, sender = (str(event.fields[key]).rpartition("/")[2] for key in ("processImagePath", "senderImagePath"))
            lines.append(f"{local} {type_} {process}[{event.fields['processID']}:1a] ({sender}) {event.fields['eventMessage']}")
    return "\n".join(lines)


@pytest.mark.parametrize("form", ["splunk", "elastic", "compact"])
def test_the_same_alert(pack: Pack, events: list[NativeEvent], write: Write, form: str) -> None:
    hosts = Hosts(named=host_options(["mac-042=10.20.0.42"]), timezone="+02:00") if form == "compact" else Hosts()
    if form == "compact":
        write("logs/mac.txt", _compact(events).encode())
        for log in ("ssl.log", "x509.log"):
            write(f"logs/{log}", (SAMPLE / log).read_bytes())
    elif form == "splunk":
        rows = (json.dumps({"preview": False, "result": row}) + "\n" for row in _stored(pack, events, "splunk"))
        write("logs/export.json", "".join(rows).encode())
    else:
        hits = [{"_source": row} for row in _stored(pack, events, "elastic")]
        write("logs/export.json", json.dumps({"hits": {"hits": hits}}).encode())
    found = hunt(pack, "splunk", [Path("logs")], hosts=hosts)
    (alert,) = found.findings
    assert (alert.rule, moment(alert.time_s)) == ("an1498_public_key_use_then_unrecognised_certificate", "2026-01-15T10:00:07.250Z")
    assert moment(alert.first_s) == "2026-01-15T10:00:02.104Z"
    assert dict(alert.group) == {"entity": "10.20.0.42"}
    assert alert.events[-1].certificate["certificate.key_length"] == "2048"
    assert (found.events, found.rejects, found.problems) == (len(events), 0, [])
