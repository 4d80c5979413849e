"""A rule does not say what else matches it.

**Why.** "Unknown" tells the analyst nothing. TLS oddities and key use have many harmless causes; naming them is half of the triage.

**Bad**

    falsepositives:
      - Unknown

**Good**

    falsepositives:
      - Printers and lab hosts with certificates of their own
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject

_EMPTY_WORDS = frozenset({"unknown", "none", "n/a", "na", "tbd", "todo", "unlikely", "-"})


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.alerting:
        node = subject.node(rule, "falsepositives")
        if not node.value:
            yield missing(rule, node, "list harmless causes")
            continue
        for item in node.items():
            if item.value.strip(" .").lower() in _EMPTY_WORDS:
                yield Problem(item.location, f"false positive '{item.value}' says nothing", "name a harmless cause")


LINT = Lint("AN105", "false-positives", Severity.ERROR, __doc__ or "", find)
