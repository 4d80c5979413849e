"""Archives with a sensor or a field removed: the check names what is missing and what to switch on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.readiness.archives import Archive, quiet_day

from an1498.cli.program import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def readiness(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(ROOT)

    def check(archive: Archive, *arguments: str, hosts: bool = True) -> Any:
        assert run(["readiness", str(archive.write(tmp_path / "logs", hosts=hosts)), "--format", "json", *arguments]) in (0, 1)
        return json.loads(capsys.readouterr().out)

    return check


def question(report: Any, code: str) -> Any:
    return next(one for one in report["questions"] if one["code"] == code)


def why(report: Any, rule: str) -> str:
    return str(next(one for one in report["rules"] if one["rule"] == rule)["why"])


def cannot(report: Any) -> set[str]:
    return {one["rule"] for one in report["rules"] if one["state"] == "cannot" and one["kind"] == "correlation"}


def test_a_complete_archive_is_full(readiness: Callable[..., Any]) -> None:
    report = readiness(quiet_day())
    assert report["level"] == 4
    assert report["events"] == 356
    assert cannot(report) == set()
    activities = question(report, "seckey-activities")["evidence"]
    assert activities["seckey"] == 32
    assert activities["per_host"][0] == {"host": "mac-000", "seckey": 8, "per_hour": pytest.approx(8 / (13500 / 3600), abs=0.3)}
    assert {row["process"] for row in activities["per_process"]} == {"/Library/Application Support/Example Backup/backupd"}
    assert question(report, "blind-share")["evidence"] == {
        "sessions": 96,
        "blind": 32,
        "tls13": 32,
        "resumed": 0,
        "with_ja3_or_ja4": 0,
    }
    assert question(report, "launchd-services")["evidence"] == {"starts": 32, "service": 32}
    fired = next(one for one in report["rules"] if one["rule"] == "an1498_launchd_service_key_use_then_tls")
    assert (fired["state"], fired["matched"]) == ("fired", 32)


FIELDS = [
    (("validation_status",), "validation-status", 0, "validate-certs"),
    (("sni_matches_cert",), "sni-matches-cert", 0, "4.1"),
    (("ssl_history",), "ssl-history", 0, "4.1"),
    (("server_name",), "sni", 0, "before address translation"),
    (("processID",), "process-attribution", 0, "processID"),
    (("processImagePath",), "launchd-context", 0, "/sbin/launchd"),
    (("fingerprint",), "certificates", 0, "x509.log"),
]


@pytest.mark.parametrize(("fields", "code", "level", "remedy"), FIELDS, ids=[row[1] for row in FIELDS])
def test_a_missing_field_is_named(readiness: Callable[..., Any], fields: tuple[str, ...], code: str, level: int, remedy: str) -> None:
    found = question(readiness(quiet_day().without(*fields)), code)
    assert found["level"] == level
    assert any(remedy in text for text in found["remedies"])


def test_without_activities_no_correlation_with_key_use_can_fire(readiness: Callable[..., Any]) -> None:
    archive = quiet_day()
    for name, records in archive.macs.items():
        archive.macs[name] = [record for record in records if record["eventType"] != "activityCreateEvent"]
    report = readiness(archive)
    assert question(report, "seckey-activities")["level"] == 0
    assert any("--type activity" in text for text in question(report, "seckey-activities")["remedies"])
    assert why(report, "macos_private_key_operation") == "eventType=activityCreateEvent"
    assert report["level"] == 0


def test_activities_without_seckey_are_told_apart_from_none(readiness: Callable[..., Any]) -> None:
    archive = quiet_day()
    for records in archive.macs.values():
        for record in records:
            record["eventMessage"] = record["eventMessage"].replace("SecKeyCreateSignature", "SecTrustEvaluateIfNecessary")
    found = question(readiness(archive), "seckey-activities")
    assert found["level"] == 1
    assert "none of SecKey" in found["answer"]


def test_without_launchd_its_correlation_cannot_fire(readiness: Callable[..., Any]) -> None:
    archive = quiet_day()
    for name, records in archive.macs.items():
        archive.macs[name] = [record for record in records if record["processImagePath"] != "/sbin/launchd"]
    report = readiness(archive)
    assert cannot(report) == {"an1498_launchd_service_key_use_then_tls"}
    assert "processImagePath=/sbin/launchd" in why(report, "macos_launchd_service_spawned")


def test_without_zeek_only_the_correlation_on_the_mac_can_fire(readiness: Callable[..., Any]) -> None:
    archive = quiet_day()
    archive.zeek.clear()
    report = readiness(archive)
    assert question(report, "zeek-ssl")["level"] == 0
    assert "an1498_key_use_then_trust_failure_on_host" not in cannot(report)
    assert len(cannot(report)) == 6
    assert "zeek/ssl records" in why(report, "zeek_tls_self_signed_certificate")
    assert question(report, "retention")["level"] == 0


def test_without_macs_only_the_correlations_of_zeek_can_fire(readiness: Callable[..., Any]) -> None:
    archive = quiet_day()
    archive.macs.clear()
    report = readiness(archive)
    assert question(report, "unified-log")["level"] == 0
    able = {one["rule"] for one in report["rules"] if one["kind"] == "correlation"} - cannot(report)
    assert able == {"an1498_handshake_failure_burst", "an1498_untrusted_tls_fan_out"}


def test_without_addresses_nothing_joins(readiness: Callable[..., Any]) -> None:
    report = readiness(quiet_day(), hosts=False)
    found = question(report, "host-address")
    assert found["level"] == 0
    assert any("_meta = host_ip::" in text for text in found["remedies"])
    assert "host.ip" in why(report, "an1498_public_key_use_then_unrecognised_certificate")


def test_addresses_that_zeek_never_saw_do_not_join(readiness: Callable[..., Any]) -> None:
    archive = quiet_day()
    archive.addresses = {name: f"10.99.0.{number}" for number, name in enumerate(archive.addresses, 1)}
    report = readiness(archive)
    assert question(report, "host-address")["evidence"]["not_seen"] == ["mac-000", "mac-001", "mac-002", "mac-003"]
    assert "an address in both sensors" in why(report, "an1498_public_key_use_then_unrecognised_certificate")


def test_a_gap_is_found(readiness: Callable[..., Any]) -> None:
    archive = quiet_day(macs=1)
    archive.zeek["ssl"] = [record for number, record in enumerate(archive.zeek["ssl"]) if not 6 <= number < 15]
    (gap,) = question(readiness(archive), "retention")["evidence"]["sources"]["zeek/ssl"]["gaps"]
    assert gap["minutes"] >= 60


@pytest.mark.parametrize(("level", "code"), [("full", 0), ("4", 0), ("0", 0)])
def test_the_exit_code_of_a_full_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, code: int) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["readiness", str(quiet_day(1, 3).write(tmp_path)), "--level", level]) == code


def test_the_exit_code_below_the_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    logs = str(quiet_day(1, 3).without("validation_status").write(tmp_path))
    assert run(["readiness", logs, "--level", "poor"]) == 1
    assert run(["readiness", logs, "--level", "none"]) == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--level", "5", "logs"), "--level 5"),
        ((), "give LOGS"),
        (("--queries", "logs"), "give no LOGS"),
        (("missing.log",), "missing.log"),
        (("README.md",), "no log"),
        (("samples", "--target", "elastic"), "splunk"),
    ],
)
def test_bad_usage_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["readiness", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert problem in line


def test_the_page_escapes_what_logs_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    archive = quiet_day(1, 3)
    archive.key_use("mac-000", 5, "/tmp/<script>alert(1)</script>\"'&")
    page = tmp_path / "page.html"
    assert run(["readiness", str(archive.write(tmp_path / "logs")), "--format", "html", "--out", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "://" not in text.replace("[logd://…]", "")


def test_a_bad_line_is_counted_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    logs = quiet_day(1, 3).write(tmp_path / "logs")
    with (logs / "ssl.log").open("a", encoding="utf-8") as stream:
        stream.write('{"ts": "tomorrow"}\n')
    code = run(["readiness", str(logs), "--out", str(tmp_path / "table.txt")])
    assert code == 0
    text = (tmp_path / "table.txt").read_text(encoding="utf-8")
    assert "1 lines that cannot be read" in text
    assert "ssl.log:10" in text
