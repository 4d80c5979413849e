"""Raw events that decide a rule: for every alternative and every necessary part of its condition, an event that hangs on it alone.

A rule's condition is taken apart as test engineers do for modified condition/decision coverage: each alternative of an OR once true
with the others false, each part of an AND once false with the others true, negations likewise. Every event comes with missing and
with other values where a part is to be false, and with its letters' case swapped.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.types import (
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExpansion,
    SigmaNumber,
    SigmaString,
    SigmaType,
    SpecialChars,
)

from an1498.compiler.resolve import Never, resolve
from an1498.model import EventRule, Pack
from an1498.proof.sigma_match import field_matches

Fields = Mapping[str, Any]

_OTHER_TEXT = "otherwise"
_OTHER_NUMBER = 31337
LETTER = "~"
"""The letter more that a value just outside a comparison has, and that a mutant's changed value has too."""
_LIMIT = 600
"""No rule of a readable size has more ways to decide it; beyond it the first ones are taken."""
_CHOICES = 16
_RECOMBINED = 150
_BOTH = 4


@dataclass(frozen=True, slots=True)
class _Part:
    """A comparison that must (`wanted`) or must not hold; `firm` where the alternative needs it, else it only isolates."""

    field: str
    value: SigmaType
    wanted: bool
    firm: bool = True


_Way = tuple[_Part, ...]


def witnesses(pack: Pack, rule: EventRule) -> list[dict[str, Any]]:
    """Native fields of events that decide the rule, those that match it first; each once."""
    found: dict[str, dict[str, Any]] = {}
    tried: set[tuple[str, Any]] = set()
    for condition in resolve(pack, rule)[0].detection.parsed_condition:
        tree = condition.parsed
        fields = _fields_of(tree)
        for wanted in (True, False):
            for way in islice(_ways(tree, wanted), _LIMIT):
                for absent in (True, False):
                    event = _solve(way, absent=absent)
                    if event is None:
                        continue
                    for variant in (event, _filled(event, fields), _swapped(event), *_near_misses(event, way, tried)):
                        found.setdefault(repr(sorted(variant.items())), variant)
        pools = _pools(tree)
        for event in _recombined(list(found.values()), pools):
            found.setdefault(repr(sorted(event.items())), event)
    return list(found.values())


def beside_both(pack: Pack, rule: EventRule, other: EventRule) -> Iterator[dict[str, Any]]:
    """Native fields of events that match both rules, as far as an event can, and of those that differ from such a one in one field: by
    any value that a comparison asks for, or by two texts with wildcards in one."""
    trees = [condition.parsed for one in (rule, other) for condition in resolve(pack, one)[0].detection.parsed_condition]
    pools: dict[str, list[Any]] = {}
    for tree in trees:
        for field, values in _pools(tree).items():
            pools.setdefault(field, []).extend(values)
    for field, texts in _wildcard_texts(trees).items():
        pools[field] += ["".join(pair) for pair in permutations(texts, 2)]
    events = (event for way in islice(_all(trees, True), _LIMIT) if (event := _solve(way, absent=True)) is not None)
    for event in islice(events, _BOTH):
        yield event
        for field, values in pools.items():
            yield from ({**event, field: value} if value is not None else _without(event, field) for value in dict.fromkeys(values))


def _wildcard_texts(nodes: Sequence[Any]) -> dict[str, list[str]]:
    """Per field the text of each comparison with wildcards, without them."""
    texts: dict[str, list[str]] = {}
    for node in nodes:
        if not isinstance(node, ConditionFieldEqualsValueExpression):
            for field, found in _wildcard_texts(node.args).items():
                texts.setdefault(field, []).extend(found)
            continue
        values = node.value.values if isinstance(node.value, SigmaExpansion) else [node.value]
        for value in values:
            if isinstance(value, SigmaString) and value.contains_special():
                texts.setdefault(node.field, []).append(next(_values(value)))
    return texts


def _without(event: Fields, field: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != field}


def meeting(pack: Pack, rule: EventRule, other: EventRule) -> Iterator[dict[str, Any]]:
    """Native fields of events that match another rule and decide this one all the same, as far as one event can do both: texts that
    both ask for come joined."""
    for condition in resolve(pack, other)[0].detection.parsed_condition:
        beside = list(islice(_ways(condition.parsed, wanted=True), _CHOICES))
        for own in resolve(pack, rule)[0].detection.parsed_condition:
            for wanted in (True, False):
                for way in islice(_ways(own.parsed, wanted), _LIMIT):
                    event = _solve(_completed(way, [beside]), absent=True)
                    if event is not None:
                        yield event


def _pools(node: Any) -> dict[str, list[Any]]:
    """Per field every value that some comparison of it asks for, one beside each, another one, and none."""
    pools: dict[str, list[Any]] = {}
    if isinstance(node, ConditionFieldEqualsValueExpression):
        if isinstance(node.value, Never):
            return {}
        return {node.field: [*islice(_values(node.value), 1), *islice(_beside(node.value), 2), _other(node.value), None]}
    for argument in node.args:
        for field, values in _pools(argument).items():
            pools.setdefault(field, []).extend(values)
    return pools


def _recombined(events: Sequence[Fields], pools: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Random neighbours of events: one or two fields with another value, so that conditions which depend on each other meet."""
    rng = random.Random(len(events))
    for _ in range(_RECOMBINED if events else 0):
        event = dict(rng.choice(events[: len(events) // 2 + 1]))
        for field in rng.sample(sorted(pools), min(len(pools), rng.choice((1, 2)))):
            event[field] = rng.choice(pools[field])
        yield {field: value for field, value in event.items() if value is not None}


def _fields_of(node: Any) -> dict[str, Any]:
    """Every field that the condition names with a value that satisfies none of its comparisons."""
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return {} if isinstance(node.value, Never) else {node.field: _other(node.value)}
    fields: dict[str, Any] = {}
    for argument in node.args:
        fields.update(_fields_of(argument))
    return fields


def _ways(node: Any, wanted: bool) -> Iterator[_Way]:
    match node:
        case ConditionNOT():
            yield from _ways(node.args[0], not wanted)
        case ConditionAND() | ConditionOR():
            if isinstance(node, ConditionAND) == wanted:
                yield from _all(node.args, wanted)
            else:
                yield from _one(node.args, wanted)
        case ConditionFieldEqualsValueExpression():
            yield (_Part(node.field, node.value, wanted),)


def _all(arguments: Sequence[Any], wanted: bool) -> Iterator[_Way]:
    """All parts as wanted: each way of each part, with the first ways of the other parts that do not contradict it."""
    ways = [list(islice(_ways(argument, wanted), _LIMIT)) for argument in arguments]
    yield _completed((), ways)
    for position, of_part in enumerate(ways):
        others = [*ways[:position], *ways[position + 1 :]]
        for way in of_part[1:]:
            yield _completed(way, others)


def _completed(way: _Way, others: Sequence[Sequence[_Way]]) -> _Way:
    for choices in others:
        way = (*way, *next((choice for choice in choices[:_CHOICES] if _agree(way, choice)), choices[0]))
    return way


def _agree(way: _Way, choice: _Way) -> bool:
    """Whether some value of each field that both name fulfils the firm parts of both."""
    shared = {part.field for part in way if part.firm} & {part.field for part in choice if part.firm}
    return not shared or _solve(tuple(part for part in (*way, *choice) if part.firm and part.field in shared), absent=True) is not None


def _one(arguments: Sequence[Any], wanted: bool) -> Iterator[_Way]:
    """Each part once as wanted, while the others are not."""
    against = [list(islice(_ways(argument, not wanted), _CHOICES)) for argument in arguments]
    for position, argument in enumerate(arguments):
        others = [*against[:position], *against[position + 1 :]]
        for way in _ways(argument, wanted):
            isolating = _completed(way, others)[len(way) :]
            yield (*way, *(_Part(part.field, part.value, part.wanted, firm=False) for part in isolating))


def _solve(way: _Way, *, absent: bool) -> dict[str, Any] | None:
    """Field values that fulfil all parts, or at least the firm ones; None where no candidate does."""
    event: dict[str, Any] = {}
    for field in dict.fromkeys(part.field for part in way):
        parts = [part for part in way if part.field == field]
        firm = [part for part in parts if part.firm]
        candidates = _candidates(parts, absent)
        for asked in (parts, firm):
            value = next((c for c in candidates if all(field_matches(c, p.value) == p.wanted for p in asked)), _NONE)
            if value is not _NONE:
                break
        else:
            return None
        if value is not None:
            event[field] = value
    return event


_NONE = object()


def _candidates(parts: Sequence[_Part], absent: bool) -> list[Any]:
    """Values to try: those of the wanted comparisons, alone and one after the other, then none, then another one."""
    wanted = [value for part in parts if part.wanted for value in _values(part.value)]
    texts = [value for value in dict.fromkeys(wanted) if isinstance(value, str)]
    joined = [separator.join(order) for order in (texts, *permutations(texts[:4], 2)) if len(order) > 1 for separator in ("", "/")]
    beside = [value for part in parts for value in _beside(part.value)]
    others = [_other(part.value) for part in parts if not isinstance(part.value, Never)]
    return [*wanted, *joined, *([None, *others] if absent else [*others, None]), *beside]


def _values(value: SigmaType) -> Iterator[Any]:
    """Values that satisfy one comparison, the plainest first."""
    match value:
        case SigmaExpansion():
            for single in value.values:
                yield from _values(single)
        case SigmaString():
            for filling in ("", "x", "ab/c"):
                yield "".join(
                    part if isinstance(part, str) else (filling if part == SpecialChars.WILDCARD_MULTI else "q") for part in value.s
                )
        case SigmaBool():
            yield bool(value.boolean)
        case SigmaNumber():
            yield value.number
        case SigmaCIDRExpression():
            network = ipaddress.ip_network(value.cidr, strict=False)
            yield str(network[min(9, network.num_addresses - 1)])
            yield str(network[-1])
        case SigmaCompareExpression():
            number = value.number.number
            yield from (number, number + 1, number - 1)


def _beside(value: SigmaType) -> Iterator[Any]:
    """Values just outside a comparison: a letter more, a letter less, the neighbouring address or number."""
    match value:
        case SigmaString():
            text = next(_values(value))
            yield from (f"x{text}", f"{text}{LETTER}", text[1:], text[:-1])
            if value.s and value.s[-1] == SpecialChars.WILDCARD_MULTI:
                yield f"{text}{LETTER}{text[-1:]}"
        case SigmaCIDRExpression():
            network = ipaddress.ip_network(value.cidr, strict=False)
            for edge, step in ((network[0], -1), (network[-1], 1)):
                address = int(edge) + step
                if 0 <= address < 2**network.max_prefixlen:
                    yield str(type(edge)(address))
        case SigmaCompareExpression():
            number = value.number.number
            yield from (number - 1, number, number + 1)


def _lengthened(value: SigmaType) -> Iterator[str]:
    match value:
        case SigmaExpansion():
            for single in value.values:
                yield from _lengthened(single)
        case SigmaString():
            yield f"{next(_values(value))}{LETTER}"


def _other(value: SigmaType) -> Any:
    match value:
        case SigmaBool():
            return not value.boolean
        case SigmaNumber() | SigmaCompareExpression():
            return _OTHER_NUMBER
        case SigmaCIDRExpression():
            return "203.0.113.77" if ":" not in value.cidr else "3fff::77"
        case _:
            return _OTHER_TEXT


def _filled(event: Fields, fields: Fields) -> dict[str, Any]:
    """The event with a value in every other field too, as a record that holds more than the rule asks about."""
    return {**fields, **event}


def _near_misses(event: Fields, way: _Way, tried: set[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    """The event with one value just outside (or at the edge of) a comparison that it fulfils; each such value is tried once."""
    context = frozenset(part.field for part in way if part.firm and part.wanted)
    for part in way:
        if not part.wanted:  # a value beside one that must not be: the rule still matches
            for value in _lengthened(part.value):
                if (place := (part.field, (value, context))) not in tried:
                    tried.add(place)
                    yield {**event, part.field: value}
            continue
        if part.field not in event or not part.firm:
            continue
        now = event[part.field]
        around = (f"x{now}", f"{now}{LETTER}") if isinstance(now, str) else ()
        for value in (*around, *_beside(part.value), *_values(part.value)):
            if (part.field, value) not in tried:
                tried.add((part.field, value))
                yield {**event, part.field: value}


def _swapped(event: Fields) -> dict[str, Any]:
    return {name: value.swapcase() if isinstance(value, str) else value for name, value in event.items()}
