"""A synthetic pack whose rules match on chosen words, so that any correlation can be compiled and fed with random streams.

Rule names are words; a macOS event matches a rule if its message holds the word, a Zeek event if its server name does. Machines
are addresses (alias `entity`), or host name and process id where the correlation is on one Mac.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from an1498.content import load_pack
from an1498.errors import Location
from an1498.model import Condition, CorrelationType, Host, NativeEvent, Pack
from an1498.proof.reference import Spec
from an1498.proof.streams import Drawn, Population

WORDS = ("alpha", "bravo", "charlie", "delta")
MAC = "macos"
ZEEK = "zeek"
_LOGSOURCES = {MAC: {"product": "macos", "service": "unifiedlog"}, ZEEK: {"product": "zeek", "service": "ssl"}}
_RANK = {MAC: 2, ZEEK: 1}
_WORD_FIELD = {MAC: "eventMessage", ZEEK: "server_name"}
_TEXT_FIELD = {MAC: "category", ZEEK: "cipher"}
_SECOND_TEXT_FIELD = {MAC: "subsystem", ZEEK: "curve"}
_NUMBER_FIELD = {MAC: "threadID", ZEEK: "id.resp_p"}

CONFIGURATION = """
[pack]
name = "synthetic"
version = "0"
attack_version = "19.1"

[parameters]
clock_skew = "{skew_s}s"

[targets.splunk]
backend = "splunk"
languages = ["spl"]
layouts = ["splunk/logd", "splunk/zeek"]
entity = "ip"
interval = "5m"

[targets.elastic]
backend = "elastic"
languages = ["eql", "esql"]
layouts = ["elastic/unifiedlogs", "elastic/zeek"]
entity = "ip"
interval = "5m"

[targets.splunk-staged]
backend = "splunk"
variant = "staged"
layouts = ["splunk/logd", "splunk/zeek"]

[targets.elastic-staged]
backend = "elastic"
variant = "staged"
languages = ["eql", "esql"]
layouts = ["elastic/unifiedlogs", "elastic/zeek"]
"""

NAME = "synthetic_correlation"


@dataclass(frozen=True, slots=True)
class Case:
    """A correlation to prove: its meaning, the YAML that says it, and what to draw streams from."""

    spec: Spec
    group_by: tuple[str, ...]
    correlation: Mapping[str, Any]
    population: Population


def case(
    kind: CorrelationType,
    sensors: Sequence[str],
    *,
    window_s: int,
    skew_s: int = 0,
    condition: Mapping[str, Any] | str | None = None,
) -> Case:
    """A case whose n-th rule is on the n-th sensor. `condition` is as in Sigma, its field one of "text", "second" or "number"
    (or a list of them), which stand for a native field of the one sensor that such a condition needs."""
    rules = WORDS[: len(sensors)]
    by_sensor: dict[str, tuple[str, ...]] = {}
    for rule, sensor in zip(rules, sensors, strict=True):
        by_sensor[sensor] = (*by_sensor.get(sensor, ()), rule)
    on_host = set(sensors) == {MAC}
    fields = _fields(condition, sensors[0])
    body: dict[str, Any] = {"type": str(kind), "rules": list(rules), "timespan": f"{window_s}s"}
    group_by: tuple[str, ...]
    if on_host:
        group_by = ("host.name", "processID")
        groups: list[tuple[str | None, ...]] = [("mac-1", "501"), ("MAC-1", "501"), ("mac-2", "77"), (None, "501"), ("mac-2", None)]
    else:
        group_by = ("entity",)
        body["aliases"] = {"entity": {r: "host.ip" if s == MAC else "id.orig_h" for r, s in zip(rules, sensors, strict=True)}}
        groups = [("10.20.0.1",), ("10.20.0.1",), ("10.20.0.11",), ("2001:db8::5",), (None,)]
    body["group-by"] = list(group_by)
    if condition is not None:
        body["condition"] = _native(condition, fields)
    spec = Spec(
        kind,
        rules,
        window_s * 1000,
        _reference_condition(condition, fields),
        skew_s * 1000,
        dict(zip(rules, sensors, strict=True)),
    )
    values = {
        fields.get("text", ""): ("AES", "aes", "chacha", "*", None),
        fields.get("second", ""): ("x25519", "X25519", "p256", None),
        fields.get("number", ""): (443, 8443, 1, 0, 10, None),
    }
    values.pop("", None)
    return Case(spec, group_by, body, Population(by_sensor, groups, values))


def folded(case: Case) -> Case:
    """The case without values and keys that differ in case only, for oracles that ignore it."""
    values = {
        name: tuple(dict.fromkeys(value.lower() if isinstance(value, str) else value for value in choices))
        for name, choices in case.population.values.items()
    }
    groups = [tuple(part.lower() if part is not None else None for part in group) for group in case.population.groups]
    return replace(case, population=replace(case.population, groups=groups, values=values))


def load(case: Case, root: Path) -> Pack:
    """Write the case as a content root and load it: the same path that a user's rules take."""
    (root / "rules").mkdir(parents=True, exist_ok=True)
    (root / "an1498.toml").write_text(CONFIGURATION.format(skew_s=case.spec.skew_ms // 1000), encoding="utf-8")
    for rule in case.spec.rules:
        sensor = case.spec.sensors[rule]
        document = {
            **_header(rule),
            "logsource": _LOGSOURCES[sensor],
            "detection": {"selection": {f"{_WORD_FIELD[sensor]}|contains": rule}, "condition": "selection"},
            "level": "low",
            "rank": _RANK[sensor],
        }
        (root / "rules" / f"{rule}.yml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    document = {**_header(NAME), "correlation": dict(case.correlation), "level": "medium"}
    (root / "rules" / f"{NAME}.yml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_pack(root)


def native_event(case: Case, drawn: Drawn) -> NativeEvent:
    """The raw record of a random event, as a telemetry reader would give it."""
    words = " ".join(drawn.observation.groups) or "nothing"
    present = {name: value for name, value in drawn.observation.values.items() if value is not None}
    location = Location("stream")
    time_us = drawn.observation.time_ms * 1000
    if drawn.sensor == ZEEK:
        fields: dict[str, Any] = {"ts": time_us / 1_000_000, "id.resp_h": "203.0.113.9", "server_name": words.replace(" ", "."), **present}
        if drawn.group[0] is not None:
            fields["id.orig_h"] = drawn.group[0]
        return NativeEvent("zeek", "ssl", time_us, fields, location)
    fields = {"eventType": "activityCreateEvent", "eventMessage": f"did {words} now", **present}
    if case.group_by == ("entity",):
        host = Host(name="mac", ips=() if drawn.group[0] is None else (drawn.group[0],))
    else:
        name, process = drawn.group
        host = Host(name=name or "", ips=("10.20.0.1",))
        if process is not None:
            fields["processID"] = int(process)
    if host.name:
        fields["host.name"] = host.name
    if host.ips:
        fields["host.ip"] = list(host.ips)
    return NativeEvent("macos", "unifiedlog", time_us, fields, location, host)


def _header(name: str) -> dict[str, str]:
    return {"title": name, "name": name, "id": str(uuid5(NAMESPACE_URL, f"an1498:synthetic:{name}"))}


def _fields(condition: Mapping[str, Any] | str | None, sensor: str) -> dict[str, str]:
    """The native field of each stand-in that the condition names."""
    if not isinstance(condition, Mapping):
        return {}
    names = condition.get("field", [])
    tables = {"text": _TEXT_FIELD, "second": _SECOND_TEXT_FIELD, "number": _NUMBER_FIELD}
    return {name: tables[name][sensor] for name in ([names] if isinstance(names, str) else names)}


def _native(condition: Mapping[str, Any] | str, fields: Mapping[str, str]) -> Mapping[str, Any] | str:
    if isinstance(condition, str) or not fields:
        return condition
    natives = list(fields.values())
    return {**condition, "field": natives if isinstance(condition["field"], list) else natives[0]}


def _reference_condition(condition: Mapping[str, Any] | str | None, fields: Mapping[str, str]) -> Condition:
    if condition is None:
        return Condition()
    if isinstance(condition, str):
        return Condition(expression=condition)
    operators = tuple((key, float(value)) for key, value in condition.items() if key not in ("field", "percentile"))
    return Condition(operators, tuple(fields.values()), condition.get("percentile"))
