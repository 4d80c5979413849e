"""Conditions of correlations as text: numeric bounds, and which rules are present in the window.

Source: Sigma correlation rules specification 2.1, "Temporal" (all rules, or a number of them) and extended conditions (`a and not b`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from an1498.compiler.refusal import Refusal
from an1498.model import Condition

if TYPE_CHECKING:
    from an1498.compiler.correlation import Plan

_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")


def bounds(plan: Plan, column: str, operators: Mapping[str, str]) -> str:
    """All bounds on a number. Raises Refusal where there is none."""
    return limits(plan.correlation.condition, column, operators)


def limits(condition: Condition, column: str, operators: Mapping[str, str]) -> str:
    """The same for any condition."""
    if not condition.bounds:
        raise Refusal("a count without a condition", "add a condition, for instance gte: 5")
    return " AND ".join(f"{column}{operators[operator]}{number_text(number)}" for operator, number in condition.bounds)


def number_text(number: float) -> str:
    """All digits, without an exponent."""
    return str(int(number)) if number == int(number) else f"{Decimal(repr(number)):f}"


def presence(plan: Plan, present: str, count: str, operators: Mapping[str, str]) -> str:
    """The condition as text: `present` renders "rule n is there" (its number replaces {}), `count` is the column with the number of
    rules present. Raises Refusal."""
    condition = plan.correlation.condition
    if condition.expression:
        return _expression(plan, condition.expression, present)
    if condition.bounds:
        return bounds(plan, count, operators)
    return f"{count}{operators['eq']}{len(set(plan.correlation.rules))}"


def _expression(plan: Plan, expression: str, present: str) -> str:
    """`not`, `and`, `or`, parentheses and rule names; other words are refused, so nothing else can reach the search."""
    names = {stage.name: present.format(stage.number) for stage in plan.stages}
    rendered = []
    depth = 0
    operand_next = True
    for token in _TOKEN.findall(expression):
        word = token.lower()
        if token in names and operand_next:
            rendered.append(names[token])
            operand_next = False
        elif word in ("and", "or") and not operand_next:
            rendered.append(word.upper())
            operand_next = True
        elif (word == "not" or token == "(") and operand_next:
            rendered.append(token.upper())
            depth += token == "("
        elif token == ")" and not operand_next and depth:
            rendered.append(token)
            depth -= 1
        else:
            raise Refusal(f"'{token[:40]}' in the condition '{expression[:80]}'", "combine rule names with and, or, not and parentheses")
    if operand_next or depth:
        raise Refusal(f"the incomplete condition '{expression[:80]}'", "combine rule names with and, or, not and parentheses")
    return " ".join(rendered).replace("( ", "(").replace(" )", ")")
