"""A log file made fit for DuckDB's readers: plain, UTF-8, one record a line, no carriage returns, no huge lines.

DuckDB reads a plain file where it lies. Anything else is copied to the working directory, and the lines that DuckDB could get wrong are
left blank in the copy and read by the readers of `telemetry` instead, so that nothing is lost and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from an1498.errors import TelemetryError
from an1498.telemetry.files import STDIN, is_plain, opened
from an1498.telemetry.lines import split_lines

LONG = 2**20
"""Bytes of the longest line that DuckDB gets; its CSV reader holds several buffers of this size."""

FILLER = b'"an1498: not for DuckDB"'
"""Stands in a copy of a JSON log for a blank line, which DuckDB would skip (and then its numbers would be wrong), or one not for DuckDB."""

_BLOCK = 2**23
_BLANK_SIGNS = (b"\n\n", b"\n ", b"\n\t", b"\n\v", b"\n\f")
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Clean:
    """`path` is what DuckDB reads, `lines` how many lines it has, `blank` ones included. `odd` are the lines (number → bytes) that
    it has not got and that must be read otherwise. `damage` says why the file ends before its end."""

    path: Path
    lines: int = 0
    blank: int = 0
    odd: dict[int, bytes] = field(default_factory=dict)
    damage: TelemetryError | None = None

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """(line number, line) of the lines that DuckDB gets, blank ones left out."""
        with self.path.open("rb") as stream:
            for number, line in enumerate(split_lines(stream), 1):
                if line and line != FILLER and not line.isspace():
                    yield number, line


def clean(path: Path, work: Path, *, json: bool) -> Clean:
    """Look at every byte of the file; copy it below `work` where DuckDB cannot read it as it is. `json` says which of its readers will.

    Raises TelemetryError where nothing of the file can be read; damage further on is noted in the result."""
    if path != STDIN and path.is_file() and is_plain(path):
        counted = _count(path, json)
        if counted is not None:
            return Clean(path, *counted)
    return _copy(path, work / "clean.log", FILLER if json else b"")


def whole_lines(path: Path) -> Iterator[bytes]:
    """The file in pieces of whole lines; a line feed is added where the last line has none. A piece is longer than LONG where a line is."""
    rest = b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            whole, feed, tail = block.rpartition(b"\n")
            if feed:
                yield rest + whole + feed
                rest = tail
            else:
                rest += block
                if len(rest) > LONG:
                    yield rest
                    rest = b""
    if rest:
        yield rest + b"\n"


def header_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, line) of the lines that begin with `#`, in a file that `clean` gave."""
    before = 0
    for text in whole_lines(path):
        start = 0 if text.startswith(b"#") else text.find(b"\n#") + 1
        counted = 0
        number = before + 1
        while start or (start == 0 and counted == 0 and text.startswith(b"#")):
            number += text.count(b"\n", counted, start)
            counted = start
            end = text.index(b"\n", start)
            yield number, text[start:end]
            start = text.find(b"\n#", end) + 1
        before += text.count(b"\n")


def _count(path: Path, json: bool) -> tuple[int, int] | None:
    """(lines, blank lines) of a file that needs no copy; None where it needs one."""
    lines = blank = 0
    for text in whole_lines(path):
        if not _fit(text):
            return None
        if _has_blank(text):
            if json:
                return None
            blank += sum(not line or line.isspace() for line in text[:-1].split(b"\n"))
        lines += text.count(b"\n")
    return lines, blank


def _has_blank(text: bytes) -> bool:
    """Whether one of these whole lines may be blank."""
    return text.startswith((b"\n", b" ", b"\t", b"\v", b"\f")) or any(sign in text for sign in _BLANK_SIGNS)


def _fit(text: bytes) -> bool:
    if b"\r" in text or b"\0" in text or not _short(text):
        return False
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _short(text: bytes) -> bool:
    """Whether no line is longer than LONG; looks at one place every LONG bytes, not at every line."""
    position = 0
    while position + LONG < len(text):
        end = text.rfind(b"\n", position, position + LONG)
        if end < 0:
            return False
        position = end + 1
    return True


def _copy(path: Path, copy: Path, filler: bytes) -> Clean:
    found = Clean(copy)
    with copy.open("wb") as target:
        try:
            with opened(path) as stream:
                for number, raw in enumerate(split_lines(stream), 1):
                    line = raw.rstrip(b"\r")
                    if number == 1:
                        line = line.removeprefix(_BOM)
                    found.lines = number
                    if not line or line.isspace():
                        found.blank += 1
                        line = filler
                    elif len(line) > LONG or not _fit(line):
                        found.odd[number] = line
                        line = filler
                    target.write(line + b"\n")
        except TelemetryError as error:
            if not found.lines:
                raise
            found.damage = error
    return found
