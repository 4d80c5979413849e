"""eval and where expressions → algebra (Search Reference, "eval" and "where"; Search Manual, "Types of expressions").

Comparisons are case-sensitive; a comparison with a field that does not exist is null and a null condition does not hold. An
expression that cannot be evaluated for an event gives null ("eval erases the resulting field").
"""

from __future__ import annotations

from collections.abc import Mapping

from an1498.replay.algebra import Case, Expr, Lit, call
from an1498.replay.spl import eval_functions, eval_syntax
from an1498.replay.spl.comparisons import compare, concatenate
from an1498.replay.spl.eval_common import Body
from an1498.replay.spl.eval_conditions import like
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.values import (
    Kind,
    Value,
    as_number,
    as_text,
    boolean,
    let,
    logic,
    looks_numeric,
    number,
    parse_number,
    refuse,
    text,
)

_ARITHMETIC: Mapping[str, str] = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


class Expressions:
    """Lowers expressions over one frame. `bound` holds the variables of functions such as mvfilter."""

    def __init__(self, frame: Frame, bound: Mapping[str, Value] | None = None) -> None:
        self.frame = frame
        self.source = frame.context.source
        self.bound = bound or {}

    def binding(self, name: str, value: Value) -> Expressions:
        return Expressions(self.frame, {**self.bound, name: value})

    def condition(self, node: eval_syntax.Expression) -> Expr:
        """A Boolean; null counts as false wherever a condition is asked for."""
        value = self.value(node)
        if value.is_null:
            return Lit(None, "BOOLEAN")
        if value.kind is not Kind.BOOLEAN:
            raise self.source.unsupported(node.at, "a condition that is not a comparison or a Boolean function")
        return value.expr

    def stored(self, node: eval_syntax.Expression) -> Value:
        """A value that a field can take: eval cannot assign a Boolean."""
        value = self.value(node)
        if value.kind is Kind.BOOLEAN:
            raise self.source.syntax_error(node.at, "a field cannot be given a Boolean", "wrap it: if(condition, value, value)")
        return value

    def value(self, node: eval_syntax.Expression) -> Value:
        match node:
            case eval_syntax.Number(constant):
                return number(constant)
            case eval_syntax.Text(constant):
                return text(constant)
            case eval_syntax.Field(name, at):
                return self.bound[name] if name in self.bound else self.frame.value(name, at)
            case eval_syntax.Unary("not", operand, at):
                return boolean(self._defined(self.condition(operand), at, "NOT", lambda inner: call("not", inner)))
            case eval_syntax.Unary(_, operand, at):
                return Value(Kind.NUMBER, call("neg", as_number(self._not_boolean(operand), at)))
            case eval_syntax.Binary(operator, left, right, at):
                return self._binary(operator, left, right, at)
            case eval_syntax.Function():
                return eval_functions.lower(self, node)

    def _defined(self, condition: Expr, at: int, operator: str, body: Body) -> Expr:
        """NOT and XOR of null: Splunk's documentation does not say whether the result is null or true."""
        refused = refuse(at, f"{operator} of a comparison with a field that does not exist (test it with isnull)", "BOOLEAN")
        return let(condition, lambda value: Case(((call("is_null", value), refused),), body(value)))

    def _not_boolean(self, node: eval_syntax.Expression) -> Value:
        value = self.value(node)
        if value.kind is Kind.BOOLEAN:
            raise self.source.unsupported(node.at, "a Boolean as an operand")
        return value

    def _binary(self, operator: str, left: eval_syntax.Expression, right: eval_syntax.Expression, at: int) -> Value:
        match operator:
            case "and" | "or":
                return boolean(logic(operator, [self.condition(left), self.condition(right)]))
            case "xor":
                first, second = self.condition(left), self.condition(right)
                return boolean(self._defined(first, at, "XOR", lambda a: self._defined(second, at, "XOR", lambda b: call("ne", a, b))))
            case "like":
                return like(self, self._not_boolean(left), self._not_boolean(right), at)
            case "=" | "!=" | "<" | "<=" | ">" | ">=":
                return boolean(compare(operator, self._not_boolean(left), self._not_boolean(right), at))
            case ".":
                return concatenate((self._not_boolean(left), self._not_boolean(right)), at)
            case _:
                return self._arithmetic(operator, self._not_boolean(left), self._not_boolean(right), at)

    def _arithmetic(self, operator: str, left: Value, right: Value, at: int) -> Value:
        """Numbers are 64-bit floating point ("Numeric calculations"). Text that is no number makes the result null, but `+`
        also concatenates two strings, so there text must be a number or the search is refused."""
        if operator == "+" and not (left.kind.numeric and right.kind.numeric):
            if any(isinstance(side.literal, str) and not looks_numeric(side.literal) for side in (left, right)):
                return self._joined(left, right, at)
            left, right = (_added(side, at) for side in (left, right))
        for side in (left, right):
            if isinstance(side.literal, str) and looks_numeric(side.literal):
                raise self.source.unsupported(at, "arithmetic with a quoted number", "remove the quotation marks")
        first, second = as_number(left, at), as_number(right, at)
        if operator == "%":
            return Value(Kind.NUMBER, let(first, lambda a: let(second, lambda b: _remainder(a, b, at))))
        return Value(Kind.NUMBER, call(_ARITHMETIC[operator], first, second))

    def _joined(self, left: Value, right: Value, at: int) -> Value:
        """`+` of two strings. A number or text that looks like one beside a string is refused: that is not documented."""
        if left.kind is not Kind.TEXT or right.kind is not Kind.TEXT:
            raise self.source.unsupported(at, "'+' with a string and a number", "concatenate with '.'")
        if isinstance(left.literal, str) and isinstance(right.literal, str):
            return text(left.literal + right.literal)
        return Value(Kind.TEXT, call("concat", *(_word(side, at) for side in (left, right))))


def _word(value: Value, at: int) -> Expr:
    def checked(item: Expr) -> Expr:
        refused = refuse(at, "'+' with a string and text that looks like a number (concatenate with '.')", "VARCHAR")
        return Case(((call("is_not_null", parse_number(item)), refused),), item)

    return let(value.expr, checked)


def _added(value: Value, at: int) -> Value:
    if value.kind.numeric or value.is_null:
        return value

    def checked(item: Expr) -> Expr:
        parsed = parse_number(item)
        failed = call("and", call("is_not_null", item), call("is_null", parsed))
        return Case(((failed, refuse(at, "'+' with text that is no number (concatenate with '.')", "DOUBLE")),), parsed)

    return Value(Kind.NUMBER, let(as_text(value, at), checked))


def _remainder(left: Expr, right: Expr, at: int) -> Expr:
    whole = call("and", call("eq", left, call("trunc", left)), call("eq", right, call("trunc", right)))
    natural = call("and", call("ge", left, Lit(0)), call("gt", right, Lit(0)), whole)
    missing = call("or", call("is_null", left), call("is_null", right), call("eq", right, Lit(0)))
    return Case(
        ((missing, Lit(None, "DOUBLE")), (natural, call("mod", left, right))),
        refuse(at, "'%' of negative or fractional numbers", "DOUBLE"),
    )
