"""A log file written into a temporary working directory, so that messages show its bare name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """`write(name, *lines)`: lines as text (an end of line is added) or as bytes (written as they are)."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, *lines: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines))
        return path

    return written
