"""The clock skew between a Mac and the Zeek sensor, estimated from connections that both saw.

The two logs share no identifier of a connection, so pairs are not known. But for one Mac the difference "Zeek's session − the Mac's
record of its TLS connection" is nearly the same for all true pairs and anything for false ones: true pairs pile up. All differences
within ±SEARCH_S are taken; the window of WINDOW_S with the most of the Mac's records is the candidate. It counts only with at
least MIN_PAIRS records, with half of the Mac's records that have any session near them, and with twice as many as any window apart
from it: regular beacons pile up at every multiple of their period, and then nothing is estimated.

The bound is the largest deviation inside the window plus PATH_S, the time that may pass between a ClientHello (Zeek's time) and
the Mac's record.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

SEARCH_S = 300.0
WINDOW_S = 1.0
PATH_S = 0.5
MIN_PAIRS = 8
MOST_PAIRS = 200_000


@dataclass(frozen=True, slots=True)
class Skew:
    """Seconds by which Zeek's clock is ahead of the Mac's, ± `bound_s`; `pairs` records of `kind` agree."""

    address: str
    kind: str
    skew_s: float
    bound_s: float
    pairs: int

    @property
    def worst_s(self) -> float:
        return abs(self.skew_s) + self.bound_s


@dataclass(frozen=True, slots=True)
class Clocks:
    """The estimates, one per Mac at most, and why there is none for the others."""

    skews: tuple[Skew, ...]
    refused: Mapping[str, str]


def estimate(macs: Mapping[tuple[str, str], array[float]], sessions: Mapping[str, array[float]]) -> Clocks:
    """`macs`: (address, kind of record) → times; `sessions`: address → times; both in seconds."""
    best: dict[str, Skew] = {}
    refused: dict[str, str] = {}
    for (address, kind), times in macs.items():
        found = _estimate(address, kind, times, sorted(sessions.get(address, ())))
        if isinstance(found, str):
            refused.setdefault(address, found)
        elif address not in best or found.pairs > best[address].pairs:
            best[address] = found
    return Clocks(tuple(best[a] for a in sorted(best)), {a: refused[a] for a in sorted(refused) if a not in best})


def _estimate(address: str, kind: str, times: Sequence[float], sessions: Sequence[float]) -> Skew | str:
    pairs: list[tuple[float, int]] = []
    for number, time in enumerate(times):
        near = sessions[bisect_left(sessions, time - SEARCH_S) : bisect_right(sessions, time + SEARCH_S)]
        pairs += [(session - time, number) for session in near]
        if len(pairs) > MOST_PAIRS:
            break
    paired = len({number for _, number in pairs})
    if paired < MIN_PAIRS:
        return f"{paired} TLS records of the Mac have a session within {SEARCH_S:.0f} s; {MIN_PAIRS} are needed"
    pairs.sort()
    offsets = [difference for difference, _ in pairs]
    counts = _windows(pairs)
    start = max(range(len(pairs)), key=lambda at: counts[at])
    most = counts[start]
    other = max((n for n, offset in zip(counts, offsets, strict=True) if abs(offset - offsets[start]) > 2 * WINDOW_S), default=0)
    if most < MIN_PAIRS or 2 * most < paired or most < 2 * other:
        return f"no difference stands out: {most} of {paired} records agree on one, {other} on another"
    inside = offsets[start : bisect_right(offsets, offsets[start] + WINDOW_S)]
    middle = median(inside)
    deviation = max(abs(inside[0] - middle), abs(inside[-1] - middle))
    return Skew(address, kind, round(middle, 3), round(deviation + PATH_S, 3), most)


def _windows(pairs: Sequence[tuple[float, int]]) -> list[int]:
    """For each pair, how many different records of the Mac have a difference in the window that begins at it."""
    counts: list[int] = []
    inside: dict[int, int] = {}
    end = 0
    for start, (difference, number) in enumerate(pairs):
        while end < len(pairs) and pairs[end][0] <= difference + WINDOW_S:
            inside[pairs[end][1]] = inside.get(pairs[end][1], 0) + 1
            end += 1
        counts.append(len(inside))
        assert end > start
        inside[number] -= 1
        if not inside[number]:
            del inside[number]
    return counts
