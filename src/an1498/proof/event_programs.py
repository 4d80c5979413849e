"""A relation that looks at one event at a time, as a program over the event: its filters, sorts and unnested lists, and its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from an1498.proof.comparisons import fields_of
from an1498.proof.relations import has_logic
from an1498.replay.algebra import (
    Call,
    Case,
    Cast,
    Col,
    Expr,
    Extend,
    Filter,
    Lambda,
    ListOf,
    Lit,
    Relation,
    Scan,
    Select,
    Sort,
    Union,
    Unnest,
    inputs,
    with_inputs,
)
from an1498.replay.sharing import children

ELEMENT = "#element "
"""How the name of a list's element begins, which stands for a column."""


_HOLE = Col("")


class NoProof(Exception):
    """The programs differ in a case, or are outside what is understood."""


@dataclass(frozen=True, slots=True)
class Step:
    """A filter's condition, a sort's keys or an unnested list, over the event's fields and the elements of lists before it."""

    kind: str
    exprs: tuple[Expr, ...]
    element: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """The rows that one event gives: none where a filter drops it, one for each element of an unnested list."""

    steps: tuple[Step, ...]
    columns: tuple[tuple[str, Expr], ...]


Rows = tuple[Program, ...]


def branches(own: Relation, mutant: Relation) -> Iterator[tuple[Relation, Relation]]:
    """The chains to compare: where both unite several, those of them that differ, if nothing else does."""
    if own == mutant:
        return
    over = [next((node for node in _chain(one) if isinstance(node, Union)), None) for one in (own, mutant)]
    if over == [None, None]:
        yield own, mutant
        return
    left, right = over
    if left is None or right is None or len(left.sources) != len(right.sources):
        raise NoProof
    if _emptied(own, left) != _emptied(mutant, right):
        raise NoProof
    for one, other in zip(left.sources, right.sources, strict=True):
        yield from branches(one, other)


def _chain(relation: Relation) -> Iterator[Relation]:
    yield relation
    while len(inputs(relation)) == 1:
        (relation,) = inputs(relation)
        yield relation


def _emptied(relation: Relation, below: Relation) -> Relation:
    """The operators above one of them."""
    if relation is below:
        return Scan("", relation.columns)
    (source,) = inputs(relation)
    return with_inputs(relation, [_emptied(source, below)])


def program_of(relation: Relation) -> Program:
    """The program of a chain of operators. Raises NoProof where one of them looks at several events."""
    columns: dict[str, Expr] = {}
    steps: list[Step] = []
    for node in reversed(list(_chain(relation))):
        match node:
            case Scan(_, names):
                columns = {name: Col(name) for name in names}
            case Filter(_, condition):
                steps.append(Step("filter", (put(condition, columns),)))
            case Extend(_, items):
                columns = {**columns, **{name: put(expr, columns) for name, expr in items}}
            case Select(_, items):
                columns = {name: put(expr, columns) for name, expr in items}
            case Sort(_, keys):
                steps.append(Step("sort", (*(columns[key.column] for key in keys), Lit(str([replace(k, column="") for k in keys])))))
            case Unnest(_, column):
                element = f"{ELEMENT}{sum(step.kind == 'unnest' for step in steps)}"
                steps.append(Step("unnest", (columns[column],), element))
                columns = {**columns, column: Col(element)}
            case _:
                raise NoProof
    return Program(tuple(steps), tuple(columns.items()))


Pool = dict[tuple[object, ...], Expr]


def interned(program: Program, pool: Pool) -> Program:
    """The program with equal expressions being one object, that of the pool if it holds one."""

    def one(expr: Expr) -> Expr:
        parts = [one(child) for child in children(expr)]
        own = (type(expr.value), expr.value) if isinstance(expr, Lit) else (rebuilt(expr, [_HOLE] * len(parts)),)  # True is no 1 here
        return pool.setdefault((*own, *map(id, parts)), rebuilt(expr, parts))

    steps = tuple(replace(step, exprs=tuple(map(one, step.exprs))) for step in program.steps)
    return Program(steps, tuple((name, one(expr)) for name, expr in program.columns))


def put(expr: Expr, columns: Mapping[str, Expr]) -> Expr:
    """The expression with other expressions in the place of columns."""
    match expr:
        case Col(name):
            return columns.get(name, expr)
        case Lambda(parameter, body):
            return Lambda(parameter, put(body, {name: value for name, value in columns.items() if name != parameter}))
        case _:
            return rebuilt(expr, [put(child, columns) for child in children(expr)])


def rebuilt(expr: Expr, parts: Sequence[Expr]) -> Expr:
    """The expression with other children, in the order of `children`."""
    match expr:
        case Call(function):
            return Call(function, tuple(parts))
        case ListOf():
            return ListOf(tuple(parts))
        case Case():
            *pairs, default = parts
            return Case(tuple(zip(pairs[::2], pairs[1::2], strict=True)), default)
        case Cast(_, sql_type, safe):
            return Cast(parts[0], sql_type, safe)
        case Lambda(parameter):
            return Lambda(parameter, parts[0])
        case _:
            return expr


def with_element(program: Program, element: str, value: Expr) -> Program:
    """The program for one element of a list."""
    known = {element: value}
    steps = tuple(replace(step, exprs=tuple(put(expr, known) for expr in step.exprs)) for step in program.steps)
    return Program(steps, tuple((name, put(expr, known)) for name, expr in program.columns))


def expressions(program: Program) -> list[Expr]:
    """Its expressions, in order."""
    return [*(expr for step in program.steps for expr in step.exprs), *(expr for _, expr in program.columns)]


def changed_fields(own: Expr, mutant: Expr) -> frozenset[str]:
    """The fields of the parts in which two expressions differ."""
    if own == mutant:
        return frozenset()
    parts, others = list(children(own)), list(children(mutant))
    alike = type(own) is type(mutant) and len(parts) == len(others) and has_logic(own) and has_logic(mutant)
    if not alike or (isinstance(own, Call) and isinstance(mutant, Call) and own.function != mutant.function):
        return frozenset(fields_of(own) ^ fields_of(mutant) or fields_of(own))
    return frozenset().union(*(changed_fields(*pair) for pair in zip(parts, others, strict=True)))
