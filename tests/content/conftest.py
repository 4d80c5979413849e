"""A small content root that loads and lints clean, copied for each test that changes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

PACK = Path(__file__).parent / "pack"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of tests/content/pack, which is also the working directory, so that messages show relative paths."""
    copy = tmp_path / "root"
    shutil.copytree(PACK, copy)
    monkeypatch.chdir(copy)
    return copy
