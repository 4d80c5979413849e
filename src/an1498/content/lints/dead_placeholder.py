"""A value looks like a parameter, but its field has no `|expand`.

**Why.** Without the modifier `%trusted_issuers%` is a text with percent signs, which no event has: the filter filters nothing.

**Bad**

    server_name: "%trusted_doh_endpoints%"

**Good**

    server_name|expand: "%trusted_doh_endpoints%"
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.detections import PLACEHOLDER, field_tests
from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.rules import FILTER_KEYS
from an1498.content.subject import Subject
from an1498.model import EventRule, Filter


def find(subject: Subject) -> Iterator[Problem]:
    bodies: list[tuple[EventRule | Filter, str]] = [(rule, "detection") for rule in subject.pack.rules.values()]
    bodies += [(item, "filter") for item in subject.pack.filters.values()]
    for rule, body in bodies:
        for test in field_tests(subject.node(rule, body), FILTER_KEYS):
            for value in test.values:
                names = PLACEHOLDER.findall(value) if isinstance(value, str) and "expand" not in test.modifiers else []
                for name in names:
                    if name in subject.settings.defaults:
                        text = f"'%{name}%' in rule '{rule.name}' is plain text, because '{test.field}' has no 'expand'"
                        yield Problem(test.node.location, text, f"write '{test.field}|expand'")


LINT = Lint("AN124", "dead-placeholder", Severity.ERROR, __doc__ or "", find)
