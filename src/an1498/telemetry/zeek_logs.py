"""What the readers know about Zeek's logs: their names, and the types of the fields of those that the pack reads.

TSV files state their types; these tables serve JSON, where a set may be missing, a time is a number or a text, and some shippers
turn the dots of names into underscores. Source: docs.zeek.org, script reference of base/protocols/ssl, base/files/x509,
base/protocols/conn, base/protocols/dhcp and of the policy scripts that add fields; `an1498_…` are the pack's own (zeek/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_CONNECTION = {
    "ts": "time",
    "uid": "string",
    "id.orig_h": "addr",
    "id.orig_p": "port",
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "community_id": "string",
}

FIELD_TYPES: Mapping[str, Mapping[str, str]] = {
    "ssl": _CONNECTION
    | {
        "version": "string",
        "cipher": "string",
        "curve": "string",
        "server_name": "string",
        "resumed": "bool",
        "last_alert": "string",
        "next_protocol": "string",
        "established": "bool",
        "ssl_history": "string",
        "cert_chain_fps": "vector[string]",
        "client_cert_chain_fps": "vector[string]",
        "cert_chain_fuids": "vector[string]",
        "client_cert_chain_fuids": "vector[string]",
        "subject": "string",
        "issuer": "string",
        "client_subject": "string",
        "client_issuer": "string",
        "sni_matches_cert": "bool",
        "validation_status": "string",
        "ja3": "string",
        "ja3s": "string",
        "ja4": "string",
        "an1498_key_type": "string",
        "an1498_key_length": "count",
        "an1498_not_valid_before": "time",
        "an1498_not_valid_after": "time",
        "an1498_validity_days": "double",
        "an1498_age_days": "double",
        "an1498_self_signed": "bool",
        "an1498_chain_length": "count",
    },
    "x509": {
        "ts": "time",
        "fingerprint": "string",
        "id": "string",
        "certificate.version": "count",
        "certificate.serial": "string",
        "certificate.subject": "string",
        "certificate.issuer": "string",
        "certificate.not_valid_before": "time",
        "certificate.not_valid_after": "time",
        "certificate.key_alg": "string",
        "certificate.sig_alg": "string",
        "certificate.key_type": "string",
        "certificate.key_length": "count",
        "certificate.exponent": "string",
        "certificate.curve": "string",
        "san.dns": "vector[string]",
        "san.uri": "vector[string]",
        "san.email": "vector[string]",
        "san.ip": "vector[addr]",
        "basic_constraints.ca": "bool",
        "basic_constraints.path_len": "count",
        "host_cert": "bool",
        "client_cert": "bool",
        "an1498_validity_days": "double",
        "an1498_age_days": "double",
    },
    "conn": _CONNECTION
    | {
        "proto": "string",
        "service": "string",
        "duration": "interval",
        "orig_bytes": "count",
        "resp_bytes": "count",
        "conn_state": "string",
        "local_orig": "bool",
        "local_resp": "bool",
        "missed_bytes": "count",
        "history": "string",
        "orig_pkts": "count",
        "orig_ip_bytes": "count",
        "resp_pkts": "count",
        "resp_ip_bytes": "count",
        "tunnel_parents": "set[string]",
        "an1498_first_bytes_entropy": "double",
    },
    "dhcp": {
        "ts": "time",
        "uids": "set[string]",
        "client_addr": "addr",
        "server_addr": "addr",
        "client_port": "port",
        "server_port": "port",
        "mac": "string",
        "host_name": "string",
        "client_fqdn": "string",
        "domain": "string",
        "requested_addr": "addr",
        "assigned_addr": "addr",
        "lease_time": "interval",
        "client_message": "string",
        "server_message": "string",
        "msg_types": "vector[string]",
        "duration": "interval",
    },
}

# Of logs that no rule reads only what most logs share is known.
OTHER_TYPES: Mapping[str, str] = _CONNECTION

# `id_orig_h` → `id.orig_h`: how shippers that cannot keep dots write the known names.
UNDOTTED: Mapping[str, Mapping[str, str]] = {
    log: {field.replace(".", "_"): field for field in types if "." in field} for log, types in FIELD_TYPES.items()
}
OTHER_UNDOTTED: Mapping[str, str] = {field.replace(".", "_"): field for field in OTHER_TYPES if "." in field}

# Names that a file may have when nothing inside it tells the log (docs.zeek.org, "Zeek Logs").
_LOG_NAMES = """
    analyzer bacnet broker capture_loss cip cluster config conn dce_rpc dhcp dnp3 dns dpd enip files ftp http intel irc kerberos
    known_certs known_hosts known_modbus known_services ldap ldap_search loaded_scripts login modbus modbus_register_change
    mqtt_connect mqtt_publish mqtt_subscribe mysql netcontrol netcontrol_catch_release netcontrol_drop netcontrol_shunt notice
    notice_alarm ntlm ntp ocsp openflow packet_filter pe postgresql print profinet quic radius rdp redis reporter rfb s7comm sip
    smb_cmd smb_files smb_mapping smtp snmp socks software ssh ssl stats syslog telemetry traceroute tunnel unknown_protocols
    weird weird_stats websocket wireguard x509
"""
LOG_NAMES = frozenset(_LOG_NAMES.split())

_NAME = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)


def log_name(path: str) -> str | None:
    """The log's name as this project says it: `ssl` for `ssl`, `SSL`, Corelight's reduced `ssl_red`; None where it is no name."""
    name = path.lower().removesuffix("_red")
    return name if _NAME.fullmatch(name) else None


def log_of_file(path: Path) -> str | None:
    """The log that a file's name tells: `ssl.log`, `ssl.10:00:00-11:00:00.log.gz`, `x509.json.log`, `zeek-ssl.json`, `ssl_2026-01-15.log`;
    None for other names, and for one that names two logs."""
    stem = path.name.split(".")[0]
    whole = log_name(stem)
    if whole in LOG_NAMES:
        return whole
    if whole is not None and whole.startswith("open_"):
        return whole  # sessions that had not ended: ssl.log has them too
    parts = {part for part in re.split(r"[-_ ]", stem.lower()) if part in LOG_NAMES}
    return parts.pop() if len(parts) == 1 else None


# Fields that a log always has together and no other log has (underscores as shippers write them, nested objects by their first name).
_SIGNATURES: tuple[tuple[str, frozenset[str]], ...] = (
    ("ssl", frozenset({"established", "resumed"})),
    ("x509", frozenset({"certificate.serial"})),
    ("x509", frozenset({"certificate_serial"})),
    ("x509", frozenset({"certificate", "ts"})),
    ("conn", frozenset({"conn_state"})),
    ("dhcp", frozenset({"mac", "msg_types"})),
    ("dns", frozenset({"query", "trans_id"})),
    ("http", frozenset({"trans_depth", "resp_fuids"})),
    ("http", frozenset({"trans_depth", "status_code"})),
    ("files", frozenset({"fuid", "analyzers"})),
)


def log_of_fields(fields: Iterable[str]) -> str | None:
    """The log whose fields a record has; None where they do not tell."""
    names = frozenset(fields)
    return next((log for log, signature in _SIGNATURES if signature <= names), None)
