"""What the side-by-side benchmark gives to other tools: the same events as JSON lines, the same event rules as SQL, one of the pack's
ordered correlations in their own languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule

from an1498.compiler.resolve import resolve
from an1498.content import load_pack
from an1498.model import Host, Pack
from an1498.telemetry import Reject, scan_log

ROOT = Path(__file__).resolve().parents[1]

RULES = (
    "macos_public_key_use",
    "macos_trust_evaluation_failed",
    "macos_tls_handshake_failed",
    "zeek_tls_self_signed_certificate",
    "zeek_tls_unrecognised_certificate",
    "zeek_tls_handshake_failed",
)
"""Event rules that every tool runs."""

ORDERED = "an1498_public_key_use_then_unrecognised_certificate"
STAGES = ("macos_public_key_use", "zeek_tls_unrecognised_certificate")

OVERLAY = """[parameters]
trusted_endpoint_addresses = ["192.0.2.1"]
allowed_launchd_labels = ["com.example.nothing"]
"""
"""Other backends have no answer to an empty list, so the lists that the pack leaves empty name something that does not occur."""


def pack(overlay: Path) -> Pack:
    return load_pack(ROOT, [overlay])


def sigma_rules(the_pack: Pack, names: tuple[str, ...] = RULES) -> list[SigmaRule]:
    """The event rules with parameters and filters put in: plain Sigma, as any backend takes it."""
    found = []
    for name in names:
        rule, empty = resolve(the_pack, the_pack.rules[name])
        assert not empty, f"{name}: empty parameters {empty}"
        rule.name = name
        found.append(rule)
    return found


def sql(the_pack: Pack, names: tuple[str, ...] = RULES) -> Mapping[str, str]:
    """Rule → SELECT over the table `logs`, by pysigma-backend-sqlite."""
    return {rule.name or "": str(sqliteBackend().convert(SigmaCollection([rule]))[0]) for rule in sigma_rules(the_pack, names)}  # type: ignore[no-untyped-call]


def ruleset(the_pack: Pack) -> str:
    """The rules in Zircolite's own format, as SQL by the same backend. Zircolite keeps letters and digits of a field's name only."""
    found = []
    for rule in sigma_rules(the_pack):
        for selection in rule.detection.detections.values():
            _letters_and_digits(selection)
        text = str(sqliteBackend().convert(SigmaCollection([rule]))[0])  # type: ignore[no-untyped-call]
        found.append({"title": rule.name, "id": rule.name, "level": "low", "tags": [], "rule": [text], "filename": rule.name})
    return json.dumps(found, indent=1)


def _letters_and_digits(item: SigmaDetection | SigmaDetectionItem) -> None:
    if isinstance(item, SigmaDetection):
        for inner in item.detection_items:
            _letters_and_digits(inner)
    elif item.field:
        item.field = re.sub("[^0-9A-Za-z]", "", item.field)


def ordered_sql(the_pack: Pack) -> str:
    """The ordered correlation as one SELECT, by pysigma-backend-sqlite."""
    rules = sigma_rules(the_pack, STAGES)
    timespan = str(the_pack.parameters["time_window"].value)
    correlation = {"type": "temporal_ordered", "rules": list(STAGES), "group-by": ["entity"], "timespan": timespan}
    document = {"title": ORDERED, "name": ORDERED, "correlation": correlation}
    collection = SigmaCollection([*rules, SigmaCorrelationRule.from_dict(document)])
    collection.resolve_rule_references()
    return str(sqliteBackend(timestamp_format="unix_ms").convert(collection)[-1])  # type: ignore[no-untyped-call]


def eql_text(the_pack: Pack) -> str:
    """The ordered correlation in EQL, in the dialect of PyPI's `eql`: the rules' conditions written anew, because no backend writes it."""
    processes, names = _listed(the_pack, "allowed_processes"), _listed(the_pack, "trusted_doh_endpoints")
    alerts = "bad_certificate unsupported_certificate certificate_revoked certificate_expired certificate_unknown unknown_ca"
    private = _quoted(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"])
    routines = """
        SecKeyCreateSignature SecKeyCreateDecryptedDataWithParameters SecKeyCopyKeyExchangeResult SecKeyCreateAttestation
        SecKeyCreateMLDSASignature SecKeyCreateDecapsulatedKey SecKeyCreateEncryptedDataWithParameters SecKeyVerifySignature
        SecKeyCreateEncapsulatedKey SecKeyCreateRandomKey SecKeyCreateWithData SecIdentityCopyPrivateKey
    """
    statuses = (
        "self signed certificate",
        "self-signed certificate",
        "self signed certificate in certificate chain",
        "self-signed certificate in certificate chain",
        "unable to get local issuer certificate",
        "certificate has expired",
        "certificate is not yet valid",
    )
    return f"""
        sequence by entity with maxspan=5m
          [macos where eventType == "activityCreateEvent" and wildcard(senderImagePath, "*/Security.framework/Versions/A/Security")
            and eventMessage in ({_quoted(routines.split())})
            and not processImagePath in ({processes})]
          [zeek where cidrMatch(id_orig_h, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
            and not cidrMatch(id_resp_h, {private})
            and (validation_status in ({_quoted(statuses)}) or sni_matches_cert == false
              or last_alert in ({_quoted(alerts.split())}))
            and not server_name in ({names})]
    """


def _listed(the_pack: Pack, parameter: str) -> str:
    value = the_pack.parameters[parameter].value
    assert isinstance(value, Sequence)
    return _quoted(map(str, value))


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(map(json.dumps, texts))


def events(folder: Path, hosts: Mapping[str, Host]) -> Iterator[dict[str, Any]]:
    """The generated records under native names, with `entity` (the machine's address), `product`, and `timestamp` in milliseconds."""
    for path in sorted((folder / "unifiedlog").iterdir()):
        yield from _records(path, "unifiedlog", hosts[path.name])
    yield from _records(folder / "zeek" / "ssl.log", "zeek", None)


def _records(path: Path, format: str, host: Host | None) -> Iterator[dict[str, Any]]:
    for item in scan_log(path, format, host):
        assert not isinstance(item, Reject), item
        fields = dict(item.fields)
        entity = host.ips[0] if host else fields["id.orig_h"]
        fields.pop("backtrace", None)
        yield fields | {"entity": entity, "timestamp": item.time_us // 1000, "product": item.product}


def columns(the_pack: Pack) -> list[str]:
    """The fields that the searches read."""
    found = {"timestamp", "entity"}
    for rule in sigma_rules(the_pack):
        for selection in rule.detection.detections.values():
            found |= set(_fields(selection))
    return sorted(found)


def every_field(the_pack: Pack) -> dict[str, Any]:
    """A record that no rule matches and that has every field: a table whose columns come from the records knows them all then."""
    return dict.fromkeys(columns(the_pack), "none") | {"timestamp": 0, "product": "none"}


def _fields(item: SigmaDetection | SigmaDetectionItem) -> Iterator[str]:
    if isinstance(item, SigmaDetection):
        for inner in item.detection_items:
            yield from _fields(inner)
    elif item.field:
        yield item.field
