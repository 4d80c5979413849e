"""The lists of an1498.toml that a baseline may fill, and the field of the logs that each compares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from an1498.model import Pack

_JOB = re.compile(r"(?:system|gui/\d+|user/\d+)/(?P<label>.+) \[(?P<pid>\d+)\]")


@dataclass(frozen=True, slots=True)
class Knob:
    """`narrower` are native fields that a Sigma filter may demand as well, with the values seen."""

    parameter: str
    product: str
    service: str
    field: str
    narrower: tuple[str, ...]

    def value(self, event: Mapping[str, object]) -> str | None:
        """The value that the list would hold for this event."""
        text = event.get(self.field)
        if text is None or self.parameter != "allowed_launchd_labels":
            return None if text is None else str(text)
        found = job(str(text))
        return found[0] if found else None

    def rules(self, pack: Pack) -> tuple[str, ...]:
        """The rules that the pack's filters narrow by this list, of those that are stages of a correlation."""
        stages = {stage for correlation in pack.correlations.values() for stage in correlation.rules}
        named = {
            name for found in pack.filters.values() if _uses(found.document["filter"], self.parameter) for name in _rules(found.document)
        }
        return tuple(rule for rule in pack.rules if rule in stages & named)


KNOBS = (
    Knob("allowed_processes", "macos", "unifiedlog", "processImagePath", ("eventMessage",)),
    Knob("allowed_launchd_labels", "macos", "unifiedlog", "subsystem", ()),
    Knob("trusted_endpoint_addresses", "zeek", "ssl", "id.resp_h", ("id.resp_p", "server_name", "ja3", "ja4")),
    Knob("trusted_issuers", "zeek", "ssl", "issuer", ("id.resp_h",)),
    Knob("trusted_doh_endpoints", "zeek", "ssl", "server_name", ("id.resp_h", "id.resp_p")),
)


def job(subsystem: str) -> tuple[str, str] | None:
    """(label, pid) of launchd's subsystem `gui/501/com.example.agent [4331]`."""
    found = _JOB.fullmatch(subsystem)
    return (found["label"], found["pid"]) if found else None


def _rules(document: Mapping[str, object]) -> Iterable[str]:
    body = document["filter"]
    rules = body.get("rules", []) if isinstance(body, Mapping) else []
    return [str(name) for name in rules] if isinstance(rules, list) else []


def _uses(value: object, parameter: str) -> bool:
    if isinstance(value, Mapping):
        return any(_uses(item, parameter) for item in value.values())
    if isinstance(value, list):
        return any(_uses(item, parameter) for item in value)
    return isinstance(value, str) and f"%{parameter}%" in value
