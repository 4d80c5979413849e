"""The evidence as one page: Markdown for documents, plain text for the terminal, JSON for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from an1498.proof.evidence import Evidence, SearchEvidence

WHAT_IT_IS = (
    "Executed means executed on this project's embedded evaluator, which reads the emitted text and refuses what it does not model. "
    "It is not a test on Splunk or Elasticsearch. Accepted means that Elastic's published ES|QL grammar and type checker accept the text."
)
Row = Sequence[str]


def to_json(evidence: Evidence) -> str:
    return json.dumps({**asdict(evidence), "problems": evidence.problems}, indent=2, ensure_ascii=False)


def to_markdown(evidence: Evidence) -> str:
    parts = ["# Evidence", "", WHAT_IT_IS, "", f"Pack: {evidence.pack}. Run: {evidence.budget}. Engine: {'; '.join(evidence.engines)}."]
    for title, note, rows in _sections(evidence):
        parts += ["", f"## {title}", "", note, "", *_markdown_table(rows)]
    parts += ["", "## Equivalent mutants", "", *_equivalents(evidence), "", "## Verdict", "", *_verdict(evidence)]
    return "\n".join(parts)


def to_text(evidence: Evidence) -> str:
    parts = [WHAT_IT_IS, "", f"pack {evidence.pack}, run {evidence.budget}, engine {'; '.join(evidence.engines)}"]
    for title, note, rows in _sections(evidence):
        parts += ["", title.upper(), note, *_text_table(rows)]
    parts += ["", "EQUIVALENT MUTANTS", *_equivalents(evidence), "", "VERDICT", *_verdict(evidence)]
    return "\n".join(parts)


def _sections(evidence: Evidence) -> Iterator[tuple[str, str, list[Row]]]:
    yield (
        "Correlation types",
        "Random streams through the emitted text of synthetic rules, compared with a brute-force reference: {(group, time)}.",
        [
            ("type", "language", "shapes", "refused", "streams", "alerts", "declared", "differences"),
            *(
                (one.type, one.language, *_numbers(one.shapes, one.refused, one.streams, one.alerts, one.declared, len(one.differences)))
                for one in evidence.types
            ),
        ],
    )
    yield (
        "Searches of the pack: correlations",
        "Random raw events through each layout's ingest and the search; a stream counts once per parameter setting.",
        [_SEARCH_HEAD, *(_search_row(one) for one in evidence.searches if one.kind == "correlation")],
    )
    yield (
        "Searches of the pack: event rules",
        "Mutants over the events that decide each rule, per target and language.",
        [("target", "language", "searches", "mutants", "killed", "equivalent", "survived", "accepted by"), *_event_rows(evidence)],
    )
    yield (
        "Independent oracles",
        "Other people's engines, asked the same question. " + " ".join(f"Not asked: {reason}." for reason in evidence.absent),
        [
            ("oracle", "version", "subject", "comparisons", "agreed"),
            *((one.oracle, one.version, one.subject, *_numbers(one.comparisons, one.agreed)) for one in evidence.oracles),
        ],
    )


_SEARCH_HEAD = (
    *("target", "rule", "language", "streams", "alerts", "declared", "mutants", "killed", "equivalent", "survived"),
    *("accepted by", "deviations"),
)


def _search_row(one: SearchEvidence) -> Row:
    mutants = _numbers(one.mutants, one.killed, len(one.equivalent), len(one.survived))
    run = _numbers(one.streams, one.alerts, one.declared)
    return (one.target, one.rule, one.language, *run, *mutants, _stacks(one.accepted_by), ", ".join(one.deviations) or "–")


def _event_rows(evidence: Evidence) -> Iterator[Row]:
    groups: dict[tuple[str, str], list[SearchEvidence]] = {}
    for one in evidence.searches:
        if one.kind == "event":
            groups.setdefault((one.target, one.language), []).append(one)
    for (target, language), several in groups.items():
        common = set.intersection(*(set(one.accepted_by) for one in several))
        counts = (
            len(several),
            sum(one.mutants for one in several),
            sum(one.killed for one in several),
            sum(len(one.equivalent) for one in several),
            sum(len(one.survived) for one in several),
        )
        yield (target, language, *_numbers(*counts), _stacks(sorted(common)))


def _stacks(accepted: Iterable[str]) -> str:
    return ", ".join(subject.rsplit(" ", 1)[-1] for subject in accepted) or "–"


def _equivalents(evidence: Evidence) -> list[str]:
    """Each reason once, with how many mutants it covers."""
    reasons = Counter(text.split(": ", 3)[-1] for search in evidence.searches for text in search.equivalent)
    return [f"- {count:,}: {reason}" for reason, count in sorted(reasons.items())] or ["None survived."]


def _verdict(evidence: Evidence) -> list[str]:
    if not evidence.problems:
        return ["No undeclared difference, no surviving mutant."]
    return [f"- {problem}" for problem in evidence.problems]


def _numbers(*numbers: int) -> tuple[str, ...]:
    return tuple(f"{number:,}" for number in numbers)


def _markdown_table(rows: Sequence[Row]) -> list[str]:
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body)]


def _text_table(rows: Sequence[Row]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
