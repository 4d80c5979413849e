"""Staged targets over random streams: both steps by the emitted texts, what is written shuffled and partly written twice, against the
reference of the direct meaning."""

from __future__ import annotations

import pytest

from an1498.model import CorrelationType
from an1498.proof.cases import SHAPES
from an1498.proof.differential import STAGED_OF, compare

STREAMS = 80


@pytest.mark.parametrize("kind", list(CorrelationType))
def test_staged_targets_alert_as_the_reference(kind: CorrelationType) -> None:
    chosen = [SHAPES[kind][0], SHAPES[kind][-1]]
    alerts = 0
    for number, shape in enumerate(chosen):
        case = shape.case(300, 2 if shape.crosses_sensors and number else 0)
        comparison = compare(case, seed=number, streams=STREAMS, longest=8 + 3 * len(shape.sensors), targets=STAGED_OF)
        assert not comparison.differences, (str(shape), comparison.differences[0])
        alerts += comparison.alerts
    assert alerts


def test_without_removing_repetitions_counts_would_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """The streams do hold events that were written twice, and the comparison sees them."""
    from an1498.compiler import spl_parts
    from an1498.model import Language

    keyed = spl_parts.keyed
    monkeypatch.setattr(spl_parts, "keyed", lambda plan, *columns: keyed(plan, *columns)[:1])
    case = SHAPES[CorrelationType.EVENT_COUNT][0].case(300, 0)
    assert compare(case, seed=0, streams=40, longest=11, targets={Language.SPL: "splunk-staged"}).differences
