"""A replay report as text, as a matrix, as JSON (formats.md) and as JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree import ElementTree

from an1498.model import Alert
from an1498.replay.scenarios import Outcome, Report
from an1498.times import time_text

MATRIX_COLUMNS = 30
"""Scenarios side by side in one block of the matrix."""


def lines(report: Report) -> Iterator[tuple[str, str]]:
    """(status, line) per scenario and target, failures with expected and actual alerts below; the last line is the summary."""
    cells: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in report.outcomes:
        cells.setdefault((outcome.scenario, outcome.search.target), []).append(outcome)
    widths = [max((len(key[part]) for key in cells), default=0) for part in (0, 1)]
    for (scenario, target), outcomes in cells.items():
        wrong = [outcome for outcome in outcomes if outcome.status != "pass"]
        status = "error" if any(outcome.status == "error" for outcome in wrong) else "fail" if wrong else "pass"
        fired = sum(1 for outcome in outcomes if outcome.actual)
        languages = ", ".join(dict.fromkeys(str(outcome.search.language) for outcome in outcomes))
        done = f"{len(outcomes)} searches ({languages}), {fired} fired" if not wrong else f"{len(wrong)} of {len(outcomes)} searches wrong"
        yield status, f"{status:<5} {scenario:<{widths[0]}}  {target:<{widths[1]}}  {done}"
        for outcome in wrong:
            yield outcome.status, f"      {outcome.search.rule} [{outcome.search.language}]"
            if outcome.status == "fail":
                yield "", f"        expected: {_alerts_text(outcome.expected)}"
                yield "", f"        actual:   {_alerts_text(outcome.actual)}"
            for detail in outcome.detail:
                yield "", f"        {detail}"
    yield "summary", summary(report)


def summary(report: Report) -> str:
    failed = len(report.failures)
    verdict = "all alerts as expected" if not failed else f"{failed} wrong"
    return f"{report.scenarios} scenarios, {report.searches} searches, {len(report.outcomes)} comparisons: {verdict}"


def _alerts_text(alerts: Iterable[Alert]) -> str:
    return "; ".join(_alert_text(alert) for alert in alerts) or "no alert"


def _alert_text(alert: Alert) -> str:
    return " ".join([time_text(alert.time_ms), *(f"{key}={value}" for key, value in alert.group)])


def matrix(report: Report) -> Iterator[str]:
    """Every correlation × target × language (rows) against every scenario (columns): the number of alerts, `.` for quiet."""
    outcomes = [outcome for outcome in report.outcomes if outcome.search.kind == "correlation"]
    scenarios = list(dict.fromkeys(outcome.scenario for outcome in outcomes))
    found = {(o.search.rule, o.search.target, str(o.search.language), o.scenario): o for o in outcomes}
    rows = sorted({key[:3] for key in found})
    yield "Alerts per correlation, target, language and scenario (. quiet, as expected; n! wrong; E error; - not for this target)"
    for start in range(0, len(scenarios), MATRIX_COLUMNS):
        block = scenarios[start : start + MATRIX_COLUMNS]
        yield ""
        yield from (f"  {number:>3} {name}" for number, name in enumerate(block, start + 1))
        yield ""
        label = [max(len(row[part]) for row in rows) for part in range(3)]
        heads = "".join(f"{number:>4}" for number in range(start + 1, start + 1 + len(block)))
        yield f"{'correlation':<{label[0]}}  {'target':<{label[1]}}  {'':<{label[2]}}{heads}"
        for rule, target, language in rows:
            marks = "".join(f"{_mark(found.get((rule, target, language, name))):>4}" for name in block)
            yield f"{rule:<{label[0]}}  {target:<{label[1]}}  {language:<{label[2]}}{marks}"


def _mark(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    if outcome.status == "error":
        return "E"
    if outcome.status == "fail":
        return f"{len(outcome.actual)}!"
    return str(len(outcome.actual)) if outcome.actual else "."


def to_json(report: Report) -> str:
    """The JSON object of formats.md; failed results also have `detail`, a list of lines."""
    failed = len(report.failures)
    value = {
        "scenarios": report.scenarios,
        "searches": report.searches,
        "passed": len(report.outcomes) - failed,
        "failed": failed,
        "results": [_result(outcome) for outcome in report.outcomes],
    }
    return json.dumps(value, indent=1, ensure_ascii=False)


def _result(outcome: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {
        "scenario": outcome.scenario,
        "rule": outcome.search.rule,
        "target": outcome.search.target,
        "language": str(outcome.search.language),
        "status": outcome.status,
        "expected": [_alert(alert) for alert in outcome.expected],
        "actual": [_alert(alert) for alert in outcome.actual],
    }
    if outcome.detail:
        result["detail"] = list(outcome.detail)
    return result


def _alert(alert: Alert) -> dict[str, Any]:
    return {"time": time_text(alert.time_ms), "group": dict(alert.group)}


def to_junit(report: Report) -> str:
    """JUnit XML as CI servers read it: one test suite per target, one test case per scenario and search."""
    suites = ElementTree.Element("testsuites", name="an1498")
    by_target: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        by_target.setdefault(outcome.search.target, []).append(outcome)
    for target, outcomes in sorted(by_target.items()):
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=target,
            tests=str(len(outcomes)),
            failures=str(sum(outcome.status == "fail" for outcome in outcomes)),
            errors=str(sum(outcome.status == "error" for outcome in outcomes)),
        )
        for outcome in outcomes:
            name = f"{outcome.search.rule} [{outcome.search.language}]"
            case = ElementTree.SubElement(suite, "testcase", classname=f"{target}.{outcome.scenario}", name=name)
            if outcome.status != "pass":
                _problem(case, outcome)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def _problem(case: ElementTree.Element, outcome: Outcome) -> None:
    wrong = f"expected {_alerts_text(outcome.expected)}; got {_alerts_text(outcome.actual)}"
    tag, message = ("failure", wrong) if outcome.status == "fail" else ("error", outcome.detail[0])
    ElementTree.SubElement(case, tag, message=_printable(message)).text = _printable("\n".join([message, *outcome.detail]))


def _printable(text: str) -> str:
    """XML 1.0 has no control characters, not even escaped."""
    return "".join(character if character >= " " or character in "\n\t" else "\N{REPLACEMENT CHARACTER}" for character in text)
