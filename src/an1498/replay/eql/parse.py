"""EQL text → syntax tree, with Elasticsearch's own restrictions (Elastic docs, "EQL syntax reference", "EQL pipe reference")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from an1498.errors import Location, SearchSyntaxError, UnsupportedConstruct
from an1498.replay.eql.ast import (
    Arithmetic,
    Comparison,
    Constant,
    EventFilter,
    EventQuery,
    FieldName,
    FunctionCall,
    Logical,
    Membership,
    Negative,
    Node,
    Not,
    PatternMatch,
    Pipe,
    Place,
    SampleQuery,
    Search,
    SequenceQuery,
    Term,
)

LANGUAGE = "eql"

_KEYWORDS = "and any by false in join like maxspan not null of or regex sample sequence true until where with"
RESERVED = frozenset(_KEYWORDS.split(" "))
"""Keywords of Elasticsearch's grammar: as a field name they need backticks."""

MAX_RUNS = 100
MAX_DEPTH = 100
_UNITS_MS: Mapping[str, int] = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ESCAPES: Mapping[str, str] = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{2,8})\}|(.))", re.DOTALL)
_INT64 = range(-(2**63), 2**63)

Branch = Tree[Token]


def parse(text: str, name: str = "search") -> Search:
    """Raises SearchSyntaxError, or UnsupportedConstruct for what Elasticsearch or replay refuses; both name line and column."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(error, text, name) from None
    return _Builder(name).search(tree)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = (files(__package__) / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def _syntax_error(error: UnexpectedInput, text: str, name: str) -> SearchSyntaxError:
    end = error.pos_in_stream is None or error.pos_in_stream < 0 or error.pos_in_stream >= len(text)
    token = getattr(error, "token", None)
    if end or (isinstance(token, Token) and token.type == "$END"):
        line = text.count("\n") + 1
        return SearchSyntaxError(LANGUAGE, Location(name, line, len(text) - text.rfind("\n")), "the search ends too early")
    found = str(token) if isinstance(token, Token) else text[error.pos_in_stream or 0]
    remedy = 'compare with "==" (exact) or ":" (any case)' if found == "=" else ""
    return SearchSyntaxError(LANGUAGE, Location(name, error.line, error.column), f"unexpected '{found}'", remedy)


class _Builder:
    """Turns lark's tree into the syntax tree; holds the search's name for error locations."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.depth = 0

    # --- errors --------------------------------------------------------------------------------------------------------------

    def error(self, at: Place, problem: str, remedy: str = "") -> SearchSyntaxError:
        return SearchSyntaxError(LANGUAGE, Location(self.name, at.line, at.column), problem, remedy)

    def unsupported(self, at: Place, problem: str, remedy: str = "") -> UnsupportedConstruct:
        return UnsupportedConstruct(LANGUAGE, Location(self.name, at.line, at.column), problem, remedy)

    # --- queries -------------------------------------------------------------------------------------------------------------

    def search(self, tree: Branch) -> Search:
        query, *pipes = tree.children
        assert isinstance(query, Tree)
        match query.data:
            case "event_filter":
                built: EventQuery | SequenceQuery | SampleQuery = EventQuery(self.event_filter(query))
            case "sequence":
                built = self.sequence(query)
            case "sample":
                built = self.sample(query)
            case _:
                raise self.unsupported(_place(query), "'join' is not supported by Elasticsearch", "use 'sequence' or 'sample'")
        return Search(built, tuple(self.pipe(cast(Branch, pipe)) for pipe in pipes))

    def event_filter(self, tree: Branch) -> EventFilter:
        head, condition = tree.children
        assert isinstance(head, Token)
        if head.type == "ANY":
            category = None
        elif head.type == "STRING":
            category = self.text(head)
        else:
            category = self.identifier(head)
        return EventFilter(category, self.node(condition), _place(head))

    def sequence(self, tree: Branch) -> SequenceQuery:
        keys = self.shared_keys(tree)
        maxspan = next((self.maxspan(branch) for branch in tree.find_data("maxspan")), None)
        written = [self.term(branch, keys) for branch in _branches(tree, "sequence_term")]
        until = next((self.term(cast(Branch, branch.children[0]), keys) for branch in _branches(tree, "until")), None)
        terms = tuple(term for term in written for _ in range(term.runs))
        at = _place(tree)
        if len(terms) < 2:
            raise self.error(at, "a sequence requires a minimum of 2 queries, found 1")
        if all(term.missing for term in terms):
            raise self.error(at, "a sequence requires at least one query that is not a missing event")
        if any(term.missing for term in terms) and maxspan is None:
            raise self.error(at, "maxspan is required for sequences with missing events", "write 'with maxspan=…'")
        if until is not None and (until.missing or until.runs != 1):
            raise self.error(until.at, "'until' takes one plain query")
        self.same_number_of_keys([*terms, *([until] if until else [])])
        return SequenceQuery(terms, until, maxspan)

    def sample(self, tree: Branch) -> SampleQuery:
        keys = self.shared_keys(tree)
        terms = tuple(self.term(branch, keys) for branch in _branches(tree, "sample_term"))
        for term in terms:
            if term.missing:
                raise self.error(term.at, "a sample has no missing events")
            if not term.keys:
                raise self.error(term.at, "a sample requires at least one join key", "write 'sample by …'")
        if len(terms) < 2:
            raise self.error(_place(tree), "a sample requires a minimum of 2 queries, found 1")
        self.same_number_of_keys(terms)
        return SampleQuery(terms)

    def same_number_of_keys(self, terms: list[Term] | tuple[Term, ...]) -> None:
        expected = len(terms[0].keys)
        for term in terms:
            if len(term.keys) != expected:
                raise self.error(term.at, f"inconsistent number of join keys; expected {expected} but found {len(term.keys)}")

    def shared_keys(self, tree: Branch) -> tuple[FieldName, ...]:
        return tuple(key for branch in _branches(tree, "by") for key in self.keys(branch))

    def keys(self, tree: Branch) -> list[FieldName]:
        keys = []
        for child in tree.children:
            node = self.node(child)
            if not isinstance(node, FieldName):
                raise self.error(_place(child), "a join key must be a field")
            keys.append(node)
        return keys

    def term(self, tree: Branch, shared: tuple[FieldName, ...]) -> Term:
        bracket, event = tree.children[:2]
        own = [key for branch in _branches(tree, "by") for key in self.keys(branch)]
        runs = next((self.runs(branch) for branch in _branches(tree, "runs")), 1)
        missing = isinstance(bracket, Token) and bracket.type == "MISSING"
        return Term(self.event_filter(cast(Branch, event)), (*shared, *own), missing, runs, _place(bracket))

    def runs(self, tree: Branch) -> int:
        name, count = tree.children
        if name != "runs":
            raise self.error(_place(name), f"unknown '{name}'", "after a sequence's query only 'with runs=n' is known")
        return self.positive(count, "runs", MAX_RUNS)

    def positive(self, token: Any, what: str, limit: int) -> int:
        if token.type != "INTEGER" or not 0 < int(token) <= limit:
            raise self.error(_place(token), f"{what} must be a whole number from 1 to {limit}, found [{token}]")
        return int(token)

    def maxspan(self, tree: Branch) -> int:
        number, unit = [*tree.children, None][:2]
        count = self.positive(number, "maxspan", 2**53)
        if unit is None or str(unit) not in _UNITS_MS:
            at = _place(number if unit is None else unit)
            raise self.error(at, f"maxspan [{number}{unit or ''}] needs a unit, one of ms, s, m, h, d")
        return count * _UNITS_MS[str(unit)]

    def pipe(self, tree: Branch) -> Pipe:
        name, *arguments = [child for child in tree.children if child is not None]
        at = _place(name)
        if name not in ("head", "tail"):
            raise self.unsupported(at, f"pipe [{name}] is not supported by Elasticsearch", "only 'head' and 'tail' are")
        count = arguments[0] if len(arguments) == 1 else None
        if not isinstance(count, Token) or count.type != "INTEGER":
            raise self.error(at, f"pipe [{name}] expects exactly one whole number")
        return Pipe(cast(Literal["head", "tail"], str(name)), int(count), at)

    # --- conditions ----------------------------------------------------------------------------------------------------------

    def node(self, child: Any) -> Node:
        if isinstance(child, Token):
            return self.number(child)
        build: Callable[[Branch], Node] = getattr(self, f"on_{child.data}")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.unsupported(_place(child), f"a condition nested deeper than {MAX_DEPTH} levels")
        node = build(child)
        self.depth -= 1
        return node

    def number(self, token: Token) -> Constant:
        """An integer that 64 bits cannot hold is read as a double, as Elasticsearch does."""
        if token.type == "INTEGER" and int(token) in _INT64:
            return Constant(int(token), _place(token))
        return Constant(float(token), _place(token))

    def on_disjunction(self, tree: Branch) -> Node:
        return self.chain(tree, "or")

    def on_conjunction(self, tree: Branch) -> Node:
        return self.chain(tree, "and")

    def chain(self, tree: Branch, operator: Literal["and", "or"]) -> Logical:
        """The grammar nests to the left; a rule with hundreds of values must not nest as deep here."""
        operands: list[Any] = []
        current: Any = tree
        while isinstance(current, Tree) and current.data == tree.data:
            operands.append(current.children[2])
            current = current.children[0]
        operands.append(current)
        return Logical(operator, tuple(self.node(child) for child in reversed(operands)), _place(tree))

    def on_negation(self, tree: Branch) -> Node:
        return Not(self.node(tree.children[1]), _place(tree))

    def on_relation(self, tree: Branch) -> Node:
        raise self.unsupported(_place(tree), "process relationships are not supported by Elasticsearch")

    def on_comparison(self, tree: Branch) -> Node:
        left, operator, right = tree.children
        return Comparison(cast(Any, str(operator)), self.node(left), self.node(right), _place(tree))

    def on_addition(self, tree: Branch) -> Node:
        left, operator, right = tree.children
        return Arithmetic(cast(Any, str(operator)), self.node(left), self.node(right), _place(tree))

    on_multiplication = on_addition

    def on_sign(self, tree: Branch) -> Node:
        operator, operand = tree.children
        node = self.node(operand)
        return Negative(node, _place(tree)) if operator == "-" else node

    def on_membership(self, tree: Branch) -> Node:
        value, negated, operator, *items = tree.children
        assert isinstance(operator, Token)
        members = tuple(self.node(item) for item in items)
        node = Membership(self.node(value), members, operator.type == "IN_INSENSITIVE", _place(tree))
        return node if negated is None else Not(node, _place(tree))

    def on_pattern_match(self, tree: Branch) -> Node:
        value, operator, *patterns = tree.children
        constants = tuple(cast(Constant, self.node(pattern)) for pattern in patterns)
        return PatternMatch(cast(Any, str(operator)), self.node(value), constants, _place(tree))

    def on_function(self, tree: Branch) -> Node:
        name, _, *arguments = tree.children
        assert isinstance(name, Token)
        insensitive = name.type == "TILDE_IDENTIFIER"
        called = str(name)[:-1] if insensitive else self.identifier(name)
        nodes = tuple(self.node(argument) for argument in arguments if argument is not None)
        return FunctionCall(called, insensitive, nodes, _place(tree))

    def on_field(self, tree: Branch) -> Node:
        parts, optional = [], False
        for token in tree.children:
            assert isinstance(token, Token)
            match token.type:
                case "OPTIONAL":
                    optional = True
                case "QUOTED_IDENTIFIER":
                    parts.append(str(token)[1:-1].replace("``", "`"))
                case "IDENTIFIER":
                    parts.append(self.identifier(token))
                case "INDEX":
                    raise self.unsupported(_place(token), "array indexes are not supported by Elasticsearch")
        return FieldName(".".join(parts), optional, _place(tree))

    def identifier(self, token: Token) -> str:
        if str(token) in RESERVED:
            raise self.error(_place(token), f"'{token}' is a keyword", f"write `{token}` in backticks to name a field")
        return str(token)

    def on_null(self, tree: Branch) -> Node:
        return Constant(None, _place(tree))

    def on_boolean(self, tree: Branch) -> Node:
        return Constant(tree.children[0] == "true", _place(tree))

    def on_string(self, tree: Branch) -> Node:
        return Constant(self.text(cast(Token, tree.children[0])), _place(tree))

    def text(self, token: Token) -> str:
        """Raw strings keep every character between the triple quotes; others have the escapes of "EQL syntax reference"."""
        written = str(token)
        if token.type == "OLD_STRING":
            remedy = 'write "…"' if written.startswith("'") else 'write raw strings as """…"""'
            raise self.unsupported(_place(token), "Elasticsearch no longer accepts this way of quoting", remedy)
        if token.type == "RAW_STRING":
            return written[3:-3]
        return _ESCAPE.sub(lambda match: self.escaped(match, token), written[1:-1])

    def escaped(self, match: re.Match[str], token: Token) -> str:
        if match[1] is None:
            return _ESCAPES[match[2]]
        code = int(match[1], 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise self.error(_place(token), f"[{match[0]}] is not a character")
        return chr(code)


def _branches(tree: Branch, rule: str) -> list[Branch]:
    return [child for child in tree.children if isinstance(child, Tree) and child.data == rule]


def _place(item: Any) -> Place:
    if isinstance(item, Token):
        return Place(item.line or 0, item.column or 0)
    return Place(item.meta.line, item.meta.column)
