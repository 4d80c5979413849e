"""Rules, filters, correlations and settings against each other: every name that one uses must exist, once, and fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from an1498.content.detections import field_tests
from an1498.content.node import Document, Node, suggestion
from an1498.content.parameters import BUILT_IN
from an1498.content.report import Report, reporting
from an1498.content.rules import FILTER_KEYS
from an1498.content.settings import Settings
from an1498.errors import ContentError, Location
from an1498.model import Correlation, EventRule, Filter, LayoutSource

Rule = EventRule | Filter | Correlation


@dataclass(frozen=True, slots=True)
class Resolved:
    """Rules by name, sorted; correlations name their rules by name even where the file uses ids."""

    rules: Mapping[str, EventRule]
    filters: Mapping[str, Filter]
    correlations: Mapping[str, Correlation]


def node_of(rule: Rule, *path: str | int) -> Node:
    """The node at a path of a rule's document; its value is None where the path does not exist."""
    document = Document(rule.location.file, rule.document, rule.key_locations)
    node = document.root
    for key in path:
        value = node.value
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            value = None
        node = Node(document, (*node.path, key), value)
    return node


def resolve(loaded: Iterable[Rule], settings: Settings, report: Report) -> Resolved:
    """All rules with their references checked. Each problem is one ContentError, given to `report`."""
    by_name: dict[str, Rule] = {}
    by_id: dict[str, Rule] = {}
    for rule in loaded:
        with reporting(report):
            _unique(rule, by_name, by_id)
            by_name[rule.name] = rule
            if rule.id:
                by_id[rule.id] = rule
    events = {name: rule for name, rule in sorted(by_name.items()) if isinstance(rule, EventRule)}
    filters = {name: rule for name, rule in sorted(by_name.items()) if isinstance(rule, Filter)}
    correlations: dict[str, Correlation] = {}
    for name, rule in sorted(by_name.items()):
        if isinstance(rule, Correlation):
            with reporting(report):
                correlations[name] = _resolved(rule, by_name, by_id)
    for rule in events.values():
        with reporting(report):
            _placeholders(node_of(rule, "detection"), settings)
    for item in filters.values():
        with reporting(report):
            _placeholders(node_of(item, "filter"), settings)
    for item in filters.values():
        with reporting(report):
            _filter_rules(item, events, by_id)
    _acyclic(correlations, report)
    for correlation in correlations.values():
        with reporting(report):
            _fields(correlation, events, correlations, settings)
    _skips(settings, {**events, **correlations}, report)
    _unused_parameters(by_name.values(), settings, report)
    return Resolved(events, filters, correlations)


def _unique(rule: Rule, by_name: Mapping[str, Rule], by_id: Mapping[str, Rule]) -> None:
    for key, value, others in (("name", rule.name, by_name), ("id", rule.id, by_id)):
        if value and value in others:
            node = node_of(rule, key)
            raise node.error(f"{key} '{value}' is already that of {others[value].location}", f"give this rule another {key}", "duplicate")


def _lookup(node: Node, reference: str, by_name: Mapping[str, Rule], by_id: Mapping[str, Rule], *, what: str) -> Rule:
    rule = by_name.get(reference) or by_id.get(reference.lower())
    if rule is None or isinstance(rule, Filter):
        names = [name for name, other in by_name.items() if not isinstance(other, Filter)]
        raise node.error(f"{what} names rule '{reference}', which does not exist", suggestion(reference, names), "unknown-reference")
    return rule


def _resolved(rule: Correlation, by_name: Mapping[str, Rule], by_id: Mapping[str, Rule]) -> Correlation:
    what = f"correlation '{rule.name}'"
    names = tuple(
        _lookup(node_of(rule, "correlation", "rules", index), reference, by_name, by_id, what=what).name
        for index, reference in enumerate(rule.rules)
    )
    for index, name in enumerate(names):
        if name in names[:index]:
            raise node_of(rule, "correlation", "rules", index).error(f"{what} names rule '{name}' twice", "remove one", "duplicate")
    if rule.condition.expression and names != rule.rules:
        raise node_of(rule, "correlation", "rules").error(
            "a condition in words needs rules by name, not by id", "write the rules' names in 'rules' and in 'condition'"
        )
    aliases: dict[str, dict[str, str]] = {}
    for alias, mapping in rule.aliases.items():
        aliases[alias] = {}
        for reference, field in mapping.items():
            node = node_of(rule, "correlation", "aliases", alias, reference)
            name = _lookup(node, reference, by_name, by_id, what=f"alias '{alias}'").name
            if name not in names:
                raise node.error(
                    f"alias '{alias}' is for rule '{name}', which {what} does not use", suggestion(name, names), "unknown-reference"
                )
            aliases[alias][name] = field
        if alias not in (*rule.group_by, *rule.condition.fields):
            node = node_of(rule, "correlation", "aliases", alias)
            raise node.error(f"alias '{alias}' is not used", "add it to group-by, or remove it")
    return dataclasses.replace(rule, rules=names, aliases=aliases)


def _placeholders(body: Node, settings: Settings) -> None:
    for test in field_tests(body, FILTER_KEYS):
        for name in test.placeholders:
            if name not in settings.parameters:
                raise test.node.error(
                    f"placeholder '%{name}%' is not a parameter of an1498.toml", suggestion(name, settings.parameters), "unknown-reference"
                )


def _filter_rules(item: Filter, events: Mapping[str, EventRule], by_id: Mapping[str, Rule]) -> None:
    node = node_of(item, "filter", "rules")
    if not isinstance(node.value, list):
        return
    source = item.document["logsource"]
    for reference in node.items():
        found = events.get(reference.value) or by_id.get(reference.value.lower())
        if not isinstance(found, EventRule):
            raise reference.error(
                f"filter '{item.name}' names rule '{reference.value}', which is not an event rule",
                suggestion(reference.value, events),
                "unknown-reference",
            )
        for key, value in (("product", found.product), ("service", found.service)):
            if key in source and source[key] != value:
                raise reference.error(
                    f"filter '{item.name}' is for {key} '{source[key]}', but rule '{found.name}' reads {key} '{value}'",
                    "remove the rule from the filter, or correct 'logsource'",
                )


def _acyclic(correlations: dict[str, Correlation], report: Report) -> None:
    """Drops (and reports) each correlation that reaches itself through its rules."""
    done: set[str] = set()
    for start in list(correlations):
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                path.pop()
                done.add(name)
            elif name in path:
                chain = " → ".join([*path[path.index(name) :], name])
                report(
                    node_of(correlations[name], "correlation", "rules").error(
                        f"correlations form a cycle: {chain}", "remove one of the references", "cycle"
                    )
                )
                for member in path[path.index(name) :]:
                    done.add(member)
            elif name in correlations and name not in done:
                path.append(name)
                stack.append((name, True))
                stack.extend((rule, False) for rule in correlations[name].rules)


def sources_of(rule: EventRule, settings: Settings) -> list[LayoutSource]:
    """How the targets' layouts store the events of a rule; empty where none does."""
    return [
        source
        for target in settings.targets.values()
        for layout in target.layouts
        for source in layout.sources
        if (source.product, source.service) == (rule.product, rule.service)
    ]


def _fields(correlation: Correlation, events: Mapping[str, EventRule], correlations: Mapping[str, Correlation], settings: Settings) -> None:
    """Each group-by and condition field is aliased for a rule, or the rule has a field of that name."""
    uses: list[tuple[str, str, tuple[str | int, ...]]] = [
        *(("groups by", field, ("correlation", "group-by", index)) for index, field in enumerate(correlation.group_by)),
        *(("counts", field, ("correlation", "condition", "field", index)) for index, field in enumerate(correlation.condition.fields)),
    ]
    for verb, field, path in uses:
        for name in correlation.rules:
            own = correlation.aliases.get(field, {}).get(name)
            if field in correlation.aliases and own is None:
                node = node_of(correlation, "correlation", "aliases", field)
                raise node.error(f"alias '{field}' has no field for rule '{name}'", f"add '{name}: <field>'", "missing-key")
            if not _has_field(name, own or field, events, correlations, settings):
                node = node_of(correlation, "correlation", "aliases", field, name) if own else node_of(correlation, *path)
                raise node.error(
                    f"correlation '{correlation.name}' {verb} '{own or field}', which rule '{name}' does not have",
                    "correct the alias" if own else "add an alias",
                    "unknown-reference",
                )


def _has_field(name: str, field: str, events: Mapping[str, EventRule], correlations: Mapping[str, Correlation], settings: Settings) -> bool:
    if name in correlations:
        return field in correlations[name].group_by
    if name not in events:
        return True  # already reported
    sources = sources_of(events[name], settings)
    return not sources or any(source.by_native(field) is not None for source in sources)


def _skips(settings: Settings, known: Mapping[str, EventRule | Correlation], report: Report) -> None:
    for target, skips in settings.skips.items():
        for name, node in skips.items():
            if name not in known:
                report(
                    node.error(f"target '{target}' skips rule '{name}', which does not exist", suggestion(name, known), "unknown-reference")
                )


def used_parameters(loaded: Iterable[Rule]) -> frozenset[str]:
    """Names of the parameters that rules, filters and correlations use."""
    names: set[str] = set()
    for rule in loaded:
        names.update((rule.document.get("parameters") or {}).values())
        if not isinstance(rule, Correlation):
            body = node_of(rule, "filter" if isinstance(rule, Filter) else "detection")
            names.update(name for test in field_tests(body, FILTER_KEYS) for name in test.placeholders)
    return frozenset(names)


def _unused_parameters(loaded: Iterable[Rule], settings: Settings, report: Report) -> None:
    used = used_parameters(loaded)
    known = used | BUILT_IN
    for name, parameter in settings.defaults.items():
        if name not in known:
            location: Location = parameter.location
            report(
                ContentError(
                    location, f"unknown parameter '{name}': no rule, filter or correlation uses it", suggestion(name, known), "unknown-key"
                )
            )
