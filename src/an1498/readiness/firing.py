"""Which rules can fire on logs that have these fields, and what keeps the others from it.

A detection is looked at with what a source ever had: a field that never had a value can match nothing but `null`, so its negation
holds. Of a few fields the values are closed as well: a Mac that collects activities has some, and launchd writes all the time; where
neither is there, it is not collected. The judgement is one-sided: "cannot" is certain for such logs, "can" is not a promise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.types import SigmaExists, SigmaNull, SigmaString

from an1498.compiler.refusal import Refusal
from an1498.compiler.resolve import Never, resolve
from an1498.model import Correlation, EventRule, Pack


@dataclass(frozen=True, slots=True)
class Domain:
    """What one log source ever had. `values` holds all values, in lower case, of the fields whose values are closed; `absent` are
    (field, value in lower case) that were never seen though they would be there if they were collected."""

    fields: Collection[str]
    values: Mapping[str, Collection[str]]
    absent: Collection[tuple[str, str]] = frozenset()


Domains = Mapping[tuple[str, str], Domain]


def why_not(pack: Pack, rule: EventRule, domains: Domains) -> str:
    """What the rule lacks, empty where it can fire: "a", "a and b", "a or b"."""
    domain = domains.get((rule.product, rule.service))
    if domain is None:
        return f"{rule.product}/{rule.service} records"
    try:
        sigma, _ = resolve(pack, rule)
    except Refusal as refusal:
        return refusal.construct
    lacks = [_lacks(condition.parsed, domain, True) for condition in sigma.detection.parsed_condition]
    return "" if "" in lacks else " or ".join(dict.fromkeys(lacks))


def why_not_correlation(pack: Pack, rule: Correlation, domains: Domains, *, shared_address: bool) -> str:
    """As `why_not`, for all stages, the group keys and, across sensors, a machine that both know. `shared_address` tells whether a
    Mac's address occurs in Zeek's logs."""
    lacks: dict[str, None] = {}
    products = set()
    for name in rule.rules:
        stage = pack.rules.get(name)
        if stage is None:
            inner = pack.correlations[name]
            found = why_not_correlation(pack, inner, domains, shared_address=shared_address)
            lacks |= {f"{name}: {found}": None} if found else {}
            continue
        products.add(stage.product)
        found = why_not(pack, stage, domains)
        if found:
            lacks[f"{name} ({found})"] = None
        domain = domains.get((stage.product, stage.service))
        keys = [rule.aliases.get(key, {}).get(name, key) for key in rule.group_by]
        if domain is not None:
            lacks |= {key: None for key in keys if key not in domain.fields}
    if not lacks and len(products) > 1 and not shared_address:
        lacks["an address in both sensors"] = None
    return " and ".join(lacks)


def _lacks(node: Any, domain: Domain, wanted: bool) -> str:
    """Empty where the node can be `wanted`, else what is missing."""
    match node:
        case ConditionNOT():
            return _lacks(node.args[0], domain, not wanted)
        case ConditionAND() | ConditionOR():
            found = [_lacks(argument, domain, wanted) for argument in node.args]
            if isinstance(node, ConditionAND) is wanted:
                missing = [text for text in dict.fromkeys(found) if text]
                return " and ".join(f"({text})" if " or " in text and len(missing) > 1 else text for text in missing)
            return "" if "" in found else " or ".join(dict.fromkeys(found))
        case ConditionFieldEqualsValueExpression():
            return _leaf(node.field, node.value, domain, wanted)
        case _:
            return ""


def _leaf(field: str, value: Any, domain: Domain, wanted: bool) -> str:
    present = field in domain.fields
    if isinstance(value, SigmaNull) or (isinstance(value, SigmaExists) and not value.exists):
        return "" if wanted or present else field
    if not wanted:
        return ""
    if isinstance(value, Never):
        return f"a value for {field} in the parameters"
    if not present:
        return field
    if not isinstance(value, SigmaString) or value.contains_special():
        return ""
    text = str(value).lower()
    closed = domain.values.get(field)
    seen = (field, text) not in domain.absent and (closed is None or text in closed)
    return "" if seen else f"{field}={value}"
