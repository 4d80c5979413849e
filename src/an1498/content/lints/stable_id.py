"""A rule has no id.

**Why.** Deployed searches, exceptions and alerts are tied to the id. Without one, a renamed rule becomes a new rule in the SIEM and
its history and tuning are lost.

**Bad**

    title: Self-signed server certificate
    name: zeek_self_signed

**Good**

    title: Self-signed server certificate
    id: 6a3c1f5e-0b54-4b0c-8b0e-0d5a4d8a1002
    name: zeek_self_signed
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.documents:
        if not rule.id:
            yield missing(rule, subject.node(rule, "id"), "add one: python3 -c 'import uuid; print(uuid.uuid4())'")


LINT = Lint("AN101", "stable-id", Severity.ERROR, __doc__ or "", find)
