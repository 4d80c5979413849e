"""The model of each layout's ingest: a raw record → the document that the SIEM stores, driven by the layout's table alone.

Elastic documents have typed values under dotted names; Splunk events have texts (a multivalue where the record has a list) and
`_time`. What a vendor's pipeline computes besides is listed in the table under `derived`; this module says how, each with its source.
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from an1498.model import RANK_FIELD, Derivation, FieldType, Layout, LayoutField, LayoutSource, NativeEvent
from an1498.telemetry.community_id import of_record
from an1498.times import time_text

"""The field with an event's rank, which our ingest pipelines stamp in Elastic; EQL searches use it as tiebreaker."""

_INT64 = range(-(2**63), 2**63)


def index_event(event: NativeEvent, layout: Layout) -> dict[str, Any] | None:
    """The stored document with JSON-ready values, or None where the layout has no such log source.

    A field that the record lacks, or whose value its type cannot hold (Elastic data streams have `ignore_malformed`), is missing."""
    source = next((one for one in layout.sources if one.product == event.product and one.service == event.service), None)
    if source is None:
        return None
    return _splunk(event, source) if layout.backend == "splunk" else _elastic(event, source)


def _splunk(event: NativeEvent, source: LayoutSource) -> dict[str, Any]:
    """Splunk keeps microseconds in `_time` and every other field as text (JSON's text for numbers and booleans)."""
    document: dict[str, Any] = {source.time_field: event.time_us / 1_000_000, **source.constants}
    for indexed, value, _ in _values(event, source):
        _put(document, indexed, value, _json_text)
    return document


def _elastic(event: NativeEvent, source: LayoutSource) -> dict[str, Any]:
    document: dict[str, Any] = {source.time_field: _date(event.time_us / 1_000_000, event.time_us), **source.constants}
    for indexed, value, row in _values(event, source):
        _put(document, indexed, value, _STORED[row])
    document[RANK_FIELD] = event_rank(event, source)
    return document


def _values(event: NativeEvent, source: LayoutSource) -> list[tuple[str, Any, FieldType]]:
    """(stored field, native or computed value, type); a computed value replaces the mapped one, also by nothing."""
    computed = {row.indexed for row in source.derived}
    found = [
        (row.indexed, _shape(row, event.fields[row.native]), row.type)
        for row in source.fields
        if row.native in event.fields and row.indexed not in computed
    ]
    for derived in source.derived:
        if derived.derivation is Derivation.COMMUNITY_ID:
            # Elasticsearch, "Community ID processor": from addresses, ports and network.transport.
            found.append((derived.indexed, of_record(event.fields, str(source.constants.get("network.transport", ""))), derived.type))
        elif derived.native in event.fields:
            found.append((derived.indexed, _DERIVE[derived.derivation](event.fields[derived.native]), derived.type))
    return found


def _shape(row: LayoutField, value: Any) -> Any:
    return [value] if row.array and not isinstance(value, list) else value


def _put(document: dict[str, Any], field: str, value: Any, convert: Callable[[Any], Any]) -> None:
    if isinstance(value, list):
        converted = [item for item in map(convert, value) if item is not None]
        if converted:
            document[field] = converted
    else:
        stored = convert(value)
        if stored is not None:
            document[field] = stored


def event_rank(event: NativeEvent, source: LayoutSource) -> int:
    """The rank that the table gives an event: the first case that holds. Texts compare without regard to case, as Sigma's do."""
    for case in source.rank_cases:
        value = event.fields.get(case.field)
        if value is not None and any(_folded(value) == _folded(wanted) for wanted in case.values):
            return case.rank
    return source.rank


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


# --- types -------------------------------------------------------------------------------------------------------------------


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, dict):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _long(value: Any) -> int | None:
    """Elasticsearch coerces texts and cuts decimals (mapping parameter `coerce`)."""
    number = _double(value)
    if number is None:
        return None
    whole = int(value) if isinstance(value, int) else int(number)
    return whole if whole in _INT64 else None


def _double(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _boolean(value: Any) -> bool | None:
    """A boolean field takes true, false and their texts (field type `boolean`)."""
    return {True: True, False: False, "true": True, "false": False}.get(value) if isinstance(value, bool | str) else None


def _ip(value: Any) -> str | None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return None
    return str(value) if isinstance(value, str) else None


def _date(value: Any, microseconds: int | None = None) -> str | None:
    """RFC 3339 with milliseconds, the rest cut: the resolution of the field type `date`."""
    if microseconds is None:
        number = _double(value)
        if number is None:
            return None
        microseconds = round(number * 1_000_000)
    try:
        return time_text(microseconds // 1000)
    except OverflowError:
        return None


_STORED: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.KEYWORD: _json_text,
    FieldType.TEXT: _json_text,
    FieldType.LONG: _long,
    FieldType.DOUBLE: _double,
    FieldType.BOOLEAN: _boolean,
    FieldType.IP: _ip,
    FieldType.DATE: _date,
}


# --- what the pipelines compute ----------------------------------------------------------------------------------------------


def usable_address(addresses: Any) -> str | None:
    """The machine's address where exactly one of its addresses can be seen by a network sensor: not loopback, link-local,
    unspecified or multicast. Several usable addresses are no join key, so there is none then. An IPv4-mapped
    address is the IPv4 one, as a field of type ip stores it."""
    usable = set()
    for text in addresses if isinstance(addresses, list) else [addresses]:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            if address.scope_id:
                continue  # `fe80::1%en0`: an interface's name is no part of an address, and an ip field takes none
            address = address.ipv4_mapped or address
        if not (address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast):
            usable.add(str(address))
    return usable.pop() if len(usable) == 1 else None


def _file_name(path: Any) -> str | None:
    """elastic/integrations, unifiedlogs, script extract_process_name_dll_name_log_level: what follows the last slash."""
    if not isinstance(path, str):
        return None
    return path.rpartition("/")[2] or path


def _log_level(message_type: Any) -> str | None:
    """elastic/integrations, unifiedlogs, the same script."""
    if not isinstance(message_type, str):
        return None
    return {"Default": "info", "Info": "info", "Debug": "debug", "Error": "error", "Fault": "critical"}.get(
        message_type, message_type.lower()
    )


_CATEGORY_OF: Mapping[str, str] = {
    "com.apple.appleevents": "process",
    "com.apple.TCC": "configuration",
    "com.apple.Authorization": "authentication",
    "com.apple.opendirectory": "authentication",
    "com.apple.loginwindow.logging": "session",
    "com.apple.mDNSResponder": "network",
    "com.apple.xpc": "process",
}


def _event_category(subsystem: Any) -> list[str] | None:
    """elastic/integrations, unifiedlogs, script derive_event_category_and_type."""
    if not isinstance(subsystem, str):
        return None
    if subsystem in _CATEGORY_OF:
        return [_CATEGORY_OF[subsystem]]
    if any(part in subsystem for part in ("xprotect", "syspolicy", "Gatekeeper")):
        return ["malware"]
    if any(part in subsystem for part in ("Security", "securityd")):
        return ["configuration"]
    return ["host"]


def _plain_commas(name: Any) -> str | None:
    """elastic/integrations, zeek ssl and x509: `gsub` takes the escaped commas out of distinguished names."""
    return name.replace("\\,", "") if isinstance(name, str) else None


def _tls_version(version: Any) -> str | None:
    """elastic/integrations, zeek ssl: `TLSv12` → `1.2`, `SSLv3` → `3.0`."""
    protocol, number = _version_parts(version)
    if not number:
        return None
    return f"{number}.0" if protocol == "SSL" else f"{number[0]}.{number[1:]}"


def _tls_protocol(version: Any) -> str | None:
    protocol, number = _version_parts(version)
    return protocol.lower() if number else None


def _version_parts(version: Any) -> tuple[str, str]:
    parts = version.split("v") if isinstance(version, str) else []
    return (parts[0], parts[1]) if len(parts) == 2 else ("", "")


def _dn_part(key: str) -> Callable[[Any], Any]:
    """elastic/integrations, zeek x509: `kv` splits the name at "," and "="; a part without "=" fails the whole split."""

    def part(name: Any) -> Any:
        plain = _plain_commas(name)
        pairs = [item.split("=", 1) for item in plain.split(",")] if plain else []
        if any(len(pair) < 2 for pair in pairs):
            return None
        found = [value for found_key, value in pairs if found_key == key]
        return found[0] if len(found) == 1 else found

    return part


def _nanoseconds(seconds: Any) -> int | None:
    """event.duration of both conn pipelines."""
    number = _double(seconds)
    return None if number is None else round(number * 1_000_000_000)


def _outcome(established: Any) -> str | None:
    """corelight/ecs-mapping, ssl: event.outcome."""
    return {True: "success", False: "failure"}.get(established) if isinstance(established, bool) else None


def _copy(value: Any) -> Any:
    return value


def _not_empty(value: Any) -> Any:
    """elastic/integrations, unifiedlogs: `copy_from` with `ignore_empty_value`, and the removal of empty texts."""
    return None if value == "" else value


_DERIVE: Mapping[Derivation, Callable[[Any], Any]] = {
    Derivation.COPY: _copy,
    Derivation.NOT_EMPTY: _not_empty,
    Derivation.FILE_NAME: _file_name,
    Derivation.LOG_LEVEL: _log_level,
    Derivation.EVENT_CATEGORY: _event_category,
    Derivation.USABLE_ADDRESS: usable_address,
    Derivation.PLAIN_COMMAS: _plain_commas,
    Derivation.TLS_VERSION: _tls_version,
    Derivation.TLS_PROTOCOL: _tls_protocol,
    Derivation.NANOSECONDS: _nanoseconds,
    Derivation.OUTCOME: _outcome,
    Derivation.DN_COMMON_NAME: _dn_part("CN"),
    Derivation.DN_COUNTRY: _dn_part("C"),
    Derivation.DN_LOCALITY: _dn_part("L"),
    Derivation.DN_ORGANIZATION: _dn_part("O"),
    Derivation.DN_ORGANIZATIONAL_UNIT: _dn_part("OU"),
    Derivation.DN_STATE: _dn_part("ST"),
}
