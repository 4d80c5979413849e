"""Zeek's JSON: times, names with and without dots, checked types of known fields, and every malformed line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from an1498.errors import TelemetryError
from an1498.telemetry import read_log

Write = Callable[..., Path]


def record(**fields: Any) -> str:
    return json.dumps({"ts": 1768471207.25, **fields})


def read(write: Write, line: str, name: str = "ssl.log") -> dict[str, Any]:
    (event,) = read_log(write(name, line), "zeek")
    return {key: value for key, value in event.fields.items() if key != "ts"}


@pytest.mark.parametrize(
    ("ts", "time_us"),
    [
        (1768471207.25, 1_768_471_207_250_000),
        (1768471207, 1_768_471_207_000_000),
        (1768471207.250001, 1_768_471_207_250_001),
        (1768471207250, 1_768_471_207_250_000),
        ("2026-01-15T10:00:07.250000Z", 1_768_471_207_250_000),
        ("2026-01-15T11:00:07.250000+01:00", 1_768_471_207_250_000),
        ("1768471207.250000", 1_768_471_207_250_000),
    ],
)
def test_times(write: Write, ts: Any, time_us: int) -> None:
    (event,) = read_log(write("ssl.log", json.dumps({"ts": ts})), "zeek")
    assert (event.time_us, event.fields["ts"]) == (time_us, time_us / 1_000_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"id.orig_h": "10.0.0.1", "id.orig_p": 5},
        {"id_orig_h": "10.0.0.1", "id_orig_p": 5},
        {"id": {"orig_h": "10.0.0.1", "orig_p": 5}},
    ],
)
def test_dotted_undotted_and_nested_names_are_the_native_ones(write: Write, fields: dict[str, Any]) -> None:
    assert read(write, record(**fields)) == {"id.orig_h": "10.0.0.1", "id.orig_p": 5}
    assert read(write, record(**fields), "dns.log") == {"id.orig_h": "10.0.0.1", "id.orig_p": 5}


def test_certificates_dates_and_lists(write: Write) -> None:
    line = record(
        _path="x509",
        _write_ts="2026-01-15T10:00:08.000000Z",
        certificate_not_valid_before="2026-01-01T00:00:00.000000Z",
        **{"certificate.not_valid_after": 1800000000.0, "san.dns": "one.example", "basic_constraints.ca": False, "san.ip": []},
    )
    assert read(write, line, "anything.json") == {
        "_write_ts": "2026-01-15T10:00:08.000000Z",
        "certificate.not_valid_before": 1767225600.0,
        "certificate.not_valid_after": 1800000000.0,
        "san.dns": ["one.example"],
        "basic_constraints.ca": False,
        "san.ip": [],
    }


def test_null_is_missing_and_unknown_fields_are_kept(write: Write) -> None:
    assert read(write, record(server_name=None, cert_chain_fps=["a", None], new_field={"a": 1, "b": None}, other=[1])) == {
        "cert_chain_fps": ["a"],
        "new_field.a": 1,
        "other": [1],
    }


def test_blanks_before_a_record(write: Write) -> None:
    assert read(write, "  " + record(uid="C1")) == {"uid": "C1"}


def test_each_record_may_state_its_log(write: Write) -> None:
    path = write("stream.json", record(_path="ssl"), record(_path="conn_red", proto="tcp"), record(_path="dhcp"))
    assert [event.service for event in read_log(path, "zeek")] == ["ssl", "conn", "dhcp"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "ssl.log:1: the line is not JSON (column 2:"),
        ("{}", "ssl.log:1: the record has no 'ts';"),
        ('{"ts":null}', "ssl.log:1: the record has no 'ts';"),
        ('{"ts":true}', "ssl.log:1: 'ts': True is not a time;"),
        ('{"ts":"2026-01-15T10:00:07"}', "ssl.log:1: 'ts': '2026-01-15T10:00:07' is not a time;"),
        ('{"ts":1e300}', "ssl.log:1: 'ts': 1e+300 is not a time;"),
        (record(established="T"), "ssl.log:1: 'established': 'T' is not true or false;"),
        (record(**{"id.resp_p": "443"}), "ssl.log:1: 'id.resp_p': '443' is not a whole number;"),
        (record(**{"id.resp_p": 70000}), "ssl.log:1: 'id.resp_p': 70000 is not a port;"),
        (record(**{"id.orig_h": "10.0.0"}), "ssl.log:1: 'id.orig_h': '10.0.0' is not an address;"),
        (record(server_name=["a"]), "ssl.log:1: 'server_name': ['a'] is not text;"),
        (record(cert_chain_fps=[1]), "ssl.log:1: 'cert_chain_fps': 1 is not text;"),
        (record(**{"id.orig_h": "10.0.0.1", "id_orig_h": "10.0.0.2"}), "ssl.log:1: the field 'id.orig_h' stands in the record twice;"),
        (record(_path=5), "ssl.log:1: the log's name is 5;"),
        (record(_path="a b"), "ssl.log:1: the log's name is 'a b';"),
        ("[]", "ssl.log:1: the line begins '[]', neither a Zeek header (#separator) nor a JSON object;"),
    ],
)
def test_a_malformed_line(write: Write, line: str, message: str) -> None:
    with pytest.raises(TelemetryError) as caught:
        list(read_log(write("ssl.log", line), "zeek"))
    assert str(caught.value).startswith(message)


def test_an_interval_and_a_count_of_conn(write: Write) -> None:
    assert read(write, record(duration=1, orig_bytes=5.0, tunnel_parents=[]), "conn.log") == {
        "duration": 1.0,
        "orig_bytes": 5,
        "tunnel_parents": [],
    }
    for field, value, problem in (("duration", "1s", "'1s' is not a number"), ("orig_bytes", -1, "-1 is negative")):
        with pytest.raises(TelemetryError, match=f"conn.log:1: '{field}': {problem}"):
            read(write, record(**{field: value}), "conn.log")
