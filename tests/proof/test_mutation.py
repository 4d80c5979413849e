"""Mutation control of the pack's searches: in CI a fixed sample of the mutants, in `make prove` every one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from an1498.compiler import compile_pack
from an1498.content import find_root, load_pack
from an1498.model import Language, Pack, Search
from an1498.proof.equivalents import Equivalent, Equivalents, load_equivalents
from an1498.proof.mutants import OPERATORS, mutants
from an1498.proof.mutation import Control, control
from an1498.proof.witnesses import witnesses

ONE_IN = {"event": 40, "correlation": 60}
PACK = load_pack(find_root(Path(__file__).parents[2]))
SEARCHES = compile_pack(PACK, ["elastic", "splunk"]).searches
CORRELATIONS = [search for search in SEARCHES if search.kind == "correlation"]
ANYTHING = re.compile("")
SAMPLED = {
    "event": sorted(PACK.rules)[::6],
    "correlation": ["an1498_key_use_then_trust_failure_on_host", "an1498_untrusted_tls_fan_out"],
}
"""Rules whose mutants are sampled here, the same ones each time; `an1498 prove --long` takes every mutant of every rule."""


@pytest.mark.parametrize("kind", ["event", "correlation"])
def test_no_mutant_survives_undeclared(kind: str, record_property: Callable[[str, object], None]) -> None:
    controls = [one for rule in SAMPLED[kind] for one in _tried(rule, ONE_IN[kind])]
    tried, killed = sum(one.tried for one in controls), sum(one.killed for one in controls)
    record_property("evidence", f"{kind} searches: {tried} mutants, {killed} killed")
    assert [str(survivor) for one in controls for survivor in one.survived] == []
    assert [str(mutant) for one in controls for mutant in one.contradicted] == []
    assert {one.search.language for one in controls if one.killed} >= {Language.SPL, Language.EQL, Language.ESQL}


def _tried(rule: str, one_in: int) -> list[Control]:
    own = [search for search in SEARCHES if search.rule == rule]
    return list(control(PACK, own, load_equivalents(), one_in=one_in))


def test_every_declaration_is_needed() -> None:
    """An entry that covers no mutant of the pack is stale; that no killed mutant is covered is asserted where they are tried."""
    made = [(search, mutant) for search in SEARCHES for mutant in mutants(search)]
    stale = [one.reason for one in load_equivalents().declared if not any(one.covers(*pair) for pair in made)]
    assert stale == []


def test_a_declared_mutant_that_is_killed_is_reported() -> None:
    declared = Equivalents([Equivalent(tuple(Language), "maxspan dropped", "*", ANYTHING, ANYTHING, ANYTHING, "no reason at all")])
    (result,) = control(PACK, [_search(Language.EQL)], declared, choose=lambda mutant: mutant.operator == "maxspan dropped")
    assert [str(one.mutant.operator) for one in result.contradicted] == ["maxspan dropped"]


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
    """The judge itself: where no stream has an event, every mutant that replay accepts and nothing excuses survives."""
    from an1498.proof import ground, palette

    for made in ("deciding_streams", "edge_streams", "walk_streams", "placed_streams"):
        monkeypatch.setattr(ground, made, lambda *_, **__: [[]])
    monkeypatch.setattr(palette, "draw", lambda *_: [])
    (result,) = control(PACK, [_search(Language.EQL)], load_equivalents(), one_in=20)
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
