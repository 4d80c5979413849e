"""Questions about both sensors together: one machine, one clock, the same time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from an1498.readiness import remedies
from an1498.readiness.clocks import MIN_PAIRS, estimate
from an1498.readiness.levels import level_of_share
from an1498.readiness.report import Question
from an1498.readiness.tally import Source, Tally
from an1498.times import second_text

GAP_MINUTES = 60
"""A source that wrote nothing for so long has a gap."""

_SHOWN = 20
_SPANS = ((30 * 1440, 4), (7 * 1440, 3), (1440, 2), (1, 1))
_SKEWS = ((0.5, 4), (2.0, 3), (10.0, 2), (60.0, 1))


def questions(tally: Tally) -> Iterator[Question]:
    yield _joinable(tally)
    yield _clocks(tally)
    yield _retention(tally)


def _joinable(tally: Tally) -> Question:
    machines = tally.macs.machines
    addressed, seen = tally.joinable()
    level = level_of_share(len(seen), len(machines)) or 0
    wanted: tuple[str, ...] = ()
    if len(addressed) < len(machines) or not machines:
        wanted = (remedies.ADDRESS_SPLUNK, remedies.ADDRESS_ELASTIC, remedies.ADDRESS_FILE)
    if len(seen) < len(addressed):
        wanted = (*wanted, remedies.SAME_ADDRESS)
    return Question(
        "host-address",
        "Do Macs and Zeek's clients join by address?",
        level,
        f"{len(addressed):,} of {len(machines):,} Macs have one usable address; Zeek saw {len(seen):,} of them",
        {
            "macs": len(machines),
            "with_address": len(addressed),
            "seen_by_zeek": len(seen),
            "records": sum(machine.events for machine in machines.values()),
            "records_with_address": sum(machine.addressed for machine in machines.values()),
            "several_addresses": sorted(name for name, machine in machines.items() if len(machine.addresses) > 1)[:_SHOWN],
            "not_seen": sorted(addressed - seen)[:_SHOWN],
        },
        wanted,
        essential=True,
    )


def _clocks(tally: Tally) -> Question:
    """By the worst Mac: full up to 0.5 s, good to 2 s, partial to 10 s, poor to 60 s. The bound is told, and does not lower the level."""
    clocks = estimate(tally.macs.clocks, tally.tls.clocks)
    title = "How far are the sensors' clocks apart?"
    refused = dict(list(clocks.refused.items())[:_SHOWN])
    if not clocks.skews:
        return Question(
            "clock-skew",
            title,
            None,
            f"not estimated: no Mac has {MIN_PAIRS} TLS records that agree on one difference to Zeek's sessions",
            {"macs": 0, "refused": refused},
            (remedies.CLOCK_EVIDENCE, remedies.CLOCK),
        )
    worst = max(clocks.skews, key=lambda skew: skew.worst_s)
    level = next((level for bound, level in _SKEWS if abs(worst.skew_s) <= bound), 0)
    return Question(
        "clock-skew",
        title,
        level,
        f"worst of {len(clocks.skews):,} Macs: Zeek {worst.skew_s:+.1f} s ± {worst.bound_s:.1f} s "
        f"({worst.address}, {worst.pairs:,} pairs of '{worst.kind}')",
        {
            "macs": len(clocks.skews),
            "clock_skew_needed_s": round(worst.worst_s, 1),
            "estimates": [
                {"address": one.address, "skew_s": one.skew_s, "bound_s": one.bound_s, "pairs": one.pairs, "from": one.kind}
                for one in clocks.skews[:_SHOWN]
            ],
            "refused": refused,
        },
        () if level == 4 else (remedies.CLOCK,),
    )


def _retention(tally: Tally) -> Question:
    """By the time that both sensors cover: full from 30 days, good from 7, partial from 1, poor from a minute; a gap costs a level."""
    macs, ssl = tally.sources.get(("macos", "unifiedlog")), tally.sources.get(("zeek", "ssl"))
    common = _common_minutes(macs, ssl)
    gaps = {"/".join(key): _gaps(source) for key, source in sorted(tally.sources.items())}
    level = next((level for minutes, level in _SPANS if common >= minutes), 0)
    gap = any(gaps.get(name) for name in ("macos/unifiedlog", "zeek/ssl"))
    level = max(level - 1, 1) if gap and level > 1 else level
    return Question(
        "retention",
        "Which time do the sources cover, with which gaps?",
        level,
        f"both sensors cover {_span(common)}" + (f"; gaps of {GAP_MINUTES} minutes or more" if gap else ""),
        {
            "common_minutes": common,
            "sources": {
                "/".join(key): {
                    "events": source.events,
                    "first": second_text(source.first_us),
                    "last": second_text(source.last_us),
                    "gaps": gaps["/".join(key)][:_SHOWN],
                    "gap_count": len(gaps["/".join(key)]),
                }
                for key, source in sorted(tally.sources.items())
            },
        },
        () if level == 4 else (remedies.RETENTION,),
    )


def _common_minutes(first: Source | None, second: Source | None) -> int:
    if first is None or second is None:
        return 0
    start, end = max(first.first_us, second.first_us), min(first.last_us, second.last_us)
    return max(0, (end - start) // 60_000_000 + 1) if end >= start else 0


def _gaps(source: Source) -> list[dict[str, Any]]:
    minutes = sorted(source.minutes)
    return [
        {"from": second_text((before + 1) * 60_000_000), "to": second_text(after * 60_000_000), "minutes": after - before - 1}
        for before, after in pairwise(minutes)
        if after - before > GAP_MINUTES
    ]


def _span(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes / 60:.1f} hours" if minutes < 2 * 1440 else f"{minutes / 1440:.1f} days"
