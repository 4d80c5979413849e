"""CSV lookups."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from an1498.errors import UsageError
from an1498.replay.lookup import read_lookup


def test_reads_columns_rows_and_missing_cells(tmp_path: Path) -> None:
    file = tmp_path / "assets.csv"
    file.write_text('\ufeffip,host\n10.0.0.1,"mac, one"\n10.0.0.2,\n\n', encoding="utf-8")
    lookup = read_lookup(file)
    assert (lookup.name, lookup.columns) == ("assets", ("ip", "host"))
    assert lookup.rows == (("10.0.0.1", "mac, one"), ("10.0.0.2", None))


def test_scan_prefixes_the_columns(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Ip,ip\n1,2\n")
    connection = duckdb.connect()
    scan = read_lookup(file, "assets").scan(connection, "r.")
    assert scan.columns == ("r.Ip", "r.ip")
    assert connection.execute(f'SELECT * FROM "{scan.table}"').fetchall() == [(0, 0, "1", "2")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: a lookup needs a header"),
        ("a,\n1,2\n", ":1: a lookup needs a header"),
        ("a,a\n1,2\n", ":1: two columns"),
        ("a,b\n1\n", ":2: 1 cells, the header has 2"),
        ('a\n"x\n', "unexpected end of data"),
    ],
)
def test_malformed_files(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_lookup(file)


def test_bytes_that_are_not_text_and_a_missing_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a\n\xff\n")
    with pytest.raises(UsageError, match="UTF-8"):
        read_lookup(file)
    with pytest.raises(UsageError, match="cannot read"):
        read_lookup(tmp_path / "none.csv")
