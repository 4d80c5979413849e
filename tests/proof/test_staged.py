"""Staged targets over random streams: both steps by the emitted texts, what is written shuffled and partly written twice, against the
reference of the direct meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.model import CorrelationType, Entity, Language, Staging
from an1498.proof.cases import SHAPES
from an1498.proof.differential import STAGED_OF, compare
from an1498.proof.pack_streams import SETTINGS, compare_pack, overlaid
from an1498.replay.scenarios import load_scenarios, run_scenarios

ROOT = Path(__file__).parents[2]
STREAMS = 40
# Averages and medians go the ways of sums and percentiles.
TYPES = [kind for kind in CorrelationType if kind not in (CorrelationType.VALUE_AVG, CorrelationType.VALUE_MEDIAN)]
KINDS = [(kind, 0) for kind in TYPES] + [(CorrelationType.TEMPORAL_ORDERED, 3), (CorrelationType.EVENT_COUNT, -1)]


@pytest.mark.parametrize(("kind", "number"), KINDS)
def test_staged_targets_alert_as_the_reference(kind: CorrelationType, number: int) -> None:
    # The last shape is on Zeek, whose fields alerts keep: alerts have no field for the Mac's category.
    shape = SHAPES[kind][number if kind is not CorrelationType.VALUE_COUNT else -3]
    case = shape.case(300, 2 if number else 0)
    comparison = compare(case, seed=number + 1, streams=STREAMS, longest=8 + 3 * len(shape.sensors), targets=STAGED_OF)
    assert not comparison.differences, (str(shape), comparison.differences[0])
    assert comparison.alerts
    assert {Language.SPL, Language.ESQL} <= set(comparison.streams)
    assert (Language.EQL in comparison.streams) == (kind is CorrelationType.TEMPORAL_ORDERED)


def test_without_removing_repetitions_counts_would_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """The streams do hold events that were written twice, and the comparison sees them."""
    from an1498.compiler import esql_parts, spl_parts

    monkeypatch.setattr(esql_parts, "once", lambda *_: [])
    keyed = spl_parts.keyed
    monkeypatch.setattr(spl_parts, "keyed", lambda plan, *columns: keyed(plan, *columns)[:1])
    case = SHAPES[CorrelationType.EVENT_COUNT][0].case(300, 0)
    found = compare(case, seed=0, streams=40, longest=11, targets=STAGED_OF)
    assert {difference.language for difference in found.differences} == {Language.SPL, Language.ESQL}


def test_a_host_that_is_looked_up_is_looked_up_at_the_event_s_time() -> None:
    """entity = "lookup": the scenarios of hosts that change addresses, on their targets made staged."""
    pack = load_pack(ROOT, [ROOT / "environments" / "hosts.toml"])
    targets = {name: target for name, target in pack.targets.items() if target.entity is Entity.LOOKUP}
    assert set(targets) == {"splunk-hosts", "elastic-hosts"}
    staged = replace(pack, targets={name: replace(target, staging=Staging("risk", "default", 120)) for name, target in targets.items()})
    compilation = compile_pack(staged)
    stages = {rule for correlation in pack.correlations.values() for rule in correlation.rules}
    needed = [search for search in compilation.searches if search.kind == "correlation" or search.rule in stages]
    report = run_scenarios(staged, needed, compilation.macros, load_scenarios(ROOT / "environments" / "hosts", staged))
    assert [(o.scenario, o.search.rule, o.search.target, o.status, o.detail) for o in report.failures] == []
    fired = {outcome.search.target for outcome in report.outcomes if outcome.actual and outcome.search.staged}
    assert fired == set(targets)


def test_the_pack_s_own_correlations_alert_as_the_reference() -> None:
    with overlaid(ROOT, SETTINGS["clock skew 2 s"], [ROOT / "environments" / "staged.toml"]) as pack:
        compared = compare_pack(pack, "elastic-staged", seed=7, streams=21, longest=20)
    assert {one.rule for one in compared} == set(pack.correlations)
    assert [(one.rule, one.language, one.differences[0]) for one in compared if one.differences] == []
    assert sum(one.alerts for one in compared) > 20
