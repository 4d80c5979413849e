"""`an1498 conformance`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import ROOT, Command

NAMES = ("event_count_sliding", "ordered_pair")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    for name in NAMES:
        shutil.copy(ROOT / "conformance" / f"{name}.yml", tmp_path)
    return tmp_path


def test_the_table_and_each_difference(an1498: Command, few: Path) -> None:
    done = an1498("conformance", few)
    assert done.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if line.startswith(NAMES) and "×" not in line}
    assert rows["ordered_pair"][:5] == ["pass", "pass", "pass", "pass", "refused"]
    assert rows["event_count_sliding"][4:6] == ["FAIL", "FAIL"]
    assert "event_count_sliding × pysigma-splunk: FAIL. " in done.out
    assert "  missing: m1 at 2026-" in done.out
    assert "ordered_pair × pysigma-eql: invalid syntax. " in done.out
    assert "note: pysigma-splunk refused 1: Correlation type 'temporal_ordered'" in done.err


def test_chosen_backends_as_json(an1498: Command, few: Path) -> None:
    done = an1498("conformance", few, "--backend", "an1498-spl", "--backend", "pysigma-eql", "--format", "json")
    assert done.code == 0
    page = json.loads(done.out)
    assert page["failed"] is False
    assert page["totals"]["an1498-spl"] == {"pass": 2}
    assert [case["case"] for case in page["cases"]] == list(NAMES)
    assert page["cases"][1]["verdicts"]["pysigma-eql"]["status"] == "invalid syntax"


def test_markdown(an1498: Command, few: Path) -> None:
    done = an1498("conformance", few, "--backend", "pysigma-esql", "--format", "markdown")
    assert "| `event_count_sliding` | **fail** |" in done.out
    assert "| **all** | 0/2 |" in done.out


def test_a_wrong_answer_of_ours_is_exit_1(an1498: Command, few: Path) -> None:
    path = few / "ordered_pair.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("group: {host: m1}", "group: {host: m2}"), encoding="utf-8")
    done = an1498("conformance", few, "--backend", "an1498-eql")
    assert done.code == 1
    assert "ordered_pair × an1498-eql: FAIL." in done.out
    assert an1498("conformance", few, "--backend", "pysigma-splunk").code == 0


def test_an_unknown_backend(an1498: Command, few: Path) -> None:
    done = an1498("conformance", few, "--backend", "an1498-spll")
    assert done.code == 2
    assert done.error == "an1498: there is no backend 'an1498-spll'; did you mean 'an1498-spl'?"


def test_a_directory_without_cases(an1498: Command, tmp_path: Path) -> None:
    done = an1498("conformance", tmp_path)
    assert done.code == 2
    assert "has no conformance case" in done.error
