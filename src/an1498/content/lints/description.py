"""A rule has no description.

**Why.** The analyst who gets the alert has not read the YAML. One or two sentences say what was seen and what it may mean.

**Bad**

    title: Self-signed server certificate

**Good**

    title: Self-signed server certificate
    description: A TLS server outside showed a certificate that no authority signed, as default C2 set-ups do.
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.documents:
        node = subject.node(rule, "description")
        if node.value is None:
            yield missing(rule, node, "say in one or two sentences what it detects")


LINT = Lint("AN103", "description", Severity.ERROR, __doc__ or "", find)
