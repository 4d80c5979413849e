"""A rule about single events is rated above low.

**Why.** One use of a key or one odd TLS session is context: both happen on every Mac every day. Only their order is evidence, so only
correlations may alert; event rules ship as building blocks.

**Bad**

    title: Self-signed server certificate
    level: high

**Good**

    title: Self-signed server certificate
    level: low
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.pack.rules.values():
        if rule.level not in ("informational", "low"):
            node = subject.node(rule, "level")
            text = f"event rule '{rule.name}' has level '{rule.level}'"
            yield Problem(node.location, text, "write 'low' or 'informational', and alert from a correlation")


LINT = Lint("AN109", "event-rule-level", Severity.ERROR, __doc__ or "", find)
