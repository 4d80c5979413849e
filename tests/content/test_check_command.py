"""`an1498 check`: formats, exit codes, paths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from an1498.cli.program import run

RULE = "rules/network/zeek_self_signed.yml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["check", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_warnings_alone_are_no_failure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys)
    assert (code, err) == (0, "1 warning\n")
    assert out.startswith("rules/correlation/self_signed_burst.yml:1:1: warning AN115 scenario-coverage: no scenario")
    assert root == Path.cwd()


def test_an_error_finding_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root / RULE, "level: low", "level: high")
    code, out, err = outcome(capsys, RULE)
    assert (code, err) == (1, "1 error\n")
    assert out == (
        f"{RULE}:26:1: error AN109 event-rule-level: event rule 'zeek_self_signed' has level 'high'; "
        "write 'low' or 'informational', and alert from a correlation\n"
    )


def test_all_malformed_files_are_told_at_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root / RULE, "level: low", "level: hihg")
    edit(root / "an1498.toml", 'interval = "5m"', 'intervall = "5m"')
    (root / "pipelines/elastic/both.yml").write_text("", encoding="utf-8")
    (root / "samples/quiet/scenario.yml").write_text("a: [", encoding="utf-8")
    code, out, _ = outcome(capsys, "--format", "json")
    data = json.loads(out)
    assert code == 2
    assert data["error"] == len(data["findings"])
    # Nothing is said about the correlations and the filter that name the broken rule.
    assert [row["file"] for row in data["findings"]] == ["an1498.toml", "pipelines/elastic/both.yml", RULE, "samples/quiet/scenario.yml"]
    assert {"file": RULE, "line": 26, "column": 1, "code": "AN008"}.items() <= next(
        row for row in data["findings"] if row["file"] == RULE and row["line"] == 26
    ).items()


@pytest.mark.parametrize("text", ["", "[pack", "x = 1\n"])
def test_unusable_settings(root: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (root / "an1498.toml").write_text(text, encoding="utf-8")
    code, out, err = outcome(capsys, RULE)
    assert (code, err) == (2, "1 error\n")
    assert out.startswith("an1498.toml:")


def test_paths_limit_the_findings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root / RULE, "level: low", "level: high")
    assert outcome(capsys, "rules/endpoint") == (0, "", "no findings\n")
    assert outcome(capsys, "rules/endpoint", "rules/network")[0] == 1
    assert outcome(capsys, "samples")[0] == 0


def test_a_path_that_is_not_there(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys, "rules/nothing.yml")
    assert (code, out) == (2, "")
    assert err == "an1498: rules/nothing.yml: there is no such file or directory\n"
    assert root.is_dir()


def test_a_rule_outside_takes_the_place_of_its_namesake(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft = tmp_path / "zeek_self_signed.yml"
    draft.write_text((root / RULE).read_text(encoding="utf-8").replace("level: low", "level: high"), encoding="utf-8")
    code, out, _ = outcome(capsys, str(draft))
    assert code == 1
    assert out.startswith(f"{draft}:26:1: error AN109")
    draft.write_text("title: [", encoding="utf-8")
    assert outcome(capsys, str(draft))[0] == 2


def test_scenarios_and_overlays_outside(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "scenario.yml").write_text("title: x\nsources: []\nexpect: []\n", encoding="utf-8")
    code, out, _ = outcome(capsys, str(other))
    assert (code, out.split(": ")[0]) == (2, f"{other}/scenario.yml:2:1")
    overlay = tmp_path / "site.toml"
    overlay.write_text('[parameters]\ntime_windw = "1m"\n', encoding="utf-8")
    code, out, _ = outcome(capsys, str(overlay))
    assert (code, out.split(": ")[0]) == (2, f"{overlay}:2:1")
    assert root.is_dir()


def test_a_content_root_as_path(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    edit(root / RULE, "level: low", "level: high")
    code, out, _ = outcome(capsys, "root")
    assert code == 1
    assert f"root/{RULE}:26:1: error AN109" in out


def test_sarif_is_valid_and_complete(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root / RULE, "level: low", "level: high")
    code, out, _ = outcome(capsys, "--format", "sarif")
    log = json.loads(out)
    assert code == 1
    assert log["version"] == "2.1.0"
    (run_,) = log["runs"]
    rules = run_["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"] and rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for result in run_["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        (place,) = result["locations"]
        assert "\\" not in place["physicalLocation"]["artifactLocation"]["uri"]
        assert place["physicalLocation"]["region"]["startLine"] >= 1
    assert {(result["ruleId"], result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for result in run_["results"]} == {
        ("AN109", RULE),
        ("AN115", "rules/correlation/self_signed_burst.yml"),
    }


def test_sarif_of_a_whole_file_has_no_region(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / RULE).write_bytes(b"x" * 3_000_000)
    _, out, _ = outcome(capsys, "--format", "sarif", RULE)
    (result,) = json.loads(out)["runs"][0]["results"]
    assert result["ruleId"] == "AN001"
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": RULE}}}]
