"""What the questions count, gathered in one pass with bounded memory.

A log may hold any number of different names, chosen by anybody: maps are capped, and what comes after the cap is counted as a whole.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from an1498.model import NativeEvent
from an1498.replay.ingest import usable_address

CAP = 100_000
"""Different names that one map keeps; times that one clock keeps per machine."""

_MINUTE_US = 60_000_000
_JOB = re.compile(r"(?P<domain>system|gui/\d+|user/\d+|pid/\d+)/(?P<label>.+?)(?: \[\d+\])?")
_PRIVATE = ("<private>", "<mask.hash")
# What the host writes once per TLS connection (telemetry.md, "TLS half on the host"): kind → part of the message.
_TLS_RECORDS: Mapping[str, str] = {
    "connected": "nw_protocol_boringssl_signal_connected",
    "fatal alert": "boringssl_context_handle_fatal_alert",
    "verified": "boringssl_context_certificate_verify_callback",
    "negotiated": "nw_protocol_boringssl_handshake_negotiate_proceed",
}
_TRUST_ACTIVITIES = ("SecTrustEvaluateIfNecessary", "SecTrustEvaluateIfNecessaryFastAsync")


@dataclass(slots=True)
class Capped:
    """A counter of at most CAP names; `other` counts what came for names beyond them."""

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    other: int = 0

    def add(self, *key: str) -> None:
        if key in self.counts or len(self.counts) < CAP:
            self.counts[key] += 1
        else:
            self.other += 1


@dataclass(slots=True)
class Source:
    """One log source: its events, the fields that ever had a value, the minutes (since the epoch) in which it wrote."""

    events: int = 0
    fields: set[str] = field(default_factory=set)
    minutes: set[int] = field(default_factory=set)
    first_us: int = 2**63
    last_us: int = -(2**63)

    def add(self, event: NativeEvent) -> None:
        self.events += 1
        self.minutes.add(event.time_us // _MINUTE_US)
        self.first_us = min(self.first_us, event.time_us)
        self.last_us = max(self.last_us, event.time_us)
        for name in event.fields.keys() - self.fields:
            if event.fields[name] not in ("", []) and len(self.fields) < CAP:
                self.fields.add(name)


@dataclass(slots=True)
class Machine:
    """One Mac: `address` is its usable one, empty where there is none or several."""

    events: int = 0
    addressed: int = 0
    activities: int = 0
    seckey: int = 0
    launchd: int = 0
    spawned: int = 0
    trust: int = 0
    tls: int = 0
    addresses: set[str] = field(default_factory=set)
    first_us: int = 2**63
    last_us: int = -(2**63)


@dataclass(slots=True)
class Macs:
    """The unified log's records, over all machines and per machine (key: host name, empty where unknown)."""

    machines: dict[str, Machine] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)
    labels: Capped = field(default_factory=Capped)
    processes: Capped = field(default_factory=Capped)
    jobs: Counter[str] = field(default_factory=Counter)
    failures: int = 0
    security_messages: int = 0
    key_use: int = 0
    attributed: int = 0
    private: int = 0
    messages: int = 0
    trust_verdicts: int = 0
    tls_records: int = 0
    clocks: dict[tuple[str, str], array[float]] = field(default_factory=dict)

    def add(self, event: NativeEvent) -> None:
        fields = event.fields
        name = str(fields.get("host.name", ""))
        machine = self.machines.get(name)
        if machine is None:
            machine = self.machines.setdefault(name if len(self.machines) < CAP else "", Machine())
        machine.events += 1
        machine.first_us, machine.last_us = min(machine.first_us, event.time_us), max(machine.last_us, event.time_us)
        address = usable_address(fields["host.ip"]) if "host.ip" in fields else None
        if address is not None:
            machine.addressed += 1
            machine.addresses.add(address)
        message = str(fields.get("eventMessage", ""))
        type_ = str(fields.get("eventType", ""))
        self.types[type_ if type_ in self.types or len(self.types) < 100 else "other"] += 1
        if type_ == "activityCreateEvent":
            self._activity(machine, name, message, fields)
        elif message:
            self.messages += 1
            self.private += any(mark in message for mark in _PRIVATE)
        if fields.get("processImagePath") == "/sbin/launchd":
            self._launchd(machine, message, str(fields.get("subsystem", "")))
        elif str(fields.get("subsystem", "")).startswith("com.apple.sec"):
            self._security(machine, message, fields)
        self._tls(machine, message, address, event.time_us)

    def _activity(self, machine: Machine, name: str, message: str, fields: Mapping[str, Any]) -> None:
        machine.activities += 1
        if message.startswith("Sec"):
            self.labels.add(message[:200])
        if message.startswith("SecKey") or message == "SecIdentityCopyPrivateKey":
            machine.seckey += 1
            self.processes.add(name, str(fields.get("processImagePath", "")))
            self._attribute(fields)

    def _attribute(self, fields: Mapping[str, Any]) -> None:
        self.key_use += 1
        self.attributed += bool(fields.get("processImagePath")) and fields.get("processID") is not None

    def _security(self, machine: Machine, message: str, fields: Mapping[str, Any]) -> None:
        self.security_messages += 1
        if fields.get("category") == "seckey" and fields.get("messageType") == "Error":
            self.failures += 1
            self._attribute(fields)
        if message.startswith("Trust evaluate failure"):
            self.trust_verdicts += 1
            machine.trust += 1

    def _launchd(self, machine: Machine, message: str, subsystem: str) -> None:
        machine.launchd += 1
        if not message.startswith("Successfully spawned "):
            return
        machine.spawned += 1
        job = _JOB.fullmatch(subsystem)
        if job is None:
            self.jobs["unknown"] += 1
        elif job["domain"].startswith("pid/"):
            self.jobs["XPC service"] += 1
        else:
            self.jobs["application" if job["label"].startswith("application.") else "service"] += 1

    def _tls(self, machine: Machine, message: str, address: str | None, time_us: int) -> None:
        kind = next((kind for kind, part in _TLS_RECORDS.items() if part in message), "")
        if kind or "TLS Trust" in message or "HTTP load failed" in message:
            self.tls_records += 1
            machine.tls += 1
        if not kind and message in _TRUST_ACTIVITIES:
            kind = "trust evaluation"
        if kind and address is not None:
            clock = self.clocks.setdefault((address, kind), array("d"))
            if len(clock) < CAP:
                clock.append(time_us / 1_000_000)


@dataclass(slots=True)
class Sessions:
    """Zeek's ssl.log and x509.log."""

    sessions: int = 0
    tls13: int = 0
    resumed: int = 0
    blind: int = 0
    certificates: int = 0
    validated: int = 0
    named: int = 0
    history: int = 0
    name_checks: int = 0
    nameable: int = 0
    fingerprinted: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    leaves: Capped = field(default_factory=Capped)
    known: set[str] = field(default_factory=set)
    clients: Capped = field(default_factory=Capped)
    clocks: dict[str, array[float]] = field(default_factory=dict)

    def add(self, event: NativeEvent) -> None:
        fields = event.fields
        self.sessions += 1
        version = str(fields.get("version", "none"))[:20]
        self.versions[version if version in self.versions or len(self.versions) < 100 else "other"] += 1
        tls13, resumed = version == "TLSv13", fields.get("resumed") is True
        self.tls13 += tls13
        self.resumed += resumed
        chain = fields.get("cert_chain_fps") or fields.get("cert_chain_fuids") or []
        self.blind += (tls13 or resumed) and not chain
        self.named += bool(fields.get("server_name"))
        self.history += bool(fields.get("ssl_history"))
        self.fingerprinted += bool(fields.get("ja3") or fields.get("ja4"))
        if chain:
            self.certificates += 1
            self.leaves.add(str(chain[0]))
            if "validation_status" in fields:
                self.validated += 1
                verdict = str(fields["validation_status"])[:200]
                self.verdicts[verdict if verdict in self.verdicts or len(self.verdicts) < 100 else "other"] += 1
            if fields.get("server_name"):
                self.nameable += 1
                self.name_checks += "sni_matches_cert" in fields
        client = usable_address(str(fields.get("id.orig_h", "")))
        if client is not None:
            self.clients.add(client)
            clock = self.clocks.get(client)
            if clock is None and len(self.clocks) < CAP:
                clock = self.clocks.setdefault(client, array("d"))
            if clock is not None and len(clock) < CAP:
                clock.append(event.time_us / 1_000_000)

    def certificate(self, event: NativeEvent) -> None:
        for name in ("fingerprint", "id"):
            value = event.fields.get(name)
            if value and len(self.known) < 2 * CAP:
                self.known.add(str(value))

    def joined(self) -> tuple[int, int]:
        """Sessions whose leaf certificate is in x509.log, of those with a leaf certificate whose name was kept."""
        total = sum(self.leaves.counts.values())
        return sum(count for (leaf,), count in self.leaves.counts.items() if leaf in self.known), total


@dataclass(slots=True)
class Tally:
    """One archive, counted."""

    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    macs: Macs = field(default_factory=Macs)
    tls: Sessions = field(default_factory=Sessions)

    def add(self, event: NativeEvent) -> None:
        key = (event.product, event.service)
        source = self.sources.get(key)
        if source is None:
            source = self.sources.setdefault(key if len(self.sources) < 1000 else (event.product, "other"), Source())
        source.add(event)
        if event.product == "macos":
            self.macs.add(event)
        elif event.service == "ssl":
            self.tls.add(event)
        elif event.service == "x509":
            self.tls.certificate(event)

    def joinable(self) -> tuple[set[str], set[str]]:
        """Macs with one usable address, and those of them whose address Zeek saw."""
        addressed: set[str] = set()
        seen: set[str] = set()
        known = self.tls.clients.counts
        for name, machine in self.macs.machines.items():
            if machine.addresses:
                addressed.add(name)
                if any((address,) in known for address in machine.addresses):
                    seen.add(name)
        return addressed, seen
