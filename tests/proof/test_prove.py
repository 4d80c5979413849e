"""The page of evidence: its verdict and its three forms."""

from __future__ import annotations

import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import pytest

from an1498.model import CorrelationType
from an1498.proof import page
from an1498.proof.budget import LONG, QUICK
from an1498.proof.evidence import Evidence, SearchEvidence, TypeEvidence
from an1498.proof.oracles import Verdict
from an1498.proof.prove import _workers, batches

TYPE = TypeEvidence("temporal_ordered", "spl", 7, 0, (), 10_000, 812, 0, ())
SEARCH = SearchEvidence(
    "elastic",
    "pair",
    "esql",
    "correlation",
    100,
    12,
    0,
    (),
    40,
    39,
    ("elastic/pair esql:3: x: why",),
    (),
    (),
    ("ES|QL 8.19.0",),
    ("esql-row-limit",),
)
ORACLE = Verdict("PyPI eql", "1.0.1", "temporal_ordered", 50, 50)
GOOD = Evidence("an1498 0.1.0", "quick", ("evaluator 1",), (TYPE,), (SEARCH,), (ORACLE,), ("osmem-server is not installed",))


def test_good_evidence_has_no_problems() -> None:
    assert GOOD.problems == ()


@pytest.mark.parametrize(
    ("evidence", "problem"),
    [
        (replace(GOOD, types=(replace(TYPE, differences=("stream 3",)),)), "temporal_ordered in spl: stream 3"),
        (replace(GOOD, searches=(replace(SEARCH, survived=("a mutant",)),)), "surviving mutant: a mutant"),
        (replace(GOOD, searches=(replace(SEARCH, contradicted=("a mutant",)),)), "declared to mean the same, but killed: a mutant"),
        (replace(GOOD, searches=(replace(SEARCH, differences=("stream 9",)),)), "elastic/pair in esql: stream 9"),
        (replace(GOOD, oracles=(replace(ORACLE, comparisons=0, agreed=0),)), "compared nothing"),
        (replace(GOOD, oracles=(replace(ORACLE, agreed=49, differences=("stream 1",)),)), "1 of 50 comparisons differ: stream 1"),
        (replace(GOOD, types=(replace(TYPE, streams=0),)), "the differential tests compared nothing"),
    ],
)
def test_problems(evidence: Evidence, problem: str) -> None:
    assert len(evidence.problems) == 1
    assert problem in evidence.problems[0]
    assert problem in page.to_markdown(evidence)
    assert problem in page.to_text(evidence)


def test_json_holds_everything() -> None:
    data = json.loads(page.to_json(GOOD))
    assert data["searches"][0]["accepted_by"] == ["ES|QL 8.19.0"]
    assert data["problems"] == []


@pytest.mark.parametrize("write", [page.to_markdown, page.to_text])
def test_the_page_says_what_executed_means(write: object) -> None:
    assert callable(write)
    text = write(GOOD)
    assert "not a test on Splunk" in text
    assert "tested on Splunk" not in text
    assert "Not asked: osmem-server is not installed." in text


@pytest.mark.parametrize("budget", [QUICK, LONG])
def test_batches_cover_every_type_and_shape(budget: object) -> None:
    assert budget in (QUICK, LONG)
    made = batches(LONG if budget is LONG else QUICK)
    assert {batch.shape.type for batch in made} == set(CorrelationType)
    for kind in CorrelationType:
        assert sum(batch.streams for batch in made if batch.shape.type is kind) >= (LONG if budget is LONG else QUICK).streams_per_type


HEADINGS = [
    "# Evidence",
    "## Correlation types",
    "## Searches of the pack: correlations",
    "## Searches of the pack: event rules",
    "## Independent oracles",
    "## Equivalent mutants",
    "## Verdict",
]


def test_the_page_has_its_parts_and_docs_hold_such_a_page() -> None:
    """docs/proof.md, where a long run has written it, is a page of this form with the verdict of a run without problems."""
    pages = [page.to_markdown(GOOD), *(path.read_text(encoding="utf-8") for path in Path(__file__).parents[2].glob("docs/proof.md"))]
    for text in pages:
        assert [line for line in text.splitlines() if line.startswith("#")] == HEADINGS
        assert text.rstrip().endswith("No undeclared difference, no surviving mutant.")


def test_an_interrupt_ends_the_workers() -> None:
    with pytest.raises(KeyboardInterrupt), _workers() as pool:
        pool.submit(time.sleep, 60)
        pool.submit(time.sleep, 0).result()
        raise KeyboardInterrupt
    assert multiprocessing.active_children() == []
