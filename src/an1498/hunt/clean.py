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

_BLOCK = 2**20
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


def clean(path: Path, work: Path, *, json: bool, copy: bool = False) -> Clean:
    """Look at every byte of the file; copy it below `work` where DuckDB cannot read it as it is, or where `copy` asks for it. `json` says
    which of DuckDB's readers will.

    Raises TelemetryError where nothing of the file can be read; damage further on is noted in the result."""
    if not copy and path != STDIN and path.is_file() and is_plain(path):
        counted = _count(path, json)
        if counted is not None:
            return Clean(path, *counted)
    return _copy(path, work / "clean.log", FILLER if json else b"")


def whole_lines(path: Path) -> Iterator[bytes]:
    """The file in pieces of whole lines; a line feed is added where the last line has none. Of a line longer than LONG the piece is
    longer than LONG, and may end before the line does."""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if not block.endswith(b"\n"):
                block += stream.readline(2 * LONG)
            yield block if block.endswith(b"\n") else block + b"\n"


def header_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, line) of the lines that begin with `#`, in a file that `clean` gave."""
    before = 0
    for text in whole_lines(path):
        if text.startswith(b"#") or b"\n#" in text:
            for number, line in enumerate(text[:-1].split(b"\n"), before + 1):
                if line.startswith(b"#"):
                    yield number, line
        before += text.count(b"\n")


def _count(path: Path, json: bool) -> tuple[int, int] | None:
    """(lines, blank lines) of a file that needs no copy; None where it needs one. A line of blanks is not seen here; the readers are told
    of it as an odd one."""
    lines = blank = 0
    for text in whole_lines(path):
        if not _fit(text):
            return None
        if b"\n\n" in text or text.startswith(b"\n"):
            if json:
                return None
            blank += text[:-1].split(b"\n").count(b"")
        lines += text.count(b"\n")
    return lines, blank


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
