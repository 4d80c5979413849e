"""The syntax tree of eval expressions. `at` is an offset into the expanded text, for error messages."""

from __future__ import annotations

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
