"""Staged targets over random streams: both steps by the emitted texts, what is written shuffled and partly written twice, against the
reference of the direct meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.content.staging import direct
from an1498.model import CorrelationType, Entity, Language
from an1498.proof.cases import SHAPES
from an1498.proof.differential import STAGED_OF, compare
from an1498.replay.scenarios import load_scenarios, run_scenarios

ROOT = Path(__file__).parents[2]
STREAMS = 40
KINDS = [(kind, 0) for kind in CorrelationType] + [(CorrelationType.TEMPORAL_ORDERED, 3), (CorrelationType.EVENT_COUNT, -1)]


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
    """entity = "lookup": over the scenarios that say whose address it was, staged targets raise what the direct ones raise."""
    pack = load_pack(ROOT, [ROOT / "environments" / "staged.toml"])
    by_host = {name: replace(target, entity=Entity.LOOKUP) for name, target in pack.targets.items() if target.staging is not None}
    staged = replace(pack, targets=by_host)
    stages = {rule for correlation in pack.correlations.values() for rule in correlation.rules}
    found = []
    for chosen in (staged, direct(staged)):
        scenarios = [
            replace(replayed, scenario=replace(replayed.scenario, expect=()))
            for replayed in load_scenarios(ROOT / "samples", chosen)
            if replayed.assets.rows
        ]
        compilation = compile_pack(chosen)
        needed = [search for search in compilation.searches if search.kind == "correlation" or search.rule in stages]
        outcomes = run_scenarios(chosen, needed, compilation.macros, scenarios).outcomes
        assert not [outcome for outcome in outcomes if outcome.status == "error"]
        found.append({(o.scenario, o.search.rule, o.search.target, o.search.language): o.actual for o in outcomes})
    assert found[0] == found[1]
    assert {target for _, rule, target, _ in (key for key, alerts in found[0].items() if alerts) if rule in pack.correlations} == set(
        by_host
    )
