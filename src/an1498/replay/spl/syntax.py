"""The syntax tree of search terms and commands; that of expressions is eval_syntax.py.
`at` is an offset into the expanded text, for error messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from an1498.replay.spl.eval_syntax import Expression

# --- search terms ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pattern:
    """A value with wildcards: `parts` are literal texts, with a `*` between each two. No wildcard: one part."""

    parts: tuple[str, ...]
    at: int

    @property
    def literal(self) -> str | None:
        return self.parts[0] if len(self.parts) == 1 else None


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word or quoted phrase, matched against `_raw`; `directive` is TERM or CASE where the search names one."""

    pattern: Pattern
    at: int
    directive: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field <operator> value`."""

    field: str
    operator: str
    value: Pattern
    at: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`field IN (a, b)`."""

    field: str
    values: tuple[Pattern, ...]
    at: int


@dataclass(frozen=True, slots=True)
class AllOf:
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    term: Term


@dataclass(frozen=True, slots=True)
class Subsearch:
    """`[search …]` among search terms: the results' fields and values as terms."""

    pipeline: tuple[Command, ...]
    at: int


Term = Word | Comparison | Membership | AllOf | AnyOf | Negation | Subsearch

# --- commands ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Search:
    term: Term
    at: int


@dataclass(frozen=True, slots=True)
class Multisearch:
    pipelines: tuple[tuple[Command, ...], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Eval:
    assignments: tuple[tuple[str, Expression], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Fieldformat:
    """How to show a field; its value stays."""

    field: str
    expression: Expression
    at: int


@dataclass(frozen=True, slots=True)
class Where:
    condition: Expression
    at: int


@dataclass(frozen=True, slots=True)
class AggregateTerm:
    """`function(argument) AS name`; `argument` is a field name, an expression (from `eval(…)`) or absent. `written` is the function
    as the search writes it. Of chart and timechart it may be `eval`: then `argument` is an expression of aggregations."""

    function: str
    argument: str | Expression | None
    name: str
    at: int
    written: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """`stats`, `eventstats` or `streamstats` (`command`)."""

    command: str
    terms: tuple[AggregateTerm, ...]
    by: tuple[str, ...]
    options: dict[str, str | Expression]
    at: int


@dataclass(frozen=True, slots=True)
class SortField:
    field: str
    descending: bool
    kind: str
    at: int


@dataclass(frozen=True, slots=True)
class SortCommand:
    """`limit` 0 keeps every result; `reverse` is the trailing `desc`."""

    fields: tuple[SortField, ...]
    limit: int
    reverse: bool
    at: int


@dataclass(frozen=True, slots=True)
class Rename:
    pairs: tuple[tuple[str, str], ...]
    at: int


@dataclass(frozen=True, slots=True)
class LookupCommand:
    """`keys` and `outputs` are (lookup column, event field) pairs; `mode` is "OUTPUT", "OUTPUTNEW" or "" without the clause."""

    table: str
    keys: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    mode: str
    options: dict[str, str]
    at: int


@dataclass(frozen=True, slots=True)
class Regex:
    """`field` is `_raw` where none is given."""

    field: str
    negated: bool
    pattern: str
    at: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A command that takes options and a list of fields or words: head, tail, reverse, dedup, table, fields, bin, rex, …"""

    command: str
    words: tuple[str, ...]
    options: dict[str, str]
    at: int
    sign: str = ""
    renamed: str = ""
    quoted: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Branching:
    """A command with one search in brackets: append, appendcols, appendpipe, join."""

    command: str
    pipeline: tuple[Command, ...]
    words: tuple[str, ...]
    options: dict[str, str]
    at: int


@dataclass(frozen=True, slots=True)
class Union:
    """Searches whose results follow each other, the incoming results first; `leading` where there are none."""

    pipelines: tuple[tuple[Command, ...], ...]
    leading: bool
    at: int


@dataclass(frozen=True, slots=True)
class Foreach:
    """`template` is run for each field that the words match; `<<FIELD>>` in it stands for the field's name."""

    words: tuple[str, ...]
    template: str
    at: int


@dataclass(frozen=True, slots=True)
class Head:
    """`head (condition)`: results up to the first for which the condition does not hold."""

    condition: Expression
    at: int


@dataclass(frozen=True, slots=True)
class Replace:
    """(old value, new value) pairs, in `fields` or, without any, in all of them."""

    pairs: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Chart:
    """`chart` or `timechart`: rows by one field, columns by the values of another."""

    command: str
    terms: tuple[AggregateTerm, ...]
    row: str
    column: str
    options: dict[str, str | Expression]
    at: int


@dataclass(frozen=True, slots=True)
class Convert:
    """(function, field, name of the result) of each conversion."""

    conversions: tuple[tuple[str, str, str], ...]
    timeformat: str
    at: int


@dataclass(frozen=True, slots=True)
class Top:
    """`top` or `rare`: the most or least frequent combinations of `fields` in each group of `by`."""

    command: str
    fields: tuple[str, ...]
    by: tuple[str, ...]
    options: dict[str, str]
    at: int


Command = (
    Search
    | Multisearch
    | Branching
    | Chart
    | Convert
    | Foreach
    | Head
    | Replace
    | Top
    | Union
    | Eval
    | Fieldformat
    | Where
    | Statistics
    | SortCommand
    | Rename
    | LookupCommand
    | Regex
    | Plain
)
