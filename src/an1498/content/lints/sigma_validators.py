"""One of pySigma's validators objects to a rule (`sigma check` with all of them).

**Why.** They find tags that ATT&CK does not have, selections that no condition uses, wildcards that should be modifiers, and more.
They run offline, with the packaged ids of ATT&CK 19.1. The validators' high issues are errors here, medium ones warnings, low ones notes.

**Bad**

    validation_status: "*certificate*"

**Good**

    validation_status|contains: certificate
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for message in subject.sigma.issues:
        text = f"{message.validator} in rule '{message.rule.name}': {message.text}"
        yield Problem(message.location, text, "follow the validator's advice", message.severity)


LINT = Lint("AN119", "sigma-validators", Severity.ERROR, __doc__ or "", find)
