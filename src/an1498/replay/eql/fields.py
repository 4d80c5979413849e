"""Which fields a search reads."""

from __future__ import annotations

from collections.abc import Iterator

from an1498.replay.eql.ast import (
    Arithmetic,
    Comparison,
    EventQuery,
    FieldName,
    FunctionCall,
    Logical,
    Membership,
    Negative,
    Node,
    Not,
    PatternMatch,
    SampleQuery,
    Search,
    SequenceQuery,
    Term,
)


def condition_fields(node: Node) -> set[str]:
    """Fields in a condition; `x.keyword` may stand for `x`, so both are named."""
    return {name for field in _fields(node) for name in spellings(field.name)}


def search_fields(search: Search, category_field: str) -> set[str]:
    """Fields that a search reads in its conditions, categories and join keys."""
    match search.query:
        case EventQuery(event):
            terms: tuple[Term, ...] = (Term(event),)
        case SequenceQuery(stages, until, _):
            terms = (*stages, until) if until else stages
        case SampleQuery(stages):
            terms = stages
    names = {name for term in terms for name in condition_fields(term.filter.condition)}
    names |= {name for term in terms for key in term.keys for name in spellings(key.name)}
    if any(term.filter.category is not None for term in terms):
        names.add(category_field)
    return names


def spellings(name: str) -> set[str]:
    return {name, name.removesuffix(".keyword")}


def _fields(node: Node) -> Iterator[FieldName]:
    match node:
        case FieldName():
            yield node
        case Negative(operand) | Not(operand):
            yield from _fields(operand)
        case Arithmetic(_, left, right) | Comparison(_, left, right):
            yield from _fields(left)
            yield from _fields(right)
        case Logical(_, operands) | FunctionCall(arguments=operands):
            for operand in operands:
                yield from _fields(operand)
        case Membership(value, items):
            for operand in (value, *items):
                yield from _fields(operand)
        case PatternMatch(value=value):
            yield from _fields(value)
