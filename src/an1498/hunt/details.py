"""What one event of a finding says, in words: the program, the session, the certificate, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from an1498.hunt.alerts import Evidence
from an1498.model import Pack

SNI_ENTROPY = 4.14
"""Bits per character that 99 % of server names stay below (telemetry.md: 624 unique names of public logs); the parameter
`sni_entropy_threshold` says otherwise."""

YOUNG_DAYS = 30
"""A certificate that became valid less than so many days before the session: published detections look for these."""

_ENDPOINT = {
    "processImagePath": "program",
    "processID": "process",
    "userID": "user",
    "eventMessage": "message",
    "senderImagePath": "sender",
    "subsystem": "subsystem",
    "category": "category",
}
_SESSION = {
    "server_name": "server name",
    "id.orig_p": "client port",
    "version": "version",
    "cipher": "cipher",
    "established": "established",
    "validation_status": "verdict",
    "last_alert": "alert",
    "ssl_history": "history",
    "sni_matches_cert": "name matches certificate",
    "resumed": "resumed",
    "ja3": "JA3",
    "ja4": "JA4",
    "conn_state": "state",
    "uid": "uid",
}
_CERTIFICATE = {
    "certificate.subject": "subject",
    "certificate.issuer": "issuer",
    "certificate.serial": "serial",
    "certificate.not_valid_before": "valid from",
    "certificate.not_valid_after": "valid to",
    "certificate.key_type": "key type",
    "certificate.key_length": "key length",
    "certificate.sig_alg": "signature",
    "san.dns": "names",
    "fingerprint": "fingerprint",
}
# What a session that went well with a known server does not show.
_ODD = frozenset({("established", "false"), ("name matches certificate", "false")})


@dataclass(frozen=True, slots=True)
class Detail:
    """`odd` ones are marked."""

    label: str
    value: str
    odd: bool = False


def details(event: Evidence, pack: Pack) -> Iterator[Detail]:
    fields = event.fields
    if event.product == "macos":
        writable = _texts(pack, "user_writable_paths")
        for one in _named(fields, _ENDPOINT):
            yield replace(one, odd=one.label == "program" and one.value.lower().startswith(writable))
        return
    if "id.resp_h" in fields:
        yield Detail("server", f"{fields['id.resp_h']} port {fields.get('id.resp_p', '?')}")
    for one in _named(fields, _SESSION):
        yield replace(one, odd=(one.label == "verdict" and one.value != "ok") or (one.label, one.value) in _ODD)
    if not event.certificate:
        yield from _named(fields, {"subject": "subject", "issuer": "issuer"})
    yield from _certificate(event)
    if event.sni_entropy is not None:
        limit = _number(pack, "sni_entropy_threshold", SNI_ENTROPY)
        odd = event.sni_entropy > limit
        yield Detail(
            "entropy of the server name", f"{event.sni_entropy:.2f} bits per character" + (f", above {limit:g}" if odd else ""), odd
        )
    payload = _seconds(fields.get("an1498_first_bytes_entropy"))
    if payload is not None:
        limit = _number(pack, "payload_entropy_threshold", 8.0)
        odd = payload >= limit
        yield Detail("entropy of the first bytes", f"{payload:.2f} bits per byte" + (f", {limit:g} or more" if odd else ""), odd)


def _certificate(event: Evidence) -> Iterator[Detail]:
    certificate = event.certificate
    for one in _named(certificate, _CERTIFICATE):
        yield Detail(f"certificate {one.label}", one.value)
    subject, issuer = certificate.get("certificate.subject"), certificate.get("certificate.issuer")
    if subject and subject == issuer:
        yield Detail("certificate", "self-signed: subject and issuer are the same", odd=True)
    begins, ends = (_seconds(certificate.get(f"certificate.not_valid_{name}")) for name in ("before", "after"))
    if begins is not None:
        days = (event.time_s - begins) / 86_400
        young = days < YOUNG_DAYS
        age = f"{days:.1f} days old at the session" if days >= 0 else f"not valid for another {-days:.1f} days at the session"
        yield Detail("certificate", age, odd=young)
    if ends is not None and ends < event.time_s:
        yield Detail("certificate", f"expired {(event.time_s - ends) / 86_400:.1f} days before the session", odd=True)


def _named(fields: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[Detail]:
    for name, label in labels.items():
        if fields.get(name) not in (None, ""):
            yield Detail(label, _value(name, fields[name]))


def _value(name: str, value: Any) -> str:
    if name.startswith("certificate.not_valid"):
        try:
            return datetime.fromtimestamp(float(value), UTC).strftime("%Y-%m-%d %H:%M")
        except (ValueError, OverflowError, OSError):
            return str(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _seconds(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _number(pack: Pack, name: str, otherwise: float) -> float:
    parameter = pack.parameters.get(name)
    return float(parameter.value) if parameter is not None and isinstance(parameter.value, int | float) else otherwise


def _texts(pack: Pack, name: str) -> tuple[str, ...]:
    """The texts of a list, in lower case."""
    parameter = pack.parameters.get(name)
    return tuple(str(item).lower() for item in parameter.value) if parameter is not None and isinstance(parameter.value, tuple) else ()
