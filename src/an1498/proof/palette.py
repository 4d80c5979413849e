"""Raw events of every kind that the pack tells apart, and random streams of them: what scenarios hold, drawn by the thousand.

Each kind is a record as telemetry readers give it. Which rules of the pack match it is decided by the reference matcher.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from an1498.compiler.resolve import resolve
from an1498.errors import Location
from an1498.model import Correlation, Host, NativeEvent, Pack
from an1498.proof.reference import Group, Observation, Spec
from an1498.proof.sigma_match import matcher
from an1498.proof.streams import START_MS

SECURITY = "/System/Library/Frameworks/Security.framework/Versions/A/Security"
_USUAL_SERVER = "203.0.113.9"
_SERVERS = tuple(f"203.0.113.{number}" for number in range(10, 22))
AGENT = "/private/tmp/.cache/agent"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of raw event: its log source and its fields, time, machine and process apart."""

    product: str
    service: str
    fields: Mapping[str, Any]


def _activity(label: str, **fields: Any) -> Kind:
    base = {"eventType": "activityCreateEvent", "eventMessage": label, "senderImagePath": SECURITY, "processImagePath": AGENT}
    return Kind("macos", "unifiedlog", {**base, **fields})


def _log(message: str, **fields: Any) -> Kind:
    base = {"eventType": "logEvent", "messageType": "Default", "eventMessage": message, "processImagePath": AGENT}
    return Kind("macos", "unifiedlog", {**base, **fields})


def _session(**fields: Any) -> Kind:
    base = {
        "id.resp_h": _USUAL_SERVER,
        "id.resp_p": 443,
        "version": "TLSv12",
        "cipher": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "server_name": "cdn.example.net",
        "established": True,
        "resumed": False,
        "validation_status": "ok",
        "sni_matches_cert": True,
    }
    return Kind("zeek", "ssl", {name.replace("__", "."): value for name, value in {**base, **_dotted(fields)}.items() if value is not None})


def _dotted(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in fields.items()}


_FAILURE = "SecKeyCreateSignature failed: Error Domain=NSOSStatusErrorDomain Code=-60008"
_SPAWNED = "Successfully spawned agent[4331] because ipc (mach)"
_LAUNCHD = {"processImagePath": "/sbin/launchd", "category": ""}
_SECKEY = {"subsystem": "com.apple.security", "category": "seckey", "messageType": "Error"}
_NO_CERTIFICATE = {"validation_status": None, "sni_matches_cert": None}

KINDS: tuple[Kind, ...] = (
    _activity("SecKeyCreateSignature"),
    _activity("SecKeyCreateSignature"),
    _activity("SecKeyCreateRandomKey"),
    _activity("seckeyverifysignature"),
    _activity("SecKeyCreateWithData", processImagePath=None),
    _activity("SecKeyCreateSignature", processImagePath="/usr/libexec/trustd"),
    _activity("SecKeyCreateSignature", senderImagePath="/usr/lib/libother.dylib"),
    _activity("SecItemCopyMatching"),
    _activity("SecTrustEvaluateIfNecessary"),
    _log("SecKeyCreateSignature"),
    _log(_FAILURE, **_SECKEY),
    _log(_FAILURE, **{**_SECKEY, "messageType": "Default"}),
    _log(_SPAWNED, **_LAUNCHD, subsystem="system/com.example.agent [4331]"),
    _log(_SPAWNED, **_LAUNCHD, subsystem="GUI/501/com.example.agent [4331]"),
    _log(_SPAWNED, **_LAUNCHD, subsystem="gui/501/application.com.example.App.12 [4331]"),
    _log("exited due to SIGTERM", **_LAUNCHD, subsystem="system/com.example.agent [4331]"),
    _log("Trust evaluate failure: [leaf AnchorTrusted]", subsystem="com.apple.securityd", category="SecError"),
    _log("Trust evaluate ok", subsystem="com.apple.securityd", category="SecError"),
    _log(
        "boringssl_context_handle_fatal_alert(2313) [C1.1.1.1:2][0x7f] read alert, level: fatal, description: unknown CA",
        subsystem="com.apple.network",
        category="boringssl",
        messageType="Error",
    ),
    _session(),
    _session(validation_status="self signed certificate", sni_matches_cert=None, server_name=None),
    _session(validation_status="Self-Signed Certificate in certificate chain"),
    _session(validation_status="self-signed certificate", id__resp_h="198.51.100.7"),
    _session(validation_status="certificate has expired", id__resp_h="198.51.100.8"),
    _session(validation_status="unable to get local issuer certificate", id__resp_h="198.51.100.9"),
    _session(sni_matches_cert=False),
    _session(version="TLSv13", established=False, last_alert="unknown_ca", ssl_history="CsiL", **_NO_CERTIFICATE),
    _session(version="TLSv13", **_NO_CERTIFICATE),
    _session(resumed=True, **_NO_CERTIFICATE),
    _session(established=False, last_alert="handshake_failure", **_NO_CERTIFICATE),
    _session(established=False, last_alert="handshake_failure", **_NO_CERTIFICATE),
    _session(established=False, last_alert="close_notify", **_NO_CERTIFICATE),
    _session(established=False, **_NO_CERTIFICATE),
    _session(version="TLSv10"),
    _session(cipher="TLS_RSA_WITH_RC4_128_SHA"),
    _session(server_name=None, id__resp_p=4444),
    _session(server_name=None),
    _session(id__resp_p=4444),
    _session(validation_status="self signed certificate", server_name="dns.google"),
    _session(validation_status="self signed certificate", id__resp_h="10.9.9.9"),
    _session(validation_status="self signed certificate", id__resp_h="2001:db8::9"),
    _session(
        validation_status="unable to get local issuer certificate",
        issuer="CN=Example Corp TLS Inspection CA,O=Example Corp,DC=corp,DC=example",
    ),
)

_MACHINES: tuple[tuple[str, str] | None, ...] = (
    ("mac-1", "10.20.0.1"),
    ("mac-1", "10.20.0.1"),
    ("mac-1", "10.20.0.1"),
    ("mac-2", "10.20.0.11"),
    ("mac-6", "2001:db8::5"),
    None,
)


def draw(rng: random.Random, kinds: Sequence[Kind], windows_s: Sequence[int], longest: int) -> list[NativeEvent]:
    """A stream of 1 to `longest` raw events, times biased to the windows' edges, in shuffled arrival order."""
    chosen = rng.sample(kinds, min(len(kinds), rng.choice((1, 2, 3, 3, 4, 6))))
    times = [START_MS]
    for _ in range(rng.choice((longest, rng.randrange(longest)))):
        window = rng.choice(windows_s) * 1000
        previous = rng.choice(times)
        steps = (0, window, window, -window, window + 1, window - 1, 1, rng.randrange(60_000), rng.randrange(window))
        times.append(previous + rng.choice(steps))
    events = [_event(time, rng.choice(chosen), rng) for time in times]
    rng.shuffle(events)
    return events


def _event(time_ms: int, kind: Kind, rng: random.Random) -> NativeEvent:
    machine = rng.choice(_MACHINES)
    fields = {name: value for name, value in kind.fields.items() if value is not None}
    location = Location("stream")
    if kind.product == "zeek":
        if fields["id.resp_h"] == _USUAL_SERVER and rng.random() < 0.5:
            fields["id.resp_h"] = rng.choice(_SERVERS)
        fields = {"ts": time_ms / 1000, "uid": "C1", "id.orig_p": 50_000, **fields}
        if machine:
            fields["id.orig_h"] = machine[1]
        return NativeEvent(kind.product, kind.service, time_ms * 1000, fields, location)
    name, address = machine or ("mac-0", "")
    fields["processID"] = rng.choice((4331, 4331, 77))
    fields["host.name"] = name
    if address:
        fields["host.ip"] = [address]
    host = Host(name=name, ips=(address,) if address else ())
    return NativeEvent(kind.product, kind.service, time_ms * 1000, fields, location, host)


def of_kind(kind: Kind, time_ms: int) -> NativeEvent:
    """One event of a kind, on the same machine each time."""
    return _event(time_ms, kind, random.Random(1))


class Expectation:
    """Turns raw events into observations of one correlation of the pack, for the reference."""

    def __init__(self, pack: Pack, correlation: Correlation, skew_s: int = 0) -> None:
        self._correlation = correlation
        self._rules = {name: (pack.rules[name], matcher(resolve(pack, pack.rules[name])[0])) for name in correlation.rules}
        sensors = {name: rule.product for name, (rule, _) in self._rules.items()}
        self.spec = Spec(correlation.type, correlation.rules, correlation.timespan_s * 1000, correlation.condition, skew_s * 1000, sensors)

    def observe(self, events: Sequence[NativeEvent]) -> list[Observation]:
        return [self._observation(event) for event in events]

    def _observation(self, event: NativeEvent) -> Observation:
        matched = [
            name
            for name, (rule, matches) in self._rules.items()
            if (rule.product, rule.service) == (event.product, event.service) and matches(event.fields)
        ]
        return Observation(event.time_us // 1000, {name: self._group(name, event) for name in matched}, event.fields)

    def _group(self, rule: str, event: NativeEvent) -> Group | None:
        values = []
        for key in self._correlation.group_by:
            value = event.fields.get(self._correlation.aliases.get(key, {}).get(rule, key))
            values.append(value[0] if isinstance(value, list) else value)
        return None if None in values else tuple(str(value) for value in values)
