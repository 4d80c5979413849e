"""Whether a Sigma detection matches a native event: the specification's meaning, evaluated on pySigma's parse tree.

Sources: Sigma specification 2.1, "Detection", "Value modifiers" and appendix "Modifiers". Text compares case-insensitively, `*` and
`?` are wildcards, `null` is a missing field, a regular expression is case-sensitive and matches anywhere, a list field matches
if any of its values does, and a negation is true for a missing field. A number is a number's value in a field of numbers, its digits in a
field of text: `042` is not 42 there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.rule import SigmaRule
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaType,
    SpecialChars,
)

from an1498.compiler.resolve import Never


def matcher(rule: SigmaRule) -> Callable[[Mapping[str, Any]], bool]:
    """Tells whether any of the rule's conditions holds for an event (native field names; lists are several values)."""
    trees = [condition.parsed for condition in rule.detection.parsed_condition]
    return lambda event: any(_holds(tree, event) for tree in trees)


def _holds(node: Any, event: Mapping[str, Any]) -> bool:
    match node:
        case ConditionAND():
            return all(_holds(argument, event) for argument in node.args)
        case ConditionOR():
            return any(_holds(argument, event) for argument in node.args)
        case ConditionNOT():
            return not _holds(node.args[0], event)
        case ConditionFieldEqualsValueExpression():
            return field_matches(event.get(node.field), node.value)
        case _:
            raise ValueError(f"{type(node).__name__} is outside the reference")


def field_matches(stored: Any, wanted: SigmaType) -> bool:
    values = [value for value in (stored if isinstance(stored, list | tuple) else [stored]) if value is not None]
    match wanted:
        case SigmaNull():
            return not values
        case SigmaExists():
            return bool(values) == wanted.exists
        case Never():
            return False
        case SigmaExpansion():
            return any(field_matches(stored, value) for value in wanted.values)
        case _:
            return any(_value_matches(value, wanted) for value in values)


def _value_matches(value: Any, wanted: SigmaType) -> bool:
    match wanted:
        case SigmaCasedString():
            return re.fullmatch(_pattern(wanted), _text(value), re.DOTALL) is not None
        case SigmaString():
            return re.fullmatch(_pattern(wanted), _text(value), re.DOTALL | re.IGNORECASE) is not None
        case SigmaRegularExpression():
            flags = re.IGNORECASE if SigmaRegularExpressionFlag.IGNORECASE in wanted.flags else 0
            return re.search(_pcre(str(wanted.regexp)), _text(value), flags) is not None
        case SigmaCIDRExpression():
            return _inside(value, wanted.cidr)
        case SigmaBool():
            return value is bool(wanted.boolean)
        case SigmaNumber():
            return value == str(wanted.number) if isinstance(value, str) else _number(value) == float(wanted.number)
        case SigmaCompareExpression():
            return _compares(value, wanted)
        case _:
            raise ValueError(f"{type(wanted).__name__} is outside the reference")


_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f\v"}


def _pcre(regex: str) -> str:
    """The regex for Python. `\\d`, `\\w`, `\\s` and their opposites are over ASCII, as in PCRE, which the specification refers to (Python's
    flag for that would make `i` forget all other letters); `$` is the end of the value, no line feed may follow."""
    inside = False
    text = ""
    for token in re.findall(r"\\.|.", regex, re.DOTALL):
        inside = (inside or token == "[") and token != "]"
        letter = token[1:]
        if token.startswith("\\") and letter.lower() in _CLASSES and not (inside and letter.isupper()):
            members = _CLASSES[letter.lower()]
            text += members if inside else f"[{'^' * letter.isupper()}{members}]"
        else:
            text += r"\Z" if token == "$" and not inside else token
    return text


def _pattern(wanted: SigmaString) -> str:
    wildcards = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}
    return "".join(re.escape(part) if isinstance(part, str) else wildcards[part] for part in wanted.s if not isinstance(part, Placeholder))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _inside(value: Any, network: str) -> bool:
    try:
        return ipaddress.ip_address(_text(value)) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _compares(value: Any, wanted: SigmaCompareExpression) -> bool:
    number = _number(value)
    if number is None:
        return False
    bound = float(wanted.number.number)
    operators = SigmaCompareExpression.CompareOperators
    return {
        operators.LT: number < bound,
        operators.LTE: number <= bound,
        operators.GT: number > bound,
        operators.GTE: number >= bound,
    }[wanted.op]
