"""`an1498 assets build`, from outside."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from an1498.cli.program import run

SAMPLE = Path(__file__).parents[2] / "samples" / "with_dhcp_log"


def test_both_files_say_the_same_and_twice_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cmdb = tmp_path / "cmdb.csv"
    cmdb.write_text('host,ip\n"nasty"",`|$(x) name",10.20.0.9\nmac-042,10.20.0.42\nnat-a,10.20.0.1\nnat-b,10.20.0.1\n')
    arguments = ["assets", "build", str(SAMPLE), "--cmdb", str(cmdb), "--out"]
    assert run([*arguments, str(tmp_path / "one")]) == run([*arguments, str(tmp_path / "two")]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == str(tmp_path / "one" / "an1498_assets.csv")
    assert f"{cmdb}:4: 10.20.0.1 is claimed by nat-a, nat-b at once" in said.err and "2 rows: 2 hosts" in said.err
    names = ("an1498_assets.csv", "an1498-assets.ndjson")
    assert [(tmp_path / "one" / name).read_bytes() for name in names] == [(tmp_path / "two" / name).read_bytes() for name in names]
    with (tmp_path / "one" / names[0]).open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [(row["ip"], row["host"]) for row in table] == [("10.20.0.42", "mac-042"), ("10.20.0.9", 'nasty",`|$(x) name')]
    lines = [json.loads(line) for line in (tmp_path / "one" / names[1]).read_text().splitlines()]
    assert [line["index"]["_index"] for line in lines[::2]] == ["an1498-assets"] * 2
    assert [line["an1498_asset_host"] for line in lines[1::2]] == [row["host"] for row in table]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(names)


def test_since_leaves_out_what_has_ended(tmp_path: Path) -> None:
    assert run(["assets", "build", str(SAMPLE), "--since", "2026-01-15T13:30:00Z", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "an1498_assets.csv").read_text().splitlines() == ["start,end,ip,host,mac,source"]


def test_an_empty_log_is_a_table_without_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dhcp.log").write_text("")
    assert run(["assets", "build", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert "0 rows" in capsys.readouterr().err
    assert (tmp_path / "out" / "an1498-assets.ndjson").read_bytes() == b""
    assert run(["assets"]) == 2
    assert capsys.readouterr().err == "an1498: Missing command; see: an1498 assets --help\n"


def test_the_log_is_told_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text((SAMPLE / "dhcp.log").read_text())
    assert run(["assets", "build", str(tmp_path / "old.txt"), "--out", str(tmp_path)]) == 0
    assert len((tmp_path / "an1498_assets.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "give LOGS with dhcp.log files, or --cmdb FILE"),
        ([str(SAMPLE / "ssl.log")], "there is no dhcp log among LOGS"),
        ([str(SAMPLE / "scenario.yml")], "scenario.yml:1: begins"),
        (["nothing.log"], "nothing.log: cannot be read"),
        ([str(SAMPLE), "--since", "noon"], "--since: 'noon' is not a time"),
        (["--cmdb", "nothing.csv"], "nothing.csv: cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str) -> None:
    assert run(["assets", "build", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_directory_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["assets", "build", str(SAMPLE), "--out", str(tmp_path / "file")]) == 3
    assert "cannot write the table" in capsys.readouterr().err
