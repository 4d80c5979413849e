"""Boolean algebra on pySigma's condition trees: constants out, alternatives together, negations down to what one field decides.

The trees are pySigma's own classes, so that its backends convert them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    SigmaCIDRExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaString,
    SigmaType,
)

from an1498.compiler.patterns import pattern
from an1498.compiler.resolve import Never

Leaf = ConditionFieldEqualsValueExpression
Node = ConditionItem | Leaf | ConditionValueExpression
_LISTABLE = (SigmaString, SigmaNumber, SigmaCIDRExpression)


def leaves(node: Node) -> Iterator[Leaf | ConditionValueExpression]:
    """All field or keyword conditions under a node."""
    if isinstance(node, Leaf | ConditionValueExpression):
        yield node
    else:
        for argument in node.args:
            if argument is not None:
                yield from leaves(argument)


def alternatives(node: Any) -> tuple[str, list[SigmaType]] | None:
    """The field and values of an OR of two or more conditions on one field, else None."""
    if not isinstance(node, ConditionOR) or len(node.args) < 2:
        return None
    found = [argument for argument in node.args if isinstance(argument, Leaf)]
    if len(found) != len(node.args) or len({leaf.field for leaf in found}) != 1:
        return None
    return found[0].field, [leaf.value for leaf in found]


def is_presence(node: Node) -> bool:
    """Whether the condition tests presence (`null`, `exists`), so that it is true or false even for a missing field."""
    return isinstance(node, Leaf) and isinstance(node.value, SigmaNull | SigmaExists)


def only_field(node: Node) -> str | None:
    """The one field that a condition reads, if it is one and nothing in the condition tests presence or negates."""
    if _negates(node):
        return None
    found = list(leaves(node))
    if len(found) > 1 and any(isinstance(leaf.value, SigmaFieldReference) for leaf in found):
        return None
    if any(is_presence(leaf) or not isinstance(leaf, Leaf) for leaf in found):
        return None
    fields = {leaf.field for leaf in found if isinstance(leaf, Leaf)}
    return fields.pop() if len(fields) == 1 else None


def fields_of(node: Any) -> list[str]:
    """The fields that must be present for a condition on one field to be true or false: with fieldref, two."""
    field = only_field(node)
    assert field is not None  # the tree is in negation normal form
    if isinstance(node, Leaf) and isinstance(node.value, SigmaFieldReference):
        return [field, node.value.field]
    return [field]


def _negates(node: Any) -> bool:
    return isinstance(node, ConditionNOT) or (isinstance(node, ConditionItem) and any(map(_negates, node.args)))


def negated_presence(node: Node) -> Leaf | None:
    """`not (f is null)` as `f exists` and the like; None where the node is not a presence test."""
    if isinstance(node, Leaf) and isinstance(node.value, SigmaNull):
        return Leaf(node.field, SigmaExists(True))
    if isinstance(node, Leaf) and isinstance(node.value, SigmaExists):
        return Leaf(node.field, SigmaExists(not node.value.exists))
    return None


def pushed_down(node: Any, together: bool = True) -> ConditionItem:
    """`not (a and b)` as `not a or not b`, and the reverse (De Morgan), for languages where a missing field is neither true nor
    false. With `together`, conditions on one field stay so, since one test for presence guards them all."""
    same, other = (ConditionAND, ConditionOR) if isinstance(node, ConditionAND) else (ConditionOR, ConditionAND)
    groups: dict[str, list[Any]] = {}
    for number, argument in enumerate(node.args):
        groups.setdefault((only_field(argument) if together else None) or f" {number}", []).append(argument)
    return other([ConditionNOT([found[0] if len(found) == 1 else same(found)]) for found in groups.values()])


def simplified(node: Any) -> Node | bool:
    """The condition without constant parts: empty parameter lists are false, `*` is presence, expansions are alternatives."""
    if isinstance(node, ConditionNOT):
        inner = simplified(node.args[0])
        if isinstance(inner, ConditionNOT):
            return inner.args[0]  # type: ignore[return-value]
        return (not inner) if isinstance(inner, bool) else ConditionNOT([inner])
    if isinstance(node, ConditionAND | ConditionOR):
        neutral = isinstance(node, ConditionAND)
        operands: list[Any] = []
        for argument in node.args:
            operand = simplified(argument)
            if isinstance(operand, bool):
                if operand is not neutral:
                    return operand
            elif type(operand) is type(node):
                operands.extend(operand.args)
            else:
                operands.append(operand)
        if not operands:
            return neutral
        if not neutral:
            operands = _grouped(operands)
        return operands[0] if len(operands) == 1 else type(node)(operands)
    if isinstance(node, Leaf):
        return _leaf(node)
    return node  # type: ignore[no-any-return]


def _grouped(operands: list[Any]) -> list[Any]:
    """The alternatives, with plain values of one field side by side, so that they become a list."""
    groups: dict[object, list[Any]] = {}
    for number, operand in enumerate(operands):
        kind = type(operand.value) if isinstance(operand, Leaf) else None
        groups.setdefault((operand.field, kind) if kind in _LISTABLE else number, []).append(operand)
    if len(groups) == 1:
        return operands
    return [found[0] if len(found) == 1 else ConditionOR(found) for found in groups.values()]


def _leaf(node: Leaf) -> Node | bool:
    match node.value:
        case Never():
            return False
        case SigmaExpansion():
            return simplified(ConditionOR([Leaf(node.field, value) for value in node.value.values]))
        case SigmaString() if pattern(node.value).anything:
            return Leaf(node.field, SigmaExists(True))
        case _:
            return Leaf(node.field, node.value)


def negation_normal(node: Any) -> Node:
    """The same condition with each `not` over one field only, for languages where a missing field is neither true nor false: there a
    single test for presence guards it."""
    found = simplified(_pushed(node))
    assert not isinstance(found, bool)  # a condition without constants has none after rewriting
    return found


def _pushed(node: Any) -> Any:
    if isinstance(node, ConditionAND | ConditionOR):
        return type(node)([_pushed(argument) for argument in node.args])
    if not isinstance(node, ConditionNOT):
        return node
    inner: Any = node.args[0]
    if isinstance(inner, ConditionNOT):
        return _pushed(inner.args[0])
    presence = negated_presence(inner)
    if presence is not None:
        return presence
    return node if only_field(inner) is not None else _pushed(pushed_down(inner))
