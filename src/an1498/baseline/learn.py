"""What the rules of the correlations match in an archive, counted per value of each list."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from an1498.baseline.kept import Kept
from an1498.baseline.knobs import KNOBS, Knob, job

CAP = 20_000
"""Different values of one list, and hosts of one value, that are kept apart."""

_MAC = ("eventMessage", "processImagePath", "processID", "subsystem", "host.name", "host.ip")
_TLS = (
    "id.orig_h",
    "id.resp_h",
    "id.resp_p",
    "server_name",
    "issuer",
    "validation_status",
    "ja3",
    "ja4",
)
_DETAILS = {
    "macos": ("eventMessage", "processImagePath"),
    "zeek": ("id.resp_h", "id.resp_p", "server_name", "issuer", "validation_status", "ja3", "ja4"),
}
_MOST_DETAILS = 50


@dataclass(slots=True)
class Observed:
    """One value: events per rule, times in seconds, machines, and what else these events had. A field that some event lacked has the
    value None among its details; one with too many values is left out."""

    knob: Knob
    value: str
    rules: Counter[str] = field(default_factory=Counter)
    first_s: float = float("inf")
    last_s: float = float("-inf")
    hosts: set[str] = field(default_factory=set)
    details: dict[str, Counter[str | None]] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def events(self) -> int:
        """Events; one that several rules match counts once, as far as the rules lie inside each other."""
        return max(self.rules.values(), default=0)

    def add(self, rule: str, event: Mapping[str, Any], label: str | None) -> None:
        self.rules[rule] += 1
        time_s = float(event["_time"])
        self.first_s, self.last_s = min(self.first_s, time_s), max(self.last_s, time_s)
        machine = event.get("host.name") or event.get("host.ip") or event.get("id.orig_h")
        if machine is not None and len(self.hosts) < CAP:
            self.hosts.add(str(machine))
        if label is not None and len(self.labels) < _MOST_DETAILS:
            self.labels[label] += 1
        for name in _DETAILS[self.knob.product]:
            if name != self.knob.field:
                self._detail(name, event.get(name))

    def _detail(self, name: str, value: Any) -> None:
        counts = self.details.setdefault(name, Counter())
        text = None if value is None else str(value)
        if text in counts or len(counts) <= _MOST_DETAILS:
            counts[text] += 1

    def all_of(self, name: str) -> tuple[str, ...]:
        """The values of a field, where every event had one and they are few; else none."""
        counts: Counter[str | None] = self.details.get(name, Counter())
        texts = tuple(sorted(text for text in counts if text is not None))
        return texts if len(texts) == len(counts) <= _MOST_DETAILS else ()


def observe(kept: Kept) -> Iterator[Observed]:
    """Every value of every list, most events first."""
    labels = _Labels(kept)
    found: dict[tuple[str, str], Observed] = {}
    cache: dict[str, list[Mapping[str, Any]]] = {}
    for knob in KNOBS:
        for rule in knob.rules(kept.pack):
            if rule not in cache:
                cache[rule] = list(kept.matches(rule, _MAC if knob.product == "macos" else _TLS))
            for event in cache[rule]:
                value = knob.value(event)
                if value is None:
                    continue
                key = (knob.parameter, value)
                if key not in found and len(found) >= CAP * len(KNOBS):
                    continue
                label = labels.of(event) if knob.parameter == "allowed_processes" else None
                found.setdefault(key, Observed(knob, value)).add(rule, event, label)
    yield from sorted(found.values(), key=lambda one: (-one.events, one.knob.parameter, one.value))


class _Labels:
    """launchd's label of a process, from the record of its start: same Mac, same pid, the last start before the event."""

    def __init__(self, kept: Kept) -> None:
        self._starts: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for knob in KNOBS:
            if knob.parameter != "allowed_launchd_labels":
                continue
            for rule in knob.rules(kept.pack):
                for event in kept.matches(rule, _MAC):
                    known = job(str(event.get("subsystem", "")))
                    if known:
                        key = (str(event.get("host.name", "")), known[1])
                        self._starts.setdefault(key, []).append((float(event["_time"]), known[0]))
        for starts in self._starts.values():
            starts.sort()

    def of(self, event: Mapping[str, Any]) -> str | None:
        starts = self._starts.get((str(event.get("host.name", "")), str(event.get("processID", ""))), [])
        at = bisect_right(starts, (float(event["_time"]), "\U0010ffff"))
        return starts[at - 1][1] if at else None
