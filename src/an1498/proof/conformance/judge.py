"""How a backend's answer is compared with what a case expects: one rule for each way in which engines report.

`alerts`: one alert at a time; both sets must be equal. `moments`: the engine reports every moment at which the condition holds, which
need not be an alert of its own. `buckets`: the engine reports spans of time (tumbling `stats`), somewhere in which the condition held.
For the latter two an expected alert is found if a report of its group covers its time; a report is surplus if no expected alert of its
group lies in it or within the window W before it. conformance/README.md publishes this rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from an1498.proof.reference import Firing, Group


class Status(StrEnum):
    """`refused`: the backend says that it cannot. `invalid`: it gave a text that is no search of its language. `declared`: it differs,
    and the search declares the deviation that explains it. `error`: it broke."""

    PASS = "pass"
    FAIL = "fail"
    DECLARED = "declared"
    REFUSED = "refused"
    INVALID = "invalid syntax"
    ERROR = "error"


@dataclass(frozen=True, slots=True, order=True)
class Report:
    """Something found for a group: at one moment (`first_ms` == `last_ms`) or somewhere in a span, both ends inclusive."""

    group: Group
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A backend's outcome on a case. `text` is the search that ran, `reason` says why there was none, or what is declared."""

    status: Status
    missing: frozenset[Firing] = frozenset()
    surplus: tuple[Report, ...] = ()
    reason: str = ""
    text: str = ""


def exact(expected: frozenset[Firing], found: Iterable[Firing], text: str, declared: str = "") -> Verdict:
    """Alerts against alerts. `declared` names deviations of the search that explain any difference in this case."""
    got = frozenset(found)
    if got == expected:
        return Verdict(Status.PASS, text=text)
    surplus = tuple(sorted(Report(group, time, time) for group, time in got - expected))
    return Verdict(Status.DECLARED if declared else Status.FAIL, expected - got, surplus, declared, text)


def covered(expected: frozenset[Firing], reports: Iterable[Report], window_ms: int, text: str) -> Verdict:
    """Moments or buckets against alerts, by the rule above."""
    found = sorted(set(reports))
    missing = {
        (group, time) for group, time in expected if not any(one.group == group and one.first_ms <= time <= one.last_ms for one in found)
    }
    surplus = tuple(
        one for one in found if not any(one.group == group and one.first_ms - window_ms <= time <= one.last_ms for group, time in expected)
    )
    return Verdict(Status.FAIL if missing or surplus else Status.PASS, frozenset(missing), surplus, text=text)
