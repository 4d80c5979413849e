"""Random streams written down as scenarios: raw logs as the sensors print them, and scenario.yml with the reference's alerts.

One unified log per machine (the agent that ships it knows the machine), one ssl.log for all, as JSON or TSV.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import yaml

from an1498.model import NativeEvent, Pack
from an1498.proof.palette import Expectation
from an1498.proof.reference import firings
from an1498.times import EPOCH, time_text

_ZEEK_FIELDS = {
    "ts": "time",
    "uid": "string",
    "id.orig_h": "addr",
    "id.orig_p": "port",
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "version": "string",
    "cipher": "string",
    "server_name": "string",
    "resumed": "bool",
    "last_alert": "string",
    "established": "bool",
    "ssl_history": "string",
    "sni_matches_cert": "bool",
    "validation_status": "string",
    "issuer": "string",
}


def write(pack: Pack, stream: Sequence[NativeEvent], directory: Path, rng: random.Random) -> None:
    """Write the stream as a scenario directory; `rng` chooses among the formats that mean the same."""
    directory.mkdir(parents=True)
    sources: list[dict[str, Any]] = []
    machines: dict[tuple[str, tuple[str, ...]], list[NativeEvent]] = {}
    for event in stream:
        if event.host is not None:
            machines.setdefault((event.host.name, event.host.ips), []).append(event)
    for number, ((name, ips), events) in enumerate(sorted(machines.items())):
        file = f"unifiedlog-{number}.ndjson"
        lines = [json.dumps(_unified(event, rng)).replace("/", "\\/") for event in events]
        lines += rng.choice(([], [json.dumps({"count": len(events), "finished": 1})]))
        (directory / file).write_text("\n".join([*lines, ""]), encoding="utf-8")
        sources.append({"file": file, "format": "unifiedlog", "host": {"name": name, **({"ip": ips[0]} if ips else {})}})
    sessions = [event for event in stream if event.host is None]
    if sessions:
        text = _json(sessions, rng) if rng.random() < 0.5 else _tsv(sessions)
        (directory / "ssl.log").write_text(text, encoding="utf-8")
        sources.append({"file": "ssl.log", "format": "zeek"})
    document = {"title": "Random stream", "description": "Drawn at random.", "sources": sources, "expect": _expect(pack, stream)}
    (directory / "scenario.yml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _expect(pack: Pack, stream: Sequence[NativeEvent]) -> list[dict[str, Any]]:
    expected = []
    for name, correlation in sorted(pack.correlations.items()):
        expectation = Expectation(pack, correlation)
        found = sorted(firings(expectation.spec, expectation.observe(stream)), key=lambda firing: (firing[1], firing[0]))
        if found:
            alerts = [{"time": time_text(time), "group": dict(zip(correlation.group_by, group, strict=True))} for group, time in found]
            expected.append({"rule": name, "alerts": alerts})
    return expected


def _unified(event: NativeEvent, rng: random.Random) -> Mapping[str, Any]:
    zone = timezone(timedelta(hours=rng.choice((0, -5, 2))))
    moment = EPOCH.astimezone(zone) + timedelta(microseconds=event.time_us)
    fields = {name: value for name, value in event.fields.items() if not name.startswith("host.")}
    return {"traceID": 2**63 + 5, "timestamp": moment.strftime("%Y-%m-%d %H:%M:%S.%f%z"), "timezoneName": "", **fields}


def _json(events: Sequence[NativeEvent], rng: random.Random) -> str:
    iso = rng.random() < 0.3
    lines = []
    for event in events:
        record = {**event.fields, "ts": time_text(event.time_us // 1000) if iso else event.time_us / 1_000_000}
        lines.append(json.dumps(record))
    return "\n".join([*lines, ""])


def _tsv(events: Sequence[NativeEvent]) -> str:
    header = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tssl"]
    header += ["\t".join(["#fields", *_ZEEK_FIELDS]), "\t".join(["#types", *_ZEEK_FIELDS.values()])]
    rows = ["\t".join(_cell(event, name) for name in _ZEEK_FIELDS) for event in events]
    return "\n".join([*header, *rows, "#close\t2026-01-15-11-00-00", ""])


def _cell(event: NativeEvent, name: str) -> str:
    if name == "ts":
        return f"{event.time_us / 1_000_000:.6f}"
    value = event.fields.get(name)
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    return str(value)
