"""The syntax tree of an EQL search, as Elasticsearch's grammar groups it. Every node knows its place in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column in the search text, both from 1."""

    line: int
    column: int


NOWHERE = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; `None` is `null`."""

    value: str | int | float | bool | None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class FieldName:
    """A field; with `optional` (`?field`) it is null where the index does not know it."""

    name: str
    optional: bool = False
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call; `insensitive` is the `~` after the name."""

    name: str
    insensitive: bool
    arguments: tuple[Node, ...]
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: OneOf["+", "-", "*", "/", "%"]
    left: Node
    right: Node
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """Unary minus."""

    operand: Node
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: OneOf["==", "!=", "<", "<=", ">", ">="]
    left: Node
    right: Node
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Membership:
    """`value in (…)`, or `in~` with `insensitive`. `not in` is a Not around it."""

    value: Node
    items: tuple[Node, ...]
    insensitive: bool
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """`:`, `like`, `like~`, `regex` or `regex~` against one constant or several, any of which may match."""

    operator: OneOf[":", "like", "like~", "regex", "regex~"]
    value: Node
    patterns: tuple[Constant, ...]
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Logical:
    """A chain of one operator; `a and b and c` is one node with three operands."""

    operator: OneOf["and", "or"]
    operands: tuple[Node, ...]
    at: Place = field(default=NOWHERE, compare=False)


Node = Constant | FieldName | FunctionCall | Arithmetic | Negative | Comparison | Membership | PatternMatch | Not | Logical


@dataclass(frozen=True, slots=True)
class EventFilter:
    """`category where condition`; `category` is None for `any`."""

    category: str | None
    condition: Node
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """One `[…]` of a sequence or sample with its own join keys; `missing` is `![…]`, `runs` the number of repetitions."""

    filter: EventFilter
    keys: tuple[FieldName, ...] = ()
    missing: bool = False
    runs: int = 1
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class EventQuery:
    filter: EventFilter


@dataclass(frozen=True, slots=True)
class SequenceQuery:
    """`maxspan_ms` is None where the sequence has no time limit. `terms` carry the shared keys first, runs already repeated."""

    terms: tuple[Term, ...]
    until: Term | None
    maxspan_ms: int | None


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Unordered events that share join keys."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    name: OneOf["head", "tail"]
    count: int
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Search:
    query: EventQuery | SequenceQuery | SampleQuery
    pipes: tuple[Pipe, ...] = ()
