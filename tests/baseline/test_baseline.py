"""A baseline of a quiet archive removes its noise and keeps a planted incident; what looks like an implant is never normal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from tests.readiness.archives import (
    IMPLANT,
    IMPLANT_SERVER,
    NOISY_AGENT,
    NOISY_LABEL,
    NOISY_SERVER,
    Archive,
    incident,
    quiet_day,
)

from an1498.cli.program import run

ROOT = Path(__file__).parents[2]
Learn = Callable[..., Any]


@pytest.fixture
def learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Learn:
    """The proposals of an archive, as written below `site`."""
    monkeypatch.chdir(ROOT)

    def learned(archive: Archive, *arguments: str) -> Any:
        logs = archive.write(tmp_path / "learn")
        assert run(["baseline", str(logs), "--out", str(tmp_path / "site"), *arguments]) == 0
        return yaml.safe_load((tmp_path / "site" / "proposals.yml").read_text(encoding="utf-8"))

    return learned


def proposals(document: Any) -> dict[tuple[str, str], Any]:
    return {(one["parameter"], one["value"]): one for one in document["proposals"]}


def accept(site: Path, wanted: Callable[[Any], bool]) -> None:
    file = site / "proposals.yml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for one in document["proposals"]:
        one["accepted"] = wanted(one)
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    assert run(["baseline", "--accept", str(file)]) == 0


def hunted(capsys: pytest.CaptureFixture[str], logs: Path, *options: str) -> list[Any]:
    capsys.readouterr()
    assert run([*options, "hunt", str(logs), "--format", "json"]) in (0, 1)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_baseline_removes_the_noise_and_keeps_the_incident(learn: Learn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = learn(quiet_day())
    assert document["alerts"] == {
        "before": {"an1498_launchd_service_key_use_then_tls": 32, "an1498_public_key_use_then_unrecognised_certificate": 32},
        "with_recommended": {},
        "with_all": {},
    }
    accept(tmp_path / "site", lambda one: one["recommended"])
    overlay = str(tmp_path / "site" / "overlay.toml")
    assert hunted(capsys, tmp_path / "learn", "--env", overlay) == []
    logs = incident(quiet_day()).write(tmp_path / "hunt")
    assert len(hunted(capsys, logs)) == 65
    left = hunted(capsys, logs, "--env", overlay)
    # The backup agent's start is still the first stage of the longer correlation: its list was not needed to silence the noise.
    assert [alert["rule"] for alert in left] == [
        "an1498_launchd_service_key_use_then_tls",
        "an1498_public_key_use_then_unrecognised_certificate",
    ]
    assert all(IMPLANT_SERVER in json.dumps(alert) and NOISY_SERVER not in json.dumps(alert) for alert in left)
    assert run(["--env", overlay, "build", "--out", str(tmp_path / "dist")]) == 0
    assert run(["--env", overlay, "check"]) == 0


def test_no_more_is_recommended_than_is_needed(learn: Learn) -> None:
    recommended = [key for key, one in proposals(learn(quiet_day())).items() if one["recommended"]]
    assert recommended == [("trusted_endpoint_addresses", NOISY_SERVER)]


def test_each_proposal_has_its_evidence(learn: Learn) -> None:
    found = proposals(learn(quiet_day(), "--expires", "30d"))
    agent = found["allowed_processes", NOISY_AGENT]
    assert (agent["events"], agent["hosts"], agent["rating"], agent["accepted"]) == (32, 4, "normal", False)
    assert (agent["first"], agent["last"]) == ("2026-01-12T08:00:02Z", "2026-01-12T11:33:07Z")
    assert agent["details"]["launchd_labels"] == {NOISY_LABEL: 32}
    assert sum(agent["suppresses"].values()) == 64
    assert date.fromisoformat(agent["expires"]) > date.today()
    server = found["trusted_endpoint_addresses", NOISY_SERVER]
    assert server["also"] == {"id.resp_p": ["443"], "server_name": ["backup.example.org"]}
    assert found["allowed_launchd_labels", NOISY_LABEL]["suppresses"] == {"an1498_launchd_service_key_use_then_tls": 32}
    assert found["trusted_doh_endpoints", "backup.example.org"]["rating"] == "risky"


def test_an_implant_in_the_learning_archive_is_risky(learn: Learn) -> None:
    archive = quiet_day()
    for turn in range(6):
        incident(archive, 500 + turn * 1900)
    found = proposals(learn(archive))
    path = found["allowed_processes", IMPLANT]
    assert path["rating"] == "risky"
    assert any("/Users/" in risk for risk in path["risks"])
    server = found["trusted_endpoint_addresses", IMPLANT_SERVER]
    assert any("self-signed" in risk for risk in server["risks"])
    assert not any(one["recommended"] or one["accepted"] for one in (path, server))


@pytest.mark.parametrize("path", ["/usr/bin/curl", "/opt/homebrew/bin/python3.12", "/private/tmp/x", "/Volumes/USB/app", "/opt/../Users/x"])
def test_paths_that_anybody_may_use_are_risky(learn: Learn, path: str) -> None:
    archive = quiet_day(2, 6)
    for records in archive.macs.values():
        for record in records:
            record["processImagePath"] = record["processImagePath"].replace(NOISY_AGENT, path)
    one = proposals(learn(archive))["allowed_processes", path]
    assert one["rating"] == "risky"
    assert one["risks"]
    assert not one["recommended"]


def test_rare_and_unfit_values_are_not_proposed(learn: Learn, capsys: pytest.CaptureFixture[str]) -> None:
    archive = quiet_day(1, 5)
    archive.key_use("mac-000", 5, "/opt/rare")
    for turn in range(9):
        archive.key_use("mac-000", 100 + turn, "/opt/clear\x1b[2Jscreen")
    found = proposals(learn(archive))
    assert {value for parameter, value in found if parameter == "allowed_processes"} == {NOISY_AGENT}
    told = capsys.readouterr()
    assert "1 values for allowed_processes are never proposed: holds control characters" in told.err
    assert "too rarely" in told.err
    assert "\x1b" not in told.out + told.err


def test_known_values_are_not_proposed_again(learn: Learn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learn(quiet_day(2, 6))
    accept(tmp_path / "site", bool)
    capsys.readouterr()
    site = tmp_path / "again"
    assert run(["--env", str(tmp_path / "site" / "overlay.toml"), "baseline", str(tmp_path / "learn"), "--out", str(site)]) == 0
    assert yaml.safe_load((site / "proposals.yml").read_text(encoding="utf-8"))["proposals"] == []


def test_what_has_expired_is_left_out(learn: Learn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learn(quiet_day(2, 6))
    file = tmp_path / "site" / "proposals.yml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for one in document["proposals"]:
        one |= {"accepted": True, "expires": "2020-01-01" if one["parameter"] == "allowed_processes" else "2999-01-01"}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert run(["baseline", "--accept", str(file)]) == 0
    overlay = (tmp_path / "site" / "overlay.toml").read_text(encoding="utf-8")
    assert NOISY_AGENT not in overlay
    assert NOISY_SERVER in overlay
    assert "expired on 2020-01-01" in capsys.readouterr().err


def test_the_filters_pass_the_lints(learn: Learn, tmp_path: Path) -> None:
    learn(quiet_day(2, 6))
    accept(tmp_path / "site", bool)
    files = sorted((tmp_path / "site" / "filters").glob("*.yml"))
    assert len(files) == 4
    assert run(["check", *map(str, files)]) == 0


def test_a_reviewer_answers_on_a_terminal(learn: Learn, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def confirm(question: str, default: bool) -> bool:
        asked.append((question, default))
        return NOISY_AGENT in question

    monkeypatch.setattr(click, "confirm", confirm)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    document = learn(quiet_day(2, 6))
    assert [one["value"] for one in document["proposals"] if one["accepted"]] == [NOISY_AGENT]
    assert len(asked) == 4
    assert [question for question, default in asked if default] == [question for question, _ in asked if NOISY_SERVER in question]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("logs",), "--out DIR"),
        (("--out", "x"), "give LOGS"),
        (("--accept", "x.yml", "logs"), "give no LOGS"),
        (("--accept", "missing.yml"), "missing.yml"),
        (("samples", "--out", "x", "--expires", "soon"), "--expires soon"),
        (("samples", "--out", "x", "--target", "elastic"), "splunk"),
    ],
)
def test_bad_usage_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["baseline", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert problem in line
