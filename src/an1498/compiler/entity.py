"""The alias `entity`: which field, or which lookup, says whose event it is (design.md section 6).

    ip            the machine is its address: the layout's entity field
    lookup        the machine is its host: an event that has a host's name by that name, an event that has an address only by the host
                  that had the address at the event's time (the table of assets, `an1498 assets build`)
    community_id  not the machine but the flow: only for correlations of network sensors, which see the same addresses and ports

Host names differ in case and domain from source to source, so a host's key is its name in lower case up to the first dot
(`telemetry/assets.py` makes the table's names that way; the searches do the same with the events').
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from an1498.compiler.refusal import Refusal
from an1498.model import Correlation, CorrelationType, Derivation, Entity, FieldType, LayoutField, LayoutSource, Target

ENTITY_ALIAS = "entity"
HOST_NAME, COMMUNITY_ID = "host.name", "community_id"
# A name without its domain, in regular expressions of both SPL and ES|QL; an address, whose first label is all digits, stays whole.
FIRST_LABEL = "[^.]*[^.0-9][^.]*"
_ONLY_ORDER = (CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED)


@dataclass(frozen=True, slots=True)
class HostField(LayoutField):
    """A key that is a host: the name in this field, or with `by_address` the host that had this address at the event's time."""

    by_address: bool = False


def is_entity(correlation: Correlation, group: str) -> bool:
    return group == ENTITY_ALIAS and ENTITY_ALIAS in correlation.aliases


def check_entity(target: Target, correlation: Correlation) -> None:
    """Raises Refusal where the target's entity is not what the correlation groups by."""
    grouped = any(is_entity(correlation, group) for group in correlation.group_by)
    if target.entity is Entity.COMMUNITY_ID and grouped and correlation.type not in _ONLY_ORDER:
        raise Refusal(
            f'{correlation.type} per machine with entity = "{target.entity}": a community ID is one flow, not a machine',
            f"{_remedy(target)}, or group by community_id itself",
            ENTITY_ALIAS,
        )


def entity_key(target: Target, source: LayoutSource) -> LayoutField:
    """The key of a source's events. Raises Refusal where they have none."""
    if target.entity is Entity.COMMUNITY_ID:
        return _flow(target, source)
    if target.entity is Entity.LOOKUP:
        named = source.by_native(HOST_NAME)
        if named is not None:
            return HostField(named.native, named.indexed, named.type, named.array, named.mapped)
        row = _address(source)
        return HostField(row.native, row.indexed, row.type, row.array, row.mapped, by_address=True)
    return _address(source)


def machine_fields(target: Target, source: LayoutSource) -> tuple[str, ...]:
    """The stored field that names the machine of a single event, where the target has one."""
    if target.entity is Entity.LOOKUP and (named := source.by_native(HOST_NAME)) is not None:
        return (named.indexed,)
    return (source.entity_field,) if source.entity_field else ()


def by_address(keys: Iterable[LayoutField]) -> LayoutField | None:
    """The key among these that the table of assets turns into a host."""
    return next((key for key in keys if isinstance(key, HostField) and key.by_address), None)


def _flow(target: Target, source: LayoutSource) -> LayoutField:
    row = source.by_native(COMMUNITY_ID)
    if row is not None:
        return row
    found = next((derived for derived in source.derived if derived.derivation is Derivation.COMMUNITY_ID), None)
    if found is None:
        what = f"{source.product}/{source.service}"
        raise Refusal(
            f"the alias '{ENTITY_ALIAS}' with entity = \"{target.entity}\": events of {what} have no addresses and ports to make a flow of",
            _remedy(target),
            ENTITY_ALIAS,
        )
    return LayoutField(found.indexed, found.indexed, found.type)


def _remedy(target: Target) -> str:
    return f'set entity = "ip" or "lookup" for the target, or skip the rule in [targets.{target.name}.skip]'


def _address(source: LayoutSource) -> LayoutField:
    row = source.by_indexed(source.entity_field)
    if row is not None:
        return row
    if not source.entity_field:
        raise Refusal(f"the alias '{ENTITY_ALIAS}': {source.product}/{source.service} has no entity field", "set `entity` in the layout")
    derived = next((found for found in source.derived if found.indexed == source.entity_field), None)
    kind = FieldType.KEYWORD if derived is None else derived.type
    return LayoutField(source.entity_field, source.entity_field, kind)
