"""samples/<scenario>/scenario.yml → Scenario: which raw logs to replay, and which alerts must come (formats.md)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from an1498.content.node import Document, Node, suggestion
from an1498.content.text import label
from an1498.content.yamldoc import read_yaml
from an1498.errors import ContentError, Location
from an1498.model import Alert, Host, Pack
from an1498.times import microseconds_since_epoch

FILE_NAME = "scenario.yml"
CMDB = "cmdb"
FORMATS = ("unifiedlog", "zeek", "splunk", "elastic", CMDB)

_OFFSET = re.compile(r"UTC|[+-](?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)

Group = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ScenarioSource:
    """One raw log, or a CMDB as CSV. `host` is what the agent that ships it knows about its machine (None: nothing)."""

    file: Path
    format: str
    host: Host | None
    location: Location


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """`alert` as most targets raise it; `group_by_target` holds the whole group where a target resolves it otherwise."""

    alert: Alert
    group_by_target: Mapping[str, Group]
    location: Location

    def on(self, target: str) -> Alert:
        return Alert(self.alert.time_ms, self.group_by_target.get(target, self.alert.group))


@dataclass(frozen=True, slots=True)
class Expectation:
    """All alerts of one rule in a scenario; none means that it must stay quiet."""

    rule: str
    alerts: tuple[ExpectedAlert, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Scenario:
    """`name` is the directory's name. `targets` is empty where the scenario holds for all of them, else `reason` says why not."""

    name: str
    title: str
    description: str
    directory: Path
    sources: tuple[ScenarioSource, ...]
    expect: tuple[Expectation, ...]
    targets: tuple[str, ...]
    reason: str
    document: Document
    location: Location

    def applies_to(self, target: str) -> bool:
        return not self.targets or target in self.targets


def scenario_files(samples: Path) -> tuple[Path, ...]:
    """The scenario files below a directory, sorted; `samples` may also be one scenario's directory or file. Raises ContentError."""
    if samples.is_file():
        return (samples,)
    if not samples.is_dir():
        raise ContentError(Location(label(samples)), "is not there", "name a directory of scenarios", "unreadable-file")
    return tuple(sorted(samples.rglob(FILE_NAME)))


def load_scenario(path: Path, pack: Pack) -> Scenario:
    """A scenario, from its file or its directory, checked against the pack's rules and targets. Raises ContentError."""
    file = path / FILE_NAME if path.is_dir() else path
    document = read_yaml(file)
    root = document.root
    entries = root.keys(
        ("title", "description", "sources", "expect", "group_by_target", "targets", "reason"), required=("title", "sources", "expect")
    )
    targets = _targets(entries.get("targets"), pack)
    reason = entries["reason"].text(longest=2000, lines=True).strip() if "reason" in entries else ""
    if "targets" in entries and not reason:
        raise entries["targets"].error("'targets' has no 'reason'", "add 'reason:' and say why the other targets differ", "missing-key")
    if reason and "targets" not in entries:
        raise entries["reason"].error("'reason' stands without 'targets'", "add 'targets:', or move the text to 'description'")
    sources = tuple(_source(node, file.parent) for node in entries["sources"].items())
    if not sources:
        raise entries["sources"].error("'sources' is an empty list", "name at least one log file")
    overrides = _group_by_target(entries["group_by_target"], pack) if "group_by_target" in entries else {}
    expect = tuple(_expectation(node, pack, overrides) for node in entries["expect"].items())
    for number, expectation in enumerate(expect):
        if any(expectation.rule == earlier.rule for earlier in expect[:number]):
            raise ContentError(expectation.location, f"'{expectation.rule}' has two entries in 'expect'", "merge their alerts", "duplicate")
    description = entries["description"].text(longest=20_000, lines=True).strip() if "description" in entries else ""
    return Scenario(
        name=file.absolute().parent.name,
        title=entries["title"].text(),
        description=description,
        directory=file.parent,
        sources=sources,
        expect=expect,
        targets=targets,
        reason=reason,
        document=document,
        location=Location(document.file, root.location.line, root.location.column),
    )


def _targets(node: Node | None, pack: Pack) -> tuple[str, ...]:
    if node is None:
        return ()
    names = node.texts()
    for item in node.items():
        _known_target(item, item.value, pack)
    return names


def _known_target(node: Node, name: str, pack: Pack) -> None:
    if name not in pack.targets:
        raise node.error(f"target '{name}' is unknown", suggestion(name, pack.targets), "unknown-reference")


def _source(node: Node, directory: Path) -> ScenarioSource:
    entries = node.keys(("file", "format", "host"), required=("file", "format"))
    name = entries["file"].text()
    relative = Path(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise entries["file"].error(f"'{name}' leads out of the scenario's directory", "copy the log beside scenario.yml and give its name")
    file = directory / relative
    if not file.is_file():
        raise entries["file"].error(
            f"there is no log file '{name}' beside scenario.yml", "add the file, or correct its name", "unknown-reference"
        )
    return ScenarioSource(file, entries["format"].one_of(FORMATS), _host(entries["host"]) if "host" in entries else None, node.location)


def _host(node: Node) -> Host:
    entries = node.keys(("name", "id", "ip", "timezone"))
    addresses: tuple[str, ...] = ()
    if "ip" in entries:
        ip = entries["ip"]
        items = ip.items() if isinstance(ip.value, list) else [ip]
        addresses = tuple(_address(item) for item in items)
    name = entries["name"].text() if "name" in entries else ""
    timezone = _timezone(entries["timezone"]) if "timezone" in entries else ""
    return Host(name, entries["id"].text() if "id" in entries else "", addresses, timezone)


def _timezone(node: Node) -> str:
    text = node.text()
    if not _OFFSET.fullmatch(text):
        raise node.error(f"'{text}' is no offset from UTC", "write UTC or an offset such as +02:00")
    return text


def _address(node: Node) -> str:
    text = node.text()
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise node.error(f"'{text}' is not an IP address", "write an IPv4 or IPv6 address, or leave 'ip' out") from None
    return text


def _expectation(node: Node, pack: Pack, overrides: Mapping[str, Group]) -> Expectation:
    entries = node.keys(("rule", "alerts"), required=("rule", "alerts"))
    rule = entries["rule"].text()
    known = {**pack.rules, **pack.correlations}
    if rule not in known:
        raise entries["rule"].error(f"rule '{rule}' is unknown", suggestion(rule, known), "unknown-reference")
    alerts = tuple(_alert(item, pack, overrides) for item in entries["alerts"].items())
    return Expectation(rule, alerts, node.location)


def _alert(node: Node, pack: Pack, overrides: Mapping[str, Group]) -> ExpectedAlert:
    entries = node.keys(("time", "group", "group_by_target"), required=("time",))
    group = _group(entries["group"]) if "group" in entries else ()
    own = _group_by_target(entries["group_by_target"], pack) if "group_by_target" in entries else {}
    groups = {
        target: tuple(sorted({**dict(group), **dict(overrides.get(target, ())), **dict(own.get(target, ()))}.items()))
        for target in sorted({*overrides, *own})
    }
    return ExpectedAlert(Alert(_time_ms(entries["time"]), group), groups, node.location)


def _group_by_target(node: Node, pack: Pack) -> dict[str, Group]:
    result = {}
    for target, group in node.entries().items():
        _known_target(group, target, pack)
        result[target] = _group(group)
    return result


def _group(node: Node) -> Group:
    pairs = []
    for key, value in node.entries().items():
        if isinstance(value.value, bool) or not isinstance(value.value, str | int | float):
            raise value.wrong_type("text or a number")
        pairs.append((key, str(value.value)))
    return tuple(sorted(pairs))


def _time_ms(node: Node) -> int:
    """Milliseconds since the epoch of an RFC 3339 time; finer digits are refused, because alert times are floored to ms."""
    remedy = 'write RFC 3339 with a zone, such as "2026-01-15T10:00:07.250Z"'
    text = node.text()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise node.error(f"'{text}' is not a time", remedy) from None
    if moment.tzinfo is None:
        raise node.error(f"the time '{text}' has no zone", remedy)
    if moment.microsecond % 1000:
        raise node.error(f"the time '{text}' is finer than milliseconds", "cut it to three decimal places")
    return microseconds_since_epoch(moment) // 1000
