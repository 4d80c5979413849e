"""The conformance cases agree with the brute-force reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from an1498.proof.conformance import ConformanceCase, load_cases, reference_firings

CASES = load_cases(Path(__file__).parents[2] / "conformance")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_reference_agrees(case: ConformanceCase) -> None:
    assert reference_firings(case) == case.expected


def test_topics_are_covered() -> None:
    topics = {topic for case in CASES for topic in case.topics}
    assert topics >= {"boundary", "order", "isolation", "null key", "alias", "distinct", "sliding", "ties", "ranges", "chains"}
