"""Rising edges from the answers of an engine that reports every moment at which a condition holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from an1498.proof.reference import Firing, Group


def rising_edges(times: Mapping[Group, Iterable[int]], holding: set[Firing]) -> set[Firing]:
    """The moments of a group (ms) at which the condition holds and did not at the group's moment before."""
    edges = set()
    for group, moments in times.items():
        held = False
        for moment in sorted(set(moments)):
            holds = (group, moment) in holding
            if holds and not held:
                edges.add((group, moment))
            held = holds
    return edges
