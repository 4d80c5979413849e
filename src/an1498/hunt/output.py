"""A hunt's findings as a table, JSON lines or CSV, and what has to be said about the input."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from an1498.hunt.alerts import Evidence, Finding
from an1498.hunt.engine import Hunt
from an1498.telemetry.detect import MACS, Format
from an1498.telemetry.files import shown
from an1498.times import time_text

_LISTED = 5
# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection"), full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_HEADINGS = ("TIME", "LEVEL", "RULE", "GROUP", "PROCESS", "SERVER")


def moment(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, the rest cut."""
    return time_text(round(seconds * 1_000_000) // 1000)


def processes(finding: Finding) -> list[str]:
    """The executables of the endpoint events, the last event's first."""
    return _distinct(event.fields.get("processImagePath") for event in reversed(finding.events))


def servers(finding: Finding) -> list[str]:
    """`name (address:port)` of the TLS events, the last event's first."""
    found = []
    for event in reversed(finding.events):
        address = event.fields.get("id.resp_h")
        if address is not None:
            host = f"[{address}]" if ":" in address else address
            place = f"{host}:{event.fields.get('id.resp_p', '?')}"
            name = event.fields.get("server_name")
            found.append(f"{name} ({place})" if name else place)
    return _distinct(found)


def _distinct(values: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if value is not None))


def table_lines(found: Hunt) -> Iterator[str]:
    """An aligned table; control characters, which a log may smuggle into a terminal, are shown as escapes."""
    if not found.findings:
        return
    rows = [_HEADINGS]
    for one in found.findings:
        group = " ".join(f"{key}={value}" for key, value in one.group)
        rows.append((moment(one.time_s), one.level, one.rule, group, _first(processes(one)), _first(servers(one))))
    safe = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(len(row[number]) for row in safe) for number in range(len(_HEADINGS))]
    for row in safe:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _first(values: list[str]) -> str:
    return values[0] + (f" +{len(values) - 1}" if len(values) > 1 else "") if values else ""


def printable(text: str) -> str:
    """Characters that are not printable as escapes."""
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode() for character in text)


def json_lines(found: Hunt) -> Iterator[str]:
    """One object per finding."""
    for one in found.findings:
        yield json.dumps(finding_object(one), ensure_ascii=False)


def finding_object(one: Finding) -> dict[str, Any]:
    """A finding, JSON-ready."""
    return {
        "time": moment(one.time_s),
        "first_time": moment(one.first_s),
        "rule": one.rule,
        "title": one.title,
        "level": one.level,
        "kind": one.kind,
        "group": dict(one.group),
        **one.more,
        "events": [_event_object(event) for event in one.events],
    }


def _event_object(event: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = {
        "time": moment(event.time_s),
        "source": f"{event.product}/{event.service}",
        "file": event.file,
        "line": event.line,
        "rules": list(event.rules),
        "fields": dict(event.fields),
    }
    if event.sni_entropy is not None:
        found["sni_entropy"] = round(event.sni_entropy, 3)
    if event.certificate:
        found["certificate"] = dict(event.certificate)
    return found


def csv_lines(found: Hunt) -> Iterator[str]:
    """A header and one row per finding. A cell that a spreadsheet would take for a formula gets an apostrophe in front."""
    heading = ["time", "first_time", "rule", "level", "group", "processes", "servers", "events", "places"]
    rows: list[list[str]] = [heading]
    for one in found.findings:
        group = " ".join(f"{key}={value}" for key, value in one.group)
        places = " ".join(f"{event.file}:{event.line}" for event in one.events)
        texts = [one.rule, one.level, group, " | ".join(processes(one)), " | ".join(servers(one)), str(len(one.events)), places]
        rows.append([moment(one.time_s), moment(one.first_s), *map(_cell, texts)])
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    yield stream.getvalue().rstrip("\n")


def _cell(text: str) -> str:
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text


def notes(found: Hunt) -> Iterator[tuple[str, str]]:
    """(message, style) about the input and the result."""
    for problem in found.problems:
        yield f"error: {problem}", "red"
    for one in found.not_run:
        yield f"error: {one.rule} was not executed: {one.why}", "red"
    for reject in found.first_rejects:
        yield f"rejected: {reject.error()}", "yellow"
    if found.rejects > len(found.first_rejects):
        yield f"rejected: … and {found.rejects - len(found.first_rejects)} more lines; --rejects FILE writes them all", "yellow"
    yield from ((f"note: {text}", "") for text in _omissions(found))
    files = sum(not one.skipped for one in found.loaded)
    count = f"{len(found.findings)} alert{'' if len(found.findings) == 1 else 's'}"
    yield f"{count} in {found.events} events of {files} files; {found.rejects} lines rejected", ""


def _omissions(found: Hunt) -> Iterator[str]:
    skipped: dict[str, list[str]] = {}
    for one in found.loaded:
        if one.skipped and one.file.service not in ("x509", "dhcp"):
            skipped.setdefault(one.skipped, []).append(shown(one.file.path))
    # x509.log is read for the certificates of alerts alone, and there were none to ask for; dhcp.log for addresses.
    for reason, names in skipped.items():
        yield f"not read: {_some(names)}: {reason}"
    if found.others:
        yield f"not logs: {_some([error.location.file for error in found.others])}"
    logs = [one for one in found.loaded if one.file.format in MACS and not one.skipped]
    zoneless = [shown(one.file.path) for one in logs if one.file.format is Format.UNIFIEDLOG_TEXT and not (one.host and one.host.timezone)]
    if zoneless:
        yield f"times without an offset are taken as UTC in {_some(zoneless)}; give --timezone where they are local times"
    if found.unaddressed:
        yield (
            f"whose unified logs these are is not known, so they meet no network event: {_some(found.unaddressed)}; "
            "give --host NAME=ADDRESS, a map (hosts.csv: path,name,ip), or a dhcp.log that names the machine"
        )


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:_LISTED])
    return listed + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
