"""Proves that a mutant decides about every single event as its search does: by cases over the values of the fields.

Both relations are taken as programs over one event: which rows come out, with which columns. A condition's atoms are comparisons of one
field each. Per field there are finitely many cases: missing; each value that some comparison names, and that value in other case, on
which DuckDB computes every comparison; and any other value, on which an equality is false and a pattern may be true, false or
null, bound only by which patterns contain each other. If the programs agree in every case, they agree on every event. The cases say
more than values can do, so a proof holds; where it fails, nothing is said.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

import duckdb

from an1498.proof.comparisons import Facts, contains, fields_of, glob_of, is_certain, is_equality, literals, only_folded, present, spelled
from an1498.proof.event_programs import ELEMENT, NoProof, Pool, Program, Rows, branches, changed_fields, expressions, interned, program_of
from an1498.proof.reduction import Reduction
from an1498.proof.relations import cuts, has_logic, with_cuts
from an1498.replay.algebra import Call, Case, Col, Expr, Lit, Relation, Scan, Select, call, expression, identifier
from an1498.replay.sharing import children
from an1498.replay.table import EventTable, Schema

_MOST_CASES = 4_000
_FEW_CASES = 8
"""Of a field that has no more, such as the one that names an event's source, every value may be tried."""
_TRUE, _FALSE, _NULL = Lit(True), Lit(False), Lit(None)


def same_for_every_event(own: Relation, mutant: Relation, table: EventTable) -> bool:
    """Whether the two relations are proved to give the same rows over any events of the table's fields."""
    parts, others = list(cuts(own)), list(cuts(mutant))
    if own.columns != mutant.columns or len(parts) != len(others) or not parts:
        return False
    named = {*own.columns, *_names(with_cuts(own, (Scan("", ()) for _ in parts)))}
    pairs = [_alike(*pair, named) for pair in zip(parts, others, strict=True)]
    above, above_mutant = (with_cuts(whole, (Scan("", one.columns) for one, _ in pairs)) for whole in (own, mutant))
    if above != above_mutant:
        return False
    try:
        for one, other in pairs:
            for left, right in branches(one, other):
                _Prover(table).prove(program_of(left), program_of(right))
    except NoProof:
        return False
    return True


def _names(part: object) -> Iterator[str]:
    """Every text in an operator and those below: the names of columns that it uses are among them."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from _names(one)
    elif is_dataclass(part):
        for attribute in fields(part):
            yield from _names(getattr(part, attribute.name))


def _alike(one: Relation, other: Relation, named: Container[str]) -> tuple[Relation, Relation]:
    """Two parts without the columns that nobody above them names: what a condition needs is computed beforehand, in a column too."""
    if one.columns == other.columns and all(name in named for name in one.columns):
        return one, other
    common = [name for name in one.columns if name in named and name in other.columns]
    items = tuple((name, Col(name)) for name in common)
    return Select(one, items), Select(other, items)


class _Prover:
    def __init__(self, table: EventTable) -> None:
        self._connection = table.connection
        self._schema: Schema = table.schema
        self._cases: dict[str, list[Facts]] = {}
        self._atoms: dict[str, dict[Expr, None]] = {}
        self._constants: dict[Expr, Any] = {}
        self._changed: frozenset[str] = frozenset()
        self._left = _MOST_CASES

    def prove(self, own: Program, mutant: Program) -> None:
        """Raises NoProof where the programs are not proved to be the same."""
        pool: Pool = {}
        own, mutant = interned(own, pool), interned(mutant, pool)
        for program in (own, mutant):
            for atom in _conditions(program):
                for field in fields_of(atom):
                    self._atoms.setdefault(field, {})[atom] = None
        if len(expressions(own)) == len(expressions(mutant)):
            self._changed = frozenset().union(*(changed_fields(*pair) for pair in zip(expressions(own), expressions(mutant), strict=True)))
        few = frozenset(field for field in self._atoms if len(self._cases_of(field)) <= _FEW_CASES)
        for by_value in dict.fromkeys((frozenset[str](), self._changed, few, self._changed | few)):
            self._left = _MOST_CASES
            with suppress(NoProof):
                self._agree_loosely((own,), (mutant,), {}, by_value, set())
                return
        self._left = _MOST_CASES
        self._agree((own,), (mutant,), {}, frozenset())

    def _agree_loosely(self, own: Rows, mutant: Rows, facts: Facts, by_value: frozenset[str], agreed: set[tuple[Rows, Rows]]) -> None:
        """As `_agree`, with every comparison of a field not in `by_value` taken as independent of all others: more cases than values can
        make, but where conditions are only put together in another way the programs soon become equal, or ones that were seen before."""
        self._left -= 1
        if self._left < 0:
            raise NoProof
        case = Reduction(facts, self._constant)
        own, mutant = case.rows(own), case.rows(mutant)
        if own == mutant or (own, mutant) in agreed:
            return
        atoms = sorted((atom for atom in _open_atoms(own, mutant) if atom not in facts), key=_reads_element)
        if not atoms:
            raise NoProof
        valued = next((field for atom in atoms if len(fields_of(atom)) == 1 for field in fields_of(atom) & by_value), None)
        cases = [{atoms[0]: verdict} for verdict in (_TRUE, _FALSE, _NULL)] if valued is None else self._cases_of(valued)
        for known in cases:
            self._agree_loosely(own, mutant, {**facts, **known}, by_value - {valued or ""}, agreed)
        agreed.add((own, mutant))

    def _agree(self, own: Rows, mutant: Rows, facts: Facts, decided: frozenset[str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise NoProof
        case = Reduction(facts, self._constant)
        own, mutant = case.rows(own), case.rows(mutant)
        if own == mutant:
            return
        open_atoms = (atom for atom in _open_atoms(own, mutant) if atom not in facts)
        atoms = sorted(open_atoms, key=lambda atom: (_reads_element(atom), not fields_of(atom) & self._changed))
        if not atoms:
            raise NoProof
        for atom in atoms:
            read = fields_of(atom)
            field = next(iter(read)) if len(read) == 1 else ""
            if field and field not in decided:
                for known in self._cases_of(field):
                    self._agree(own, mutant, {**facts, **known}, decided | {field})
                return
        for verdict in (_TRUE, _FALSE) if is_certain(atoms[0]) else (_TRUE, _FALSE, _NULL):
            following = self._following(atoms[0], verdict)
            if all(facts.get(atom, fact) == fact for atom, fact in following.items()):  # else no value is such a case
                self._agree(own, mutant, {**facts, **following}, decided)

    def _constant(self, expr: Expr) -> Any:
        if expr not in self._constants:
            try:
                found = self._connection.execute(f"SELECT {expression(expr)}").fetchone()
            except duckdb.Error as error:
                raise NoProof from error
            self._constants[expr] = found[0] if found else None
        return self._constants[expr]

    # --- the cases of a field --------------------------------------------------------------------------------------------------

    def _cases_of(self, field: str) -> list[Facts]:
        if field not in self._cases:
            tests: list[Expr] = [call(name, Col(field)) for name in ("is_null", "is_not_null")]
            named = dict.fromkeys([*tests, *self._atoms.get(field, {})])
            atoms = [atom for atom in named if fields_of(atom) == {field}]
            column = self._schema.get(field)
            cases: list[Facts] = [{}]
            if column is not None and not column.array:
                texts = [text for atom in atoms if (text := spelled(atom)) is not None]
                values = list(dict.fromkeys([*texts, *(value for atom in atoms for value in literals(atom))]))
                fitting = [value for value in values if isinstance(value, str) == (column.sql == "VARCHAR")]
                if column.sql == "BOOLEAN":
                    fitting = [True, False]
                swapped = [variant for value in fitting if isinstance(value, str) for variant in _other_case(value, fitting)]
                known = self._computed(field, column.sql, atoms, [None, *fitting, *swapped])
                exact = known[: 1 + len(fitting)]
                equalities = [
                    {atom: fact for atom, fact in case.items() if is_equality(atom) or only_folded(atom)} for case in known[len(exact) :]
                ]
                other = [] if column.sql == "BOOLEAN" else [{atom: _FALSE for atom in atoms if is_equality(atom)} | present(atoms)]
                cases = [*exact, *(case | present(atoms) for case in equalities), *other]
            self._cases[field] = cases
        return self._cases[field]

    def _computed(self, field: str, sql_type: str, atoms: Sequence[Expr], values: Sequence[Any]) -> list[Facts]:
        listed = ", ".join(f"CAST({expression(Lit(value))} AS {sql_type})" for value in values)
        selected = ", ".join(map(expression, atoms)) or "NULL"
        numbered = f"SELECT unnest([{listed}]) AS {identifier(field)}, unnest(range({len(values)})) AS place"
        sql = f"SELECT {selected} FROM ({numbered}) ORDER BY place"
        try:
            rows = self._connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise NoProof from error
        return [dict(zip(atoms, map(Lit, row), strict=False)) for row in rows]

    def _following(self, atom: Expr, verdict: Lit) -> Facts:
        """The atom's verdict and those of patterns that contain it or that it contains."""
        found: Facts = {atom: verdict}
        if verdict.value is None or (own := glob_of(atom)) is None:
            return found
        for other in islice((atom for field in fields_of(atom) for atom in self._atoms[field]), 200):
            if other == atom or (pattern := glob_of(other)) is None:
                continue
            if verdict.value is True and contains(pattern, own):
                found[other] = _TRUE
            elif verdict.value is False and contains(own, pattern):
                found[other] = _FALSE
        return found


def _atoms(expr: Expr, *, truth: bool) -> Iterator[Expr]:
    """The comparisons in a condition, or in the conditions inside a value."""
    match expr:
        case Call("and" | "or" | "not", args):
            for arg in args:
                yield from _atoms(arg, truth=True)
        case Case(branches, default):
            for when, then in branches:
                yield from _atoms(when, truth=True)
                yield from _atoms(then, truth=truth)
            yield from _atoms(default, truth=truth)
        case _ if has_logic(expr):
            for child in children(expr):
                yield from _atoms(child, truth=truth and isinstance(expr, Call) and expr.function == "coalesce")
        case _ if truth and fields_of(expr):
            yield expr


def _conditions(program: Program) -> Iterator[Expr]:
    for step in program.steps:
        for expr in step.exprs:
            yield from _atoms(expr, truth=step.kind == "filter")
    for _, expr in program.columns:
        yield from _atoms(expr, truth=False)


def _open_atoms(left: Rows, right: Rows) -> Iterator[Expr]:
    """Atoms that the case leaves open, those first that only one side has."""
    found = [list(dict.fromkeys(atom for program in rows for atom in _conditions(program))) for rows in (left, right)]
    differing = [atom for atom in (*found[0], *found[1]) if (atom in found[0]) != (atom in found[1])]
    yield from dict.fromkeys([*differing, *found[0], *found[1]])


def _reads_element(atom: Expr) -> bool:
    """Whether it waits for a list of which it compares an element."""
    return any(name.startswith(ELEMENT) for name in fields_of(atom))


def _other_case(value: str, named: Sequence[Any]) -> list[str]:
    """The value in another case, in one that no comparison names. Raises NoProof where there is none left."""
    if value.upper() == value.lower():
        return []
    alternating = "".join(letter.upper() if place % 2 else letter.lower() for place, letter in enumerate(value))
    variants = [value.swapcase(), value.upper(), value.lower(), value.capitalize(), alternating, alternating.swapcase()]
    free = [variant for variant in variants if variant != value and variant not in named]
    if not free and value.swapcase() not in named:
        raise NoProof
    return free[:1]
