"""The syntax tree of ES|QL: frozen nodes that know where in the search they stand (`start`, `end`: offsets of characters)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    at: Span


# --- expressions -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: null, a boolean, a number or a string."""

    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    items: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Interval(Node):
    """`5 minutes`: a time span literal, its unit in lower case."""

    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Column(Node):
    name: str


@dataclass(frozen=True, slots=True)
class Function(Node):
    """A call; `name` is in lower case, `star` is `COUNT(*)`."""

    name: str
    arguments: tuple[Expression, ...]
    star: bool = False


@dataclass(frozen=True, slots=True)
class Negative(Node):
    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`and` or `or` of two or more operands."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    operand: Expression


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    operand: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class In(Node):
    operand: Expression
    items: tuple[Expression, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Like(Node):
    """LIKE (wildcards) or, with `regex`, RLIKE (Lucene's regular expressions)."""

    operand: Expression
    patterns: tuple[str, ...]
    regex: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Cast(Node):
    operand: Expression
    type_name: str


Expression = (
    Literal | ListLiteral | Interval | Column | Function | Negative | Arithmetic | Comparison | Logic | Not | IsNull | In | Like | Cast
)


@dataclass(frozen=True, slots=True)
class Field(Node):
    """`name = expression WHERE condition`; without a name the column is called by the expression's text."""

    name: str
    expression: Expression
    where: Expression | None = None


# --- commands ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamePattern(Node):
    """A column name in which an unquoted `*` stands for any text. `parts`: literal texts between the wildcards."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return "*".join(self.parts)

    @property
    def exact(self) -> bool:
        return len(self.parts) == 1


@dataclass(frozen=True, slots=True)
class From(Node):
    patterns: tuple[str, ...]
    metadata: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Row(Node):
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Where(Node):
    condition: Expression


@dataclass(frozen=True, slots=True)
class Eval(Node):
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Stats(Node):
    """`inline` keeps the rows (INLINE STATS)."""

    aggregates: tuple[Field, ...]
    by: tuple[Field, ...]
    inline: bool = False


@dataclass(frozen=True, slots=True)
class MvExpand(Node):
    column: Column


@dataclass(frozen=True, slots=True)
class Dissect(Node):
    expression: Expression
    pattern: str


@dataclass(frozen=True, slots=True)
class Keep(Node):
    patterns: tuple[NamePattern, ...]


@dataclass(frozen=True, slots=True)
class Drop(Node):
    patterns: tuple[NamePattern, ...]


@dataclass(frozen=True, slots=True)
class Rename(Node):
    """Pairs of old and new name, applied one after the other."""

    pairs: tuple[tuple[NamePattern, NamePattern], ...]


@dataclass(frozen=True, slots=True)
class SortBy(Node):
    """One sort key. Nulls come last ascending and first descending, unless NULLS says otherwise."""

    expression: Expression
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Sort(Node):
    keys: tuple[SortBy, ...]


@dataclass(frozen=True, slots=True)
class Limit(Node):
    count: int


@dataclass(frozen=True, slots=True)
class LookupJoin(Node):
    index: str
    on: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Enrich(Node):
    """`enrichments`: pairs of new column and the policy's field; empty for all of them."""

    policy: str
    on: Column | None
    enrichments: tuple[tuple[Column, Column], ...]


Command = Where | Eval | Stats | MvExpand | Dissect | Keep | Drop | Rename | Sort | Limit | LookupJoin | Enrich


@dataclass(frozen=True, slots=True)
class Query:
    source: From | Row
    commands: tuple[Command, ...]
