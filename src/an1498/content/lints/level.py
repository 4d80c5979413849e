"""A rule has no level.

**Why.** The level decides the alert's severity and risk score. Without one the rule counts as informational.

**Bad**

    detection: …

**Good**

    detection: …
    level: low
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.alerting:
        node = subject.node(rule, "level")
        if node.value is None:
            yield missing(rule, node, "add one of informational, low, medium, high, critical")


LINT = Lint("AN106", "level", Severity.ERROR, __doc__ or "", find)
