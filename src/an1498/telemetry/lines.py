"""The lines of a log file, plain or gzip, each with its number."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from an1498.errors import Location, TelemetryError
from an1498.telemetry.reject import Malformed, quoted

_GZIP = b"\x1f\x8b"
_OTHER_COMPRESSION = {b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip"}
_BOM = b"\xef\xbb\xbf"


def shown(path: Path) -> str:
    """The path as messages show it: relative to the working directory where it lies below it, else absolute."""
    absolute = path.absolute()
    working = Path.cwd()
    return str(absolute.relative_to(working) if absolute.is_relative_to(working) else absolute)


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line without its end) of every line that is not blank. A byte order mark is dropped.

    The file may be gzip, whatever its name. Raises TelemetryError where it cannot be read to its end: it is missing, not a
    file, compressed otherwise, or a damaged gzip."""
    name = shown(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TelemetryError(Location(name), "is not a regular file", "give the path of a log file")
        with path.open("rb") as raw:
            stream = _opened(raw, name)
            number = 0
            for number, line in enumerate(stream, 1):
                text = line.rstrip(b"\r\n")
                if number == 1:
                    text = text.removeprefix(_BOM)
                if text and not text.isspace():
                    yield number, text
    except (OSError, ValueError, EOFError, zlib.error) as error:
        if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
            raise TelemetryError(Location(name), f"is a damaged gzip file: {error}", "copy it again from its source") from None
        reason = getattr(error, "strerror", None) or str(error)
        raise TelemetryError(Location(name), f"cannot be read: {reason}", "check the path and its permissions") from None


def _opened(raw: BinaryIO, name: str) -> BinaryIO:
    start = raw.read(6)
    raw.seek(0)
    for magic, kind in _OTHER_COMPRESSION.items():
        if start.startswith(magic):
            raise TelemetryError(Location(name), f"is compressed with {kind}", "decompress it, or compress it with gzip")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TelemetryError(Location(name), "is UTF-16", "save it as UTF-8")
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if start.startswith(_GZIP) else raw


def decoded(line: bytes) -> str:
    """The line as text. Raises Malformed where it is not UTF-8 or holds a NUL byte."""
    if b"\0" in line:
        raise Malformed("the line has a NUL byte", "copy the log again; a crash may have left a hole in it")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"the line is not UTF-8: byte 0x{line[error.start]:02x} after {quoted(line[max(0, error.start - 20) : error.start])}"
        raise Malformed(problem, "write the log as UTF-8") from None
