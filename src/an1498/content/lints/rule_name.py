"""A rule has no name, or another name than its file.

**Why.** Correlations, scenarios, searches.json and the SIEM's stanzas all use the name. Whoever reads it in an alert must find the file.

**Bad** — `rules/network/zeek_self_signed.yml`

    name: self_signed

**Good**

    name: zeek_self_signed
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.documents:
        node = subject.node(rule, "name")
        stem = PurePath(rule.location.file).stem
        if node.value is None:
            yield missing(rule, node, f"add 'name: {stem}'")
        elif rule.name != stem:
            yield Problem(
                node.location, f"rule '{rule.name}' is in a file named '{stem}'", f"rename the file to {rule.name}.yml, or the rule"
            )


LINT = Lint("AN102", "rule-name", Severity.ERROR, __doc__ or "", find)
