"""A correlation over several log sources has no alias for what identifies the machine, or aliases differ between correlations.

**Why.** The endpoint calls the machine by another field than the network sensor. A group-by field without an alias exists in one of
them only, so that nothing ever joins. And if `entity` meant the client in one
correlation and the server in the next, alerts could not be compared.

**Bad**

    group-by: [host.name]

**Good**

    aliases:
      entity:
        macos_public_key_use: host.ip
        zeek_tls_unrecognised_certificate: id.orig_h
    group-by: [entity]
"""

from __future__ import annotations

from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    meaning: dict[tuple[str, str, str], tuple[str, str]] = {}
    for correlation in subject.pack.correlations.values():
        stages = subject.stages(correlation)
        if len({stage.product for stage in stages}) > 1:
            for index, field in enumerate(correlation.group_by):
                if field not in correlation.aliases:
                    node = subject.node(correlation, "correlation", "group-by", index)
                    text = f"correlation '{correlation.name}' joins several sensors by '{field}', which is not an alias"
                    yield Problem(node.location, text, "define an alias with each sensor's own field")
        for alias, mapping in correlation.aliases.items():
            for stage in stages:
                field = mapping.get(stage.name, "")
                known, first = meaning.setdefault((alias, stage.product, stage.service), (field, correlation.name))
                if field != known:
                    node = subject.node(correlation, "correlation", "aliases", alias, stage.name)
                    text = f"alias '{alias}' is '{field}' here, but '{known}' in correlation '{first}'"
                    yield Problem(node.location, text, "use one field per log source, or another alias")


LINT = Lint("AN112", "entity-alias", Severity.ERROR, __doc__ or "", find)
