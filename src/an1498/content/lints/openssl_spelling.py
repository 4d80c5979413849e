"""A rule knows one spelling of "self-signed" in OpenSSL's verification results.

**Why.** Zeek's `validation_status` is OpenSSL's text, and OpenSSL 3.0 changed `self signed certificate` to `self-signed certificate`
(also `… in certificate chain`). A rule with one spelling is blind on half of all sensors.

**Bad**

    validation_status: self signed certificate

**Good**

    validation_status:
      - self signed certificate
      - self-signed certificate
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.detections import field_tests
from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.pack.rules.values():
        tests = [test for test in field_tests(subject.node(rule, "detection")) if test.field == "validation_status"]
        for test in tests:
            texts = {value.lower() for value in test.values if isinstance(value, str)} if "re" not in test.modifiers else set()
            for text in sorted(texts):
                other = text.replace("self signed", "self-signed") if "self signed" in text else text.replace("self-signed", "self signed")
                if other not in texts:
                    problem = f"rule '{rule.name}' has '{text}', but not '{other}'"
                    yield Problem(test.node.location, problem, "list both spellings: OpenSSL before and since 3.0")


LINT = Lint("AN120", "openssl-spelling", Severity.ERROR, __doc__ or "", find)
