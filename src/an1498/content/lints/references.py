"""A rule names no source, or a source that is not a web address.

**Why.** A detection without its source cannot be checked or kept up to date.

**Bad**

    references:
      - the ATT&CK page

**Good**

    references:
      - https://attack.mitre.org/detectionstrategies/DET0543#AN1498
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.alerting:
        node = subject.node(rule, "references")
        if not node.value:
            yield missing(rule, node, "add the page or paper that the rule is derived from")
            continue
        for item in node.items():
            if not item.value.startswith("https://") or any(character.isspace() for character in item.value):
                yield Problem(item.location, f"reference '{item.value}' is not an https address", "give the address of the source")


LINT = Lint("AN104", "references", Severity.ERROR, __doc__ or "", find)
