"""The syntax tree of eval expressions. `at` is an offset into the expanded text, for error messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    at: int


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not` or `-`."""

    operator: str
    operand: Expression
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, concatenation (`.`), comparison, `like`, `and`, `or`, `xor`."""

    operator: str
    left: Expression
    right: Expression
    at: int


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Expression, ...]
    at: int


Expression = Number | Text | Field | Unary | Binary | Function


def fields_of(node: Expression) -> set[str]:
    """The fields that an expression reads."""
    match node:
        case Field(name):
            return {name}
        case Unary(_, operand):
            return fields_of(operand)
        case Binary(_, left, right):
            return fields_of(left) | fields_of(right)
        case Function(_, arguments):
            return {name for argument in arguments for name in fields_of(argument)}
        case _:
            return set()


def rewritten(node: Expression, change: Callable[[Field | Function], Expression | None]) -> Expression:
    """The expression with what `change` makes of its fields and functions; where that is None, a function's arguments are rewritten."""
    match node:
        case Field():
            return change(node) or node
        case Unary(operator, operand, at):
            return Unary(operator, rewritten(operand, change), at)
        case Binary(operator, left, right, at):
            return Binary(operator, rewritten(left, change), rewritten(right, change), at)
        case Function(name, arguments, at):
            return change(node) or Function(name, tuple(rewritten(argument, change) for argument in arguments), at)
        case _:
            return node
