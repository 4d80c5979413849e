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
"""Bytes of the longest line that DuckDB surely gets; its CSV reader holds several buffers of this size."""

FILLER = b'"an1498: not for DuckDB"'
"""Stands in a copy of a JSON log for a blank line, which DuckDB would skip (and then its numbers would be wrong), or one not for DuckDB."""

_BLOCK = 2**20
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Clean:
    """`path` is what DuckDB reads, `lines` how many lines it has, blank ones included. `odd` are the lines (number → bytes) that it has not
    got and that must be read otherwise. `damage` says why the file ends before its end."""

    path: Path
    lines: int = 0
    odd: dict[int, bytes] = field(default_factory=dict)
    damage: TelemetryError | None = None

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """(line number, line) of the lines that DuckDB gets, blank ones left out."""
        with self.path.open("rb") as stream:
            for number, line in enumerate(split_lines(stream), 1):
                if line and line != FILLER and not line.isspace():
                    yield number, line


def clean(path: Path, copy: Path, *, json: bool, always: bool = False) -> Clean:
    """The file itself, or a `copy` where DuckDB's reader (`json` says which one) cannot read it as it is, or `always` is asked for.

    DuckDB itself refuses a file that is not UTF-8 or has too long a line, and its count of JSON records shows whether it skipped a line:
    then the caller asks for the copy. Raises TelemetryError where nothing of the file can be read; damage further on is noted in
    the result."""
    if not always and path != STDIN and path.is_file() and is_plain(path):
        lines = _lines(path, json)
        if lines is not None:
            return Clean(path, lines)
    return _copy(path, copy, FILLER if json else b"")


def _lines(path: Path, json: bool) -> int | None:
    """How many lines a file has; None where they end in an odd way for DuckDB. This looks at every byte of an archive, hence the buffer."""
    block = bytearray(_BLOCK)
    lines, ended = 0, True
    with path.open("rb", buffering=0) as stream:
        while size := stream.readinto(block):
            text = block if size == _BLOCK else block[:size]
            if not json and (b"\r" in text or b"\0" in text):
                return None
            lines += text.count(b"\n")
            ended = text.endswith(b"\n")
    return lines if ended else lines + 1


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


def _fit(text: bytes) -> bool:
    if b"\r" in text or b"\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
