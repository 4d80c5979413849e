"""Exports of Splunk and Elasticsearch: every wrapping, raw records, and stored fields read backwards through the layouts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.telemetry.conftest import Write

from an1498.content import load_pack
from an1498.model import Host, Layout, NativeEvent, Pack
from an1498.replay.ingest import index_event
from an1498.telemetry import Reject, Site, exports, read_log, scan_log
from an1498.telemetry.detect import Format, detect
from an1498.telemetry.lines import LONGEST

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
MAC = Host("mac-042", "H-42", ("10.20.0.42",))


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT)


@pytest.fixture(scope="module")
def natives() -> list[NativeEvent]:
    """Events of every log that a layout knows."""
    found: list[NativeEvent] = []
    for file, format in (
        (SAMPLES / "implant_self_signed_server/unifiedlog.ndjson", "unifiedlog"),
        (SAMPLES / "implant_self_signed_server/ssl.log", "zeek"),
        (SAMPLES / "implant_self_signed_server/x509.log", "zeek"),
        (SAMPLES / "unknown_issuer_new_zeek/ssl.log", "zeek"),
    ):
        found += read_log(file, format, MAC if format == "unifiedlog" else None)
    return found


def _records(events: Iterable[NativeEvent], layout: Layout) -> list[dict[str, Any]]:
    return [document for event in events if (document := index_event(event, layout)) is not None]


def _nested(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in document.items():
        *parents, leaf = name.split(".")
        place = found
        for part in parents:
            place = place.setdefault(part, {})
        place[leaf] = value
    return found


def _lines(items: Iterable[object]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


def _csv(rows: list[dict[str, Any]]) -> str:
    names = sorted({name for row in rows for name in row})
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names)
    writer.writeheader()
    writer.writerows({k: "\n".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows)
    return stream.getvalue()


WRAPPINGS: dict[str, tuple[str, Any]] = {
    "splunk results a line": ("splunk", lambda rows: _lines({"preview": False, "offset": n, "result": row} for n, row in enumerate(rows))),
    "splunk with previews": (
        "splunk",
        lambda rows: _lines(
            [{"preview": True, "result": rows[0]}, *({"preview": False, "result": r} for r in rows), {"preview": False, "lastrow": True}]
        ),
    ),
    "splunk one object": ("splunk", lambda rows: json.dumps({"preview": False, "init_offset": 0, "results": rows})),
    "splunk pretty object": ("splunk", lambda rows: json.dumps({"results": rows}, indent=2)),
    "splunk bare rows": ("splunk", _lines),
    "splunk array": ("splunk", lambda rows: json.dumps(rows, indent=1)),
    "splunk csv": ("splunk", _csv),
    "search response": ("elastic", lambda rows: json.dumps({"took": 1, "hits": {"total": 9, "hits": [{"_source": row} for row in rows]}})),
    "pretty response": ("elastic", lambda rows: json.dumps({"hits": {"hits": [{"_source": row} for row in rows]}}, indent=2)),
    "scroll lines": ("elastic", lambda rows: _lines({"_scroll_id": "x", "hits": {"hits": [{"_source": _nested(row)}]}} for row in rows)),
    "elasticdump": ("elastic", lambda rows: _lines({"_index": "i", "_id": str(n), "_source": r} for n, r in enumerate(rows))),
    "array of hits": ("elastic", lambda rows: json.dumps([{"_id": "1", "_source": _nested(row)} for row in rows])),
    "hits with fields": (
        "elastic",
        lambda rows: _lines({"_index": "i", "fields": {k: v if isinstance(v, list) else [v] for k, v in row.items()}} for row in rows),
    ),
    "bulk file": ("elastic", lambda rows: _lines(item for row in rows for item in ({"index": {"_index": "i"}}, row))),
    "bare documents": ("elastic", lambda rows: _lines(_nested(row) for row in rows)),
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_stored_fields_give_the_native_event_back(pack: Pack, natives: list[NativeEvent], write: Write, name: str) -> None:
    backend, wrap = WRAPPINGS[name]
    for layout in pack.layouts:
        events = [event for event in natives if layout.backend == backend and index_event(event, layout) is not None]
        if not events:
            continue
        path = write("export.json", wrap(_records(events, layout)))
        assert detect(path).format is Format(backend)
        items = list(scan_log(path, backend, site=Site(pack.layouts)))
        assert [item for item in items if isinstance(item, Reject)] == []
        for event, item in zip(events, items, strict=True):
            assert isinstance(item, NativeEvent)
            assert (item.product, item.service) == (event.product, event.service)
            assert abs(item.time_us - event.time_us) < (1 if backend == "splunk" else 1000)
            source = next(one for one in layout.sources if one.service == event.service)
            computed = {derived.indexed for derived in source.derived}
            for row in source.fields:
                if row.indexed not in computed and row.native in event.fields and row.native not in ("host.ip", "ts"):
                    expected = event.fields[row.native]
                    if isinstance(expected, float):
                        assert item.fields[row.native] == pytest.approx(expected, abs=0.001)
                    elif expected not in ("", []):
                        assert item.fields[row.native] == expected, row.native
            if event.product == "macos":
                assert item.fields["host.name"] == "mac-042"
                assert item.fields["host.ip"] == ["10.20.0.42"]


SSL = {"ts": 1768471207.25, "uid": "C1", "id.orig_h": "10.0.0.1", "id.resp_h": "203.0.113.9", "established": True, "resumed": False}
UNIFIED = {"timestamp": "2026-01-15 10:00:07.250000+0000", "eventMessage": "x", "eventType": "logEvent", "processID": 7}
# (backend, record, service, fields)
RAW: list[tuple[str, Any, str, dict[str, Any]]] = [
    ("splunk", {"result": {"_raw": json.dumps(SSL), "sourcetype": "bro:ssl:json", "host": "sensor"}}, "ssl", {"established": True}),
    ("splunk", {"result": {"_raw": json.dumps(SSL), "source": "/opt/zeek/logs/current/ssl.log"}}, "ssl", {"id.orig_h": "10.0.0.1"}),
    ("splunk", {"result": {"_raw": json.dumps(SSL)}}, "ssl", {"uid": "C1"}),
    ("splunk", {"result": {"_raw": json.dumps(UNIFIED), "host": "mac-1"}}, "unifiedlog", {"processID": 7, "host.name": "mac-1"}),
    (
        "splunk",
        {"result": {"_raw": "2026-01-15 10:00:07.250 Df a[1:1] two\nlines", "host": "mac-1", "host_ip": "10.0.0.5"}},
        "unifiedlog",
        {"eventMessage": "two\nlines", "host.ip": ["10.0.0.5"]},
    ),
    (
        "splunk",
        {"_time": "2026-01-15T10:00:07.250+00:00", "sourcetype": "zeek:ssl:json", "uid": "C1", "established": "true", "id.orig_p": "443"},
        "ssl",
        {"id.orig_p": 443},
    ),
    (
        "splunk",
        {"_time": "2026-01-15 10:00:07.250 UTC", "sourcetype": "bro:ssl:json", "uid": "C1", "resumed": "F", "version": "TLSv12"},
        "ssl",
        {"resumed": False},
    ),
    ("elastic", {"_source": {"@timestamp": "x", "event": {"original": json.dumps(SSL), "dataset": "zeek.ssl"}}}, "ssl", {"uid": "C1"}),
    (
        "elastic",
        {"@timestamp": "x", "message": json.dumps(SSL), "log": {"file": {"path": "/logs/ssl.log"}}, "agent": {"type": "filebeat"}},
        "ssl",
        {"uid": "C1"},
    ),
    ("elastic", {"@timestamp": "x", "json": SSL, "fileset": {"name": "ssl"}}, "ssl", {"uid": "C1"}),
    ("elastic", {"_index": "zeek", "_source": SSL}, "ssl", {"established": True}),
    (
        "elastic",
        {"_source": {"@timestamp": "x", "message": json.dumps(UNIFIED), "host": {"name": "mac-1"}}},
        "unifiedlog",
        {"host.name": "mac-1"},
    ),
    # Fields that Splunk extracted, all of them texts, some of them twice.
    (
        "splunk",
        {
            "_time": "1768471207.25",
            "ts": "1768471207.25",
            "sourcetype": "bro:ssl:json",
            "uid": ["C1", "C1"],
            "resumed": "false",
            "version": "x",
        },
        "ssl",
        {"uid": "C1", "resumed": False},
    ),
    ("splunk", {"_time": "1768471207.25", "sourcetype": "bro:dns:json", "query": "example.org"}, "dns", {}),
    ("elastic", {"_source": {"@timestamp": "2026-01-15T10:00:07.250Z", "event": {"dataset": "zeek.http"}}}, "http", {}),
]


@pytest.mark.parametrize(("backend", "record", "service", "fields"), RAW)
def test_raw_records(pack: Pack, write: Write, backend: str, record: Any, service: str, fields: dict[str, Any]) -> None:
    (event,) = scan_log(write("export.ndjson", json.dumps(record)), backend, site=Site(pack.layouts))
    assert isinstance(event, NativeEvent), event
    assert event.service == service
    assert event.time_us == 1768471207250000
    assert {key: event.fields[key] for key in fields} == fields


@pytest.mark.parametrize("said", [json.dumps(SSL), json.dumps(UNIFIED), "2026-01-15 10:00:07.250 A  node[7:1a] (Security) x"])
def test_what_a_program_says_is_no_record(pack: Pack, write: Write, said: str) -> None:
    source = {
        "@timestamp": "2026-01-15T10:00:07.250Z",
        "event": {"dataset": "unifiedlogs.log"},
        "message": said,
        "unified_log": {"event_type": "logEvent"},
        "process": {"pid": 4711, "executable": "/tmp/implant"},
    }
    (event,) = scan_log(write("e.ndjson", json.dumps({"_source": source})), "elastic", site=Site(pack.layouts))
    assert isinstance(event, NativeEvent)
    assert (event.service, event.fields["eventMessage"], event.fields["processID"]) == ("unifiedlog", said, 4711)


def test_what_is_known_about_a_machine_completes_its_records(pack: Pack, write: Write) -> None:
    record = {"result": {"_raw": json.dumps(UNIFIED), "host": "mac-1"}}
    (event,) = scan_log(
        write("e.ndjson", json.dumps(record)), "splunk", site=Site(pack.layouts, lambda _: Host("MAC-1", ips=("10.0.0.7",)))
    )
    assert isinstance(event, NativeEvent)
    assert event.fields["host.ip"] == ["10.0.0.7"]


# (backend, the file's text, problem)
BAD = [
    ("splunk", '{"result": {"a": 1, "_time": "2026-01-15T10:00:07+00:00"}}', "of no layout of the pack"),
    ("splunk", '{"result": {"sourcetype": "bro:ssl:json", "uid": "1", "version": "x", "cipher": "y"}}', "has no time"),
    ("splunk", '{"result": {"_raw": "{\\"ts\\": }", "sourcetype": "bro:ssl:json"}}', "is not JSON"),
    ("splunk", "_time,_raw,x\n1,2\n", "has 2 cells, the header has 3"),
    ("splunk", '_time,_raw\n1,"open\n', "is not CSV"),
    ("splunk", "[1, 2]", "1 is no record"),
    (
        "elastic",
        '{"_source": {"@timestamp": "soon", "event.dataset": "zeek.ssl", "source.ip": "10.0.0.1", "source.port": 1, "tls.cipher": "x"}}',
        "is not a time",
    ),
    (
        "elastic",
        '{"_source": {"@timestamp": 1, "event.dataset": "zeek.ssl", "source.ip": "no", "source.port": 1, "tls.cipher": "x"}}',
        "'id.orig_h': 'no' is not an address",
    ),
    ("elastic", '{"hits": {"hits": [\n{"_source": {}},', "is not JSON"),
    ("elastic", '[\n{"_source": 1}', "is not JSON"),
    ("elastic", '{"_source"\n}', "not JSON"),
]


@pytest.mark.parametrize(("backend", "text", "problem"), BAD)
def test_a_bad_record_is_a_reject(pack: Pack, write: Write, backend: str, text: str, problem: str) -> None:
    items = list(scan_log(write("e.json", text.encode()), backend, site=Site(pack.layouts)))
    assert problem in next(item.problem for item in items if isinstance(item, Reject))


def test_one_bad_line_stops_nothing(pack: Pack, write: Write) -> None:
    good = json.dumps({"_source": SSL})
    items = list(scan_log(write("e.ndjson", good, "{", b"\xff\n", good), "elastic", site=Site(pack.layouts)))
    assert [(type(item).__name__, item.location.line) for item in items] == [
        ("NativeEvent", 1),
        ("Reject", 2),
        ("Reject", 3),
        ("NativeEvent", 4),
    ]
    assert [item.text for item in items if isinstance(item, Reject)] == [b"{", b"\xff"]


def test_a_line_too_long_is_a_reject_and_hides_nothing(pack: Pack, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "LARGEST", 2**20)
    good = json.dumps({"_source": SSL})
    path = write("e.ndjson", '{"_source": {"x": "' + "A" * 3 * 2**20 + '"}}', good, '{"a": "' + "B" * 2**21 + '"}', good)
    items = list(scan_log(path, "elastic", site=Site(pack.layouts)))
    assert [(type(item).__name__, item.location.line) for item in items] == [
        ("Reject", 1),
        ("NativeEvent", 2),
        ("Reject", 3),
        ("NativeEvent", 4),
    ]
    # One line of many records may be longer than a line of one record.
    monkeypatch.undo()
    many = json.dumps({"hits": {"hits": [{"_source": SSL | {"pad": "x" * 2**20}}] * 18}})
    assert len(many) > LONGEST
    path = write("e.json", many)
    assert [item.location.line for item in scan_log(path, "elastic", site=Site(pack.layouts))] == list(range(1, 19))
