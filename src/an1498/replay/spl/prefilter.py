"""A condition that every event passes which can matter to a search, cheap enough to ask of each line of an archive.

It is made of the search terms that the searches begin with, so it cannot drift from them; what is costly (networks) or may be
refused (orderings of texts) is taken as passed. An event that fails it matches none of the searches' first commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from an1498.replay.algebra import Call, Col, Expr, Lit, Scan, call, expression
from an1498.replay.sharing import columns_of, share
from an1498.replay.spl import Prepared, syntax, terms
from an1498.replay.spl.addresses import is_cidr
from an1498.replay.spl.frame import Context, Frame
from an1498.replay.spl.values import Kind

_FOLDING = frozenset({"lower"})


@dataclass(frozen=True, slots=True)
class Condition:
    """`sql` is true, false or null over `fields` (named as `algebra.identifier` writes them) and the columns `shared` (name → SQL over the
    fields), which are computed once a record because the condition asks several things of them."""

    sql: str
    fields: frozenset[str] = frozenset()
    shared: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Passing:
    """What lets an event pass. `hint` is the condition without its exceptions, each text in it once: cheaper, and true of every event that
    passes. Most events fail it."""

    condition: Condition
    hint: Condition

    @property
    def never(self) -> bool:
        """Whether no search can match any event."""
        return self.condition.sql == "FALSE"


_TRUE, _FALSE = Condition("TRUE"), Condition("FALSE")
ALWAYS, NEVER = Passing(_TRUE, _TRUE), Passing(_FALSE, _FALSE)


def passing(searches: Iterable[Prepared], columns: Mapping[str, Kind], constants: Mapping[str, str]) -> Passing:
    """The condition over `columns` (field → kind), for events that have these `constants`."""
    conditions: dict[Expr, None] = {}
    necessary: list[syntax.Term | bool] = []
    for prepared in searches:
        first = _first_terms(prepared.pipeline)
        if first is None:
            return ALWAYS
        frame = Frame(Context(prepared.source, prepared.lookups, Scan("events", ()), None, set()), Scan("events", ()), columns)
        for term in first:
            rest = _may_pass(term, constants, True)
            if rest is True:
                return ALWAYS
            if rest is not False:
                conditions[_condition(frame, rest)] = None
                necessary.append(_necessary(rest))
    if not conditions:
        return NEVER
    one_of = _one_of(necessary)
    hint = _TRUE if isinstance(one_of, bool) else _shared(_bare(_condition(frame, one_of)), columns)
    return Passing(_shared(call("or", *conditions), columns), hint)


def _shared(whole: Expr, columns: Mapping[str, Kind]) -> Condition:
    shared, folded = share(whole, columns, _FOLDING)
    fields = frozenset(name for name in columns_of(whole) if name in columns)  # not the parameters of lambdas
    return Condition(expression(folded), fields, tuple((name, expression(expr)) for name, expr in shared))


def _necessary(term: syntax.Term) -> syntax.Term | bool:
    """A term that holds whenever this one does, without negations but those that ask for a missing field; True where there is none."""
    match term:
        case syntax.AnyOf(inner):
            return _one_of([_necessary(item) for item in inner])
        case syntax.AllOf(inner):
            parts = [part for item in inner if not isinstance(part := _necessary(item), bool)]
            return parts[0] if len(parts) == 1 else syntax.AllOf(tuple(parts)) if parts else True
        case syntax.Negation(item):
            missing = isinstance(item, syntax.Comparison) and item.operator == "=" and not any(item.value.parts)
            return term if missing else True
        case _:
            return term


def _one_of(terms: Iterable[syntax.Term | bool]) -> syntax.Term | bool:
    """All alternatives in one list, so that each field's texts come together."""
    flat: list[syntax.Term] = []
    for term in terms:
        if isinstance(term, bool):
            return True
        flat += term.terms if isinstance(term, syntax.AnyOf) else [term]
    return syntax.AnyOf(tuple(flat))


def _bare(expr: Expr) -> Expr:
    """Without the calls that turn null into false: a filter takes null for false, and nothing here is below a negation but tests for
    null."""
    match expr:
        case Call("coalesce", (value, Lit(False))):
            return _bare(value)
        case Call(("and" | "or") as function, args):
            return Call(function, tuple(map(_bare, args)))
        case _:
            return expr


def _first_terms(pipeline: tuple[syntax.Command, ...]) -> list[syntax.Term] | None:
    """The terms one of which an event must match to get past the first command; None where the first command is no search."""
    match pipeline[0]:
        case syntax.Search(term):
            return [term]
        case syntax.Multisearch(pipelines):
            found: list[syntax.Term] = []
            for one in pipelines:
                first = _first_terms(one)
                if first is None:
                    return None
                found += first
            return found
        case _:
            return None


def _may_pass(term: syntax.Term, constants: Mapping[str, str], wanted: bool) -> syntax.Term | bool:
    """The term without its costly parts, each replaced by the answer (`wanted`) that lets more events pass."""
    match term:
        case syntax.AllOf(inner) | syntax.AnyOf(inner):
            neutral = isinstance(term, syntax.AllOf)
            kept: list[syntax.Term] = []
            for item in inner:
                part = _may_pass(item, constants, wanted)
                if part is (not neutral):
                    return part
                if not isinstance(part, bool):
                    kept.append(part)
            return type(term)(tuple(kept)) if kept else neutral
        case syntax.Negation(item):
            part = _may_pass(item, constants, not wanted)
            return (not part) if isinstance(part, bool) else syntax.Negation(part)
        case syntax.Word() | syntax.Subsearch():
            return wanted
        case syntax.Comparison(field, operator, value):
            if field in constants and operator in ("=", "!="):
                return _same(value, constants[field]) is (operator == "=")
            costly = operator not in ("=", "!=") or _network(value)
            return wanted if costly else term
        case syntax.Membership(field, values):
            if field in constants:
                return any(_same(value, constants[field]) for value in values)
            return wanted if any(map(_network, values)) else term


def _condition(frame: Frame, term: syntax.Term) -> Expr:
    """The condition as `terms.condition` says it, with all values that one field is compared with in one list: a line of an archive is
    asked whether it is one of them, not about each. True or false, never null."""
    match term:
        case syntax.Negation(inner):
            return call("not", _condition(frame, inner))
        case syntax.AllOf(inner_terms):
            return call("and", *dict.fromkeys(_condition(frame, item) for item in inner_terms))
        case syntax.AnyOf(inner_terms):
            items = inner_terms
        case _:
            items = (term,)
    listed: dict[str, dict[Expr, None]] = {}
    others: dict[Expr, None] = {}
    for item in items:
        field, values = _alternatives(item)
        if values and frame.columns.get(field) is Kind.TEXT:
            listed.setdefault(field, {}).update(dict.fromkeys(call("lower", Lit(value)) for value in values))
        elif isinstance(term, syntax.AnyOf):
            others[_condition(frame, item)] = None
        else:
            others[terms.condition(frame, item)] = None
    tests = [call("coalesce", call("in", call("lower", Col(field)), *values), Lit(False)) for field, values in listed.items()]
    return call("or", *tests, *others)


def _alternatives(term: syntax.Term) -> tuple[str, list[str]]:
    """The field and the texts one of which it must be; no texts where the term says anything else."""
    match term:
        case syntax.Comparison(field, "=", value):
            patterns: tuple[syntax.Pattern, ...] = (value,)
        case syntax.Membership(field, values):
            patterns = values
        case _:
            return "", []
    texts = [value.literal for value in patterns if value.literal is not None]
    return (field, texts) if len(texts) == len(patterns) else ("", [])


def _network(value: syntax.Pattern) -> bool:
    return value.literal is not None and is_cidr(value.literal)


def _same(value: syntax.Pattern, constant: str) -> bool:
    escaped = "*".join(part.lower().replace("[", "[[]").replace("?", "[?]") for part in value.parts)
    return fnmatchcase(constant.lower(), escaped)
