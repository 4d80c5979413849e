"""Elastic: what an alert of a building block holds, as a stage of a staged correlation reads it.

Sources, elastic/kibana (detection engine): `build_alert.ts` gives an alert the time at which it was raised as `@timestamp`, the event's as
`kibana.alert.original_time`, the event's id and index as `kibana.alert.ancestors`, and an id made from these and the rule, so that two
runs raise an event's alert once; the event's own fields are copied. The alerts' index maps the fields of ECS and of Kibana and nothing
else (`dynamic: false`, component template `.alerts-ecs-mappings`): a query cannot read other fields. So what correlations need must be in
an ECS field; the machine's address, which our ingest pipeline computes, is put into one there.
"""

from __future__ import annotations

from an1498.content.ecs import ecs_type
from an1498.model import LayoutSource

RULE_ID = "kibana.alert.rule.rule_id"
ORIGINAL_TIME = "kibana.alert.original_time"
ORIGINAL_EVENT = ("kibana.alert.ancestors.id", "kibana.alert.ancestors.index")

CARRIER = "client.ip"
"""The ECS field into which a staged target's ingest pipelines copy a machine's address that is in no ECS field: the Mac is the client of
the sessions that matter here."""


def carried(source: LayoutSource) -> dict[str, str]:
    """Fields of the source's events that go to alerts under another name: stored field → ECS field. A source that has a `client.ip` of
    its own keeps it, so its machine is not carried."""
    stored = {row.indexed for row in source.fields} | {row.indexed for row in source.derived} | set(source.constants)
    name = source.entity_field
    return {name: CARRIER} if name and ecs_type(name) is None and CARRIER not in stored else {}
