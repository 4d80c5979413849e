"""The clock skew: found where it is planted, refused where the logs do not show it."""

from __future__ import annotations

import random
from array import array

import pytest

from an1498.readiness.clocks import MIN_PAIRS, Clocks, estimate

MAC = "10.20.0.42"


def clocks(mac: list[float], zeek: list[float]) -> Clocks:
    return estimate({(MAC, "connected"): array("d", mac)}, {MAC: array("d", zeek)})


@pytest.mark.parametrize("skew", [-240.0, -31.7, -2.0, 0.0, 0.4, 3.2, 120.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_planted_skew_lies_within_the_bound(skew: float, seed: int) -> None:
    drawn = random.Random(seed)
    connections = [drawn.uniform(0, 36_000) for _ in range(120)]
    mac = [time + drawn.uniform(0, 0.3) for time in connections]
    zeek = [time + skew for time in connections] + [drawn.uniform(0, 36_000) for _ in range(200)]
    (found,) = clocks(mac, zeek).skews
    assert abs(found.skew_s - skew) <= found.bound_s
    assert found.bound_s <= 1.5
    assert found.pairs >= 100


@pytest.mark.parametrize("seed", range(20))
def test_unrelated_sessions_give_no_estimate(seed: int) -> None:
    drawn = random.Random(seed)
    found = clocks([drawn.uniform(0, 36_000) for _ in range(100)], [drawn.uniform(0, 36_000) for _ in range(300)])
    assert found.skews == ()
    assert "no difference stands out" in found.refused[MAC] or "are needed" in found.refused[MAC]


def test_a_regular_beacon_gives_no_estimate() -> None:
    times = [60.0 * turn for turn in range(200)]
    assert clocks(times, times).skews == ()


def test_too_few_records_give_no_estimate() -> None:
    times = [1000.0 * turn for turn in range(MIN_PAIRS - 1)]
    assert "are needed" in clocks(times, times).refused[MAC]
    assert len(clocks([1000.0 * turn for turn in range(MIN_PAIRS)], [1000.0 * turn for turn in range(MIN_PAIRS)]).skews) == 1


def test_a_machine_that_zeek_never_saw_gives_no_estimate() -> None:
    found = estimate({(MAC, "connected"): array("d", [1.0] * 20)}, {})
    assert found.skews == ()
    assert MAC in found.refused
