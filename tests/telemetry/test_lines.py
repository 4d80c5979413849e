"""Files as a whole: compression, encodings, files that are none, formats that do not exist."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from an1498.errors import TelemetryError, UsageError
from an1498.telemetry import Reject, read_log, scan_log
from an1498.telemetry.lines import LONGEST

Write = Callable[..., Path]

LINE = b'{"timestamp":"2026-01-15 10:00:07+0000"}\n'


@pytest.mark.parametrize("name", ["u.ndjson.gz", "u.ndjson"])
def test_gzip_is_known_by_its_bytes(write: Write, name: str) -> None:
    path = write(name, gzip.compress(LINE) + gzip.compress(LINE))
    assert [event.location.line for event in read_log(path, "unifiedlog")] == [1, 2]


def test_zstd_frames_follow_each_other(write: Write) -> None:
    path = write("u.ndjson", zstandard.compress(LINE) + zstandard.compress(LINE * 2))
    assert [event.location.line for event in read_log(path, "unifiedlog")] == [1, 2, 3]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark(write: Write, encoding: str) -> None:
    line = '{"timestamp":"2026-01-15 10:00:07+0000","eventMessage":"Žluťoučký 🐎"}\n'
    path = write("u.ndjson", ("\ufeff" + line * 3000).encode(encoding))
    assert [event.fields["eventMessage"] for event in read_log(path, "unifiedlog")] == ["Žluťoučký 🐎"] * 3000


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LINE))))
    assert [str(event.location) for event in read_log(Path("-"), "unifiedlog")] == ["<stdin>:1"]


def test_a_line_that_never_ends_is_one_reject(write: Write) -> None:
    path = write("u.ndjson", LINE, b"x" * (2 * LONGEST + 5) + b"\n", LINE)
    first, long, last = scan_log(path, "unifiedlog")
    assert (
        isinstance(long, Reject)
        and str(long.error()) == "u.ndjson:2: the line is longer than 16 MiB; split it; a log record is a few kilobytes"
    )
    assert [item.location.line for item in (first, last)] == [1, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(LINE * 50, mtime=0)[:-12], "u.ndjson: is a damaged gzip file: Compressed file ended before"),
        (b"\x1f\x8bnonsense and more of it", "u.ndjson: is a damaged gzip file: Unknown compression method"),
        (b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + b"\xff" * 40, "u.ndjson: is a damaged gzip file: Error -3"),
        (gzip.compress(LINE, mtime=0)[:-8] + b"\0" * 8, "u.ndjson: is a damaged gzip file: CRC check failed"),
        (b"\x28\xb5\x2f\xfd....", "u.ndjson: is a damaged zstd file: "),
        (zstandard.compress(LINE * 50)[:-9], "u.ndjson: is a damaged zstd file: the file ended before the end of its last frame"),
        (b"BZh91AY", "u.ndjson: is compressed with bzip2;"),
        (b"PK\x03\x04..", "u.ndjson: is compressed with zip;"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end(write: Write, content: bytes, message: str) -> None:
    path = write("u.ndjson", content)
    with pytest.raises(TelemetryError) as caught:
        list(read_log(path, "unifiedlog"))
    assert str(caught.value).startswith(message)


def test_a_file_that_is_not_there(write: Write) -> None:
    path = write("u.ndjson").with_name("other.ndjson")
    with pytest.raises(TelemetryError, match=r"^other.ndjson: cannot be read: No such file or directory; check the path"):
        list(read_log(path, "unifiedlog"))


def test_a_directory(write: Write) -> None:
    path = write("u.ndjson").parent / "folder"
    path.mkdir()
    with pytest.raises(TelemetryError, match=r"^folder: is not a regular file; give the path of a log file"):
        list(read_log(path, "unifiedlog"))


def test_a_pipe_is_refused_rather_than_waited_for(write: Write) -> None:
    path = write("u.ndjson").parent / "pipe"
    os.mkfifo(path)
    with pytest.raises(TelemetryError, match=r"^pipe: is not a regular file"):
        list(read_log(path, "unifiedlog"))


@pytest.mark.parametrize(
    ("format", "message"),
    [
        ("zeeek", "the log format 'zeeek' is unknown; did you mean 'zeek'?"),
        ("csv", "the log format 'csv' is unknown; choose one of unifiedlog, zeek, splunk, elastic"),
    ],
)
def test_an_unknown_format(format: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(read_log(Path("u.ndjson"), format))
    assert str(caught.value) == message
