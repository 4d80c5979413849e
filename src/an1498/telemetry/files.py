"""A log file as a stream of UTF-8 bytes: plain, gzip, zstd, UTF-16 with a byte order mark, or the standard input."""

from __future__ import annotations

import codecs
import gzip
import io
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from an1498.errors import Location, TelemetryError

STDIN = Path("-")
"""The path that stands for the standard input."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OTHER_COMPRESSION = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip"}
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_PEEK = 64
_READ = 2**17


def shown(path: Path) -> str:
    """The path as messages show it: relative to the working directory where it lies below it, else absolute."""
    if path == STDIN:
        return "<stdin>"
    absolute = path.absolute()
    working = Path.cwd()
    return str(absolute.relative_to(working) if absolute.is_relative_to(working) else absolute)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed, UTF-16 turned into UTF-8.

    Raises TelemetryError, also out of the `with` block, where the file cannot be read to its end: missing, not a regular file,
    compressed otherwise, or damaged."""
    name = shown(path)
    try:
        if path == STDIN:
            yield _decoded(_decompressed(io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer)), name))
            return
        if not stat.S_ISREG(path.stat().st_mode):
            raise TelemetryError(Location(name), "is not a regular file", "give the path of a log file")
        with path.open("rb") as raw:
            yield _decoded(_decompressed(raw, name))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TelemetryError(Location(name), f"is a damaged gzip file: {error}", "copy it again from its source") from None
    except zstandard.ZstdError as error:
        raise TelemetryError(Location(name), f"is a damaged zstd file: {error}", "copy it again from its source") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TelemetryError(Location(name), f"cannot be read: {reason}", "check the path and its permissions") from None


def is_plain(path: Path) -> bool:
    """Whether the file's bytes are what `opened` gives, so that another program may read the file itself."""
    with path.open("rb") as raw:
        start = raw.read(4)
    return not start.startswith((_GZIP, _ZSTD, *_UTF16, *_OTHER_COMPRESSION, codecs.BOM_UTF8))


def _decompressed(raw: io.BufferedReader, name: str) -> io.BufferedReader | gzip.GzipFile:
    start = raw.peek(_PEEK)[:_PEEK]
    for magic, kind in _OTHER_COMPRESSION.items():
        if start.startswith(magic):
            raise TelemetryError(Location(name), f"is compressed with {kind}", "decompress it, or compress it with gzip or zstd")
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw)
    if start.startswith(_ZSTD):
        return io.BufferedReader(_Frames(raw))
    return raw


class _Frames(io.RawIOBase):
    """The frames of a zstd file, one after the other; unlike zstandard's own reader it takes a file that ends early for damaged."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            if self._frame.eof:
                block = self._frame.unused_data or self._raw.read(_READ)
                if not block:
                    return 0
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            else:
                block = self._raw.read(_READ)
                if not block:
                    raise zstandard.ZstdError("the file ended before the end of its last frame")
            self._ready = memoryview(self._frame.decompress(block))
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def _decoded(stream: io.BufferedReader | gzip.GzipFile) -> BinaryIO:
    encoding = _UTF16.get(stream.peek(2)[:2])
    if encoding is None:
        return cast(BinaryIO, stream)
    return cast(BinaryIO, io.BufferedReader(_Recoded(cast(BinaryIO, stream), encoding)))


class _Recoded(io.RawIOBase):
    """UTF-16 as UTF-8. What UTF-16 cannot pair becomes bytes that UTF-8 cannot read, so that its line is rejected and not changed."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            block = self._stream.read(_READ)
            # An odd byte at the end raises UnicodeDecodeError, a ValueError: the file cannot be read to its end.
            text = self._decoder.decode(block, final=not block)
            if not block and not text:
                return 0
            self._ready = memoryview(text.encode("utf-8", "surrogatepass"))
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size
