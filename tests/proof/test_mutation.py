"""Mutation control of the pack's event searches: in CI a fixed sample of the mutants, in `make prove` every one.

The correlations' mutants are `make prove`'s alone: it lists those that survive, and some still do (docs/development.md, "Open").
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from an1498.compiler import compile_pack
from an1498.content import find_root, load_pack
from an1498.model import Language, Pack, Search
from an1498.proof.equivalents import load_equivalents
from an1498.proof.mutants import OPERATORS, mutants
from an1498.proof.mutation import control
from an1498.proof.witnesses import witnesses

ONE_IN = 60
PACK = load_pack(find_root(Path(__file__).parents[2]))
SEARCHES = compile_pack(PACK, ["elastic", "splunk"]).searches
CORRELATIONS = [search for search in SEARCHES if search.kind == "correlation"]


@pytest.mark.parametrize("target", ["elastic", "splunk"])
def test_no_mutant_survives_undeclared(target: str, record_property: Callable[[str, object], None]) -> None:
    own = [search for search in SEARCHES if (search.target, search.kind) == (target, "event")]
    controls = [control(PACK, search, load_equivalents(), one_in=ONE_IN) for search in own]
    record_property(
        "evidence", f"{target} event rules: {sum(one.tried for one in controls)} mutants, {sum(one.killed for one in controls)} killed"
    )
    assert [str(survivor) for one in controls for survivor in one.survived] == []
    assert sum(one.killed for one in controls) > 0


def test_every_operator_finds_a_site_in_the_pack() -> None:
    found = {(search.language, mutant.operator) for search in SEARCHES for mutant in mutants(search)}
    shared = {"<= becomes <", ">= becomes >", "< becomes <=", "> becomes >="}
    for language, operators in OPERATORS.items():
        assert {operator.name for operator in operators if (language, operator.name) not in found} - shared == set()


def test_a_mutant_changes_one_site_and_no_literal_is_taken_for_syntax() -> None:
    search = _search(Language.EQL)
    made = {mutant.operator: mutant for mutant in mutants(search)}
    assert made["maxspan dropped"].text == search.text.replace(" with maxspan=5m", "")
    assert all("not\x00" not in mutant.text for mutant in mutants(search))
    assert len({mutant.text for mutant in mutants(search)} | {search.text}) == sum(1 for _ in mutants(search)) + 1


def test_an_unkilled_mutant_is_a_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge itself: where no stream has an event, every mutant that replay accepts survives."""
    from an1498.proof import ground, palette

    monkeypatch.setattr(ground, "deciding_streams", lambda *_: [[]])
    monkeypatch.setattr(ground, "edge_streams", lambda *_, **__: [[]])
    monkeypatch.setattr(palette, "draw", lambda *_: [])
    result = control(PACK, _search(Language.EQL), load_equivalents(), one_in=20)
    assert result.survived
    assert result.killed == result.refused


@pytest.mark.parametrize("rule", sorted(PACK.rules))
def test_witnesses_decide_each_rule_both_ways(rule: str, pack: Pack = PACK) -> None:
    from an1498.compiler.resolve import resolve
    from an1498.proof.sigma_match import matcher

    matches = matcher(resolve(pack, pack.rules[rule])[0])
    verdicts = {matches(event) for event in witnesses(pack, pack.rules[rule])}
    assert verdicts == {True, False}


def _search(language: Language) -> Search:
    return next(
        one for one in CORRELATIONS if one.language is language and one.rule == "an1498_public_key_use_then_unrecognised_certificate"
    )
