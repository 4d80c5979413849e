"""A correlation has no scenario in which it must fire, or none in which it must stay quiet.

**Why.** A search that never fires passes every quiet test, and one that always fires passes every firing test.

**Bad** — samples that never name the correlation

**Good**

    expect:
      - rule: an1498_public_key_use_then_unrecognised_certificate
        alerts: [{time: "2026-01-15T10:00:07.250Z", group: {entity: 10.20.0.42}}]

and, in another scenario, `alerts: []` for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    expectations = [expectation for scenario in subject.scenarios for expectation in scenario.expect]
    firing = {expectation.rule for expectation in expectations if expectation.alerts}
    quiet = {expectation.rule for expectation in expectations if not expectation.alerts}
    for correlation in subject.pack.correlations.values():
        if correlation.name not in firing:
            yield Problem(correlation.location, f"no scenario makes correlation '{correlation.name}' fire", "add one below samples/")
        if correlation.name not in quiet:
            text = f"no scenario says that correlation '{correlation.name}' stays quiet"
            yield Problem(correlation.location, text, "add 'alerts: []' for it in a scenario below samples/ that comes near to firing")


LINT = Lint("AN115", "scenario-coverage", Severity.WARNING, __doc__ or "", find)
