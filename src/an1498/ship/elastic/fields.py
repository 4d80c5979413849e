"""What a search reads, in the names and types of the target's layouts: sources, required fields, indexed names of native ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from an1498.compiler.entity import HostField, entity_key, is_entity, machine_fields
from an1498.content.ecs import ECS_FIELDS, ecs_type
from an1498.content.kibana import ORIGINAL_EVENT, ORIGINAL_TIME, RULE_ID
from an1498.model import RANK_FIELD, Correlation, EventRule, FieldType, LayoutSource, Pack, Search, Target

MULTI_FIELD = ".keyword"
"""What our component templates add to an analysed text, so that EQL and Lucene can compare whole values."""

_ES_TYPES: Mapping[FieldType, str] = {FieldType.TEXT: "match_only_text"}


@dataclass(frozen=True, slots=True)
class Stage:
    """An event rule that a search matches, and where its events are."""

    rule: EventRule
    source: LayoutSource


def target_sources(target: Target) -> tuple[LayoutSource, ...]:
    return tuple(source for layout in target.layouts for source in layout.sources)


def stages(pack: Pack, search: Search) -> tuple[Stage, ...]:
    """The event rules behind a search, each once, in the search's order; a stage that is a correlation is taken apart."""
    sources = {(source.product, source.service): source for source in target_sources(pack.targets[search.target])}
    found: dict[str, Stage] = {}
    for name in _event_rules(pack, [name for name, _ in search.stages]):
        rule = pack.rules[name]
        source = sources.get((rule.product, rule.service))
        if source is not None:
            found.setdefault(name, Stage(rule, source))
    return tuple(found.values())


def _event_rules(pack: Pack, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in pack.rules:
            yield name
        elif name in pack.correlations:
            yield from _event_rules(pack, pack.correlations[name].rules)


def distinct_sources(pack: Pack, search: Search) -> tuple[LayoutSource, ...]:
    """The log sources that a search reads, each once, in the order of its stages."""
    return tuple({stage.source.index: stage.source for stage in stages(pack, search)}.values())


def indexes(sources: Iterable[LayoutSource]) -> list[str]:
    """Index patterns of sources, each once."""
    return list(dict.fromkeys(part.strip() for source in sources for part in source.index.split(",") if part.strip()))


def stored_types(source: LayoutSource) -> dict[str, FieldType]:
    """Every field that the SIEM stores for a source, with its type; a text has its multi-field too."""
    types = {source.time_field: FieldType.DATE, **dict.fromkeys(source.constants, FieldType.KEYWORD)}
    types.update({row.indexed: row.type for row in source.fields})
    types.update({row.indexed: row.type for row in source.derived})
    types[RANK_FIELD] = FieldType.LONG
    types.update({f"{name}{MULTI_FIELD}": FieldType.KEYWORD for name, kind in list(types.items()) if kind is FieldType.TEXT})
    return types


def alert_types() -> dict[str, FieldType]:
    """What queries over alerts can read: ECS fields and Kibana's own."""
    types = {name: kind for name in ECS_FIELDS if (kind := ecs_type(name)) is not None}
    return types | dict.fromkeys((RULE_ID, *ORIGINAL_EVENT), FieldType.KEYWORD) | {ORIGINAL_TIME: FieldType.DATE}


def es_type(kind: FieldType) -> str:
    """The mapping type of Elasticsearch: ECS types `message` as match_only_text."""
    return _ES_TYPES.get(kind, str(kind))


def required_fields(pack: Pack, search: Search) -> list[dict[str, str | bool]]:
    """Kibana's `required_fields`: name, type, and whether ECS has it."""
    types: dict[str, FieldType] = alert_types() if search.staged else {}
    for source in distinct_sources(pack, search):
        for name, kind in stored_types(source).items():
            types.setdefault(name, kind)
    return [
        {"name": name, "type": es_type(types.get(name, FieldType.KEYWORD)), "ecs": name in ECS_FIELDS} for name in search.required_fields
    ]


def indexed_names(source: LayoutSource, native: str) -> tuple[str, ...]:
    """The stored names of a native field: its row, else every field that the ingest computes from it."""
    row = source.by_native(native)
    return (row.indexed,) if row is not None else tuple(derived.indexed for derived in source.derived if derived.native == native)


def investigation_fields(pack: Pack, search: Search) -> list[str]:
    """What an analyst reads first: the group's keys, then the fields that the rules name in `fields`."""
    names = dict.fromkeys(search.entity_fields)
    for stage in stages(pack, search):
        for native in stage.rule.document.get("fields") or ():
            names.update(dict.fromkeys(indexed_names(stage.source, str(native))))
    return list(names) or list(search.required_fields)


def key_fields(pack: Pack, search: Search, stage: Stage) -> dict[str, str]:
    """Per group-by name, the stage's indexed field with that key; a single event is grouped by its machine."""
    rule, target = pack.rules.get(search.rule) or pack.correlations[search.rule], pack.targets[search.target]
    if not isinstance(rule, Correlation):
        return {name: name for name in machine_fields(target, stage.source)}
    keys: dict[str, str] = {}
    for name in rule.group_by:
        if is_entity(rule, name):
            # An address that is looked up is not what the alert says: the host is.
            key = entity_key(target, stage.source)
            indexed: tuple[str, ...] = () if isinstance(key, HostField) and key.by_address else (key.indexed,)
        else:
            indexed = indexed_names(stage.source, rule.aliases.get(name, {}).get(stage.rule.name, name))
        if indexed:
            keys[name] = indexed[0]
    return keys
