"""No rule, filter or correlation uses a parameter.

**Why.** Whoever tunes it expects an effect, and gets none. (A name that is neither used nor known is refused outright.)

**Bad**

    [parameters]
    beacon_threshold = 20     # and no rule that reads it

**Good**: a rule that uses it, or a comment in an1498.toml that says who reads it, with this finding accepted.
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.references import used_parameters
from an1498.content.subject import Subject

# Read by the compiler for every ordered correlation; MITRE's own mutable element, which only the pack's Zeek scripts can feed; read by
# hunt.
READ_ELSEWHERE = frozenset({"clock_skew", "payload_entropy_threshold", "sni_entropy_threshold"})


def find(subject: Subject) -> Iterator[Problem]:
    used = used_parameters(subject.documents) | READ_ELSEWHERE
    for parameter in subject.settings.defaults.values():
        if parameter.name not in used:
            yield Problem(parameter.location, f"nothing uses parameter '{parameter.name}'", "use it in a rule, or remove it")


LINT = Lint("AN111", "unused-parameter", Severity.WARNING, __doc__ or "", find)
