"""Zeek's TSV: types, markers, escapes, several headers in one file, and every malformed line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from an1498.errors import TelemetryError
from an1498.model import NativeEvent
from an1498.telemetry import Reject, read_log, scan_log

Write = Callable[..., Path]


def tsv(*columns: str) -> str:
    return "\t".join(columns)


def header(fields: str = "ts uid", types: str = "time string", path: str = "ssl") -> tuple[str, ...]:
    return (
        r"#separator \x09",
        tsv("#set_separator", ","),
        tsv("#empty_field", "(empty)"),
        tsv("#unset_field", "-"),
        tsv("#path", path),
        tsv("#open", "2026-01-15-10-00-00"),
        tsv("#fields", *fields.split()),
        tsv("#types", *types.split()),
    )


def fields_of(write: Write, type_name: str, value: str) -> dict[str, Any]:
    (event,) = read_log(write("ssl.log", *header("ts x", f"time {type_name}"), tsv("1.5", value)), "zeek")
    return {name: found for name, found in event.fields.items() if name != "ts"}


def test_a_log_with_header_and_close(write: Write) -> None:
    path = write(
        "some.name",
        *header("ts uid id.orig_h id.orig_p established cert_chain_fps", "time string addr port bool vector[string]"),
        tsv("1768471207.250000", "C1", "10.20.0.42", "50000", "T", "ab,cd"),
        tsv("1768471207.250001", "C2", "2001:db8::1", "50001", "F", "(empty)"),
        tsv("#close", "2026-01-15-11-00-00"),
    )
    first, second = read_log(path, "zeek")
    assert (first.product, first.service, first.time_us, str(first.location)) == ("zeek", "ssl", 1_768_471_207_250_000, "some.name:9")
    assert first.fields == {
        "ts": 1768471207.25,
        "uid": "C1",
        "id.orig_h": "10.20.0.42",
        "id.orig_p": 50000,
        "established": True,
        "cert_chain_fps": ["ab", "cd"],
    }
    assert (second.time_us, second.fields["established"], second.fields["cert_chain_fps"]) == (1_768_471_207_250_001, False, [])


@pytest.mark.parametrize(
    ("type_name", "value", "found"),
    [
        ("bool", "T", True),
        ("bool", "F", False),
        ("int", "-5", -5),
        ("count", "18446744073709551615", 18446744073709551615),
        ("port", "443", 443),
        ("port", "443/tcp", 443),
        ("double", "0.25", 0.25),
        ("double", "1e-05", 1e-05),
        ("interval", "0.000120", 0.00012),
        ("time", "1700000000.123456", 1700000000.123456),
        ("time", "0.000000", 0.0),
        ("time", "2.385616957e+09", 2385616957.0),
        ("time", "2012-02-21T08:52:55-0800", 1329843175.0),
        ("a_type_to_come", r"a\x2cb", "a,b"),
        ("addr", "fe80::1", "fe80::1"),
        ("subnet", "10.0.0.0/8", "10.0.0.0/8"),
        ("enum", "tcp", "tcp"),
        ("string", "a b", "a b"),
        ("string", "(empty)", ""),
        ("string", "", ""),
        ("string", r"CN=a\x2c b", "CN=a, b"),
        ("string", r"O=x\\, Inc", r"O=x\, Inc"),
        ("string", r"\x2d", "-"),
        ("string", r"\x28empty)", "(empty)"),
        ("string", r"\xc3\xa9", "é"),
        ("string", r"\xe9", r"\xe9"),
        ("string", r"a\x5cx41", r"a\x41"),
        ("string", r"C:\temp\x", r"C:\temp\x"),
        ("string", "Zürich", "Zürich"),
        ("set[string]", "a,b", ["a", "b"]),
        ("set[string]", r"a\x2cb,c", ["a,b", "c"]),
        ("set[string]", "(empty)", []),
        ("set[string]", "a", ["a"]),
        ("vector[string]", "a,-,(empty)", ["a", ""]),
        ("vector[addr]", "10.0.0.1,::1", ["10.0.0.1", "::1"]),
        ("vector[count]", "1,2", [1, 2]),
        ("set[enum]", "A,B", ["A", "B"]),
        ("table[string]", "a", ["a"]),
    ],
)
def test_values_by_type(write: Write, type_name: str, value: str, found: Any) -> None:
    assert fields_of(write, type_name, value) == {"x": found}


@pytest.mark.parametrize("type_name", ["string", "addr", "bool", "count", "set[string]", "vector[string]"])
def test_an_unset_value_is_missing(write: Write, type_name: str) -> None:
    assert fields_of(write, type_name, "-") == {}


def test_what_real_archives_hold(write: Write) -> None:
    # A tab after #separator (RITA's rewritten logs), a name with a dash, a list without times, a path that is none.
    path = write("all.log", "#separator\t\\x09", *header(path="http-2")[1:], tsv("1.0", "C1"))
    assert [event.service for event in read_log(path, "zeek")] == ["http-2"]
    assert list(read_log(write("loaded_scripts.log", *header("name", "string", "loaded_scripts"), "a.zeek"), "zeek")) == []
    path = write("out", *header("ts established resumed", "time bool bool", "/dev/stdout"), tsv("1.0", "T", "F"))
    assert [event.service for event in read_log(path, "zeek")] == ["ssl"]
    path = write("zeek-cut.log", *header("ts uid", "string string"), tsv("2012-02-21T08:52:55-0800", "C1"))
    assert [event.time_us for event in read_log(path, "zeek")] == [1329843175000000]


def test_other_markers_and_separator(write: Write) -> None:
    path = write(
        "ssl.log",
        r"#separator \x7c",
        r"#set_separator|\x3b",
        "#empty_field|EMPTY",
        "#unset_field|NONE",
        "#path|ssl",
        "#fields|ts|a|b|c|d",
        "#types|time|set[string]|string|string|string",
        "1.0|x;y|EMPTY|NONE|-",
    )
    (event,) = read_log(path, "zeek")
    assert event.fields == {"ts": 1.0, "a": ["x", "y"], "b": "", "d": "-"}


def test_several_logs_one_after_the_other(write: Write) -> None:
    path = write(
        "all.log",
        *header(),
        tsv("1.0", "C1"),
        tsv("#close", "2026"),
        *header("ts id", "time string", "x509"),
        tsv("2.0", "F1"),
    )
    assert [(event.service, event.fields) for event in read_log(path, "zeek")] == [
        ("ssl", {"ts": 1.0, "uid": "C1"}),
        ("x509", {"ts": 2.0, "id": "F1"}),
    ]


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("ssl.log", "ssl"),
        ("SSL.log", "ssl"),
        ("ssl.10:00:00-11:00:00.log", "ssl"),
        ("x509.2026-01-15-10-00-00.log", "x509"),
        ("conn.json.log", "conn"),
        ("dhcp", "dhcp"),
        ("ssl_red.log", "ssl"),
        ("zeek-ssl.log", "ssl"),
        ("ssl_2026-01-15.log", "ssl"),
        ("known_certs.log", "known_certs"),
    ],
)
def test_the_file_name_tells_the_log_where_nothing_else_does(write: Write, name: str, log: str) -> None:
    lines = [line for line in header() if not line.startswith("#path")]
    (event,) = read_log(write(name, *lines, tsv("1.0", "C1")), "zeek")
    assert event.service == log


def test_the_header_wins_over_the_file_name(write: Write) -> None:
    (event,) = read_log(write("conn.log", *header(path="ssl"), tsv("1.0", "C1")), "zeek")
    assert event.service == "ssl"


@pytest.mark.parametrize(
    ("type_name", "value", "message"),
    [
        ("bool", "true", "'x': 'true' is not a bool (T or F);"),
        ("int", "1.5", "'x': '1.5' is not a whole number;"),
        ("count", "-1", "'x': -1 is negative;"),
        ("port", "65536", "'x': 65536 is not a port;"),
        ("double", "many", "'x': 'many' is not a number;"),
        ("double", "1e400", "'x': '1e400' is not a number;"),
        ("double", "nan", "'x': 'nan' is not a number;"),
        ("interval", "1,5", "'x': '1,5' is not a number;"),
        ("time", "yesterday", "'x': 'yesterday' is not a time;"),
        ("addr", "10.0.0.256", "'x': '10.0.0.256' is not an address;"),
        ("vector[addr]", "10.0.0.1,x", "'x': 'x' is not an address;"),
        ("string", "a\tb", "the line has 3 columns, #fields has 2;"),
    ],
)
def test_a_malformed_value(write: Write, type_name: str, value: str, message: str) -> None:
    path = write("ssl.log", *header("ts x", f"time {type_name}"), tsv("1.0", "-"), tsv("2.0", value), tsv("3.0", "-"))
    with pytest.raises(TelemetryError) as caught:
        list(read_log(path, "zeek"))
    assert str(caught.value).startswith(f"ssl.log:10: {message}")
    first, reject, last = scan_log(path, "zeek")
    assert isinstance(first, NativeEvent) and isinstance(last, NativeEvent)
    assert isinstance(reject, Reject) and str(reject.error()) == str(caught.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((tsv("1.0", "C1"),), r"ssl.log:1: the line begins '1.0\tC1', neither a Zeek header (#separator) nor a JSON object;"),
        ((*header()[:6], tsv("1.0", "C1")), "ssl.log:7: the line comes before any #fields line; copy the whole file, with its header"),
        ((*header()[:7], tsv("1.0", "C1")), "ssl.log:8: the line comes before any #types line;"),
        ((*header("ts uid", "time"), tsv("1.0", "C1")), "ssl.log:8: #types has 1 types for 2 fields;"),
        ((*header("ts uid uid", "time string string"),), "ssl.log:7: #fields has 'uid' twice;"),
        ((*header(path="../etc"), tsv("1.0", "C1")), "ssl.log:9: the log's name is '../etc';"),
        ((*header()[:4], "#path"), "ssl.log:5: #path is empty;"),
        (("#separator ",), "ssl.log:1: #separator names no separator;"),
        ((*header(), "1.0"), "ssl.log:9: the line has 1 columns, #fields has 2; the line may be cut off"),
        ((*header(), tsv("-", "C1")), "ssl.log:9: the record has no 'ts';"),
        ((*header("ts uid", "string string"), tsv("now", "C1")), "ssl.log:9: 'ts': 'now' is not a time;"),
        ((*header("uid", "string"), "C1"), "ssl.log:9: the record has no 'ts';"),
        ((*header(), tsv("253402300800", "C1")), "ssl.log:9: 'ts': 253402300800.0 is not a time;"),
        ((*header(), tsv("-62135596801", "C1")), "ssl.log:9: 'ts': -62135596801.0 is not a time;"),
    ],
)
def test_a_malformed_file(write: Write, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(TelemetryError) as caught:
        list(read_log(write("ssl.log", *lines), "zeek"))
    assert str(caught.value).startswith(message)


def test_lines_under_a_broken_header_are_rejected_until_the_next_one(write: Write) -> None:
    path = write("ssl.log", *header("ts uid", "time"), tsv("1.0", "C1"), *header(), tsv("2.0", "C2"))
    items = list(scan_log(path, "zeek"))
    assert [item.problem if isinstance(item, Reject) else item.fields["uid"] for item in items] == [
        "#types has 1 types for 2 fields",
        "the line stands under a header that cannot be read",
        "C2",
    ]


@pytest.mark.parametrize("name", ["events.log", "2026-01-15.log", "-.log", "ssl-conn.log"])
def test_nothing_tells_the_log(write: Write, name: str) -> None:
    lines = [line for line in header() if not line.startswith("#path")]
    with pytest.raises(TelemetryError) as caught:
        list(read_log(write(name, *lines, tsv("1.0", "C1")), "zeek"))
    assert (
        str(caught.value)
        == f"{name}:8: nothing tells which Zeek log this is; name the file after the log (ssl.log), or keep #path or _path"
    )
