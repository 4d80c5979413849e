"""Read a content file as text, refusing what cannot be one: every problem is a ContentError with a place and a remedy."""

from __future__ import annotations

import stat
from pathlib import Path

from an1498.errors import ContentError, Location

MAX_BYTES = 2 * 1024 * 1024
MAX_LINE = 100_000


def label(path: Path) -> str:
    """The path as messages show it: relative to the working directory where it lies below it, else absolute."""
    absolute = path.absolute()
    working = Path.cwd()
    return str(absolute.relative_to(working) if absolute.is_relative_to(working) else absolute)


def read_text(path: Path) -> str:
    """The file's text without a byte order mark. Raises ContentError for a file that is missing, unreadable, not a regular
    file, larger than 2 MiB, not UTF-8, or that holds NUL bytes or a line of more than 100,000 characters."""
    shown = label(path)
    try:
        # Asked before it is opened: opening a pipe would wait for a writer.
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise ContentError(Location(shown), f"is {kind}", "give the path of a text file", "unreadable-file")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ContentError(Location(shown), f"cannot be read: {reason}", "check the path and its permissions", "unreadable-file") from None
    if len(data) > MAX_BYTES:
        raise ContentError(
            Location(shown),
            f"has {len(data):,} bytes, more than the {MAX_BYTES:,} that a content file may have",
            "split it, or move data to a sample log",
            "unreadable-file",
        )
    return _checked(_decoded(data, shown), shown)


def _decoded(data: bytes, shown: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContentError(Location(shown, 1, 1), "is UTF-16", "save it as UTF-8", "not-utf8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        problem = f"is not UTF-8: byte 0x{data[error.start]:02x}"
        raise ContentError(Location(shown, line, column), problem, "save it as UTF-8", "not-utf8") from None


def _checked(text: str, shown: str) -> str:
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        column = nul - text.rfind("\n", 0, nul)
        raise ContentError(Location(shown, line, column), "has a NUL byte", "remove it; content files are plain UTF-8 text", "not-utf8")
    if len(text) > MAX_LINE:
        for number, line_text in enumerate(text.split("\n"), 1):
            if len(line_text) > MAX_LINE:
                raise ContentError(
                    Location(shown, number, 1),
                    f"has a line of {len(line_text):,} characters, more than {MAX_LINE:,}",
                    "break the line",
                    "unreadable-file",
                )
    return text
