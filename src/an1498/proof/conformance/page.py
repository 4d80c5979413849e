"""The suite's results as text, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from an1498.proof.conformance.judge import Report, Status, Verdict
from an1498.proof.conformance.suite import Result, Suite
from an1498.proof.reference import Firing
from an1498.times import time_text

_WORDS = {
    Status.PASS: "pass",
    Status.FAIL: "FAIL",
    Status.DECLARED: "declared",
    Status.REFUSED: "refused",
    Status.INVALID: "invalid",
    Status.ERROR: "error",
}
_LEGEND = "refused: says that it cannot; invalid: its text is no search of its language; declared: differs as the search itself declares"


def lines(suite: Suite) -> Iterator[tuple[str, str]]:
    """The text page as (style, line): table, topics, totals, then every difference with both sides and the case's reason."""
    width = max(len(one.case.name) for one in suite.results)
    columns = [max(len(name), 8) for name in suite.backends]
    yield "head", " ".join(["case".ljust(width), *(name.ljust(column) for name, column in zip(suite.backends, columns, strict=True))])
    for one in suite.results:
        words = [_WORDS[one.verdicts[name].status].ljust(column) for name, column in zip(suite.backends, columns, strict=True)]
        yield "", " ".join([one.case.name.ljust(width), *words]).rstrip()
    yield "", ""
    yield "head", " ".join(["passed, by topic".ljust(width), *(name.ljust(c) for name, c in zip(suite.backends, columns, strict=True))])
    for topic in (*suite.topics, ""):
        cells = [_passed(suite, name, topic).ljust(column) for name, column in zip(suite.backends, columns, strict=True)]
        yield ("head" if not topic else ""), " ".join([(topic or "all").ljust(width), *cells]).rstrip()
    yield "", _LEGEND
    for one in suite.results:
        for name in suite.backends:
            yield from _difference(one, name)


def _difference(one: Result, name: str) -> Iterator[tuple[str, str]]:
    verdict = one.verdicts[name]
    if verdict.status is Status.PASS:
        return
    if verdict.status is Status.FAIL:
        yield "", ""
        yield "fail", f"{one.case.name} × {name}: FAIL. {one.case.why}"
        yield "", "  expected: " + (", ".join(map(_firing_text, sorted(one.case.expected))) or "no alert")
        for text in _actual(verdict):
            yield "", f"  {text}"
    elif verdict.status is not Status.REFUSED:
        yield "", ""
        yield "fail", f"{one.case.name} × {name}: {verdict.status.value}. {verdict.reason}"


def _actual(verdict: Verdict) -> Iterator[str]:
    if verdict.missing:
        yield "missing: " + ", ".join(map(_firing_text, sorted(verdict.missing)))
    if verdict.surplus:
        yield "surplus: " + ", ".join(map(_report_text, verdict.surplus))


def refusals(suite: Suite) -> Iterator[str]:
    """One line for each reason of each backend, with how many cases it refused for it."""
    for name in suite.backends:
        reasons: dict[str, int] = {}
        for one in suite.results:
            verdict = one.verdicts[name]
            if verdict.status is Status.REFUSED:
                reasons[verdict.reason] = reasons.get(verdict.reason, 0) + 1
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
            yield f"{name} refused {count}: {reason}"


def to_json(suite: Suite) -> str:
    """One object: totals by backend, and every case with every verdict."""
    cases = [
        {
            "case": one.case.name,
            "topics": list(one.case.topics),
            "why": one.case.why,
            "expected": [_firing_json(firing) for firing in sorted(one.case.expected)],
            "verdicts": {name: _verdict_json(verdict) for name, verdict in one.verdicts.items()},
        }
        for one in suite.results
    ]
    totals = {name: {status.value: number for status, number in suite.count(name).items()} for name in suite.backends}
    return json.dumps({"failed": suite.failed, "totals": totals, "cases": cases}, indent=2, ensure_ascii=False)


def to_markdown(suite: Suite) -> str:
    """The topics' table and the cases' table, for a page of documentation."""
    head = "| | " + " | ".join(suite.backends) + " |"
    rule = "| --- |" + " --- |" * len(suite.backends)
    rows = [head.replace("| |", "| topic |", 1), rule]
    for topic in (*suite.topics, ""):
        cells = " | ".join(_passed(suite, name, topic) for name in suite.backends)
        rows.append(f"| {topic or '**all**'} | {cells} |")
    rows += ["", head.replace("| |", "| case |", 1), rule]
    for one in suite.results:
        cells = " | ".join(_markdown_cell(one.verdicts[name]) for name in suite.backends)
        rows.append(f"| `{one.case.name}` | {cells} |")
    return "\n".join([*rows, "", _LEGEND])


def _markdown_cell(verdict: Verdict) -> str:
    word = _WORDS[verdict.status]
    return f"**{word.lower()}**" if verdict.status is Status.FAIL else word


def _passed(suite: Suite, name: str, topic: str) -> str:
    counts = suite.count(name, topic)
    return f"{counts.get(Status.PASS, 0)}/{sum(counts.values())}"


def _firing_text(firing: Firing) -> str:
    group, time = firing
    return f"{'/'.join(group)} at {time_text(time)}"


def _report_text(report: Report) -> str:
    times = time_text(report.first_ms)
    if report.last_ms != report.first_ms:
        times += f" to {time_text(report.last_ms)}"
    return f"{'/'.join(report.group)} at {times}"


def _firing_json(firing: Firing) -> dict[str, Any]:
    return {"group": list(firing[0]), "time": time_text(firing[1])}


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "status": verdict.status.value,
        "missing": [_firing_json(firing) for firing in sorted(verdict.missing)],
        "surplus": [
            {"group": list(one.group), "first": time_text(one.first_ms), "last": time_text(one.last_ms)} for one in verdict.surplus
        ],
        "reason": verdict.reason,
        "search": verdict.text,
    }
