"""Random streams through every correlation type and language: the emitted text against the reference.

In CI the examples are the same each time (derandomised): 20 batches of 500 streams per type, 10,000 for each language that can say the
type. `make prove` draws 15,000 per type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from an1498.model import CorrelationType, Language
from an1498.proof.cases import SHAPES, SKEWS_S, WINDOWS_S
from an1498.proof.differential import compare, explained
from an1498.proof.prove import Batch

BATCHES = 20
STREAMS = 500


class Ran(NamedTuple):
    """What the examples of one type have done so far."""

    streams: Counter[Language]
    refused: Counter[Language]
    alerts: Counter[str]


def batches(kind: CorrelationType) -> st.SearchStrategy[Batch]:
    """A shape of the type, a window, a skew where its stages come from both sensors, a seed."""
    return st.builds(
        lambda shape, window, skew, seed: Batch(
            shape, window, skew if shape.crosses_sensors else 0, seed, STREAMS, 8 + 3 * len(shape.sensors)
        ),
        st.sampled_from(SHAPES[kind]),
        st.sampled_from(WINDOWS_S),
        st.sampled_from(sorted(set(SKEWS_S))),
        st.integers(0, 2**32),
    )


@pytest.mark.parametrize("kind", list(CorrelationType))
def test_every_language_alerts_as_the_reference(kind: CorrelationType, record_property: Callable[[str, object], None]) -> None:
    ran = Ran(Counter(), Counter(), Counter())

    @settings(max_examples=BATCHES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(batches(kind))
    def holds(batch: Batch) -> None:
        comparison = compare(batch.shape.case(batch.window_s, batch.skew_s), seed=batch.seed, streams=batch.streams, longest=batch.longest)
        assert not comparison.differences, (batch, comparison.differences[0])
        ran.streams.update(comparison.streams)
        ran.refused.update(comparison.refused.keys())
        ran.alerts[str(kind)] += comparison.alerts

    holds()
    record_property(
        "evidence", f"{kind}: {dict(ran.streams)} streams, {ran.alerts[str(kind)]:,} alerts, batches refused {dict(ran.refused)}"
    )
    assert all(
        ran.streams[language] + STREAMS * ran.refused[language] >= STREAMS for language in (Language.SPL, Language.EQL, Language.ESQL)
    )
    assert sum(ran.streams.values()), f"no language was compared on {kind}"
    assert ran.alerts[str(kind)], f"no stream of {kind} has an alert"


def test_a_case_for_every_type() -> None:
    assert set(SHAPES) == set(CorrelationType)
    assert all(shape.type is kind for kind, shapes in SHAPES.items() for shape in shapes)


def test_a_wrong_search_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself: a reference that forgets the window differs from every language."""
    from an1498.proof import differential
    from an1498.proof.reference import firings

    def twice_as_long(spec, events):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        return firings(replace(spec, window_ms=2 * spec.window_ms), events)

    monkeypatch.setattr(differential, "firings", twice_as_long)
    shape = SHAPES[CorrelationType.TEMPORAL_ORDERED][0]
    comparison = compare(shape.case(300, 0), seed=1, streams=150, longest=14)
    assert {difference.language for difference in comparison.differences} == {Language.SPL, Language.EQL, Language.ESQL}


def test_only_the_declared_is_excused() -> None:
    """A language without a declared deviation may not differ even where all events are simultaneous."""
    import tempfile
    from pathlib import Path

    from an1498.compiler import compile_search
    from an1498.proof import synthetic
    from an1498.proof.reference import Observation

    case = SHAPES[CorrelationType.TEMPORAL_ORDERED][2].case(300, 0)
    group = ("mac-1", "501")
    tie = [Observation(0, {"alpha": group}), Observation(0, {"bravo": group})]
    with tempfile.TemporaryDirectory() as root:
        pack = synthetic.load(case, Path(root))
        spl = compile_search(pack, synthetic.NAME, "splunk", Language.SPL)
        eql = compile_search(pack, synthetic.NAME, "elastic", Language.EQL)
    assert not explained(spl, case.spec, tie)
    assert explained(eql, case.spec, tie)
    assert not explained(eql, case.spec, [tie[0], Observation(1, {"bravo": group})])
