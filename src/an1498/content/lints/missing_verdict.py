"""A rule reads a missing `validation_status` as a verdict.

**Why.** Under TLS 1.3 and in resumed sessions the sensor sees no certificate, so the field is missing for good and bad servers alike.
A rule about such sessions says `rated as context` with level informational; anything else must not test for its absence.

**Bad**

    selection:
      validation_status: null
    level: low

**Good**

    selection:
      validation_status:
        - certificate has expired
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.detections import field_tests
from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.pack.rules.values():
        if rule.level == "informational":
            continue
        for test in field_tests(subject.node(rule, "detection")):
            absent = None in test.values or ("exists" in test.modifiers and False in test.values)
            if test.field == "validation_status" and absent:
                text = f"rule '{rule.name}' takes a missing validation_status as a sign"
                yield Problem(test.node.location, text, "match the texts that you mean, or make the rule informational context")


LINT = Lint("AN121", "missing-verdict", Severity.ERROR, __doc__ or "", find)
