"""Findings by who did it and to whom: the same program and server alert again and again, and the one that does so once gets lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from an1498.hunt.alerts import Finding
from an1498.hunt.output import processes, servers

LAUNCHD = "/sbin/launchd"


@dataclass(slots=True)
class Pair:
    """The findings of one rule, program and server, in the order of time. `program` is the one that used the key, empty where none is
    known; `server` is `name (address:port)`."""

    rule: str
    program: str
    server: str
    findings: list[Finding] = field(default_factory=list)
    machines: dict[str, None] = field(default_factory=dict)


def pairs(findings: Iterable[tuple[str, Finding]]) -> list[Pair]:
    """Of (machine, finding): the rarest first, by machines, then by findings, then by time."""
    found: dict[tuple[str, str, str], Pair] = {}
    for machine, one in findings:
        programs = [path for path in processes(one) if path != LAUNCHD] or processes(one)
        key = (one.rule, programs[0] if programs else "", " | ".join(servers(one)[:3]))
        pair = found.setdefault(key, Pair(*key))
        pair.findings.append(one)
        pair.machines[machine] = None
    return sorted(found.values(), key=lambda pair: (len(pair.machines), len(pair.findings), pair.findings[0].time_s, pair.rule))
