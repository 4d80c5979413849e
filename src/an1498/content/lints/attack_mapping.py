"""A rule is not mapped to AN1498, DET0543 and T1573.002.

**Why.** Coverage is counted by these. Sigma has no tag namespace for analytics, so they stand in a key of their own; the tags name tactic
and technique. The expected values come from the packaged ATT&CK objects.

**Bad**

    tags: [attack.t1573]

**Good**

    tags: [attack.command-and-control, attack.t1573.002]
    mitre: {analytic: AN1498, detection_strategy: DET0543}
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.data import attack_object
from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject

ANALYTIC, STRATEGY, TECHNIQUE, TACTIC = "AN1498", "DET0543", "T1573.002", "TA0011"


def find(subject: Subject) -> Iterator[Problem]:
    wanted = {"analytic": attack_object(ANALYTIC), "detection_strategy": attack_object(STRATEGY)}
    keys = {key: item["external_references"][0]["external_id"] for key, item in wanted.items()}
    tags = (f"attack.{attack_object(TACTIC)['x_mitre_shortname']}", f"attack.{TECHNIQUE.lower()}")
    for rule in subject.alerting:
        mitre = subject.node(rule, "mitre")
        if mitre.value is None:
            yield missing(rule, mitre, f"add 'mitre: {{analytic: {ANALYTIC}, detection_strategy: {STRATEGY}}}'")
        else:
            for key, value in keys.items():
                if mitre.value.get(key) != value:
                    node = subject.node(rule, "mitre", key)
                    yield Problem(node.location, f"'mitre.{key}' of rule '{rule.name}' is not {value}", f"write '{key}: {value}'")
        node = subject.node(rule, "tags")
        for tag in tags:
            if tag not in (node.value or ()):
                yield Problem(node.location, f"rule '{rule.name}' has no tag '{tag}'", f"add '- {tag}' to 'tags'")


LINT = Lint("AN107", "attack-mapping", Severity.ERROR, __doc__ or "", find)
