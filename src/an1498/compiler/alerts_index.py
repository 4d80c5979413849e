"""A stage over alerts: the id of a building block, and how its alerts call the event's fields (`content/kibana.py` has the sources)."""

from __future__ import annotations

from uuid import UUID, uuid5

from an1498.compiler.entity import HostField
from an1498.compiler.refusal import Refusal
from an1498.content.ecs import ecs_type
from an1498.content.kibana import carried
from an1498.model import EventRule, LayoutField, LayoutSource, Target

_NAMESPACE = UUID("0d9f2b43-2c1e-5f0a-8a5b-6e0d1f3a1498")
_HIGHEST_RANK = 9999


def index(target: Target) -> str:
    """The alias of the alerts that the target's building blocks raise."""
    return f".alerts-security.alerts-{target.staging.space}" if target.staging is not None else ""


def rule_id(target: Target, rule: EventRule) -> str:
    """Kibana's `rule_id` of the building block. It begins with the rule's rank, so that it can order alerts of one millisecond: a later
    stage has the lower rank and sorts first."""
    return f"{rank(rule) or 0:04d}-{uuid5(_NAMESPACE, f'{rule.id}/{target.name}')}"


def rank(rule: EventRule) -> int | None:
    """The rule's rank, None where it has none that fits the id."""
    found = rule.document.get("rank")
    return found if isinstance(found, int) and 0 <= found <= _HIGHEST_RANK else None


def alert_field(source: LayoutSource, row: LayoutField) -> LayoutField:
    """The event's field as an alert has it. Raises Refusal where the alerts' index does not map it."""
    name = carried(source).get(row.indexed, row.indexed)
    kind = ecs_type(name)
    if kind is None:
        raise Refusal(
            f"the field '{row.indexed}' over alerts, whose index maps ECS fields only",
            "use a field that the layout stores in an ECS field, or a direct target",
            row.native,
        )
    if kind is not row.type:
        raise Refusal(f"the field '{row.indexed}' over alerts, where it is {kind}, not {row.type}", "use a direct target", row.native)
    if isinstance(row, HostField):
        return HostField(row.native, name, kind, row.array, by_address=row.by_address)
    return LayoutField(row.native, name, kind, row.array)
