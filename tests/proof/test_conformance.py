"""The conformance cases agree with the reference; judging, and the known shortcomings of the official backends."""

from __future__ import annotations

from pathlib import Path

import pytest

from an1498.errors import ContentError, UsageError
from an1498.model import Language
from an1498.proof.conformance import ConformanceCase, load_cases, ours, reference_firings, sqlite
from an1498.proof.conformance.cases import load_case
from an1498.proof.conformance.judge import Report, Status, covered, exact
from an1498.proof.conformance.suite import run

DIRECTORY = Path(__file__).parents[2] / "conformance"
CASES = {case.name: case for case in load_cases(DIRECTORY)}
A, B = ("m1",), ("m2",)


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_the_reference_agrees(case: ConformanceCase) -> None:
    assert reference_firings(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
@pytest.mark.parametrize("language", [Language.SPL, Language.ESQL, Language.EQL])
def test_our_languages_pass_or_refuse(case: ConformanceCase, language: Language) -> None:
    verdict = ours.verdict(case, language)
    assert verdict.status in (Status.PASS, Status.REFUSED), verdict
    if language is not Language.EQL:
        assert verdict.status is Status.PASS, verdict.reason


def test_topics_are_covered() -> None:
    topics = {topic for case in CASES.values() for topic in case.topics}
    assert topics >= {"boundary", "order", "isolation", "null key", "alias", "distinct", "sliding", "ties", "ranges", "chains"}
    assert topics >= {"several fields", "aggregates", "boolean", "keys", "units", "arrival", "storm", "one event"}


def test_names_are_unique_and_files_are_called_like_cases() -> None:
    assert sorted(CASES) == sorted(path.stem for path in DIRECTORY.glob("*.yml"))
    assert all(case.document["name"] == case.name and case.why.endswith(".") for case in CASES.values())


def test_neither_silence_nor_one_alert_passes_most_cases() -> None:
    """A suite in which every case fires once would be passed by an engine that always fires."""
    numbers = [min(len(case.expected), 2) for case in CASES.values()]
    assert all(numbers.count(number) >= 12 for number in (0, 1, 2))


# What design.md, section 1, measured of pySigma 1.5.1 with its official backends.
KNOWN = [
    ("event_count_sliding", "pysigma-splunk", Status.FAIL),
    ("event_count_sliding", "pysigma-esql", Status.FAIL),
    ("temporal_across_bucket_edge", "pysigma-splunk", Status.FAIL),
    ("temporal_across_bucket_edge", "pysigma-esql", Status.FAIL),
    ("temporal_window_exceeded", "pysigma-eql", Status.FAIL),
    ("ordered_pair", "pysigma-eql", Status.INVALID),
    ("ordered_pair", "pysigma-splunk", Status.REFUSED),
    ("ordered_pair", "pysigma-esql", Status.REFUSED),
    ("event_count_alias", "pysigma-splunk", Status.FAIL),
    ("temporal_alias", "pysigma-esql", Status.REFUSED),
    ("event_count_null_key", "pysigma-esql", Status.FAIL),
    ("value_count_distinct", "pysigma-eql", Status.FAIL),
    ("event_count_threshold", "pysigma-splunk", Status.PASS),
    ("event_count_threshold", "pysigma-esql", Status.PASS),
    ("event_count_threshold", "pysigma-eql", Status.PASS),
]


@pytest.mark.parametrize(("name", "backend", "status"), KNOWN)
def test_what_is_known_of_the_official_backends(name: str, backend: str, status: Status) -> None:
    [result] = run([CASES[name]], [backend]).results
    assert result.verdicts[backend].status is status, result.verdicts[backend]


def test_the_timespan_that_eql_loses_gives_a_surplus() -> None:
    [result] = run([CASES["temporal_window_exceeded"]], ["pysigma-eql"]).results
    assert result.verdicts["pysigma-eql"].surplus
    assert "maxspan" not in result.verdicts["pysigma-eql"].text


# Its distinct values and keys ignore case; an absence counts only after the whole window; every window of a chain's inner rule counts, and
# an inner sequence does not consume its events.
OTHER_IN_SQLITE = {
    "chain_count_of_bursts",
    "chain_inner_consumes",
    "event_count_key_case",
    "key_backslash",
    "ordered_key_case",
    "temporal_boolean",
    "temporal_boolean_ends",
    "temporal_boolean_not_or",
    "value_count_case",
}


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_sqlite_agrees_but_where_its_meaning_is_another(case: ConformanceCase) -> None:
    verdict = sqlite.verdict(case)
    if verdict.status in (Status.REFUSED, Status.ERROR):
        assert "several fields" in case.topics or "ranges" in case.topics
    else:
        assert (verdict.status is Status.FAIL) == (case.name in OTHER_IN_SQLITE), verdict


def test_alerts_are_compared_exactly() -> None:
    expected = frozenset({(A, 5)})
    assert exact(expected, {(A, 5)}, "").status is Status.PASS
    verdict = exact(expected, {(B, 5)}, "")
    assert (verdict.status, verdict.missing, verdict.surplus) == (Status.FAIL, expected, (Report(B, 5, 5),))
    assert exact(expected, set(), "", declared="ties").status is Status.DECLARED


COVERED = {
    "in the bucket": ([Report(A, 0, 99)], Status.PASS),
    "at its edge": ([Report(A, 50, 149)], Status.PASS),
    "just outside": ([Report(A, 51, 150)], Status.FAIL),
    "other group": ([Report(B, 0, 99)], Status.FAIL),
    "goes on within W": ([Report(A, 0, 99), Report(A, 150, 249)], Status.PASS),
    "goes on for longer": ([Report(A, 0, 99), Report(A, 151, 250)], Status.FAIL),
    "nothing": ([], Status.FAIL),
}


@pytest.mark.parametrize("name", COVERED)
def test_buckets_cover_alerts(name: str) -> None:
    reports, status = COVERED[name]
    assert covered(frozenset({(A, 50)}), reports, 100, "").status is status


def test_silence_is_judged_too() -> None:
    assert covered(frozenset(), [], 100, "").status is Status.PASS
    assert covered(frozenset(), [Report(A, 0, 99)], 100, "").status is Status.FAIL


@pytest.mark.parametrize("text", ["", "case: x", "[1]", "case: x\nrules: []\nevents: []\nexpect: []\ntopics: []\nwhy: x.", "{"])
def test_a_file_that_is_no_case(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=r"x\.yml: not a conformance case"):
        load_case(tmp_path / "x.yml")


def test_no_cases(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no conformance case"):
        load_cases(tmp_path)
    with pytest.raises(UsageError, match="not a directory"):
        load_cases(tmp_path / "none")
