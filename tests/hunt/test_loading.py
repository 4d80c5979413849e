"""DuckDB's reading and our readers' reading of one file give the same events and the same rejects, whatever the file holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.hunt.conftest import SELF_SIGNED, SSL_FIELDS, SSL_TYPES, key_use, ssl_tsv

from an1498.errors import TelemetryError
from an1498.hunt.columns import Plan, plan
from an1498.hunt.engine import Hunt, chosen_searches, hunt, run
from an1498.hunt.hosts import Hosts, host_options
from an1498.hunt.output import finding_object
from an1498.hunt.store import Store
from an1498.model import Pack

Write = Callable[[str, bytes], Path]

RULES = ["macos_public_key_use", "zeek_tls_self_signed_certificate", "zeek_tls_no_sni", "zeek_tls_handshake_failed"]

UNIFIED = [
    key_use(),
    b"\n",
    b"   \n",
    key_use(processImagePath="/Users/ž/🐎"),
    key_use().replace(b"/", b"\\/"),
    key_use(eventMessage="SecKeyCreate\u0053ignature").replace(b"SecKeyCreateS", b"SecKeyCreate\\u0053"),
    key_use(processID="12"),
    key_use(processID=1.5),
    key_use(processID=True),
    key_use(processID=-5),
    key_use(traceID=2**64 - 1),
    key_use(traceID=2**70),
    key_use(eventMessage=5),
    key_use(eventMessage=None),
    key_use(eventType=["activityCreateEvent"]),
    key_use("10:00:01"),
    key_use("24:00:01.0"),
    key_use("10:00:01.1234567"),
    key_use("10:00:01,5"),
    key_use("10:00:60.5"),
    key_use().replace(b"+0000", b"+0530"),
    key_use().replace(b"+0000", b"Z"),
    key_use().replace(b"+0000", b""),
    key_use(processImagePath='/Users/"quoted"\\x\n\ttab'),
    key_use(processImagePath="/Users/\ud83d").replace(b"\\\\", b"\\"),
    key_use(processImagePath="/Users/\u0000nul"),
    b"{broken\n",
    b"[1]\n",
    b'"text"\n',
    b"null\n",
    b"{}{}\n",
    key_use().rstrip() + b" trailing\n",
    key_use().replace(b"\n", b"\r\n"),
    key_use().replace(b"Shared", b"Sha\xffred"),
    key_use().replace(b"Shared", b"Sha\0red"),
    key_use(processImagePath="/Users/" + "x" * (2**20 + 5)),
    b'{"count":3,"finished":1}\n',
]

ROW = "1768471205.000000 C1 10.20.0.42 50000 203.0.113.9 443 TLSv12 - T self_signed_certificate ab,cd"
TSV_ROWS = [
    ROW,
    ROW.replace("443", "0443"),
    ROW.replace("443", "443/tcp"),
    ROW.replace("443", "70000"),
    ROW.replace("10.20.0.42", "10.20.0.420"),
    ROW.replace("10.20.0.42", "fd00::42"),
    ROW.replace("10.20.0.42", "::ffff:10.20.0.42"),
    ROW.replace("10.20.0.42", "-"),
    ROW.replace(" - ", " (empty) "),
    ROW.replace(" - ", " a\\x2cb\\\\c%41 "),
    ROW.replace(" - ", " \\xc5\\xbe\\xff "),
    ROW.replace(" - ", " ž "),
    ROW.replace(" T ", " true "),
    ROW.replace(" T ", " - "),
    ROW.replace("ab,cd", "(empty)"),
    ROW.replace("ab,cd", "a\\x2cb,-,cd"),
    ROW.replace("ab,cd", "-"),
    ROW.replace("1768471205.000000", "1768471205"),
    ROW.replace("1768471205.000000", "1768471205.123456789"),
    ROW.replace("1768471205.000000", "-"),
    ROW.replace("1768471205.000000", "soon"),
    ROW + " more",
    "too few",
]

JSON_ROW = {
    "ts": 1768471205.25,
    "uid": "C1",
    "id.orig_h": "10.20.0.42",
    "id.orig_p": 50000,
    "id.resp_h": "203.0.113.9",
    "id.resp_p": 443,
    "established": True,
    "validation_status": "self signed certificate",
    "cert_chain_fps": ["ab", "cd"],
}
JSON_ROWS = [
    JSON_ROW,
    JSON_ROW | {"_path": "ssl"},
    JSON_ROW | {"_path": "conn"},
    JSON_ROW | {"_path": 5},
    JSON_ROW | {"ts": "2026-01-15T10:00:05.250000Z"},
    JSON_ROW | {"ts": 1768471205250},
    JSON_ROW | {"ts": True},
    JSON_ROW | {"ts": None},
    {key.replace(".", "_"): value for key, value in JSON_ROW.items()},
    {key: value for key, value in JSON_ROW.items() if not key.startswith("id.")}
    | {"id": {"orig_h": "10.20.0.42", "resp_h": "203.0.113.9"}},
    JSON_ROW | {"id_orig_h": "10.20.0.43"},
    JSON_ROW | {"id.orig_p": "50000"},
    JSON_ROW | {"id.orig_p": 50000.0},
    JSON_ROW | {"id.orig_p": -1},
    JSON_ROW | {"established": "true"},
    JSON_ROW | {"cert_chain_fps": []},
    JSON_ROW | {"cert_chain_fps": ["a,b", 'q"', None]},
    JSON_ROW | {"cert_chain_fps": "ab"},
    JSON_ROW | {"cert_chain_fps": [1]},
    JSON_ROW | {"server_name": "a\\b\u017e"},
    JSON_ROW | {"server_name": 7},
    JSON_ROW | {"id.resp_h": "nowhere"},
]


@pytest.fixture(scope="module")
def event_rules(pack: Pack) -> Plan:
    return plan(pack.targets["splunk"], chosen_searches(pack, "splunk", RULES))


def read(pack: Pack, the_plan: Plan, path: Path, tmp: Path, slow: bool) -> tuple[Hunt, list[dict[str, object]], list[dict[str, object]]]:
    rejects = tmp / "rejects.ndjson"
    with pytest.MonkeyPatch.context() as patch:
        if slow:
            patch.setattr(Store, "add_staged", lambda *_: None)
        found = run(pack, the_plan, [path], hosts=Hosts(named=host_options(["mac-042=10.20.0.42"])), rejects_file=rejects)
    lines = [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
    return found, [finding_object(one) for one in found.findings], sorted(lines, key=lambda one: one["line"])


def same(pack: Pack, the_plan: Plan, path: Path, tmp: Path) -> tuple[Hunt, list[int]]:
    """Both ways agree; what they found, and the lines that they rejected."""
    fast, found, rejects = read(pack, the_plan, path, tmp, False)
    slow, expected, expected_rejects = read(pack, the_plan, path, tmp, True)
    assert [one.fast for one in fast.loaded] == [True] and [one.fast for one in slow.loaded] == [False]
    assert rejects == expected_rejects
    assert found == expected
    assert (fast.events, fast.rejects) == (slow.events, slow.rejects)
    return fast, [int(str(one["line"])) for one in rejects]


@pytest.mark.parametrize("number", range(len(UNIFIED)))
def test_each_unified_log_line_is_read_alike(pack: Pack, event_rules: Plan, write: Write, tmp_path: Path, number: int) -> None:
    same(pack, event_rules, write("u.ndjson", key_use() + UNIFIED[number] + key_use()), tmp_path)


def test_a_unified_log_with_all_of_them(pack: Pack, event_rules: Plan, write: Write, tmp_path: Path) -> None:
    found, rejected = same(pack, event_rules, write("u.ndjson", b"".join(UNIFIED)), tmp_path)
    assert found.events + found.rejects == len(UNIFIED) - 3
    assert {27, 28, 29, 30, 31, 32, 34, 35} <= set(rejected)
    assert 33 not in rejected and 36 not in rejected


@pytest.mark.parametrize("number", range(len(TSV_ROWS)))
def test_each_tsv_row_is_read_alike(pack: Pack, event_rules: Plan, write: Write, tmp_path: Path, number: int) -> None:
    same(pack, event_rules, write("ssl.log", ssl_tsv(ROW, TSV_ROWS[number], ROW)), tmp_path)


@pytest.mark.parametrize("number", range(len(JSON_ROWS)))
def test_each_json_row_is_read_alike(pack: Pack, event_rules: Plan, write: Write, tmp_path: Path, number: int) -> None:
    text = "".join(json.dumps(row) + "\n" for row in (JSON_ROW, JSON_ROWS[number], JSON_ROW))
    same(pack, event_rules, write("ssl.log", text.encode()), tmp_path)


def test_fields_that_change_inside_a_file(pack: Pack, event_rules: Plan, write: Write, tmp_path: Path) -> None:
    fields, types = SSL_FIELDS.split(), SSL_TYPES.split()
    turned = ssl_tsv(" ".join(reversed(ROW.split())), fields=" ".join(reversed(fields)), types=" ".join(reversed(types)))
    broken = turned.replace(b"#types", b"#typos")
    content = ssl_tsv(ROW) + b"#close\t2026\n\n" + turned + ssl_tsv(ROW) + broken
    found, rejected = same(pack, event_rules, write("ssl.log", content), tmp_path)
    assert sum(one.rule == "zeek_tls_self_signed_certificate" for one in found.findings) == 3
    assert rejected == [content.count(b"\n")]


@pytest.mark.parametrize("pack_bytes", [gzip.compress, zstandard.compress])
def test_compressed_logs(pack: Pack, event_rules: Plan, write: Write, tmp_path: Path, pack_bytes: Callable[[bytes], bytes]) -> None:
    found, _ = same(pack, event_rules, write("ssl.log.gz", pack_bytes(ssl_tsv(ROW, ROW))), tmp_path)
    assert found.events == 2


def test_a_truncated_file_is_read_up_to_its_end(pack: Pack, write: Write) -> None:
    path = write("u.ndjson.gz", gzip.compress(key_use() * 5000, mtime=0)[:-4])
    found = hunt(pack, "splunk", [path], rules=RULES)
    (problem,) = found.problems
    assert str(problem).startswith(
        "u.ndjson.gz: is a damaged gzip file: Compressed file ended before the end-of-stream marker was reached;"
    )
    assert found.events == 5000


def test_utf_16(pack: Pack, event_rules: Plan, write: Write, tmp_path: Path) -> None:
    found, _ = same(pack, event_rules, write("u.ndjson", key_use().decode().encode("utf-16")), tmp_path)
    assert found.events == 1


def test_a_file_that_is_no_log(pack: Pack, write: Write) -> None:
    with pytest.raises(TelemetryError, match=r"^notes.txt:1: begins 'hello', which is no log that can be read; give unified log"):
        hunt(pack, "splunk", [write("notes.txt", b"hello\n")])


def test_a_directory_with_all_kinds_of_files(pack: Pack, write: Write) -> None:
    write("logs/mac-042/u.ndjson.gz", gzip.compress(key_use()))
    write("logs/zeek/ssl.10:00:00-11:00:00.log", ssl_tsv(SELF_SIGNED))
    write("logs/zeek/dns.log", ssl_tsv(ROW).replace(b"#path\tssl", b"#path\tdns"))
    write("logs/readme.txt", b"hello\n")
    write("logs/.hidden", b"hello\n")
    write("logs/empty.log", b"")
    found = hunt(pack, "splunk", [Path("logs")], hosts=Hosts(named=host_options(["mac-042=10.20.0.42", "mac-043=10.20.0.43"])))
    assert [(one.rule, one.group) for one in found.findings] == [
        ("an1498_public_key_use_then_unrecognised_certificate", (("entity", "10.20.0.42"),))
    ]
    assert [error.location.file for error in found.others] == ["logs/readme.txt"]
    assert {one.file.path.name: one.skipped for one in found.loaded if one.skipped} == {
        "empty.log": "it is empty",
        "dns.log": "no search reads dns.log",
    }
