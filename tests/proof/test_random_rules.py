"""Random detections over random events: SPL, EQL, ES|QL and Lucene find what the detection means, no more and no less.

The seeds are fixed, so that a run in CI repeats itself; `an1498 prove` takes others.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma.rule import SigmaRule

from an1498.model import Language
from an1498.proof.detections import compare, compare_batch
from an1498.proof.rules import MAC, ZEEK, draw_events, draw_rule

RULES, EVENTS = 500, 20


@pytest.mark.parametrize("seed", range(3))
def test_every_language_finds_what_the_detection_means(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    result = compare(seed, RULES, EVENTS)
    with capsys.disabled():
        sys.stdout.write(
            f"\nrandom rules, seed {seed}: {result.rules} rules, {result.decisions} decisions, {result.matches} matches; "
            f"executed {_counts(result.executed)}; refused {_counts(result.refused)}; declared {_counts(result.declared)}; "
            f"not modelled {_counts(result.unmodelled)}\n"
        )
    assert [str(difference) for difference in result.differences] == []
    assert all(result.executed[language] >= 0.9 * RULES for language in Language)
    assert sum(result.declared.values()) <= 0.01 * RULES
    assert sum(result.unmodelled.values()) <= 0.02 * RULES
    assert 0.1 * result.decisions < result.matches < 0.5 * result.decisions


def _counts(numbers: Mapping[Language, int]) -> str:
    return ", ".join(f"{language} {number}" for language, number in sorted(numbers.items())) or "none"


@settings(derandomize=True, max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.sampled_from((MAC, ZEEK)))
def test_one_rule_at_a_time(rng: random.Random, sensor: tuple[str, str]) -> None:
    """The same drawn by hypothesis, which makes a failing rule as small as it can."""
    document = draw_rule(rng, sensor, "rule")
    events = draw_events(rng, sensor, SigmaRule.from_dict(dict(document)), 8)
    result = compare_batch([document], [(sensor, fields) for fields in events])
    assert [str(difference) for difference in result.differences] == []


def test_a_wrong_meaning_is_found() -> None:
    """The comparison itself: a rule compiled from one detection, judged by another, differs in every language."""
    logsource = {"product": "zeek", "service": "ssl"}
    right = {"title": "r", "name": "r", "logsource": logsource, "detection": {"s": {"cipher|re": "^a$"}, "condition": "not s"}}
    events = [(ZEEK, {"cipher": "a"}), (ZEEK, {"cipher": "A"}), (ZEEK, {"cipher": "xa"}), (ZEEK, {}), (MAC, {"category": "a"})]
    result = compare_batch([right], events)
    assert result.differences == ()
    assert result.matches == 3 * 4
    assert result.decisions == 5 * 4
