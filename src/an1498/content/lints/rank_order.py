"""The stages of an ordered correlation have no strictly falling ranks, or ranks that the layouts do not give to their events.

**Why.** Events with equal times are not ordered, so they must not pair; but EQL orders them by the tiebreaker field. Ingest stamps each
event with its rank and EQL uses it as tiebreaker: with falling ranks the later stage sorts first at a tie, and cannot pair with
what follows it. (`rank` in the rule, `vars.layout[].rank` in the pipelines.)

**Bad**

    rank: 1        # both in macos_public_key_use and in zeek_tls_unrecognised_certificate

**Good**

    rank: 2        # macos_public_key_use
    rank: 1        # zeek_tls_unrecognised_certificate
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem, missing
from an1498.content.subject import Subject
from an1498.model import CorrelationType, EventRule


def find(subject: Subject) -> Iterator[Problem]:
    ordered = [item for item in subject.pack.correlations.values() if item.type is CorrelationType.TEMPORAL_ORDERED]
    used: dict[str, EventRule] = {}
    for correlation in ordered:
        stages = subject.stages(correlation)
        used.update({stage.name: stage for stage in stages})
        ranks = [(stage.name, stage.document["rank"]) for stage in stages if "rank" in stage.document]
        for (earlier, high), (later, low) in pairwise(ranks):
            if low >= high:
                node = subject.node(correlation, "correlation", "rules", correlation.rules.index(later))
                text = f"stage '{later}' has rank {low}, which is not below rank {high} of the stage '{earlier}' before it"
                yield Problem(node.location, text, "give later stages lower ranks")
    for rule in sorted(used.values(), key=lambda rule: rule.name):
        node = subject.node(rule, "rank")
        if node.value is None:
            yield missing(rule, node, "add the rank that the layouts give to its events, below that of the stages before it")
            continue
        # Splunk needs no tiebreaker: SPL can say which of two equal times comes first.
        for layout in subject.layouts.values():
            for source in layout.sources if layout.backend == "elastic" else ():
                given = {source.rank, *(case.rank for case in source.rank_cases)}
                if (source.product, source.service) == (rule.product, rule.service) and node.value not in given:
                    text = f"rule '{rule.name}' has rank {node.value}, which layout '{layout.name}' gives to no event"
                    yield Problem(node.location, text, f"write one of {', '.join(map(str, sorted(given)))}, or add a case to the layout")


LINT = Lint("AN116", "rank-order", Severity.ERROR, __doc__ or "", find)
