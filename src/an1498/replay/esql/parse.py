"""ES|QL text to its syntax tree; every error says line and column of the search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

from an1498.errors import Location, SearchSyntaxError, UnsupportedConstruct
from an1498.replay.esql import tree
from an1498.replay.esql.tree import Span

LANGUAGE = "esql"
# Reserved in expressions (Elastic's lexer): as a column they need backquotes.
_RESERVED = frozenset(
    {"and", "asc", "by", "desc", "false", "first", "in", "is", "last", "like", "not", "null", "nulls", "or", "rlike", "true"}
)
_OTHER_COMMANDS = frozenset(
    {
        *("change_point", "completion", "explain", "fork", "fuse", "grok", "insist", "promql", "registered_domain"),
        *("rerank", "sample", "set", "show", "ts", "uri_parts", "user_agent"),
    }
)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "\\": "\\"}


class Source:
    """The text of a search and its name, to say where something is."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def location(self, offset: int) -> Location:
        before = self.text[:offset]
        return Location(self.name, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)

    def words(self, at: Span) -> str:
        return self.text[at.start : at.end]

    def wrong(self, at: Span, problem: str, remedy: str = "") -> SearchSyntaxError:
        """The error to raise where Elasticsearch refuses the search too."""
        return SearchSyntaxError(LANGUAGE, self.location(at.start), problem, remedy)

    def unsupported(self, at: Span, problem: str, remedy: str = "") -> UnsupportedConstruct:
        """The error to raise where Elasticsearch runs the search and replay does not model it."""
        return UnsupportedConstruct(LANGUAGE, self.location(at.start), problem, remedy)


@cache
def _parser() -> Lark:
    grammar = files("an1498.replay.esql").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=True)


def parse(source: Source) -> tree.Query:
    """Raises SearchSyntaxError, and UnsupportedConstruct for commands that replay does not execute."""
    try:
        parsed = _parser().parse(source.text)
        query: tree.Query = _Builder(source).transform(parsed)
    except UnexpectedInput as error:
        raise _explain(source, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, SearchSyntaxError):
            raise error.orig_exc from None
        raise
    return query


def _explain(source: Source, error: UnexpectedInput) -> SearchSyntaxError:
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        end = len(source.text.rstrip())
        return source.wrong(Span(end, end), "the search ends too early")
    offset = error.pos_in_stream or 0
    if isinstance(error, UnexpectedToken) and isinstance(error.token, Token):
        offset = error.token.start_pos or 0
    at = Span(offset, offset + 1)
    found = re.match(r"\w+|\S", source.text[offset:])
    word = found.group() if found else source.text[offset : offset + 1]
    after_pipe = source.text[:offset].rstrip().endswith("|") or not source.text[:offset].strip()
    if after_pipe and word.lower() in _OTHER_COMMANDS:
        return source.unsupported(at, f"the command {word.upper()}")
    if word == ":" and isinstance(error, UnexpectedCharacters | UnexpectedToken):
        return source.unsupported(at, "the match operator ':'", "compare with == or LIKE")
    if word == "?" and not after_pipe:
        return source.unsupported(at, "a query parameter '?'", "write the value itself")
    return source.wrong(at, f"unexpected '{word}'")


def _span(meta: Any) -> Span:
    return Span(meta.start_pos, meta.end_pos)


def _unquoted(token: Token) -> str:
    text = str(token)
    if token.type == "TRIPLE":
        return text[3:-3]
    return re.sub(r"\\(.)", lambda match: _ESCAPES[match.group(1)], text[1:-1])


@v_args(meta=True)
class _Builder(Transformer[Token, Any]):
    """One method per rule of the grammar."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def start(self, _: Any, items: list[Any]) -> tree.Query:
        return tree.Query(items[0], tuple(items[1:]))

    # --- commands ---

    def from_(self, meta: Any, items: list[Any]) -> tree.From:
        *patterns, metadata = items
        return tree.From(_span(meta), tuple(patterns), metadata or ())

    def pattern(self, _: Any, items: list[Token]) -> str:
        return str(items[0]) if items[0].type == "SOURCE" else _unquoted(items[0])

    join_index = policy = pattern

    def metadata(self, _: Any, items: list[tree.Column]) -> tuple[tree.Column, ...]:
        return tuple(items)

    def row(self, meta: Any, items: list[Any]) -> tree.Row:
        return tree.Row(_span(meta), items[0])

    def where(self, meta: Any, items: list[Any]) -> tree.Where:
        return tree.Where(_span(meta), items[0])

    def eval(self, meta: Any, items: list[Any]) -> tree.Eval:
        return tree.Eval(_span(meta), items[0])

    def stats(self, meta: Any, items: list[Any]) -> tree.Stats:
        aggregates, by = items
        if aggregates is None and by is None:
            raise self.source.wrong(_span(meta), "STATS needs an aggregate or BY")
        return tree.Stats(_span(meta), aggregates or (), by or ())

    def inline_stats(self, meta: Any, items: list[Any]) -> tree.Stats:
        return tree.Stats(_span(meta), items[0], items[1] or (), inline=True)

    def mv_expand(self, meta: Any, items: list[Any]) -> tree.MvExpand:
        return tree.MvExpand(_span(meta), items[0])

    def pattern_text(self, _: Any, items: list[Token]) -> str:
        return _unquoted(items[0])

    def dissect(self, meta: Any, items: list[Any]) -> tree.Dissect:
        return tree.Dissect(_span(meta), items[0], items[1])

    def keep(self, meta: Any, items: list[Any]) -> tree.Keep:
        return tree.Keep(_span(meta), tuple(items))

    def drop(self, meta: Any, items: list[Any]) -> tree.Drop:
        return tree.Drop(_span(meta), tuple(items))

    def rename(self, meta: Any, items: list[Any]) -> tree.Rename:
        return tree.Rename(_span(meta), tuple(items))

    def rename_as(self, _: Any, items: list[Any]) -> tuple[tree.NamePattern, tree.NamePattern]:
        return items[0], items[1]

    def rename_assign(self, _: Any, items: list[Any]) -> tuple[tree.NamePattern, tree.NamePattern]:
        return items[1], items[0]

    def sort(self, meta: Any, items: list[Any]) -> tree.Sort:
        return tree.Sort(_span(meta), tuple(items))

    def sort_key(self, meta: Any, items: list[Any]) -> tree.SortBy:
        expression, direction, nulls = items
        descending = direction is not None and direction.lower() == "desc"
        return tree.SortBy(_span(meta), expression, descending, not descending if nulls is None else nulls.lower() == "last")

    def limit(self, meta: Any, items: list[Token]) -> tree.Limit:
        return tree.Limit(_span(meta), int(items[0]))

    def lookup_join(self, meta: Any, items: list[Any]) -> tree.LookupJoin:
        return tree.LookupJoin(_span(meta), items[0], tuple(items[1:]))

    def enrich(self, meta: Any, items: list[Any]) -> tree.Enrich:
        policy, on, enrichments = items
        return tree.Enrich(_span(meta), policy, on, enrichments or ())

    def enrichments(self, _: Any, items: list[Any]) -> tuple[Any, ...]:
        return tuple(items)

    def enrichment(self, _: Any, items: list[Any]) -> tuple[tree.Column, tree.Column]:
        return items[0], items[1] or items[0]

    # --- fields ---

    def fields(self, _: Any, items: list[tree.Field]) -> tuple[tree.Field, ...]:
        return tuple(items)

    aggregates = fields

    def field(self, meta: Any, items: list[Any]) -> tree.Field:
        at = _span(meta)
        return tree.Field(at, self.source.words(at), items[0])

    def assigned(self, meta: Any, items: list[Any]) -> tree.Field:
        return tree.Field(_span(meta), items[0].name, items[1])

    def aggregate(self, meta: Any, items: list[Any]) -> tree.Field:
        field, where = items
        unnamed = field.name == self.source.words(field.at)
        at = _span(meta)
        return tree.Field(at, self.source.words(at) if unnamed else field.name, field.expression, where)

    # --- expressions ---

    def disjunction(self, meta: Any, items: list[Any]) -> tree.Expression:
        return items[0] if len(items) == 1 else tree.Logic(_span(meta), "or", tuple(items))

    def conjunction(self, meta: Any, items: list[Any]) -> tree.Expression:
        return items[0] if len(items) == 1 else tree.Logic(_span(meta), "and", tuple(items))

    def not_(self, meta: Any, items: list[Any]) -> tree.Not:
        return tree.Not(_span(meta), items[0])

    def comparison(self, meta: Any, items: list[Any]) -> tree.Comparison:
        return tree.Comparison(_span(meta), str(items[1]), items[0], items[2])

    def in_(self, meta: Any, items: list[Any]) -> tree.In:
        return tree.In(_span(meta), items[0], tuple(items[2:]), items[1] is not None)

    def is_null(self, meta: Any, items: list[Any]) -> tree.IsNull:
        return tree.IsNull(_span(meta), items[0], items[1] is not None)

    def like(self, meta: Any, items: list[Any]) -> tree.Like:
        return tree.Like(_span(meta), items[0], items[2], False, items[1] is not None)

    def rlike(self, meta: Any, items: list[Any]) -> tree.Like:
        return tree.Like(_span(meta), items[0], items[2], True, items[1] is not None)

    def string_list(self, _: Any, items: list[tree.Literal]) -> tuple[Any, ...]:
        return tuple(item.value for item in items)

    def binary(self, meta: Any, items: list[Any]) -> tree.Arithmetic:
        return tree.Arithmetic(_span(meta), str(items[1]), items[0], items[2])

    def signed(self, meta: Any, items: list[Any]) -> tree.Expression:
        sign, operand = items
        if sign == "+":
            return operand  # type: ignore[no-any-return]
        if isinstance(operand, tree.Literal) and isinstance(operand.value, int | float) and not isinstance(operand.value, bool):
            return tree.Literal(_span(meta), -operand.value)
        return tree.Negative(_span(meta), operand)

    def column(self, _: Any, items: list[tree.Column]) -> tree.Column:
        return items[0]

    def parenthesised(self, _: Any, items: list[Any]) -> Any:
        return items[0]

    def function(self, meta: Any, items: list[Any]) -> tree.Function:
        name, arguments = items
        star = arguments == "*"
        return tree.Function(_span(meta), str(name).lower(), () if star else tuple(arguments or ()), star)

    def arguments(self, _: Any, items: list[Any]) -> Any:
        return "*" if isinstance(items[0], Token) else items

    def cast(self, meta: Any, items: list[Any]) -> tree.Cast:
        return tree.Cast(_span(meta), items[0], str(items[1]).lower())

    def null(self, meta: Any, _: list[Any]) -> tree.Literal:
        return tree.Literal(_span(meta), None)

    def true(self, meta: Any, _: list[Any]) -> tree.Literal:
        return tree.Literal(_span(meta), True)

    def false(self, meta: Any, _: list[Any]) -> tree.Literal:
        return tree.Literal(_span(meta), False)

    def interval(self, meta: Any, items: list[Token]) -> tree.Interval:
        return tree.Interval(_span(meta), int(items[0]), str(items[1]).lower())

    def integer(self, meta: Any, items: list[Token]) -> tree.Literal:
        return tree.Literal(_span(meta), int(items[0]))

    def decimal(self, meta: Any, items: list[Token]) -> tree.Literal:
        return tree.Literal(_span(meta), float(items[0]))

    def signed_number(self, meta: Any, items: list[Any]) -> tree.Literal:
        sign, number = items
        return tree.Literal(_span(meta), -number.value if sign == "-" else number.value)

    def list_literal(self, meta: Any, items: list[Any]) -> tree.ListLiteral:
        return tree.ListLiteral(_span(meta), tuple(items))

    def string(self, meta: Any, items: list[Token]) -> tree.Literal:
        return tree.Literal(_span(meta), _unquoted(items[0]))

    # --- names ---

    def name(self, meta: Any, items: list[Token]) -> tree.Column:
        for part in items:
            if part.type != "QUOTED" and part.lower() in _RESERVED:
                raise self.source.wrong(_span(meta), f"'{part}' is a keyword", "quote the column with backquotes")
        return tree.Column(_span(meta), ".".join(_plain_name(part) for part in items))

    def name_pattern(self, meta: Any, items: Sequence[Token]) -> tree.NamePattern:
        parts = [""]
        for number, token in enumerate(items):
            if number:
                parts[-1] += "."
            first, *rest = [_plain_name(token)] if token.type == "QUOTED" else str(token).split("*")
            parts[-1] += first
            parts += rest
        return tree.NamePattern(_span(meta), tuple(parts))


def _plain_name(token: Token) -> str:
    return str(token)[1:-1].replace("``", "`") if token.type == "QUOTED" else str(token)


def columns_of(expression: tree.Expression) -> set[str]:
    """Names of all columns that an expression reads."""
    match expression:
        case tree.Column(_, name):
            return {name}
        case tree.Function(_, _, arguments):
            return _union(arguments)
        case tree.Logic(_, _, operands):
            return _union(operands)
        case tree.In(_, operand, items):
            return columns_of(operand) | _union(items)
        case tree.Arithmetic(_, _, left, right) | tree.Comparison(_, _, left, right):
            return columns_of(left) | columns_of(right)
        case tree.Negative(_, operand) | tree.Not(_, operand) | tree.Cast(_, operand):
            return columns_of(operand)
        case tree.IsNull(_, operand) | tree.Like(_, operand):
            return columns_of(operand)
        case _:
            return set()


def _union(expressions: Sequence[tree.Expression]) -> set[str]:
    return set().union(*map(columns_of, expressions))
