"""A Sigma correlation document → Correlation, with the pack's parameters applied (Sigma specification 2.1, "Correlation rules").

A parameter's value (bindings.py) takes the place of its literal in the fields of Correlation and in its `document`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from an1498.content.bindings import OPERATORS, with_parameters
from an1498.content.conditions import check_condition
from an1498.content.durations import duration
from an1498.content.metadata import read_metadata
from an1498.content.node import Node
from an1498.content.parameters import MAX_WINDOW_S, MIN_WINDOW_S
from an1498.model import Condition, Correlation, CorrelationType, Parameter

KEYS = ("type", "rules", "aliases", "group-by", "timespan", "condition", "generate")
MAX_COUNT = 1_000_000_000

_TEMPORAL = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
_COUNTS = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT, *_TEMPORAL})


def load_correlation(path: Path, root: Node, parameters: Mapping[str, Parameter]) -> Correlation:
    """The correlation of a document; names in `rules` and `aliases` are as written. Raises ContentError."""
    metadata = read_metadata(root, path, ("correlation", "parameters", "generate"))
    if (generate := root.get("generate")) is not None:
        generate.truth()
    _body(root.require("correlation"))  # as written, so that a literal that a parameter replaces is checked too
    root = with_parameters(root, parameters)
    body = _body(root.require("correlation"))
    return Correlation(
        name=metadata.name,
        id=metadata.id,
        title=metadata.title,
        level=metadata.level,
        type=body.type,
        rules=body.rules,
        group_by=body.group_by,
        timespan_s=body.timespan_s,
        aliases=body.aliases,
        condition=body.condition,
        document=root.value,
        location=root.require("title").location,
        key_locations=root.document.locations,
    )


@dataclass(frozen=True, slots=True)
class _Body:
    type: CorrelationType
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan_s: int
    aliases: dict[str, dict[str, str]]
    condition: Condition


def _body(node: Node) -> _Body:
    entries = node.keys(KEYS, required=("type", "timespan", "group-by"))
    if "generate" in entries:
        entries["generate"].truth()
    kind = CorrelationType(entries["type"].one_of(kind.value for kind in CorrelationType))
    timespan = duration(entries["timespan"], low=MIN_WINDOW_S, high=MAX_WINDOW_S)
    rules, condition = _rules_and_condition(node, entries, kind)
    aliases = _aliases(entries["aliases"]) if "aliases" in entries else {}
    return _Body(kind, rules, _group_by(entries["group-by"]), timespan, aliases, condition)


def _rules_and_condition(body: Node, entries: Mapping[str, Node], kind: CorrelationType) -> tuple[tuple[str, ...], Condition]:
    rules = entries["rules"].texts() if "rules" in entries else ()
    node = entries.get("condition")
    if node is not None and isinstance(node.value, str):
        if kind not in _TEMPORAL:
            raise node.wrong_type(
                "a mapping", f"write an operator and a number, such as gte: 10; only temporal types have conditions in words, not {kind}"
            )
        if not rules:
            raise body.missing("rules")
        used = check_condition(node, rules, what="rule", quantifiers=False)
        for item in entries["rules"].items():
            if item.value not in used:
                raise item.error(f"rule '{item.value}' is not used in the condition", "use it there, or remove it here")
        return rules, Condition(expression=node.value)
    if not rules:
        raise body.missing("rules")
    if kind in _TEMPORAL and len(rules) < 2:
        raise entries["rules"].error(f"'{kind}' needs at least two rules", "add a rule, or use event_count")
    if node is None:
        if kind not in _TEMPORAL:
            raise body.missing("condition")
        return rules, Condition()
    return rules, _condition(node, kind)


def _condition(node: Node, kind: CorrelationType) -> Condition:
    entries = node.keys((*OPERATORS, "field", "percentile"))
    bounds = []
    for operator in OPERATORS:
        if operator in entries:
            value = entries[operator]
            number = value.integer(low=0, high=MAX_COUNT) if kind in _COUNTS else value.number(low=-1e15, high=1e15)
            bounds.append((operator, float(number)))
    if not bounds:
        raise node.error("'condition' has no operator", f"add one of {', '.join(OPERATORS)}", "missing-key")
    if not _satisfiable(dict(bounds)):
        raise node.error("'condition' can never hold: its bounds exclude each other", "correct the bounds")
    fields: tuple[str, ...] = ()
    if "field" in entries:
        if not kind.value.startswith("value_"):
            raise entries["field"].error(f"'field' has no meaning in '{kind}'", "remove it, or use value_count")
        fields = entries["field"].texts() if isinstance(entries["field"].value, list) else (entries["field"].text(),)
        if len(fields) > 1 and kind is not CorrelationType.VALUE_COUNT:
            raise entries["field"].error(f"'{kind}' takes one field", "name one field")
    elif kind.value.startswith("value_"):
        raise node.missing("field")
    percentile = None
    if kind is CorrelationType.VALUE_PERCENTILE:
        percentile = node.require("percentile").number(low=0, high=100)
    elif "percentile" in entries:
        raise entries["percentile"].error(f"'percentile' has no meaning in '{kind}'", "remove it, or use value_percentile")
    return Condition(tuple(bounds), fields, percentile)


def _satisfiable(bounds: Mapping[str, float]) -> bool:
    low = max(bounds.get("gt", float("-inf")), bounds.get("gte", float("-inf")))
    high = min(bounds.get("lt", float("inf")), bounds.get("lte", float("inf")))
    strict = bounds.get("gt") == low or bounds.get("lt") == high
    if low > high or (low == high and strict):
        return False
    exact = bounds.get("eq")
    if exact is None:
        return True
    return low <= exact <= high and exact not in (bounds.get("gt"), bounds.get("lt"), bounds.get("neq"))


def _group_by(node: Node) -> tuple[str, ...]:
    return (node.text(),) if isinstance(node.value, str) else node.texts()


def _aliases(node: Node) -> dict[str, dict[str, str]]:
    aliases: dict[str, dict[str, str]] = {}
    for alias, mapping in node.entries().items():
        aliases[alias] = {rule: field.text() for rule, field in mapping.entries().items()}
        if not aliases[alias]:
            raise mapping.error(f"alias '{alias}' is empty", "name a field for each rule, or remove the alias")
    return aliases
