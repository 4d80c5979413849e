"""Every generated query is executed by replay, and says what the offline check counted over the same events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.readiness.archives import SECURITY, quiet_day

from an1498.content import load_pack
from an1498.hunt.hosts import find_hosts
from an1498.model import Language, NativeEvent
from an1498.readiness.archive import Intake, events
from an1498.readiness.queries import Query, queries
from an1498.readiness.tally import Tally
from an1498.replay.alerts import index_streams
from an1498.replay.prepare import prepare

ROOT = Path(__file__).parents[2]
PACK = load_pack(ROOT)
TARGETS = sorted(PACK.targets)
_CODES = """
    unified-log seckey-activities seckey-failures process-attribution launchd-context launchd-services tls-on-host validation-status
    certificates retention-unified-log retention-ssl host-address
"""
CODES = _CODES.split()


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[NativeEvent], Tally]:
    archive = quiet_day()
    archive.mac("mac-far", "10.99.0.9")
    archive.key_use("mac-far", 20, "/Applications/X.app/Contents/MacOS/X")
    archive.spawn("mac-far", 10, "application.com.example.X.123.456", 77)
    archive.spawn("mac-far", 11, "com.example.xpc", 78, domain="pid/77")
    archive.record("mac-far", 12, "Successfully spawned y", "/sbin/launchd", subsystem="odd")
    archive.record(
        "mac-far", 30, "SecKeyCreateSignature failed: Error", "/usr/bin/true", subsystem="com.apple.security", category="seckey",
        messageType="Error", senderImagePath=SECURITY,
    )  # fmt: skip
    archive.session("10.20.0.10", 50, "198.51.100.9", None, resumed=True, server_name=None)
    logs = archive.write(tmp_path_factory.mktemp("logs"))
    tally = Tally()
    found = list(events(PACK, [logs], find_hosts([logs], None, ()), Intake(), lambda _: None))
    for event in found:
        tally.add(event)
    return found, tally


def rows(query: Query, found: list[NativeEvent]) -> list[dict[str, Any]]:
    target = PACK.targets[query.target]
    prepared = prepare(query.language, query.text, macros=target.macros)
    with duckdb.connect() as connection:
        table = index_streams(connection, target, [found]).table
        return [dict(row.values) for row in prepared.execute(table)]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_has_every_question_that_its_layouts_can_answer(target: str) -> None:
    asked = {query.question for query in queries(PACK.targets[target])}
    assert set(CODES) - asked <= {"certificates", "validation-status"}, target
    if target in ("splunk", "elastic"):
        assert asked == set(CODES)


def cases() -> list[Query]:
    return [query for target in TARGETS for query in queries(PACK.targets[target])]


@pytest.mark.parametrize("query", cases(), ids=lambda query: f"{query.target}-{query.question}")
def test_the_answer_is_that_of_the_offline_check(query: Query, stream: tuple[list[NativeEvent], Tally]) -> None:
    found, tally = stream
    answer = rows(query, found)
    macs, tls = tally.macs, tally.tls
    single = answer[0] if answer else {}
    match query.question:
        case "unified-log":
            assert sorted((row["records"], row["records_with_address"]) for row in answer) == sorted(
                (machine.events, machine.addressed) for machine in macs.machines.values()
            )
        case "seckey-activities":
            assert sorted(row["seckey"] for row in answer) == sorted(macs.processes.counts.values())
        case "seckey-failures":
            assert sum(row["failures"] for row in answer) == macs.failures == 1
        case "process-attribution":
            # The offline count has the failure as well.
            assert (single["key_use"], single["with_path_and_pid"]) == (macs.key_use - 1, macs.attributed - 1)
        case "launchd-context":
            assert sum(row["launchd_records"] for row in answer) == sum(machine.launchd for machine in macs.machines.values())
        case "launchd-services":
            assert {row["job"]: row["starts"] for row in answer} == dict(macs.jobs)
            assert len(answer) == 4
        case "tls-on-host":
            assert sum(row["trust_failures"] for row in answer) == macs.trust_verdicts == 32
        case "validation-status":
            assert single == {
                "sessions": tls.sessions, "certificates": tls.certificates, "validated": tls.validated, "named": tls.named,
                "history": tls.history, "name_checks": tls.name_checks, "tls13": tls.tls13, "resumed": tls.resumed, "blind": tls.blind,
            }  # fmt: skip
        case "certificates":
            assert (single["records"], single["fingerprints"]) == (tally.sources[("zeek", "x509")].events, len(tls.known))
        case "retention-unified-log":
            assert single["records"] == tally.sources[("macos", "unifiedlog")].events
            assert single["first_seen"] < single["last_seen"]
        case "retention-ssl":
            assert single["records"] == tls.sessions
            assert single["first_seen"] < single["last_seen"]
        case "host-address":
            assert single["joinable"] == len(tally.joinable()[1]) == 4
        case other:
            raise AssertionError(f"no expectation for {other}")


def test_languages() -> None:
    assert {query.language for query in queries(PACK.targets["splunk"])} == {Language.SPL}
    assert {query.language for query in queries(PACK.targets["elastic"])} == {Language.ESQL}
