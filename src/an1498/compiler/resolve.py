"""Parameters and filters put into a rule: what pySigma then converts.

Placeholders (`|expand`, Sigma specification 2.1, "Modifiers") take the values of pack.parameters; Sigma filter documents
("Sigma filters specification") are ANDed to the condition of the rules that they name. An empty parameter list is membership in an
empty set: false, wherever it stands. The boolean algebra of `conditions.py` then removes it, so that `not 1 of filter_*` loses one
alternative, a filter disappears, and a rule that needs membership is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sigma.conditions import ConditionAND
from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import NoPlainConversionMixin, Placeholder, SigmaRegularExpression, SigmaString, SigmaType

from an1498.compiler.refusal import Refusal
from an1498.errors import ContentError
from an1498.model import EventRule, Filter, Pack, Parameter

_WORDS = frozenset({"not", "and", "or", "all", "any", "of", "1"})


class Never(NoPlainConversionMixin, SigmaType):
    """Membership in an empty parameter list: matches nothing."""

    def __init__(self) -> None:
        super().__init__(None)


def resolve(pack: Pack, rule: EventRule) -> tuple[SigmaRule, tuple[str, ...]]:
    """The rule with its parameters and filters, as a fresh pySigma object, and the names of the empty parameters in it. Raises
    ContentError, Refusal."""
    detection = dict(rule.document.get("detection", {}))
    conditions = detection.get("condition", [])
    conditions = [conditions] if isinstance(conditions, str) else list(conditions)
    for number, found in enumerate(sorted(filters_of(pack, rule), key=lambda f: f.name)):
        conditions = _with_filter(detection, conditions, found, f"_filt{number}_")
    detection["condition"] = conditions
    try:
        sigma_rule = SigmaRule.from_dict({"title": rule.title, "logsource": rule.document.get("logsource", {}), "detection": detection})
    except SigmaError as error:
        raise ContentError(rule.location, f"rule '{rule.name}': {error}", "run an1498 check") from None
    empty: set[str] = set()
    for selection in sigma_rule.detection.detections.values():
        _expand(selection, pack.parameters, rule, empty)
    return sigma_rule, tuple(sorted(empty))


def filters_of(pack: Pack, rule: EventRule) -> Iterator[Filter]:
    """The filter documents that apply to a rule: by log source, and by the rule's name or id unless they say `any`."""
    logsource = rule.document.get("logsource", {})
    for found in pack.filters.values():
        wanted = found.document.get("logsource", {})
        if any(logsource.get(key) != wanted[key] for key in ("category", "product", "service") if wanted.get(key)):
            continue
        rules = found.document.get("filter", {}).get("rules", [])
        named = [rules] if isinstance(rules, str) else list(rules)
        if not named or named == ["any"] or {rule.name, rule.id} & set(named):
            yield found


def _with_filter(detection: dict[str, Any], conditions: list[str], found: Filter, prefix: str) -> list[str]:
    """Add the filter's selections under `prefix` (a leading underscore keeps them out of the rule's own `1 of them`) and AND its
    condition to each of the rule's."""
    body = found.document.get("filter", {})
    for name, definition in body.items():
        if name not in ("condition", "rules"):
            detection[prefix + name] = definition

    def renamed(token: re.Match[str]) -> str:
        word = token.group()
        if word.lower() in _WORDS:
            return word
        return prefix + ("*" if word == "them" else word)

    condition = re.sub(r"[\w*-]+", renamed, str(body.get("condition", "")), flags=re.ASCII)
    return [f"({own}) and ({condition})" for own in conditions]


def _expand(
    selection: SigmaDetection | SigmaDetectionItem, parameters: Mapping[str, Parameter], rule: EventRule, found_empty: set[str]
) -> None:
    if isinstance(selection, SigmaDetection):
        for item in selection.detection_items:
            _expand(item, parameters, rule, found_empty)
        return
    values: list[SigmaType] = []
    empty = ""
    for value in selection.value:
        if isinstance(value, SigmaString | SigmaRegularExpression) and value.contains_placeholder():
            expanded = value.replace_placeholders(lambda placeholder: _values(placeholder, parameters, rule))
            values.extend(expanded)
            empty = empty if expanded else _name(value)
        else:
            values.append(value)
    if empty and not values:
        if selection.value_linking is ConditionAND:
            raise Refusal(
                f"modifier 'all' on the empty parameter '{empty}'", "give it values, or remove the modifier", selection.field or ""
            )
        found_empty.add(empty)
        values = [Never()]
    selection.value = values


def _name(value: SigmaString | SigmaRegularExpression) -> str:
    text = value.regexp if isinstance(value, SigmaRegularExpression) else value
    return next((part.name for part in text.s if isinstance(part, Placeholder)), "")


def _values(placeholder: Placeholder, parameters: Mapping[str, Parameter], rule: EventRule) -> Iterator[SigmaString]:
    parameter = parameters.get(placeholder.name)
    if parameter is None:
        raise ContentError(
            rule.location, f"rule '{rule.name}' uses the unknown parameter '%{placeholder.name}%'", "add it to an1498.toml [parameters]"
        )
    values = parameter.value if isinstance(parameter.value, tuple) else (parameter.value,)
    for value in values:
        yield SigmaString(str(value).lower() if isinstance(value, bool) else str(value))
