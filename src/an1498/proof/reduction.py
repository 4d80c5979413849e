"""Programs over one event in one case: what is left of them where some of the comparisons are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from an1498.proof.comparisons import Facts, fields_of
from an1498.proof.event_programs import Program, Rows, Step, rebuilt, with_element
from an1498.proof.relations import has_logic
from an1498.replay.algebra import Call, Case, Col, Expr, Lambda, Lit, call
from an1498.replay.sharing import children

_FALSE = Lit(False)
_Known = dict[int, tuple[Expr, Expr]]
"""What became of an expression, by its identity; the expression is held, so that no other gets that."""


class Reduction:
    """One case. `constant` computes an expression that reads no field. What two programs have in common is looked at once."""

    def __init__(self, facts: Facts, constant: Callable[[Expr], Any]) -> None:
        self._facts = facts
        self._constant = constant
        self._truths: _Known = {}
        self._values: _Known = {}

    def rows(self, rows: Rows) -> Rows:
        """The programs of the rows in a case: without the conditions that hold there, none where one does not, one for each element
        of a list that is known there."""
        done: list[Program] = []
        todo = list(rows)
        while todo:
            program = todo.pop(0)
            steps: list[Step] = []
            for place, step in enumerate(program.steps):
                if step.kind == "filter":
                    verdict = self._holds(step.exprs[0])
                    if not isinstance(verdict, Lit):
                        steps.append(replace(step, exprs=(verdict,)))
                    elif verdict.value is not True:
                        break
                    continue
                exprs = tuple(self._value(expr) for expr in step.exprs)
                if step.kind == "unnest" and not fields_of(exprs[0]):
                    rest = Program((*steps, *program.steps[place + 1 :]), program.columns)
                    todo[:0] = [with_element(rest, step.element, Lit(value)) for value in (self._constant(exprs[0]) or [None])]
                    break
                steps.append(replace(step, exprs=exprs))
            else:
                done.append(Program(tuple(steps), tuple((name, self._value(expr)) for name, expr in program.columns)))
        return tuple(done)

    def _holds(self, expr: Expr) -> Expr:
        """A condition in a case, where null is as good as false: that of a filter, or of a branch."""
        if isinstance(expr, Call) and expr.function in ("and", "or"):
            return _junction(expr.function, [self._holds(arg) for arg in expr.args])
        verdict = self._truth(expr)
        return _FALSE if isinstance(verdict, Lit) and verdict.value is None else verdict

    def _truth(self, expr: Expr) -> Expr:
        """A condition in a case: true, false or null where the case decides it."""
        if id(expr) not in self._truths:
            self._truths[id(expr)] = expr, self._truth_of(expr)
        return self._truths[id(expr)][1]

    def _truth_of(self, expr: Expr) -> Expr:
        match expr:
            case Call("and" | "or" as function, args):
                return _junction(function, [self._truth(arg) for arg in args])
            case Call("not", (inner,)):
                verdict = self._truth(inner)
                if isinstance(verdict, Lit):
                    return Lit(None if verdict.value is None else not verdict.value)
                return call("not", verdict)
            case Call("coalesce", args) if expr not in self._facts and fields_of(expr):
                rest = [self._truth(arg) for arg in args]
                while len(rest) > 1 and isinstance(rest[0], Lit) and rest[0].value is None:
                    rest.pop(0)
                return rest[0] if len(rest) == 1 or isinstance(rest[0], Lit) else call("coalesce", *rest)
            case Case(branches, default):
                return self._case(branches, default, self._truth)
            case _:
                return self._known(self._value(expr))

    def _value(self, expr: Expr) -> Expr:
        """A value in a case: with the branches of its conditionals that the case leaves."""
        if id(expr) not in self._values:
            self._values[id(expr)] = expr, self._value_of(expr)
        return self._values[id(expr)][1]

    def _value_of(self, expr: Expr) -> Expr:
        match expr:
            case Case(branches, default):
                return self._case(branches, default, self._value)
            case Lambda() | Col() | Lit():
                return expr
            case Call("and" | "or" | "not"):
                return self._truth(expr)
            case _:
                return rebuilt(expr, [self._value(child) for child in children(expr)]) if has_logic(expr) else expr

    def _case(self, branches: Any, default: Expr, inner: Any) -> Expr:
        kept = []
        for when, then in branches:
            verdict = self._holds(when)
            if isinstance(verdict, Lit) and verdict.value is not True:
                continue
            if isinstance(verdict, Lit):
                default = then
                break
            kept.append((verdict, inner(then)))
        last: Expr = inner(default)
        return Case(tuple(kept), last) if kept else last

    def _known(self, atom: Expr) -> Expr:
        if isinstance(atom, Lit):
            return atom
        if not fields_of(atom):
            return Lit(self._constant(atom))
        return self._facts.get(atom, atom)


def _junction(function: str, parts: Sequence[Expr]) -> Expr:
    """Three-valued AND and OR, with the parts that a case decides left out."""
    strong, weak = (False, True) if function == "and" else (True, False)
    if any(isinstance(part, Lit) and part.value is strong for part in parts):
        return Lit(strong)
    rest = [part for part in parts if not (isinstance(part, Lit) and part.value is weak)]
    if all(isinstance(part, Lit) for part in rest):
        return Lit(None if rest else weak)
    return rest[0] if len(rest) == 1 else Call(function, tuple(dict.fromkeys(rest)))
