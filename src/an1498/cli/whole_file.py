"""A file that is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from an1498.errors import UsageError


def write_whole(path: Path, text: str) -> None:
    """Write beside the file and rename, so that nobody finds half of it; its directory is made where it is not there. What UTF-8 cannot
    say (a lone surrogate of a log) is written as an escape. Raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", errors="backslashreplace")  # /dev/stdout, a pipe
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
            mask = os.umask(0)
            os.umask(mask)
            beside.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
            beside.replace(path)
        except BaseException:
            beside.unlink()
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; check the path and its permissions") from None
