"""The wheel: code, content and licences inside, and a command that works from anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)], cwd=ROOT, check=True, capture_output=True
    )
    (built,) = directory.glob("*.whl")
    return built


def test_contents(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"an1498/py.typed", "an1498/pack/an1498.toml", "an1498/replay/spl/grammar.lark"} <= names
    for directory, pattern in (("rules", "*.yml"), ("pipelines", "*.yml"), ("samples", "*")):
        files = [path for path in (ROOT / directory).rglob(pattern) if path.is_file()]
        assert files
        assert {f"an1498/pack/{path.relative_to(ROOT).as_posix()}" for path in files} <= names
    for data in (ROOT / "src/an1498/content/data").rglob("*"):
        if data.is_file() and data.suffix != ".pyc":
            assert f"an1498/{data.relative_to(ROOT / 'src/an1498').as_posix()}" in names
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert {"LICENSE", "NOTICE", "LICENSE.md"} <= licences
    assert not [name for name in names if name.startswith(("tests", "bench")) or "__pycache__" in name]


def test_the_packaged_content_is_used_where_there_is_none(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "an1498", "build", "--target", "splunk", "--out", "here"]
    done = subprocess.run(command, cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (elsewhere / "here/splunk/searches.json").is_file()
    assert {path.name for path in (elsewhere / "here/splunk/an1498").glob("*.*")} >= {"LICENSE.txt", "NOTICE.txt", "LICENSE-rules.md"}
