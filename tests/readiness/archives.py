"""Small archives of raw logs for the tests of readiness and baseline: Macs that use keys, sessions that Zeek saw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 1, 12, 8, 0, tzinfo=UTC)
SECURITY = "/System/Library/Frameworks/Security.framework/Versions/A/Security"


@dataclass
class Archive:
    """Unified logs per machine (name → records) and Zeek's JSON logs (log → records); `write` puts them into files, with hosts.csv."""

    macs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    zeek: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def mac(self, name: str, address: str) -> None:
        self.macs.setdefault(name, [])
        self.addresses[name] = address

    def record(self, name: str, seconds: float, message: str, path: str, **more: Any) -> None:
        moment = START + timedelta(seconds=seconds)
        record = {
            "timestamp": moment.strftime("%Y-%m-%d %H:%M:%S.%f+0000"),
            "eventType": "logEvent",
            "eventMessage": message,
            "processImagePath": path,
            "processID": 501,
            "subsystem": "",
            "category": "",
            "senderImagePath": path,
            "machTimestamp": 1,
        }
        self.macs[name].append(record | more)

    def key_use(self, name: str, seconds: float, path: str, pid: int = 501) -> None:
        self.record(name, seconds, "SecKeyCreateSignature", path, eventType="activityCreateEvent", senderImagePath=SECURITY, processID=pid)

    def spawn(self, name: str, seconds: float, label: str, pid: int, domain: str = "gui/501") -> None:
        self.record(
            name, seconds, f"Successfully spawned x[{pid}] because ipc (mach)", "/sbin/launchd", subsystem=f"{domain}/{label} [{pid}]"
        )

    def session(self, client: str, seconds: float, server: str, status: str | None = "ok", **more: Any) -> None:
        number = len(self.zeek.setdefault("ssl", []))
        record: dict[str, Any] = {
            "ts": START.timestamp() + seconds,
            "uid": f"C{number}",
            "id.orig_h": client,
            "id.orig_p": 40000 + number % 20000,
            "id.resp_h": server,
            "id.resp_p": 443,
            "version": "TLSv12",
            "cipher": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "server_name": "www.example.org",
            "resumed": False,
            "established": True,
            "ssl_history": "CsxknGIti",
        }
        if status is not None:
            record |= {"validation_status": status, "cert_chain_fps": [f"{abs(hash(server)):064x}"], "sni_matches_cert": True}
        self.zeek["ssl"].append({key: value for key, value in (record | more).items() if value is not None})

    def certificates(self) -> None:
        """x509.log for the sessions so far."""
        for record in self.zeek.get("ssl", []):
            for fingerprint in record.get("cert_chain_fps", []):
                row = {"ts": record["ts"], "fingerprint": fingerprint, "certificate.subject": "CN=x", "certificate.issuer": "CN=y"}
                self.zeek.setdefault("x509", []).append(row | {"certificate.key_length": 2048, "certificate.key_type": "rsa"})

    def without(self, *fields: str) -> Archive:
        """The same archive as a sensor would write it that does not know these fields."""

        def cut(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
            return [{key: value for key, value in record.items() if key not in fields} for record in records]

        return Archive(
            {name: cut(records) for name, records in self.macs.items()},
            dict(self.addresses),
            {log: cut(records) for log, records in self.zeek.items()},
        )

    def write(self, directory: Path, *, hosts: bool = True) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        for name, records in self.macs.items():
            (directory / name).mkdir(exist_ok=True)
            _write(directory / name / "unifiedlog.ndjson", records)
        for log, records in self.zeek.items():
            _write(directory / f"{log}.log", records)
        if hosts:
            rows = [f"{name},{name},{address}" for name, address in self.addresses.items()]
            (directory / "hosts.csv").write_text("\n".join(["path,name,ip", *rows]) + "\n", encoding="utf-8")
        return directory


def _write(file: Path, records: Sequence[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


NOISY_AGENT = "/Library/Application Support/Example Backup/backupd"
NOISY_LABEL = "com.example.backup"
NOISY_SERVER = "203.0.113.10"
IMPLANT = "/Users/kim/Library/Caches/.helper"
IMPLANT_SERVER = "198.51.100.66"


def quiet_day(macs: int = 4, rounds: int = 8) -> Archive:
    """A backup agent that launchd starts, signs, and talks to the company's server with a private authority; ordinary sessions; trust
    verdicts and TLS records on the Mac; some TLS 1.3."""
    archive = Archive()
    for number in range(macs):
        name, address = f"mac-{number:03d}", f"10.20.0.{number + 10}"
        archive.mac(name, address)
        for turn in range(rounds):
            at = turn * 1800 + number * 61.7
            archive.spawn(name, at, NOISY_LABEL, 900 + turn)
            archive.key_use(name, at + 2, NOISY_AGENT, 900 + turn)
            archive.session(address, at + 4, NOISY_SERVER, "unable to get local issuer certificate", server_name="backup.example.org")
            archive.session(address, at + 600, "198.51.100.20")
            archive.session(address, at + 700, "198.51.100.21", None, version="TLSv13")
            archive.record(
                name, at + 900, "Trust evaluate failure: [leaf TemporalValidity]", "/usr/libexec/trustd", subsystem="com.apple.securityd",
                category="SecError",
            )  # fmt: skip
            for offset in (4.1, 600.1, 700.1):
                archive.record(
                    name, at + offset, "nw_protocol_boringssl_signal_connected(724) [C1] TLS connected", "/usr/libexec/nsurlsessiond",
                    subsystem="com.apple.network",
                )  # fmt: skip
    archive.certificates()
    archive.zeek["conn"] = [
        {
            "ts": START.timestamp() + 30 * number,
            "uid": f"F{number}",
            "id.orig_h": "10.20.0.10",
            "id.orig_p": 50000 + number,
            "id.resp_h": "198.51.100.20",
            "id.resp_p": 443,
            "conn_state": "SF",
            "service": "ssl",
            "an1498_first_bytes_entropy": 5.5,
        }
        for number in range(4)
    ]
    return archive


def incident(archive: Archive, seconds: float = 7300.0) -> Archive:
    """An implant on the first Mac, between the backup agent's rounds."""
    archive.key_use("mac-000", seconds, IMPLANT, 4242)
    archive.session("10.20.0.10", seconds + 5, IMPLANT_SERVER, "self signed certificate", server_name=None)
    archive.certificates()
    return archive
