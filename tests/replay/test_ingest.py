"""What each layout stores for one raw record: the exact document; then types, arrays, computed fields, machines and ranks one by one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from an1498.content.layouts import layout_names, load_layout
from an1498.errors import Location
from an1498.model import Derivation, Layout, NativeEvent
from an1498.replay.ingest import event_rank, index_event, usable_address

PIPELINES = Path(__file__).parents[2] / "pipelines"
TIME_US = 1_768_471_207_250_999


@cache
def layout(name: str) -> Layout:
    return load_layout(name, PIPELINES)


def event(service: str, fields: Mapping[str, Any], time_us: int = TIME_US) -> NativeEvent:
    return NativeEvent("macos" if service == "unifiedlog" else "zeek", service, time_us, fields, Location("x", 1))


def stored(name: str, service: str, fields: Mapping[str, Any], time_us: int = TIME_US) -> dict[str, Any]:
    document = index_event(event(service, fields, time_us), layout(name))
    assert document is not None
    return document


UNIFIEDLOG = {
    "timestamp": "2026-01-15 10:00:07.250999+0000",
    "eventType": "activityCreateEvent",
    "eventMessage": "SecKeyCreateSignature",
    "processImagePath": "/Users/eve/agent",
    "processID": 501,
    "userID": 0,
    "traceID": 18446744073709551615,
    "senderImagePath": "/System/Library/Frameworks/Security.framework/Versions/A/Security",
    "senderProgramCounter": 9223372036854775808,
    "subsystem": "",
    "bootUUID": "",
    "messageType": "Fault",
    "backtrace": {"frames": []},
    "host.name": "mac-042",
    "host.id": "9D1F",
    "host.ip": ["10.20.0.42", "fe80::1"],
}

SSL = {
    "ts": 1768471207.250999,
    "uid": "C1",
    "id.orig_h": "10.20.0.42",
    "id.orig_p": 50000,
    "id.resp_h": "203.0.113.5",
    "id.resp_p": 443,
    "version": "TLSv12",
    "cipher": "TLS_RSA_WITH_AES_128_CBC_SHA",
    "established": False,
    "last_alert": "unknown_ca",
    "cert_chain_fps": ["ab", "cd"],
    "client_cert_chain_fps": [],
    "subject": r"CN=a,O=Example\, Inc",
    "sni_matches_cert": True,
    "validation_status": "self signed certificate",
}

X509 = {
    "ts": 1768471207.250999,
    "fingerprint": "ab",
    "certificate.version": 3,
    "certificate.serial": "08BB00EE",
    "certificate.subject": "CN=P18055077,OU=Jethpro,O=Pajfds",
    "certificate.issuer": "CN=P18055077,OU=one,OU=two",
    "certificate.not_valid_before": 1767225600.0005,
    "certificate.key_length": 2048,
    "certificate.key_alg": "rsaEncryption",
    "san.dns": ["a.example"],
    "san.ip": ["10.0.0.1"],
    "basic_constraints.ca": False,
    "host_cert": True,
    "an1498_validity_days": 364.5,
}

CONN = {
    "ts": 1768471207.250999,
    "uid": "C1",
    "id.orig_h": "10.20.0.42",
    "id.orig_p": 50000,
    "id.resp_h": "203.0.113.5",
    "id.resp_p": 443,
    "proto": "tcp",
    "service": "ssl",
    "duration": 1.5,
    "orig_bytes": 100,
    "resp_bytes": 200,
    "orig_ip_bytes": 140,
    "resp_ip_bytes": 240,
    "conn_state": "SF",
    "local_orig": True,
}

DOCUMENTS: dict[tuple[str, str], tuple[Mapping[str, Any], dict[str, Any]]] = {
    ("splunk/logd", "unifiedlog"): (
        UNIFIEDLOG,
        {
            "_time": 1768471207.250999,
            "index": "macos",
            "sourcetype": "logd",
            "host": "mac-042",
            "host_ip": "10.20.0.42",
            "eventType": "activityCreateEvent",
            "eventMessage": "SecKeyCreateSignature",
            "processImagePath": "/Users/eve/agent",
            "processID": "501",
            "userID": "0",
            "traceID": "18446744073709551615",
            "senderImagePath": "/System/Library/Frameworks/Security.framework/Versions/A/Security",
            "senderProgramCounter": "9223372036854775808",
            "subsystem": "",
            "bootUUID": "",
            "messageType": "Fault",
        },
    ),
    ("elastic/unifiedlogs", "unifiedlog"): (
        UNIFIEDLOG,
        {
            "@timestamp": "2026-01-15T10:00:07.250Z",
            "event.kind": "event",
            "event.module": "unifiedlogs",
            "event.dataset": "unifiedlogs.log",
            "event.category": ["host"],
            "host.os.type": "macos",
            "host.os.family": "darwin",
            "host.name": "mac-042",
            "host.id": "9D1F",
            "host.ip": ["10.20.0.42", "fe80::1"],
            "an1498.entity": "10.20.0.42",
            "an1498.rank": 2,
            "message": "SecKeyCreateSignature",
            "log.level": "critical",
            "process.executable": "/Users/eve/agent",
            "process.name": "agent",
            "process.pid": 501,
            "user.id": "0",
            "dll.path": "/System/Library/Frameworks/Security.framework/Versions/A/Security",
            "dll.name": "Security",
            "unified_log.event_type": "activityCreateEvent",
            "unified_log.message_type": "Fault",
            "unified_log.subsystem": "",
            "unified_log.trace_id": "18446744073709551615",
        },
    ),
    ("splunk/zeek", "ssl"): (
        SSL,
        {
            "_time": 1768471207.250999,
            "index": "zeek",
            "sourcetype": "bro:ssl:json",
            "uid": "C1",
            "id.orig_h": "10.20.0.42",
            "id.orig_p": "50000",
            "id.resp_h": "203.0.113.5",
            "id.resp_p": "443",
            "version": "TLSv12",
            "cipher": "TLS_RSA_WITH_AES_128_CBC_SHA",
            "established": "false",
            "last_alert": "unknown_ca",
            "cert_chain_fps": ["ab", "cd"],
            "subject": r"CN=a,O=Example\, Inc",
            "sni_matches_cert": "true",
            "validation_status": "self signed certificate",
        },
    ),
    ("elastic/zeek", "ssl"): (
        SSL,
        {
            "@timestamp": "2026-01-15T10:00:07.250Z",
            "event.kind": "event",
            "event.module": "zeek",
            "event.dataset": "zeek.ssl",
            "event.id": "C1",
            "network.transport": "tcp",
            "an1498.rank": 1,
            "source.ip": "10.20.0.42",
            "network.community_id": "1:yi6Vmp4qdNejEPHgloPNBuwNQZM=",
            "an1498.entity": "10.20.0.42",
            "source.address": "10.20.0.42",
            "source.port": 50000,
            "destination.ip": "203.0.113.5",
            "destination.address": "203.0.113.5",
            "destination.port": 443,
            "tls.cipher": "TLS_RSA_WITH_AES_128_CBC_SHA",
            "tls.established": False,
            "tls.server.subject": "CN=a,O=Example Inc",
            "tls.version": "1.2",
            "tls.version_protocol": "tls",
            "zeek.session_id": "C1",
            "zeek.ssl.cert_chain_fps": ["ab", "cd"],
            "zeek.ssl.cipher": "TLS_RSA_WITH_AES_128_CBC_SHA",
            "zeek.ssl.established": False,
            "zeek.ssl.last_alert": "unknown_ca",
            "zeek.ssl.sni_matches_cert": True,
            "zeek.ssl.validation.status": "self signed certificate",
            "zeek.ssl.version": "TLSv12",
        },
    ),
    ("elastic/corelight", "ssl"): (
        SSL,
        {
            "@timestamp": "2026-01-15T10:00:07.250Z",
            "event.kind": "event",
            "event.module": "corelight",
            "event.dataset": "tls",
            "event.category": "network",
            "event.id": "C1",
            "event.outcome": "failure",
            "network.transport": "tcp",
            "an1498.rank": 1,
            "source.ip": "10.20.0.42",
            "an1498.entity": "10.20.0.42",
            "source.address": "10.20.0.42",
            "source.port": 50000,
            "destination.ip": "203.0.113.5",
            "destination.address": "203.0.113.5",
            "destination.port": 443,
            "log.id.uid": "C1",
            "ssl.last_alert": "unknown_ca",
            "ssl.validation_status": "self signed certificate",
            "sni_matches_cert": True,
            "tls.cipher": "TLS_RSA_WITH_AES_128_CBC_SHA",
            "tls.established": False,
            "tls.server.cert_chain_fingerprints": ["ab", "cd"],
            "tls.server.subject": r"CN=a,O=Example\, Inc",
            "tls.version": "TLSv12",
        },
    ),
    ("splunk/corelight", "x509"): (
        X509,
        {
            "_time": 1768471207.250999,
            "index": "corelight",
            "sourcetype": "corelight_x509",
            "fingerprint": "ab",
            "certificate.version": "3",
            "certificate.serial": "08BB00EE",
            "certificate.subject": "CN=P18055077,OU=Jethpro,O=Pajfds",
            "certificate.issuer": "CN=P18055077,OU=one,OU=two",
            "certificate.not_valid_before": "1767225600.0005",
            "certificate.key_length": "2048",
            "certificate.key_alg": "rsaEncryption",
            "san.dns": ["a.example"],
            "san.ip": ["10.0.0.1"],
            "basic_constraints.ca": "false",
            "host_cert": "true",
            "an1498_validity_days": "364.5",
        },
    ),
    ("elastic/zeek", "x509"): (
        X509,
        {
            "@timestamp": "2026-01-15T10:00:07.250Z",
            "event.kind": "event",
            "event.module": "zeek",
            "event.dataset": "zeek.x509",
            "an1498.rank": 1,
            "file.x509.not_before": "2026-01-01T00:00:00.000Z",
            "file.x509.public_key_algorithm": "rsaEncryption",
            "file.x509.public_key_size": 2048,
            "file.x509.serial_number": "08BB00EE",
            "file.x509.version_number": "3",
            "zeek.x509.an1498_validity_days": 364.5,
            "zeek.x509.basic_constraints.ca": False,
            "zeek.x509.certificate.issuer.common_name": "P18055077",
            "zeek.x509.certificate.issuer.organizational_unit": ["one", "two"],
            "zeek.x509.certificate.key.algorithm": "rsaEncryption",
            "zeek.x509.certificate.key.length": 2048,
            "zeek.x509.certificate.serial": "08BB00EE",
            "zeek.x509.certificate.subject.common_name": "P18055077",
            "zeek.x509.certificate.subject.organization": "Pajfds",
            "zeek.x509.certificate.subject.organizational_unit": "Jethpro",
            "zeek.x509.certificate.valid.from": "2026-01-01T00:00:00.000Z",
            "zeek.x509.certificate.version": 3,
            "zeek.x509.fingerprint": "ab",
            "zeek.x509.host_cert": True,
            "zeek.x509.san.dns": ["a.example"],
            "zeek.x509.san.ip": ["10.0.0.1"],
        },
    ),
    ("elastic/corelight", "conn"): (
        CONN,
        {
            "@timestamp": "2026-01-15T10:00:07.250Z",
            "event.kind": "event",
            "event.module": "corelight",
            "event.dataset": "conn",
            "event.category": "network",
            "event.id": "C1",
            "event.duration": 1_500_000_000,
            "an1498.rank": 1,
            "conn.local_orig": True,
            "conn_state": "SF",
            "destination.address": "203.0.113.5",
            "destination.bytes": 200,
            "destination.ip": "203.0.113.5",
            "destination.ip_bytes": 240,
            "destination.port": 443,
            "log.id.uid": "C1",
            "network.protocol": "ssl",
            "network.transport": "tcp",
            "an1498.entity": "10.20.0.42",
            "source.address": "10.20.0.42",
            "source.bytes": 100,
            "source.ip": "10.20.0.42",
            "source.ip_bytes": 140,
            "source.port": 50000,
        },
    ),
    ("elastic/zeek", "conn"): (
        CONN,
        {
            "@timestamp": "2026-01-15T10:00:07.250Z",
            "event.kind": "event",
            "event.module": "zeek",
            "event.dataset": "zeek.connection",
            "event.category": "network",
            "event.id": "C1",
            "event.duration": 1_500_000_000,
            "an1498.rank": 1,
            "destination.address": "203.0.113.5",
            "destination.bytes": 240,
            "destination.ip": "203.0.113.5",
            "destination.port": 443,
            "network.protocol": "ssl",
            "network.transport": "tcp",
            "network.community_id": "1:yi6Vmp4qdNejEPHgloPNBuwNQZM=",
            "an1498.entity": "10.20.0.42",
            "source.address": "10.20.0.42",
            "source.bytes": 140,
            "source.ip": "10.20.0.42",
            "source.port": 50000,
            "zeek.connection.local_orig": True,
            "zeek.connection.state": "SF",
            "zeek.session_id": "C1",
        },
    ),
}


@pytest.mark.parametrize(("name", "service"), DOCUMENTS)
def test_the_stored_document(name: str, service: str) -> None:
    fields, document = DOCUMENTS[name, service]
    assert stored(name, service, fields) == document


def test_every_layout_has_a_document_here() -> None:
    assert {name for name, _ in DOCUMENTS} == set(layout_names(PIPELINES))


def test_every_derivation_is_used_by_a_layout() -> None:
    used = {derived.derivation for name in layout_names(PIPELINES) for source in layout(name).sources for derived in source.derived}
    assert used == set(Derivation)


@pytest.mark.parametrize("name", ["splunk/logd", "elastic/zeek"])
def test_a_log_that_the_layout_does_not_have_is_not_stored(name: str) -> None:
    assert index_event(event("dhcp", {"ts": 1.0}), layout(name)) is None


def test_a_record_with_no_known_field_is_still_stored() -> None:
    assert stored("splunk/zeek", "ssl", {"ts": 1.0}) == {"_time": 1768471207.250999, "index": "zeek", "sourcetype": "bro:ssl:json"}
    assert stored("elastic/unifiedlogs", "unifiedlog", {})["an1498.rank"] == 1


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.000Z"),
        (1_000, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_768_471_207_250_000, "2026-01-15T10:00:07.250Z"),
    ],
)
def test_elastic_keeps_milliseconds_splunk_microseconds(time_us: int, text: str) -> None:
    assert stored("elastic/zeek", "ssl", {}, time_us)["@timestamp"] == text
    assert stored("splunk/zeek", "ssl", {}, time_us)["_time"] == time_us / 1_000_000


@pytest.mark.parametrize(
    ("native", "value", "field", "kept"),
    [
        ("id.orig_p", "50000", "source.port", 50000),
        ("id.orig_p", 50000.9, "source.port", 50000),
        ("id.orig_p", 2**63, "source.port", None),
        ("id.orig_p", "many", "source.port", None),
        ("id.orig_p", True, "source.port", None),
        ("id.orig_p", [1], "source.port", [1]),
        ("id.orig_h", "2001:DB8::1", "source.ip", "2001:DB8::1"),
        ("id.orig_h", "mac-042", "source.ip", None),
        ("id.orig_h", 5, "source.ip", None),
        ("sni_matches_cert", "true", "zeek.ssl.sni_matches_cert", True),
        ("sni_matches_cert", "yes", "zeek.ssl.sni_matches_cert", None),
        ("server_name", 5, "zeek.ssl.server.name", "5"),
        ("server_name", True, "zeek.ssl.server.name", "true"),
        ("server_name", 0.5, "zeek.ssl.server.name", "0.5"),
        ("server_name", {"a": 1}, "zeek.ssl.server.name", None),
        ("server_name", "", "zeek.ssl.server.name", ""),
        ("cert_chain_fps", "ab", "zeek.ssl.cert_chain_fps", ["ab"]),
        ("cert_chain_fps", [], "zeek.ssl.cert_chain_fps", None),
    ],
)
def test_a_value_that_its_type_cannot_hold_is_missing(native: str, value: Any, field: str, kept: Any) -> None:
    assert stored("elastic/zeek", "ssl", {native: value}).get(field) == kept


@pytest.mark.parametrize("value", ["soon", True, 1e300, None])
def test_a_date_that_is_none_is_missing(value: Any) -> None:
    assert "zeek.x509.certificate.valid.from" not in stored("elastic/zeek", "x509", {"certificate.not_valid_before": value})


@pytest.mark.parametrize(
    ("addresses", "usable"),
    [
        (["10.20.0.42"], "10.20.0.42"),
        (["127.0.0.1", "::1", "fe80::1%en0", "169.254.3.4", "10.20.0.42"], "10.20.0.42"),
        (["10.20.0.42", "10.20.0.42"], "10.20.0.42"),
        (["2001:DB8:0::1"], "2001:db8::1"),
        (["0.0.0.0", "224.0.0.1"], None),
        (["10.20.0.42", "192.168.64.1"], None),
        (["10.20.0.42", "2001:db8::1"], None),
        (["127.0.0.1"], None),
        (["unknown"], None),
        ([], None),
    ],
)
def test_a_machine_has_one_usable_address_or_no_entity(addresses: list[str], usable: str | None) -> None:
    assert usable_address(addresses) == usable
    assert stored("elastic/unifiedlogs", "unifiedlog", {"host.ip": addresses}).get("an1498.entity") == usable
    assert stored("splunk/logd", "unifiedlog", {"host.ip": addresses}).get("host_ip") == usable


def test_no_address_no_entity() -> None:
    assert "an1498.entity" not in stored("elastic/unifiedlogs", "unifiedlog", {"host.name": "mac-042"})
    assert "host_ip" not in stored("splunk/logd", "unifiedlog", {"host.name": "mac-042"})
    assert "source.ip" not in stored("elastic/zeek", "ssl", {"id.resp_h": "203.0.113.5"})


@pytest.mark.parametrize(
    ("fields", "rank"),
    [
        ({"processImagePath": "/sbin/launchd", "eventType": "logEvent", "subsystem": "system/com.example [5]", "category": ""}, 3),
        ({"processImagePath": "/SBIN/launchd"}, 3),
        ({"eventType": "activityCreateEvent", "processImagePath": "/usr/bin/ssh"}, 2),
        ({"eventType": "activityCreateEvent", "processImagePath": "/sbin/launchd"}, 2),
        ({"eventType": "logEvent", "subsystem": "com.apple.security", "category": "seckey"}, 2),
        ({"eventType": "logEvent", "subsystem": "com.apple.securityd", "category": "SecError"}, 1),
        ({"subsystem": "com.apple.boringssl", "processImagePath": "/sbin/launchd"}, 1),
        ({"subsystem": "com.apple.CFNetwork", "eventMessage": "Connection 1: system TLS Trust evaluation failed(-9802)"}, 1),
        ({}, 1),
    ],
)
def test_a_later_stage_has_the_lower_rank(fields: dict[str, Any], rank: int) -> None:
    (source,) = layout("elastic/unifiedlogs").sources
    assert event_rank(event("unifiedlog", fields), source) == rank
    assert stored("elastic/unifiedlogs", "unifiedlog", fields)["an1498.rank"] == rank


@pytest.mark.parametrize(
    ("service", "native", "value", "field", "computed"),
    [
        ("unifiedlog", "processImagePath", "agent", "process.name", "agent"),
        ("unifiedlog", "processImagePath", "/a/b/", "process.name", "/a/b/"),
        ("unifiedlog", "processImagePath", 5, "process.name", None),
        ("unifiedlog", "messageType", "Default", "log.level", "info"),
        ("unifiedlog", "messageType", "Strange", "log.level", "strange"),
        ("unifiedlog", "messageType", 5, "log.level", None),
        ("unifiedlog", "subsystem", "com.apple.securityd", "event.category", ["configuration"]),
        ("unifiedlog", "subsystem", "com.apple.TCC", "event.category", ["configuration"]),
        ("unifiedlog", "subsystem", "com.apple.xprotect", "event.category", ["malware"]),
        ("unifiedlog", "subsystem", "com.apple.network", "event.category", ["host"]),
        ("unifiedlog", "subsystem", 5, "event.category", None),
        ("unifiedlog", "subsystem", "com.apple.network", "event.provider", "com.apple.network"),
        ("unifiedlog", "subsystem", "", "event.provider", None),
        ("ssl", "version", "TLSv13", "tls.version", "1.3"),
        ("ssl", "version", "SSLv3", "tls.version", "3.0"),
        ("ssl", "version", "SSLv3", "tls.version_protocol", "ssl"),
        ("ssl", "version", "DTLSv12", "tls.version_protocol", "dtls"),
        ("ssl", "version", "unknown-64282", "tls.version", None),
        ("ssl", "version", "TLSv", "tls.version", None),
        ("ssl", "version", 12, "tls.version_protocol", None),
        ("x509", "certificate.subject", r"CN=a\,b,O=x=y", "zeek.x509.certificate.subject.common_name", "ab"),
        ("x509", "certificate.subject", r"CN=a\,b,O=x=y", "zeek.x509.certificate.subject.organization", "x=y"),
        ("x509", "certificate.subject", "CN=a, Inc,O=x", "zeek.x509.certificate.subject.common_name", None),
        ("x509", "certificate.subject", "", "zeek.x509.certificate.subject.common_name", None),
        ("x509", "certificate.issuer", "C=DE,ST=BY,L=M", "zeek.x509.certificate.issuer.state", "BY"),
        ("conn", "duration", "soon", "event.duration", None),
    ],
)
def test_what_elastics_pipelines_compute(service: str, native: str, value: Any, field: str, computed: Any) -> None:
    name = "elastic/unifiedlogs" if service == "unifiedlog" else "elastic/zeek"
    assert stored(name, service, {native: value}).get(field) == computed


@pytest.mark.parametrize(("established", "outcome"), [(True, "success"), (False, "failure"), ("T", None)])
def test_corelight_outcome(established: Any, outcome: str | None) -> None:
    assert stored("elastic/corelight", "ssl", {"established": established}).get("event.outcome") == outcome
