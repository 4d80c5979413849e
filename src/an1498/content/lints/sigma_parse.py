"""pySigma cannot read a document, or cannot join a filter with its rules.

**Why.** pySigma's backends write the conditions of every search.

**Bad**

    selection:
      id.orig_h|contains|cidr: 10.0.0.0/8

**Good**

    selection:
      id.orig_h|cidr: 10.0.0.0/8
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for message in subject.sigma.errors:
        yield Problem(message.location, f"pySigma says of rule '{message.rule.name}': {message.text}", "correct the rule")


LINT = Lint("AN118", "sigma-parse", Severity.ERROR, __doc__ or "", find)
