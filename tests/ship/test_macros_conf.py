"""macros.conf, written and read."""

from __future__ import annotations

from pathlib import Path

import pytest

from an1498.errors import UsageError
from an1498.ship import macros_conf, read_macros_conf


@pytest.mark.parametrize(
    "macros",
    [
        {},
        {"a": '(index=zeek sourcetype="bro:ssl:json")'},
        {"b": "x=1 OR\ny=2", "a": "index=main"},
        {"count(2)": "stats count by $a$ | where count>$b$"},
    ],
)
def test_round_trip(tmp_path: Path, macros: dict[str, str]) -> None:
    file = tmp_path / "macros.conf"
    file.write_text(macros_conf(macros), encoding="utf-8")
    assert read_macros_conf(file) == macros


def test_what_people_write_is_read(tmp_path: Path) -> None:
    file = tmp_path / "macros.conf"
    file.write_text(
        "# ours\r\n\r\n[ a ]\r\ndefinition=index=main \\\r\n  sourcetype=x\r\nargs = n\r\niseval = 0\r\n[b]\ndefinition =  b = 1  \n"
    )
    assert read_macros_conf(file) == {"a": "index=main \n  sourcetype=x", "b": "b = 1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"definition = x\n", r"macros\.conf:1: expected '\[macro name\]'"),
        (b"[a]\nfoo\n", r"macros\.conf:2: expected"),
        (b"[a]\niseval = true\n", r"macros\.conf:2: macro 'a' is an eval expression"),
        (b"[a]\ndefinition = \xff\n", "must be UTF-8"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "macros.conf"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_macros_conf(file)
    with pytest.raises(UsageError, match="cannot read the macros"):
        read_macros_conf(tmp_path / "absent.conf")
