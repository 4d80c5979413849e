"""Malformed content: each mistake is exactly one located error with a remedy, whatever its kind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from an1498.content import load_pack
from an1498.content.scenarios import load_scenario
from an1498.errors import ContentError

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "malformed.yml").read_text(encoding="utf-8"))
RULE = Path("rules/network/zeek_self_signed.yml")
LOADED = [RULE, Path("an1498.toml"), Path("pipelines/elastic/both.yml"), Path("samples/fires/scenario.yml"), Path("prod.toml")]


def load(root: Path, changed: Path) -> None:
    pack = load_pack(root, [root / changed] if changed.name == "prod.toml" else [])
    if changed.name == "scenario.yml":
        load_scenario(root / changed, pack)


def failure(root: Path, changed: Path) -> ContentError:
    with pytest.raises(ContentError) as caught:
        load(root, changed)
    error = caught.value
    assert error.remedy
    assert error.exit_code == 2
    assert "\n" not in str(error)
    assert str(error) == f"{error.location}: {error.problem}; {error.remedy}"
    return error


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_mistake_is_one_located_error(case: dict[str, Any], root: Path) -> None:
    file = root / case["file"]
    if "text" in case:
        file.write_text(case["text"], encoding="utf-8")
    else:
        before = file.read_text(encoding="utf-8")
        assert case["old"] in before
        file.write_text(before.replace(case["old"], case["new"], 1), encoding="utf-8")
    error = failure(root, Path(case["file"]))
    assert str(error.location) == case["at"]
    assert error.problem.startswith(case["says"])
    assert error.remedy.startswith(case["remedy"])


def test_there_are_cases_for_every_kind_of_file() -> None:
    assert len(CASES) >= 30
    assert {"rules", "an1498.toml", "prod.toml", "pipelines", "samples"} == {case["file"].split("/")[0] for case in CASES}


@pytest.mark.parametrize("file", LOADED, ids=str)
@pytest.mark.parametrize(
    ("data", "line", "column", "says"),
    [
        (b"title: a\nname: b\0c\n", 2, 8, "has a NUL byte"),
        ("title: a\n".encode("utf-16"), 1, 1, "is UTF-16"),
        (b"title: a\nname: caf\xe9\n", 2, 10, "is not UTF-8: byte 0xe9"),
        (b"title: " + b"x" * 5_000_000 + b"\n", 0, 0, "has 5,000,008 bytes"),
        (b"a: b\ntitle: " + b"x" * 150_000 + b"\n", 2, 1, "has a line of 150,007 characters"),
        (b"\x7fELF\x02\x01\x01\0\0\0", 1, 8, "has a NUL byte"),
    ],
    ids=["nul", "utf-16", "latin-1", "5-mb-line", "long-line", "program"],
)
def test_bytes_that_are_no_text(root: Path, file: Path, data: bytes, line: int, column: int, says: str) -> None:
    (root / file).write_bytes(data)
    error = failure(root, file)
    assert (error.location.file, error.location.line, error.location.column) == (str(file), line, column)
    assert error.problem.startswith(says)


@pytest.mark.parametrize("file", [path for path in LOADED if path.name != "scenario.yml"], ids=str)
def test_a_directory_in_place_of_a_file(root: Path, file: Path) -> None:
    (root / file).unlink(missing_ok=True)
    (root / file).mkdir()
    assert failure(root, file).problem == "is a directory"


@pytest.mark.parametrize("file", LOADED, ids=str)
def test_a_link_to_nothing(root: Path, file: Path) -> None:
    (root / file).unlink(missing_ok=True)
    (root / file).symlink_to("nowhere")
    error = failure(root, file)
    assert (error.location.file, error.problem) == (str(file), "cannot be read: No such file or directory")


@pytest.mark.parametrize("file", LOADED, ids=str)
def test_a_pipe_is_refused_without_waiting_for_a_writer(root: Path, file: Path) -> None:
    (root / file).unlink(missing_ok=True)
    os.mkfifo(root / file)
    assert failure(root, file).problem == "is not a regular file"


@pytest.mark.parametrize("file", LOADED, ids=str)
def test_permission_denied(root: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / file).touch()
    read = Path.read_bytes

    def denied(path: Path) -> bytes:
        if path == root / file:
            raise PermissionError(13, "Permission denied")
        return read(path)

    # The tests may run as root, who may read everything.
    monkeypatch.setattr(Path, "read_bytes", denied)
    assert failure(root, file).problem == "cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("9" * 5000, "has '999"),
        ("[" * 5000, "is not valid YAML: exceeded maximum nesting depth"),
        ("0x_", "has '0x_', which is not a usable number"),
        ("1e999", "'rank' is text"),
        ("'\ud83d'", "is not UTF-8"),
        ('"\\ud83d"', "is not valid YAML"),
    ],
)
def test_odd_scalars(root: Path, value: str, says: str) -> None:
    text = (root / RULE).read_text(encoding="utf-8").replace("rank: 1", f"rank: {value}")
    (root / RULE).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert failure(root, RULE).problem.startswith(says)


@pytest.mark.parametrize("value", ["[" * 3000 + "]" * 3000, "{a=" * 3000 + "1" + "}" * 3000])
def test_deep_toml(root: Path, value: str) -> None:
    file = root / "an1498.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"0s"', value), encoding="utf-8")
    assert failure(root, Path("an1498.toml")).problem == "is nested too deeply"


def test_the_untouched_pack_loads(root: Path) -> None:
    load(root, Path("samples/fires/scenario.yml"))
