"""A pipeline does not map the fields that its layout table lists.

**Why.** The mapping converts rules; the table feeds replay's model of ingest. If they differ, replay proves a search that the SIEM
does not run. Share one YAML anchor.

**Bad**

    fields: {id.orig_h: source.ip}
    …
    - {type: field_name_mapping, mapping: {id.orig_h: src_ip}, rule_conditions: […]}

**Good**

    fields: &ssl {id.orig_h: source.ip}
    …
    - {type: field_name_mapping, mapping: *ssl, rule_conditions: [{type: logsource, product: zeek, service: ssl}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    for name, document in subject.pipelines.items():
        transformations = document.value.get("transformations", [])
        for index, entry in enumerate(document.value["vars"]["layout"]):
            mapped: dict[str, object] = {}
            for item in transformations:
                if item["type"] == "field_name_mapping" and _applies(item, entry):
                    mapped.update(item.get("mapping", {}))
            for native, indexed in entry["fields"].items():
                if mapped.get(native, native) != indexed:
                    location = document.location(("vars", "layout", index, "fields", native))
                    text = f"layout '{name}' stores '{native}' as '{indexed}', but its pipeline maps it to '{mapped.get(native, native)}'"
                    yield Problem(location, text, "use the table as the mapping, through a YAML anchor")


def _applies(transformation: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    listed = transformation.get("rule_conditions", [])
    conditions = [item for item in (listed.values() if isinstance(listed, Mapping) else listed) if item["type"] == "logsource"]
    return not conditions or any(
        all(condition.get(key, entry[key]) == entry[key] for key in ("product", "service")) for condition in conditions
    )


LINT = Lint("AN122", "layout-drift", Severity.ERROR, __doc__ or "", find)
