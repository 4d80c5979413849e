"""A rule has no triage text.

**Why.** It becomes the investigation guide of the alert: what to look at first, what makes it harmless, what to do next.

**Bad**

    level: high

**Good**

    level: high
    triage: |
      1. Which process used the key, who signed it, who started it?
      2. Who owns the server, and does any other machine talk to it?
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.alerting:
        node = subject.node(rule, "triage")
        if node.value is None:
            yield missing(rule, node, "say what the analyst looks at first, and what makes the alert harmless")


LINT = Lint("AN108", "triage", Severity.ERROR, __doc__ or "", find)
