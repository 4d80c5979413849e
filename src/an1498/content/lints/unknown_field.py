"""A rule or filter reads a field that no layout of its log source has.

**Why.** In a SIEM a misspelt field is not an error: the search runs and never matches.

**Bad**

    logsource: {product: zeek, service: ssl}
    detection:
      selection:
        validation_state: ok

**Good**

    detection:
      selection:
        validation_status: ok
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.detections import field_tests
from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.node import suggestion
from an1498.content.rules import FILTER_KEYS
from an1498.content.subject import Subject
from an1498.model import EventRule, Filter


def find(subject: Subject) -> Iterator[Problem]:
    bodies: list[tuple[EventRule | Filter, str]] = [
        *((rule, "detection") for rule in subject.pack.rules.values()),
        *((item, "filter") for item in subject.pack.filters.values()),
    ]
    for rule, body in bodies:
        sources = subject.sources(rule)
        known = {field.native for source in sources for field in source.fields}
        for test in field_tests(subject.node(rule, body), FILTER_KEYS) if sources else ():
            fields = [test.field]
            if "fieldref" in test.modifiers:
                fields += [value for value in test.values if isinstance(value, str)]
            for field in fields:
                if field and field not in known:
                    text = f"rule '{rule.name}' reads '{field}', which no layout of its log source has"
                    yield Problem(test.node.location, text, suggestion(field, known))


LINT = Lint("AN114", "unknown-field", Severity.ERROR, __doc__ or "", find)
