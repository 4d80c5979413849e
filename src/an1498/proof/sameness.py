"""Proves that a mutant decides about every single event as its search does: by cases over the values of the fields.

Both relations are taken as programs over one event: which rows come out, with which columns. A condition's atoms are comparisons of one
field each. Per field there are finitely many cases: missing; each value that some comparison names, and that value in other case, on
which DuckDB computes every comparison; and any other value, on which an equality is false and a pattern may be true, false or
null, bound only by which patterns contain each other. If the programs agree in every case, they agree on every event. The cases say
more than values can do, so a proof holds; where it fails, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import duckdb

from an1498.proof.relations import cuts, has_logic, outline
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
    call,
    expression,
    identifier,
    inputs,
    with_inputs,
)
from an1498.replay.sharing import children
from an1498.replay.table import EventTable, Schema

_MOST_CASES = 4_000
_ELEMENT = "#element "
_TRUE, _FALSE, _NULL = Lit(True), Lit(False), Lit(None)


class _Open(Exception):
    """No proof: the programs differ in a case, or are outside what is understood."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A filter's condition, a sort's keys or an unnested list, over the event's fields and the elements of lists before it."""

    kind: str
    exprs: tuple[Expr, ...]
    element: str = ""


@dataclass(frozen=True, slots=True)
class _Program:
    steps: tuple[_Step, ...]
    columns: tuple[tuple[str, Expr], ...]


_Rows = tuple[_Program, ...]
Facts = dict[Expr, Lit]
"""What is known of atoms in a case."""


def same_for_every_event(own: Relation, mutant: Relation, table: EventTable) -> bool:
    """Whether the two relations are proved to give the same rows over any events of the table's fields."""
    pairs = list(zip(cuts(own), cuts(mutant), strict=False))
    if outline(own) != outline(mutant) or not pairs:
        return False
    try:
        for one, other in pairs:
            for left, right in _branches(one, other):
                _Prover(table).prove(_program(left), _program(right))
    except _Open:
        return False
    return True


def _branches(own: Relation, mutant: Relation) -> Iterator[tuple[Relation, Relation]]:
    """The chains to compare: where both unite several, those of them that differ, if nothing else does."""
    if own == mutant:
        return
    over = [next((node for node in _chain(one) if isinstance(node, Union)), None) for one in (own, mutant)]
    if over == [None, None]:
        yield own, mutant
        return
    left, right = over
    if left is None or right is None or len(left.sources) != len(right.sources):
        raise _Open
    if _emptied(own, left) != _emptied(mutant, right):
        raise _Open
    for one, other in zip(left.sources, right.sources, strict=True):
        yield from _branches(one, other)


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


def _program(relation: Relation) -> _Program:
    columns: dict[str, Expr] = {}
    steps: list[_Step] = []
    for node in reversed(list(_chain(relation))):
        match node:
            case Scan(_, names):
                columns = {name: Col(name) for name in names}
            case Filter(_, condition):
                steps.append(_Step("filter", (_put(condition, columns),)))
            case Extend(_, items):
                columns = {**columns, **{name: _put(expr, columns) for name, expr in items}}
            case Select(_, items):
                columns = {name: _put(expr, columns) for name, expr in items}
            case Sort(_, keys):
                steps.append(_Step("sort", (*(columns[key.column] for key in keys), Lit(str([replace(k, column="") for k in keys])))))
            case Unnest(_, column):
                element = f"{_ELEMENT}{sum(step.kind == 'unnest' for step in steps)}"
                steps.append(_Step("unnest", (columns[column],), element))
                columns = {**columns, column: Col(element)}
            case _:
                raise _Open
    return _Program(tuple(steps), tuple(columns.items()))


def _put(expr: Expr, columns: Mapping[str, Expr]) -> Expr:
    match expr:
        case Col(name):
            return columns.get(name, expr)
        case Lambda(parameter, body):
            return Lambda(parameter, _put(body, {name: value for name, value in columns.items() if name != parameter}))
        case _:
            return _rebuilt(expr, [_put(child, columns) for child in children(expr)])


def _rebuilt(expr: Expr, parts: Sequence[Expr]) -> Expr:
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


def _fields(expr: Expr) -> set[str]:
    """The columns that an expression reads; a lambda's parameter counts as none."""
    match expr:
        case Col(name):
            return {name}
        case Lambda(parameter, body):
            return _fields(body) - {parameter}
        case _:
            return set().union(*map(_fields, children(expr)))


class _Prover:
    def __init__(self, table: EventTable) -> None:
        self._connection = table.connection
        self._schema: Schema = table.schema
        self._cases: dict[str, list[Facts]] = {}
        self._atoms: dict[str, dict[Expr, None]] = {}
        self._constants: dict[Expr, Any] = {}
        self._changed: frozenset[str] = frozenset()
        self._left = _MOST_CASES

    def prove(self, own: _Program, mutant: _Program) -> None:
        """Raises _Open where the programs are not proved to be the same."""
        for program in (own, mutant):
            for atom in _conditions(program):
                for field in _fields(atom):
                    self._atoms.setdefault(field, {})[atom] = None
        if len(_all(own)) == len(_all(mutant)):
            self._changed = frozenset().union(*(_changed_fields(*pair) for pair in zip(_all(own), _all(mutant), strict=True)))
        for by_value in dict.fromkeys((frozenset[str](), self._changed)):
            self._left = _MOST_CASES
            with suppress(_Open):
                self._agree_loosely((own,), (mutant,), {}, by_value, set())
                return
        self._left = _MOST_CASES
        self._agree((own,), (mutant,), {}, frozenset())

    def _agree_loosely(self, own: _Rows, mutant: _Rows, facts: Facts, by_value: frozenset[str], agreed: set[tuple[_Rows, _Rows]]) -> None:
        """As `_agree`, with every comparison of a field not in `by_value` taken as independent of all others: more cases than values can
        make, but where conditions are only put together in another way the programs soon become equal, or ones that were seen before."""
        self._left -= 1
        if self._left < 0:
            raise _Open
        own, mutant = self._reduced(own, facts), self._reduced(mutant, facts)
        if own == mutant or (own, mutant) in agreed:
            return
        atoms = sorted((atom for atom in _open_atoms(own, mutant) if atom not in facts), key=_reads_element)
        if not atoms:
            raise _Open
        valued = next((field for atom in atoms if len(_fields(atom)) == 1 for field in _fields(atom) & by_value), None)
        cases = [{atoms[0]: verdict} for verdict in (_TRUE, _FALSE, _NULL)] if valued is None else self._cases_of(valued)
        for case in cases:
            self._agree_loosely(own, mutant, {**facts, **case}, by_value - {valued or ""}, agreed)
        agreed.add((own, mutant))

    def _agree(self, own: _Rows, mutant: _Rows, facts: Facts, decided: frozenset[str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Open
        own, mutant = self._reduced(own, facts), self._reduced(mutant, facts)
        if own == mutant:
            return
        open_atoms = (atom for atom in _open_atoms(own, mutant) if atom not in facts)
        atoms = sorted(open_atoms, key=lambda atom: (_reads_element(atom), not _fields(atom) & self._changed))
        if not atoms:
            raise _Open
        for atom in atoms:
            fields = _fields(atom)
            field = next(iter(fields)) if len(fields) == 1 else ""
            if field and field not in decided:
                for case in self._cases_of(field):
                    self._agree(own, mutant, {**facts, **case}, decided | {field})
                return
        for verdict in (_TRUE, _FALSE) if _is_certain(atoms[0]) else (_TRUE, _FALSE, _NULL):
            following = self._following(atoms[0], verdict)
            if all(facts.get(atom, fact) == fact for atom, fact in following.items()):  # else no value is such a case
                self._agree(own, mutant, {**facts, **following}, decided)

    def _reduced(self, rows: _Rows, facts: Facts) -> _Rows:
        """The programs of the rows in a case: without the conditions that hold there, none where one does not, one for each element
        of a list that is known there."""
        done: list[_Program] = []
        todo = list(rows)
        while todo:
            program = todo.pop(0)
            steps: list[_Step] = []
            for place, step in enumerate(program.steps):
                if step.kind == "filter":
                    verdict = self._holds(step.exprs[0], facts)
                    if not isinstance(verdict, Lit):
                        steps.append(replace(step, exprs=(verdict,)))
                    elif verdict.value is not True:
                        break
                    continue
                exprs = tuple(self._value(expr, facts) for expr in step.exprs)
                if step.kind == "unnest" and not _fields(exprs[0]):
                    rest = _Program((*steps, *program.steps[place + 1 :]), program.columns)
                    todo[:0] = [_with_element(rest, step.element, Lit(value)) for value in (self._constant(exprs[0]) or [None])]
                    break
                steps.append(replace(step, exprs=exprs))
            else:
                done.append(_Program(tuple(steps), tuple((name, self._value(expr, facts)) for name, expr in program.columns)))
        return tuple(done)

    # --- expressions in a case -------------------------------------------------------------------------------------------------

    def _holds(self, expr: Expr, facts: Facts) -> Expr:
        """A condition in a case, where null is as good as false: that of a filter, or of a branch."""
        if isinstance(expr, Call) and expr.function in ("and", "or"):
            return _junction(expr.function, [self._holds(arg, facts) for arg in expr.args])
        verdict = self._truth(expr, facts)
        return _FALSE if isinstance(verdict, Lit) and verdict.value is None else verdict

    def _truth(self, expr: Expr, facts: Facts) -> Expr:
        """A condition in a case: true, false or null where the case decides it."""
        match expr:
            case Call("and" | "or" as function, args):
                return _junction(function, [self._truth(arg, facts) for arg in args])
            case Call("not", (inner,)):
                verdict = self._truth(inner, facts)
                if isinstance(verdict, Lit):
                    return Lit(None if verdict.value is None else not verdict.value)
                return call("not", verdict)
            case Call("coalesce", args) if expr not in facts and _fields(expr):
                rest = [self._truth(arg, facts) for arg in args]
                while len(rest) > 1 and isinstance(rest[0], Lit) and rest[0].value is None:
                    rest.pop(0)
                return rest[0] if len(rest) == 1 or isinstance(rest[0], Lit) else call("coalesce", *rest)
            case Case(branches, default):
                return self._case(branches, default, facts, self._truth)
            case _:
                return self._known(self._value(expr, facts), facts)

    def _value(self, expr: Expr, facts: Facts) -> Expr:
        """A value in a case: with the branches of its conditionals that the case leaves."""
        match expr:
            case Case(branches, default):
                return self._case(branches, default, facts, self._value)
            case Lambda() | Col() | Lit():
                return expr
            case Call("and" | "or" | "not"):
                return self._truth(expr, facts)
            case _:
                return _rebuilt(expr, [self._value(child, facts) for child in children(expr)]) if has_logic(expr) else expr

    def _case(self, branches: Any, default: Expr, facts: Facts, inner: Any) -> Expr:
        kept = []
        for when, then in branches:
            verdict = self._holds(when, facts)
            if isinstance(verdict, Lit) and verdict.value is not True:
                continue
            if isinstance(verdict, Lit):
                default = then
                break
            kept.append((verdict, inner(then, facts)))
        last: Expr = inner(default, facts)
        return Case(tuple(kept), last) if kept else last

    def _known(self, atom: Expr, facts: Facts) -> Expr:
        if isinstance(atom, Lit):
            return atom
        if not _fields(atom):
            return Lit(self._constant(atom))
        return facts.get(atom, atom)

    def _constant(self, expr: Expr) -> Any:
        if expr not in self._constants:
            try:
                found = self._connection.execute(f"SELECT {expression(expr)}").fetchone()
            except duckdb.Error as error:
                raise _Open from error
            self._constants[expr] = found[0] if found else None
        return self._constants[expr]

    # --- the cases of a field --------------------------------------------------------------------------------------------------

    def _cases_of(self, field: str) -> list[Facts]:
        if field not in self._cases:
            tests: list[Expr] = [call(name, Col(field)) for name in ("is_null", "is_not_null")]
            named = dict.fromkeys([*tests, *self._atoms.get(field, {})])
            atoms = [atom for atom in named if _fields(atom) == {field}]
            column = self._schema.get(field)
            cases: list[Facts] = [{}]
            if column is not None and not column.array:
                spelled = [text for atom in atoms if (text := _spelled(atom)) is not None]
                values = list(dict.fromkeys([*spelled, *(value for atom in atoms for value in _literals(atom))]))
                fitting = [value for value in values if isinstance(value, str) == (column.sql == "VARCHAR")]
                if column.sql == "BOOLEAN":
                    fitting = [True, False]
                swapped = [variant for value in fitting if isinstance(value, str) for variant in _other_case(value, fitting)]
                known = self._computed(field, column.sql, atoms, [None, *fitting, *swapped])
                exact = known[: 1 + len(fitting)]
                equalities = [
                    {atom: fact for atom, fact in case.items() if _is_equality(atom) or _only_folded(atom)} for case in known[len(exact) :]
                ]
                other = [] if column.sql == "BOOLEAN" else [{atom: _FALSE for atom in atoms if _is_equality(atom)} | _present(atoms)]
                cases = [*exact, *(case | _present(atoms) for case in equalities), *other]
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
            raise _Open from error
        return [dict(zip(atoms, map(Lit, row), strict=False)) for row in rows]

    def _following(self, atom: Expr, verdict: Lit) -> Facts:
        """The atom's verdict and those of patterns that contain it or that it contains."""
        found: Facts = {atom: verdict}
        if verdict.value is None or (own := _pattern(atom)) is None:
            return found
        for other in islice((atom for field in _fields(atom) for atom in self._atoms[field]), 200):
            if other == atom or (pattern := _pattern(other)) is None:
                continue
            if verdict.value is True and _contains(pattern, own):
                found[other] = _TRUE
            elif verdict.value is False and _contains(own, pattern):
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
        case _ if truth and _fields(expr):
            yield expr


def _with_element(program: _Program, element: str, value: Expr) -> _Program:
    put = {element: value}
    steps = tuple(replace(step, exprs=tuple(_put(expr, put) for expr in step.exprs)) for step in program.steps)
    return _Program(steps, tuple((name, _put(expr, put)) for name, expr in program.columns))


def _is_certain(atom: Expr) -> bool:
    """Whether a comparison of a field that is there cannot be null."""
    return _pattern(atom) is not None or (isinstance(atom, Call) and atom.function == "coalesce" and isinstance(atom.args[-1], Lit))


def _conditions(program: _Program) -> Iterator[Expr]:
    for step in program.steps:
        for expr in step.exprs:
            yield from _atoms(expr, truth=step.kind == "filter")
    for _, expr in program.columns:
        yield from _atoms(expr, truth=False)


def _all(program: _Program) -> list[Expr]:
    return [*(expr for step in program.steps for expr in step.exprs), *(expr for _, expr in program.columns)]


def _changed_fields(own: Expr, mutant: Expr) -> frozenset[str]:
    """The fields of the parts in which two expressions differ."""
    if own == mutant:
        return frozenset()
    parts, others = list(children(own)), list(children(mutant))
    alike = type(own) is type(mutant) and len(parts) == len(others) and has_logic(own) and has_logic(mutant)
    if not alike or (isinstance(own, Call) and isinstance(mutant, Call) and own.function != mutant.function):
        return frozenset(_fields(own) ^ _fields(mutant) or _fields(own))
    return frozenset().union(*(_changed_fields(*pair) for pair in zip(parts, others, strict=True)))


def _open_atoms(left: _Rows, right: _Rows) -> Iterator[Expr]:
    """Atoms that the case leaves open, those first that only one side has."""
    found = [list(dict.fromkeys(atom for program in rows for atom in _conditions(program))) for rows in (left, right)]
    differing = [atom for atom in (*found[0], *found[1]) if (atom in found[0]) != (atom in found[1])]
    yield from dict.fromkeys([*differing, *found[0], *found[1]])


def _reads_element(atom: Expr) -> bool:
    """Whether it waits for a list of which it compares an element."""
    return any(name.startswith(_ELEMENT) for name in _fields(atom))


def _junction(function: str, parts: Sequence[Expr]) -> Expr:
    """Three-valued AND and OR, with the parts that a case decides left out."""
    strong, weak = (False, True) if function == "and" else (True, False)
    if any(isinstance(part, Lit) and part.value is strong for part in parts):
        return Lit(strong)
    rest = [part for part in parts if not (isinstance(part, Lit) and part.value is weak)]
    if all(isinstance(part, Lit) for part in rest):
        return Lit(None if rest else weak)
    return rest[0] if len(rest) == 1 else Call(function, tuple(dict.fromkeys(rest)))


def _other_case(value: str, named: Sequence[Any]) -> list[str]:
    """The value in another case, in one that no comparison names. Raises _Open where there is none left."""
    if value.upper() == value.lower():
        return []
    alternating = "".join(letter.upper() if place % 2 else letter.lower() for place, letter in enumerate(value))
    variants = [value.swapcase(), value.upper(), value.lower(), value.capitalize(), alternating, alternating.swapcase()]
    free = [variant for variant in variants if variant != value and variant not in named]
    if not free and value.swapcase() not in named:
        raise _Open
    return free[:1]


def _literals(expr: Expr) -> Iterator[Any]:
    if isinstance(expr, Lit) and expr.value is not None:
        yield expr.value
    if not isinstance(expr, Lambda):
        for child in children(expr):
            yield from _literals(child)


_FOLDS = frozenset({"lower", "lower_root", "ascii_lower"})


def _is_plain(expr: Expr) -> bool:
    """A field, as it is or with its letters folded: never null where the field is there."""
    return isinstance(expr, Col) or (isinstance(expr, Call) and expr.function in _FOLDS and isinstance(expr.args[0], Col))


def _only_folded(expr: Expr) -> bool:
    """Whether it reads its field with the letters folded only, so that their case does not matter."""
    pattern = _pattern(expr)
    if pattern is not None and all(token[0] == "~" or token in (_ANY, _ONE) or not token[1:].isalpha() for token in pattern.tokens):
        return True
    return (_is_plain(expr) and not isinstance(expr, Col)) or (not isinstance(expr, Col) and all(map(_only_folded, children(expr))))


def _is_equality(atom: Expr) -> bool:
    """A comparison that only the values named in it can fulfil, and that is false for any other value."""
    match atom:
        case Call("eq", (left, right)):
            return (_is_plain(left) and not _fields(right)) or (_is_plain(right) and not _fields(left))
        case Call("in", (left, *values)):
            return _is_plain(left) and not any(map(_fields, values))
        case Call("coalesce", (inner, Lit(False))):
            return _is_equality(inner)
        case _:
            return _spelled(atom) is not None


def _spelled(atom: Expr) -> str | None:
    """The one text (in any case where the pattern admits both) that a pattern without wildcards is."""
    pattern = _pattern(atom)
    if pattern is None or not pattern.tokens or any(token in (_ANY, _ONE) for token in pattern.tokens):
        return None
    return "".join(token[1:] for token in pattern.tokens)


def _present(atoms: Sequence[Expr]) -> Facts:
    """What is known of null tests where the field has a value."""
    found: Facts = {}
    for atom in atoms:
        match atom.args[0] if isinstance(atom, Call) and atom.function == "coalesce" else atom:
            case Call("is_null", (inner,)) if _is_plain(inner):
                found[atom] = _FALSE
            case Call("is_not_null", (inner,)) if _is_plain(inner):
                found[atom] = _TRUE
    return found


# --- patterns ------------------------------------------------------------------------------------------------------------------

_ANY, _ONE = "any", "one"
_CODE = re.compile(r"\\x\{([0-9a-fA-F]+)\}")
_TOKEN = re.compile(r"\.\*|\.|\\(.)|\[(\w)(\w)\]|([^\\.*+?()\[\]{}|^$])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Glob:
    """What a pattern compares (the field, folded or not), and its letters with wildcards between them."""

    subject: Expr
    tokens: tuple[str, ...]


def _pattern(atom: Expr) -> _Glob | None:
    match atom:
        case Call("coalesce", (inner, Lit(False))):
            return _pattern(inner)
        case Call("regex_full" | "regex_full_line", (subject, Lit(str(regex)))) if _is_plain(subject):
            tokens = _tokens(regex)
            return None if tokens is None else _Glob(subject, tokens)
        case Call("starts_with" | "contains" | "ends_with" as function, (subject, Call("lower", (Lit(str(text)),)))) if _is_plain(subject):
            return _pattern(call(function, subject, Lit(text.lower())))
        case Call("starts_with" | "contains" | "ends_with" as function, (subject, Lit(str(text)))) if _is_plain(subject):
            before = () if function == "starts_with" else (_ANY,)
            after = () if function == "ends_with" else (_ANY,)
            return _Glob(subject, (*before, *(f"={letter}" for letter in text), *after))
        case _:
            return None


def _tokens(regex: str) -> tuple[str, ...] | None:
    regex = _CODE.sub(lambda match: re.escape(chr(int(match[1], 16))), regex)
    regex = regex.replace("(?:.)", ".")
    found, position = [], 0
    while position < len(regex):
        match = _TOKEN.match(regex, position)
        if match is None:
            return None
        letter = match[1] or match[4]
        if (match[1] and match[1].isalnum()) or (match[2] and match[2].lower() != match[3].lower()):
            return None
        if match[2]:
            found.append(f"~{match[2].lower()}")
            position = match.end()
            continue
        found.append(f"={letter}" if letter else _ANY if match[0] == ".*" else _ONE)
        position = match.end()
    return tuple(found)


def _contains(wide: _Glob, narrow: _Glob) -> bool:
    """Whether every value of the narrow pattern is one of the wide one: the wide one matches the narrow one's text, wildcards included."""
    if wide.subject != narrow.subject:
        folded = isinstance(wide.subject, Call) and wide.subject.args[0] == narrow.subject
        if not folded or any(token != token.lower() for token in narrow.tokens):
            return False
    reached = {0}
    for token in (*narrow.tokens, ""):
        closed = set(reached)
        for place in reached:
            while place < len(wide.tokens) and wide.tokens[place] == _ANY:
                place += 1
                closed.add(place)
        if not token:
            return len(wide.tokens) in closed
        reached = set()
        for place in closed:
            if place < len(wide.tokens):
                own = wide.tokens[place]
                if own == _ANY:
                    reached.add(place)
                elif own == token or (own == _ONE and token != _ANY) or (own[0] == "~" and token == f"={own[1:]}"):
                    reached.add(place + 1)
    return False
