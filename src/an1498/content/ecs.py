"""Which stored fields are ECS fields, and of which type (Elastic Common Schema 8.17, field reference)."""

from __future__ import annotations

from an1498.model import FieldType

ECS_VERSION = "8.17"

_BY_PREFIX = {
    "": ("@timestamp", "message"),
    "client": ("ip",),
    "destination": ("address", "bytes", "domain", "ip", "packets", "port"),
    "dll": ("name", "path"),
    "event": ("category", "dataset", "duration", "id", "kind", "module", "outcome", "provider"),
    "file.hash": ("sha256",),
    "file.x509": (
        "issuer.distinguished_name",
        "not_after",
        "not_before",
        "public_key_algorithm",
        "public_key_curve",
        "public_key_exponent",
        "public_key_size",
        "serial_number",
        "signature_algorithm",
        "subject.distinguished_name",
        "version_number",
    ),
    "host": ("id", "ip", "name", "os.family", "os.type"),
    "log": ("level",),
    "network": ("community_id", "protocol", "transport"),
    "process": ("executable", "name", "pid", "thread.id"),
    "source": ("address", "bytes", "domain", "ip", "packets", "port"),
    "tls": ("cipher", "curve", "established", "next_protocol", "resumed", "version", "version_protocol"),
    "tls.client": ("issuer", "ja3", "server_name", "subject"),
    "tls.server": ("issuer", "ja3s", "subject"),
    "user": ("id",),
}

ECS_FIELDS = frozenset(f"{prefix}.{name}" if prefix else name for prefix, names in _BY_PREFIX.items() for name in names)
"""The ECS fields among the fields of the pack's layouts. A multi-field such as `message.keyword` is not one."""

_TYPES = {
    FieldType.TEXT: ("message",),
    FieldType.DATE: ("@timestamp", "file.x509.not_after", "file.x509.not_before"),
    FieldType.IP: ("client.ip", "destination.ip", "host.ip", "source.ip"),
    FieldType.BOOLEAN: ("tls.established", "tls.resumed"),
    FieldType.LONG: (
        *(f"{side}.{name}" for side in ("destination", "source") for name in ("bytes", "packets", "port")),
        *("event.duration", "file.x509.public_key_exponent", "file.x509.public_key_size", "process.pid", "process.thread.id"),
    ),
}
_TYPE_OF = {name: kind for kind, names in _TYPES.items() for name in names}


def ecs_type(field: str) -> FieldType | None:
    """The type of an ECS field among `ECS_FIELDS`, None for any other field."""
    return _TYPE_OF.get(field, FieldType.KEYWORD) if field in ECS_FIELDS else None
