"""A document does not satisfy the JSON schema of the Sigma specification.

**Why.** Rules must stay usable with every other Sigma tool.

**Bad**

    references: [https://example.net, https://example.net]

**Good**

    references: [https://example.net]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from an1498.content.data import sigma_schema
from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject
from an1498.model import Correlation, EventRule, Filter

SCHEMAS: Mapping[type, str] = {EventRule: "detection-rule", Correlation: "correlation-rules", Filter: "filters"}


def find(subject: Subject) -> Iterator[Problem]:
    from jsonschema import Draft202012Validator

    validators = {kind: Draft202012Validator(sigma_schema(name)) for kind, name in SCHEMAS.items()}
    for rule in subject.documents:
        errors = validators[type(rule)].iter_errors(subject.as_written(rule))
        for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
            path = tuple(error.absolute_path)
            said = error.message if len(error.message) <= 200 else f"{error.message[:200]}…"
            where = ".".join(map(str, path)) or "the document"
            location = subject.node(rule, *path).location
            yield Problem(location, f"'{where}' of rule '{rule.name}': {' '.join(said.split())}", "follow the Sigma specification 2.1")


LINT = Lint("AN117", "sigma-schema", Severity.ERROR, __doc__ or "", find)
