"""What all eval functions share: the shape of a row of their tables, constants in arguments, regular expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Expr, Lit, call
from an1498.replay.spl import eval_syntax
from an1498.replay.spl.pcre import PcreError, Regex, translate
from an1498.replay.spl.values import (
    TEXT_TYPE,
    Value,
    let,
    refuse,
)

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions

Body = Callable[[Expr], Expr]
Nodes = tuple[eval_syntax.Expression, ...]
Lowering = Callable[["Expressions", Nodes, int], Value]
Rows = dict[str, tuple[Lowering, int, int]]
"""Function name → (lowering, least and most number of arguments)."""

MANY = 1_000


def whole(scope: Expressions, node: eval_syntax.Expression, what: str) -> int:
    """A whole number written in the search; raises UnsupportedConstruct for anything computed."""
    negative = isinstance(node, eval_syntax.Unary) and node.operator == "-"
    digits = node.operand if isinstance(node, eval_syntax.Unary) and negative else node
    if not isinstance(digits, eval_syntax.Number) or not digits.value.is_integer():
        raise scope.source.unsupported(node.at, f"{what} that is not a whole number written in the search")
    return -int(digits.value) if negative else int(digits.value)


def regex_of(scope: Expressions, written: object, at: int) -> Regex:
    """The translated regular expression of a quoted string; raises UnsupportedConstruct."""
    if not isinstance(written, str):
        raise scope.source.unsupported(at, "a regular expression that is not a quoted string")
    try:
        return translate(written)
    except PcreError as error:
        raise scope.source.unsupported(at, f"this regular expression: {error}") from None


def subject(value: Expr, regex: Regex, at: int) -> Expr:
    """PCRE's `$` also matches before a final newline, RE2's does not: such a text is refused."""
    if not regex.ends_at_newline:
        return value
    refused = refuse(at, "'$' against text that ends with a newline", TEXT_TYPE)
    return let(value, lambda item: Case(((call("ends_with", item, Lit("\n")), refused),), item))


def constant(value: Value) -> Lowering:
    """A function without arguments."""
    return lambda _scope, _nodes, _at: value
