"""A record as a SIEM stores it → the native event that it was made of: from the raw record where the export has it, else from the
stored fields, read backwards through a layout's table.

What an ingest pipeline threw away cannot come back: an Elastic export of x509.log has no whole subject, its times are milliseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from an1498.errors import Location
from an1498.model import Host, Layout, LayoutSource, NativeEvent
from an1498.telemetry import logtext, unifiedlog, zeek
from an1498.telemetry.exports import records
from an1498.telemetry.lines import shown
from an1498.telemetry.reject import Malformed, Reject, quoted
from an1498.telemetry.times import epoch_us, iso_us
from an1498.telemetry.zeek_logs import FIELD_TYPES, LOG_NAMES, OTHER_TYPES, log_name, log_of_file
from an1498.telemetry.zeek_values import json_value

Known = Callable[[str], Host | None]
"""A machine's name, empty where the record has none → what is known about it."""

_UTC_WORD = re.compile(r"(.*\d) ?(?:UTC|GMT|Z)")
_DATASETS = {"connection": "conn", "tls": "ssl"}
_SOURCETYPE = re.compile(r"(?:bro|zeek|corelight)[_:](?P<log>\w+?)(?::json|_red)?")
_RAW_KEYS = ("_raw", "event.original", "message")
# Fewer mapped fields than this may be met by chance.
_ENOUGH = 3


def _nothing(_: str) -> Host | None:
    return None


@dataclass(frozen=True, slots=True)
class Site:
    """What must be known to read an export: the layouts that the SIEM may have stored, its machines, and which addresses a machine (its
    name) had at a time (microseconds)."""

    layouts: Sequence[Layout] = ()
    known: Known = _nothing
    addresses: Callable[[str, int], tuple[str, ...]] = lambda _name, _time_us: ()


def scan(path: Path, backend: str, site: Site) -> Iterator[NativeEvent | Reject]:
    """Every record of an export as an event or why it is none; `exports` says what its line is. `backend` is `splunk` or `elastic`."""
    sources = tuple(source for layout in site.layouts if layout.backend == backend for source in layout.sources)
    reader = _Stored(path, sources, site.known, typed=backend == "elastic")
    for number, record in records(path):
        if isinstance(record, Reject):
            yield record
            continue
        try:
            item = reader.read(number, record)
        except Malformed as error:
            item = error.at(Location(shown(path), number))
        if isinstance(item, Reject):
            yield replace(item, text=json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        elif item is not None:
            yield addressed(item, site.addresses)


def addressed(event: NativeEvent, addresses: Callable[[str, int], tuple[str, ...]]) -> NativeEvent:
    """A Mac's event that has no address with those that its machine had at that time."""
    name = event.fields.get("host.name")
    if event.product != "macos" or not isinstance(name, str) or event.fields.get("host.ip"):
        return event
    found = addresses(name, event.time_us)
    return replace(event, fields={**event.fields, "host.ip": list(found)}) if found else event


@dataclass(frozen=True, slots=True)
class _Stored:
    """`typed`: whether the SIEM keeps JSON's types; Splunk's fields are texts."""

    path: Path
    sources: Sequence[LayoutSource]
    known: Known
    typed: bool

    def read(self, number: int, record: Mapping[str, Any]) -> NativeEvent | Reject | None:
        document = _document(record)
        host = self._host(document)
        # In a mapped unified log record `message` is what a program said, which may look like any record.
        keys = _RAW_KEYS if not any(name.startswith("unified_log.") for name in document) else _RAW_KEYS[:2]
        raw = next((text for key in keys if isinstance(text := _one(document.get(key)), str) and _is_raw(text)), None)
        if raw is not None:
            return self._raw(number, raw, document, host)
        for native in (record.get("_source"), record.get("json"), record) if self.typed else ():
            # An index of records as the sensor wrote them, with or without what a shipper added.
            if isinstance(native, dict) and "ts" in native:
                return zeek.LineReader(self.path, None, named=_log(document)).event(number, native)
            if isinstance(native, dict) and "timestamp" in native and "eventMessage" in native:
                return unifiedlog.LineReader(self.path, host).event(number, native)
        return self._mapped(number, document, host)

    def _host(self, document: Mapping[str, Any]) -> Host | None:
        """What the record says of its machine; what it leaves out is taken from what is known about the machine of that name."""
        name, id_ = _text(document, "host.name", "host"), _text(document, "host.id")
        stated = document.get("host.ip", document.get("host_ip"))
        ips = tuple(str(ip) for ip in (stated if isinstance(stated, list) else [stated]) if ip)
        known = self.known(name)
        if known is not None:
            return Host(name or known.name, id_ or known.id, ips or known.ips, known.timezone)
        return Host(name, id_, ips) if name or id_ or ips else None

    def _raw(self, number: int, raw: str, document: Mapping[str, Any], host: Host | None) -> NativeEvent | Reject | None:
        line = raw.strip().encode("utf-8", "surrogatepass")
        if not raw.lstrip().startswith("{"):
            return logtext.Reader(self.path, host).record(number, raw.strip("\n").split("\n"))
        if '"eventMessage"' in raw or '"machTimestamp"' in raw:
            return unifiedlog.LineReader(self.path, host).read(number, line)
        # A JSON record that names its log says it better than what surrounds it.
        return zeek.LineReader(self.path, None, named=_log(document)).read(number, line)

    def _mapped(self, number: int, document: Mapping[str, Any], host: Host | None) -> NativeEvent:
        log = _log(document)
        if log is not None and not any((one.product, one.service) == ("zeek", log) for one in self.sources):
            # A log that no layout knows: no rule reads it, and its time is all that is asked of it.
            return NativeEvent("zeek", log, _time(document), {}, Location(shown(self.path), number), None)
        source = self._source(document)
        types = FIELD_TYPES.get(source.service, OTHER_TYPES) if source.product == "zeek" else {}
        fields: dict[str, Any] = {}
        for row in source.fields:
            value = document.get(row.indexed)
            if value is None or value == "" or row.native.startswith("host."):
                continue
            if source.product == "zeek":
                fields[row.native] = _zeek_value(row.native, types.get(row.native, "string"), value)
            else:
                fields[row.native] = unifiedlog.value(row.native, _one(value))
        for derived in source.derived:
            # `copy` loses nothing, so the copy serves where the field itself is not exported.
            if derived.native not in fields and derived.derivation in ("copy", "not_empty", "plain_commas") and derived.indexed in document:
                native = types.get(derived.native, "string") if source.product == "zeek" else ""
                if native and not derived.native.startswith("host."):
                    fields[derived.native] = _zeek_value(derived.native, native, document[derived.indexed])
        time_us = _time(document)
        if source.product == "zeek":
            fields["ts"] = time_us / 1_000_000
            return NativeEvent("zeek", source.service, time_us, fields, Location(shown(self.path), number), None)
        known = unifiedlog.host_fields(host)
        return NativeEvent(source.product, source.service, time_us, fields | known, Location(shown(self.path), number), host)

    def _source(self, document: Mapping[str, Any]) -> LayoutSource:
        """By what the record says it is, else by the fields that it has."""
        stated = _one(document.get("event.dataset")) or _one(document.get("data_stream.dataset")) or _one(document.get("sourcetype"))
        exact = [one for one in self.sources if stated is not None and stated in one.constants.values()]
        if not exact:
            log = _log(document)
            exact = [one for one in self.sources if log and (one.product, one.service) == ("zeek", log)] or list(self.sources)
        scored = [(sum(row.indexed in document for row in one.fields), -number, one) for number, one in enumerate(exact)]
        best = max(scored, default=None, key=lambda item: item[:2])
        if best is None or best[0] < _ENOUGH:
            raise Malformed(
                f"the record is of no layout of the pack (sourcetype or dataset {quoted(stated)}), and holds no raw record",
                "export the raw records (_raw, event.original), or the fields that a layout of pipelines/ names",
            )
        return best[2]


def _document(record: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names → values, of `_source`, `fields` and the record itself, in this order of precedence."""
    found: dict[str, Any] = {}
    parts = [record[key] for key in ("_source", "fields") if isinstance(record.get(key), dict)]
    for part in parts or [record]:
        for name, value in _leaves(part, ""):
            found.setdefault(name, value)
    if isinstance(record.get("_index"), str):
        found.setdefault("_index", record["_index"])
    return found


def _leaves(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        elif value is not None:
            yield prefix + key, value


def _one(value: Any) -> Any:
    """The value of a list with one, also where it stands there several times, as Splunk has it that extracts fields twice."""
    return value[0] if isinstance(value, list) and value and all(item == value[0] for item in value) else value


def _text(document: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if isinstance(text := _one(document.get(name)), str) and text), "")


def _is_raw(text: str) -> bool:
    start = text.lstrip()
    if start.startswith("{"):
        return '"ts"' in text or '"timestamp"' in text
    return logtext.is_text(start.split("\n", 1)[0])


def _log(document: Mapping[str, Any]) -> str | None:
    """The Zeek log that the record's surroundings name."""
    for key in ("event.dataset", "data_stream.dataset", "fileset.name"):
        text = _text(document, key).removeprefix("zeek.").removeprefix("corelight.")
        text = _DATASETS.get(text, text)
        if text in LOG_NAMES:
            return text
    found = _SOURCETYPE.fullmatch(_text(document, "sourcetype"))
    if found is not None:
        return log_name(found["log"])
    for key in ("log.file.path", "source", "_index"):
        text = _text(document, key)
        named = log_of_file(Path(text)) if text else None
        if named is not None:
            return named
    return None


def _zeek_value(native: str, type_name: str, value: Any) -> Any:
    """The value in Zeek's type; a SIEM may have made it a text. Raises Malformed."""
    plural = "[" in type_name
    if plural and isinstance(value, str):
        value = value.split("\n")
    element = type_name.split("[")[-1].rstrip("]")
    items = [_typed(element, item) for item in (value if isinstance(value, list) else [value])]
    try:
        return json_value(type_name, items if plural else _one(items))
    except Malformed as error:
        raise Malformed(f"'{native}': {error.problem}", error.remedy) from None


def _typed(type_name: str, value: Any) -> Any:
    match type_name, value:
        case "bool", str():
            return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(value.lower(), value)
        case "count" | "int" | "port", str() if re.fullmatch(r"-?\d{1,20}", value, re.ASCII):
            return int(value)
        case "double" | "interval", str() if re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?", value, re.ASCII):
            return float(value)
        case "string", bool() | int() | float():
            return str(value)
    return value


def _time(document: Mapping[str, Any]) -> int:
    value = _one(document.get("@timestamp", document.get("_time", document.get("ts"))))
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Elasticsearch's `epoch_millis` against Splunk's epoch seconds.
        return epoch_us(value / 1000 if "@timestamp" in document and abs(value) > 100_000_000_000 else value)
    if not isinstance(value, str):
        raise Malformed("the record has no time (@timestamp, _time)", "export the time field too")
    named = _UTC_WORD.fullmatch(value)
    if named is not None:
        return iso_us(named[1] + "+0000")
    try:
        return epoch_us(value)
    except Malformed:
        return iso_us(value)
