"""No layout stores a rule's log source.

**Why.** The rule would compile nowhere, or with fields that nobody has mapped.

**Bad**

    logsource: {product: zeek, service: tls}

**Good**

    logsource: {product: zeek, service: ssl}
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.node import suggestion
from an1498.content.subject import Subject
from an1498.model import EventRule, Filter


def find(subject: Subject) -> Iterator[Problem]:
    known = sorted({f"{source.product}/{source.service}" for layout in subject.layouts.values() for source in layout.sources})
    rules: list[EventRule | Filter] = [*subject.pack.rules.values(), *subject.pack.filters.values()]
    for rule in rules:
        if not subject.sources(rule):
            logsource = rule.document["logsource"]
            name = f"{logsource.get('product', '')}/{logsource.get('service', '')}"
            node = subject.node(rule, "logsource")
            yield Problem(node.location, f"no layout stores log source {name} of rule '{rule.name}'", suggestion(name, known))


LINT = Lint("AN123", "unknown-log-source", Severity.ERROR, __doc__ or "", find)
