"""An umbrella rule matches exactly the events that one of its parts matches."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.rules.conftest import Matcher, events_of, scenarios

from an1498.model import Pack

UNIONS = {
    "macos_public_key_use": (
        "macos_private_key_operation",
        "macos_public_key_operation",
        "macos_key_generation",
        "macos_key_import",
        "macos_seckey_failure",
    ),
    "macos_untrusted_tls": ("macos_trust_evaluation_failed", "macos_tls_handshake_failed"),
    "zeek_tls_unrecognised_certificate": (
        "zeek_tls_self_signed_certificate",
        "zeek_tls_unknown_issuer",
        "zeek_tls_certificate_outside_validity",
        "zeek_tls_sni_mismatch",
        "zeek_tls_certificate_alert",
    ),
    "zeek_tls_anomalous_handshake": ("zeek_tls_handshake_failed", "zeek_tls_weak_protocol", "zeek_tls_unnamed_on_unexpected_port"),
    "zeek_tls_suspicious_session": ("zeek_tls_unrecognised_certificate", "zeek_tls_anomalous_handshake"),
}
EVENTS = 6000


def field_tests(node: Any) -> Iterator[tuple[str, Any]]:
    """Every `field|modifiers` with its value in a detection or filter."""
    for item in node if isinstance(node, list) else [node]:
        if isinstance(item, Mapping):
            for key, value in item.items():
                if isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(part, Mapping) for part in value)):
                    yield from field_tests(value)
                else:
                    yield from ((key, part) for part in (value if isinstance(value, list) else [value]))


def satisfying(key: str, value: Any, pack: Pack) -> Iterator[tuple[str, Any]]:
    """Values of the field that meet one test, and near misses."""
    field, *modifiers = key.split("|")
    texts = [value]
    if "expand" in modifiers:
        name = value.split("%")[1]
        parameter = pack.parameters[name].value
        texts = [
            entry if value == f"%{name}%" else value.replace(f"%{name}%", str(entry))
            for entry in (parameter if isinstance(parameter, tuple) else (parameter,))
        ]
    for text in texts:
        if isinstance(text, str) and "cidr" in modifiers:
            network = ipaddress.ip_network(text)
            yield field, str(network[min(9, network.num_addresses - 1)])
        elif isinstance(text, str):
            text = text.replace("*", "501")
            before = "/opt" if {"endswith", "contains"} & {*modifiers} else ""
            after = "x9" if {"startswith", "contains"} & {*modifiers} else ""
            yield field, before + text + after
            yield field, text + "-not"
        else:
            yield field, text
    yield field, None


def pools(names: tuple[str, ...], pack: Pack) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        "id.resp_h": ["203.0.113.9", "198.51.100.9", "2001:db8::9"] * 6,
        "id.resp_p": [443, 4444, 31337] * 8,
        "established": [True],
    }
    for name in names:
        documents = [pack.rules[name].document["detection"]]
        documents += [item.document["filter"] for item in pack.filters.values() if name in item.document["filter"]["rules"]]
        for document in documents:
            for key, value in field_tests({part: tests for part, tests in document.items() if part not in ("condition", "rules")}):
                for field, candidate in satisfying(key, value, pack):
                    found.setdefault(field, []).append(candidate)
    return found


def random_events(names: tuple[str, ...], pack: Pack) -> Iterator[dict[str, Any]]:
    choose = random.Random(1498)
    candidates = pools(names, pack)
    for _ in range(EVENTS):
        event = {field: choose.choice(values) for field, values in candidates.items()}
        yield {field: value for field, value in event.items() if value is not None}


@pytest.mark.parametrize("umbrella", UNIONS)
def test_umbrella_is_the_union_of_its_parts(umbrella: str, pack: Pack, hit: Matcher) -> None:
    parts = UNIONS[umbrella]
    counts = dict.fromkeys(parts, 0)
    misses = 0
    for event in random_events((umbrella, *parts), pack):
        of_parts = [part for part in parts if hit(part, event)]
        assert hit(umbrella, event) == bool(of_parts), (event, of_parts)
        misses += not of_parts
        for part in of_parts:
            counts[part] += 1
    assert min(counts.values()) >= 5, counts
    assert misses >= EVENTS // 10


@pytest.mark.parametrize("umbrella", UNIONS)
def test_umbrella_is_the_union_of_its_parts_in_the_samples(umbrella: str, pack: Pack, hit: Matcher) -> None:
    rule = pack.rules[umbrella]
    matched = 0
    for scenario in scenarios():
        for event in events_of(scenario):
            if (event.product, event.service) == (rule.product, rule.service):
                matched += hit(umbrella, event.fields)
                assert hit(umbrella, event.fields) == any(hit(part, event.fields) for part in UNIONS[umbrella]), event
    assert matched


def test_a_writable_path_narrows_the_umbrella(pack: Pack, hit: Matcher) -> None:
    narrow = 0
    for event in random_events(("macos_public_key_use", "macos_key_use_from_user_writable_path"), pack):
        if hit("macos_key_use_from_user_writable_path", event):
            narrow += 1
            assert hit("macos_public_key_use", event)
    assert narrow >= 5


@pytest.mark.parametrize(
    "change",
    [
        {"id.resp_h": "10.9.9.9"},
        {"id.resp_h": "fd00::1"},
        {"id.orig_h": "203.0.113.77"},
        {"server_name": "DNS.Google"},
        {"issuer": "CN=Example Corp TLS Inspection CA,O=Example Corp,DC=corp,DC=example"},
    ],
    ids=str,
)
def test_what_excuses_a_session(change: dict[str, Any], hit: Matcher) -> None:
    """Inside servers, outside clients, trusted names and trusted issuers; the same session without the change is suspicious."""
    session = {
        "id.orig_h": "10.20.0.42",
        "id.resp_h": "203.0.113.10",
        "id.resp_p": 443,
        "server_name": "cdn.example.net",
        "version": "TLSv12",
        "established": True,
        "validation_status": "unable to get local issuer certificate",
    }
    assert hit("zeek_tls_suspicious_session", session)
    assert not hit("zeek_tls_suspicious_session", {**session, **change})
