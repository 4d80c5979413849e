"""The shape of a lint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from an1498.content.findings import Severity
from an1498.content.node import Node
from an1498.content.references import Rule
from an1498.content.subject import Subject
from an1498.errors import Location


@dataclass(frozen=True, slots=True)
class Problem:
    """One place that a lint objects to. `severity` differs from the lint's own only where another tool rates each case."""

    location: Location
    text: str
    remedy: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Lint:
    """`page` is the documentation: what it finds, why it matters, a bad and a good example, in Markdown."""

    code: str
    name: str
    severity: Severity
    page: str
    find: Callable[[Subject], Iterator[Problem]]

    @property
    def title(self) -> str:
        return self.page.strip().splitlines()[0]


def missing(rule: Rule, node: Node, remedy: str) -> Problem:
    """The problem that a rule has no (or an empty) value at a node."""
    return Problem(node.location, f"rule '{rule.name}' has no '{node.path[-1]}'", remedy)
