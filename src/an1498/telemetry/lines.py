"""The lines of a log file, each with its number; what the bytes may be (compression, encoding) is the business of `files`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from an1498.telemetry.files import opened, shown
from an1498.telemetry.reject import Malformed, quoted

LONGEST = 16 * 2**20
"""Bytes of the longest line that is read as a record; the longest unified log record is a thousandth of it."""

_BLOCK = 2**20
_BOM = b"\xef\xbb\xbf"

__all__ = ["LONGEST", "decoded", "read_lines", "shown", "split_lines"]


def read_lines(path: Path, longest: int = LONGEST) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line without its end) of every line that is not blank. A byte order mark is dropped.

    The file may be compressed (gzip, zstd) or UTF-16, whatever its name; `-` is the standard input. Raises TelemetryError where
    it cannot be read to its end: it is missing, not a file, compressed otherwise, or damaged."""
    with opened(path) as stream:
        for number, line in enumerate(split_lines(stream, longest), 1):
            text = line.rstrip(b"\r")
            if number == 1:
                text = text.removeprefix(_BOM)
            if text and not text.isspace():
                yield number, text


def split_lines(stream: BinaryIO, longest: int = LONGEST) -> Iterator[bytes]:
    """The lines without their line feeds. Of a line with more than `longest` bytes only one more than these are kept, so that a file
    without line feeds cannot fill the memory; `decoded` refuses it."""
    pending: list[bytes] = []
    size = 0
    # `read1` gives what there is before the damage of a damaged file; `read` would want a whole block or nothing.
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    while block := read(_BLOCK):
        first, *others = block.split(b"\n")
        if size <= longest:
            pending.append(first)
            size += len(first)
        if others:
            yield b"".join(pending)[: longest + 1]
            yield from others[:-1]
            pending, size = [others[-1]], len(others[-1])
    if size:
        yield b"".join(pending)[: longest + 1]


def decoded(line: bytes, longest: int = LONGEST) -> str:
    """The line as text. Raises Malformed where it is too long, not UTF-8 or holds a NUL byte."""
    if len(line) > longest:
        raise Malformed(f"the line is longer than {longest // 2**20} MiB", "split it; a log record is a few kilobytes")
    if b"\0" in line:
        raise Malformed("the line has a NUL byte", "copy the log again; a crash may have left a hole in it")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"the line is not UTF-8: byte 0x{line[error.start]:02x} after {quoted(line[max(0, error.start - 20) : error.start])}"
        raise Malformed(problem, "write the log as UTF-8") from None
