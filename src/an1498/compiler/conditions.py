"""An event rule as a condition on indexed fields: the rule, its layout's pySigma pipeline, and the algebra of true and false.

The tree is built once per rule and layout and converted by each language's backend (`*_conditions.py`), all of them subclasses of
the official ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from sigma.conditions import ConditionAND, ConditionItem, ConditionOR
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule
from sigma.types import SigmaCasedString, SigmaFieldReference, SigmaString

from an1498.compiler.logic import Leaf, Node, leaves, simplified
from an1498.compiler.patterns import Pattern, pattern
from an1498.compiler.refusal import Refusal
from an1498.compiler.resolve import resolve
from an1498.errors import ContentError, Location
from an1498.model import EventRule, Layout, LayoutField, LayoutSource, Pack, Target

# The field that tells the data sets of one Elastic cluster apart, where a layout stores it with every event.
DATASET_FIELDS = ("event.dataset", "data_stream.dataset")


@dataclass(frozen=True, slots=True)
class EventCondition:
    """What a rule asks of an event as a target stores it. `fields` are the indexed fields read, sorted; `texts` remembers the text of
    each language, which a rule's own search and every correlation that refers to it need."""

    rule: EventRule
    source: LayoutSource
    tree: Node
    fields: tuple[str, ...]
    texts: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def text(self, language: str, render: Callable[[EventCondition], str]) -> str:
        if language not in self.texts:
            self.texts[language] = render(self)
        return self.texts[language]


@dataclass(slots=True)
class Context:
    """A pack and a target, with the conditions built so far. `written` remembers what a staged target writes (`staged.py`)."""

    pack: Pack
    target: Target
    built: dict[str, EventCondition] = field(default_factory=dict)
    written: Mapping[str, tuple[LayoutField, ...]] | None = None

    def condition(self, rule: EventRule) -> EventCondition:
        if rule.name not in self.built:
            self.built[rule.name] = build(self.pack, self.target, rule)
        return self.built[rule.name]


def source_of(target: Target, rule: EventRule) -> tuple[Layout, LayoutSource]:
    """The layout of the rule's log source. Raises Refusal."""
    for layout in target.layouts:
        for source in layout.sources:
            if (source.product, source.service) == (rule.product, rule.service):
                return layout, source
    known = ", ".join(sorted(f"{source.product}/{source.service}" for layout in target.layouts for source in layout.sources))
    raise Refusal(
        f"the log source {rule.product}/{rule.service}, for which no layout of the target has a place",
        f"add a layout that has it, or skip the rule for this target (known: {known or 'none'})",
    )


def build(pack: Pack, target: Target, rule: EventRule) -> EventCondition:
    """The rule's condition on indexed fields. Raises ContentError, Refusal."""
    layout, source = source_of(target, rule)
    sigma_rule, empty = resolve(pack, rule)
    try:
        if empty:  # before the pipeline, whose own condition would hide that nothing else is left
            _varying(sigma_rule, empty)
        pipeline(layout.pipeline_file).apply(sigma_rule)
        tree = _varying(sigma_rule, empty)
    except SigmaError as error:
        raise ContentError(rule.location, f"rule '{rule.name}' with pipeline {layout.name}: {error}", "run an1498 check") from None
    if layout.backend == "elastic":
        tree = _with_constants(tree, source)
    fields = sorted(set(_fields(tree)))
    for name in fields:
        if source.by_indexed(name) is None and name not in source.constants and name not in ("index", "sourcetype", "source", "host"):
            raise Refusal(f"the field '{name}', which layout {layout.name} does not have", "add it to the layout, or change the rule", name)
    return EventCondition(rule, source, tree, tuple(fields))


def any_of(found: Sequence[EventCondition]) -> EventCondition:
    """The events of any of the conditions, which share a source: an event that meets two of them is one event."""
    first = found[0]
    if len(found) == 1:
        return first
    fields = sorted({name for condition in found for name in condition.fields})
    return EventCondition(first.rule, first.source, ConditionOR([condition.tree for condition in found]), tuple(fields))


def with_dataset(condition: EventCondition) -> EventCondition:
    """The condition, restricted to its own data set: an Elastic query sees every index that its rule names."""
    dataset = dataset_of(condition.source)
    if dataset is None:
        return condition
    name, value = dataset
    operands: list[Any] = list(condition.tree.args) if isinstance(condition.tree, ConditionAND) else [condition.tree]
    if any(isinstance(operand, Leaf) and operand.field == name for operand in operands):
        return condition
    tree = ConditionAND([Leaf(name, _exact(value)), *operands])
    return EventCondition(condition.rule, condition.source, tree, tuple(sorted({name, *condition.fields})))


def dataset_of(source: LayoutSource) -> tuple[str, str] | None:
    """The field and value that every event of the source has and no other source's."""
    for name in DATASET_FIELDS:
        if name in source.constants:
            return name, str(source.constants[name])
    return None


@lru_cache(maxsize=64)
def _pipeline(path: Path, _changed_ns: int) -> ProcessingPipeline:
    try:
        with path.open(encoding="utf-8") as stream:
            document = yaml.load(stream, Loader=yaml.CSafeLoader)
        document.get("vars", {}).pop("layout", None)
        return ProcessingPipeline.from_dict(document)
    except (yaml.YAMLError, SigmaError, AttributeError) as error:
        raise ContentError(Location(str(path)), f"is not a pySigma pipeline: {error}", "run an1498 check") from None


def pipeline(path: Path) -> ProcessingPipeline:
    """A pipeline file, read once per version of it. Raises ContentError."""
    try:
        return _pipeline(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise ContentError(Location(str(path)), f"cannot be read: {error.strerror}", "restore the pipeline file") from None


def _with_constants(node: Any, source: LayoutSource) -> Node:
    """Comparisons with a value that every event of the source has: exact, so that the index can answer them."""
    if isinstance(node, Leaf):
        constant = source.constants.get(node.field)
        same = isinstance(node.value, SigmaString) and isinstance(constant, str) and pattern(node.value) == Pattern((constant,))
        return Leaf(node.field, _exact(str(constant))) if same else node
    if isinstance(node, ConditionItem):
        return type(node)([_with_constants(argument, source) for argument in node.args])
    return node  # type: ignore[no-any-return]


def _exact(text: str) -> SigmaCasedString:
    return SigmaCasedString.from_sigma_string(SigmaString.from_str(text))


def _fields(tree: Node) -> Iterator[str]:
    for leaf in leaves(tree):
        if isinstance(leaf, Leaf):
            yield leaf.field
            if isinstance(leaf.value, SigmaFieldReference):
                yield leaf.value.field


def _varying(sigma_rule: SigmaRule, empty: Sequence[str]) -> Node:
    """The simplified condition. Raises Refusal where it is always true or never."""
    parsed = [condition.parsed for condition in sigma_rule.detection.parsed_condition]
    tree = simplified(parsed[0] if len(parsed) == 1 else ConditionOR(list(parsed)))
    if not isinstance(tree, bool):
        return tree
    names = ", ".join(f"'{name}'" for name in empty)
    if tree:
        raise Refusal(
            f"a condition that is true for every event, because the parameter {names} is empty", "add a selection that must match"
        )
    raise Refusal(f"a condition that no event can meet, because the parameter {names} is empty", "give the parameter values in an1498.toml")
