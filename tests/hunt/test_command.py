"""`an1498 hunt` as a person runs it: output, messages, exit codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hunt.conftest import SELF_SIGNED, key_use, ssl_tsv

from an1498.cli.program import run

Write = Callable[[str, bytes], Path]


@pytest.fixture
def archive(write: Write) -> str:
    write("logs/u.ndjson", key_use() + b"{broken\n")
    write("logs/ssl.log", ssl_tsv(SELF_SIGNED))
    return "logs"


def test_alerts_as_json_lines_with_rejects_and_report(archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        ["hunt", archive, "--host", "mac-042=10.20.0.42", "--format", "json", "--rejects", "rejects.ndjson", "--report", "report.html"]
    )
    output = capsys.readouterr()
    assert code == 1
    (line,) = output.out.splitlines()
    alert = json.loads(line)
    assert (alert["time"], alert["first_time"], alert["group"]) == (
        "2026-01-15T10:00:05.000Z",
        "2026-01-15T10:00:01.000Z",
        {"entity": "10.20.0.42"},
    )
    assert [(event["file"], event["line"]) for event in alert["events"]] == [("logs/u.ndjson", 1), ("logs/ssl.log", 8)]
    assert alert["events"][1]["sni_entropy"] == 3.323
    assert "rejected: logs/u.ndjson:2: the line is not JSON" in output.err
    assert "1 alert in 2 events of 2 files; 1 lines rejected" in output.err
    assert json.loads(Path("rejects.ndjson").read_text(encoding="utf-8"))["text"] == "{broken"
    assert "<!doctype html>" in Path("report.html").read_text(encoding="utf-8")


def test_a_table_and_csv(archive: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("logs/hosts.csv", b"path,name,ip\nu.ndjson,mac-042,10.20.0.42\n")
    assert run(["hunt", archive]) == 1
    assert "cdn.example.net (203.0.113.9:443)" in capsys.readouterr().out
    assert run(["hunt", archive, "--format", "csv"]) == 1
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["processes"] == "/Users/Shared/updaterd" and row["places"] == "logs/u.ndjson:1 logs/ssl.log:8"


def test_a_log_of_an_unknown_machine_is_said(archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hunt", archive]) == 0
    assert "whose unified logs these are is not known, so they meet no network event: logs/u.ndjson; give --host" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "an1498: nowhere: cannot be read: No such file or directory; check the path and its permissions"),
        (["logs", "--host", "=10.0.0.1"], "an1498: --host =10.0.0.1: write NAME=ADDRESS, for instance mac-042=10.20.0.42"),
        (["logs", "--host", "mac=here"], "an1498: --host mac=here: 'here' is not an address; write NAME=ADDRESS"),
        (["logs", "--host-map", "map.csv"], "an1498: map.csv:2: 'here' is not an address; write addresses separated by blanks"),
        (["logs", "--rules", "zeek_tls_nosni"], "an1498: there is no rule 'zeek_tls_nosni'; did you mean 'zeek_tls_no_sni'?"),
        (["logs", "--target", "elastic"], "an1498: target 'elastic' is for elastic; hunt runs SPL"),
    ],
)
@pytest.mark.usefixtures("archive")
def test_bad_input(write: Write, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    write("map.csv", b"path,name,ip\nu.ndjson,mac,here\n")
    assert run(["hunt", *arguments]) == 2
    assert capsys.readouterr().err.startswith(message)


def test_a_page_that_cannot_be_written_is_said_and_leaves_nothing(archive: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "there").write_text("a file")
    assert run(["hunt", archive, "--report", "there/x.html"]) == 2
    assert "there/x.html cannot be written: " in capsys.readouterr().err
    assert run(["hunt", archive, "--rejects", "nowhere/r.ndjson"]) == 2
    assert "nowhere/r.ndjson cannot be written: No such file or directory" in capsys.readouterr().err
    assert run(["hunt", archive, "--host", "mac-042=10.20.0.42", "--report", "new/report.html"]) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]
