"""A filter applies to more than it needs to.

**Why.** A filter hides events. `rules: any` hides them from rules that nobody thought of when the entry was trusted, also from rules
written later. A filter names the rules that it narrows, and the log source whose fields it reads.

**Bad**

    logsource: {product: zeek}
    filter:
      rules: any

**Good**

    logsource: {product: zeek, service: ssl}
    filter:
      rules: [zeek_tls_unrecognised_certificate]
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for item in subject.pack.filters.values():
        rules = subject.node(item, "filter", "rules")
        if not isinstance(rules.value, list):
            yield Problem(rules.location, f"filter '{item.name}' applies to any rule", "list the rules that it narrows")
        for key in ("product", "service"):
            node = subject.node(item, "logsource", key)
            if node.value is None:
                yield Problem(node.location, f"filter '{item.name}' has no '{key}' in 'logsource'", f"add the rules' {key}")


LINT = Lint("AN113", "wide-filter", Severity.ERROR, __doc__ or "", find)
