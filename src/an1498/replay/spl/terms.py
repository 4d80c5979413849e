"""Terms of the search command → conditions (Search Reference, "search"; Search Manual, "Boolean expressions").

Values match case-insensitively, `*` is any text. `=` and `!=` compare text ("1" does not match "1.0"); `<`, `>` compare two
numbers as numbers and other values lexicographically. Of a multivalue any value may match. `!=` needs the field to exist, NOT
does not ("Difference between != and NOT").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from an1498.replay.algebra import Case, Col, Expr, Extend, Filter, Lambda, Lit, Select, call
from an1498.replay.spl import combining, syntax
from an1498.replay.spl.addresses import Address, address, in_network, is_cidr
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.values import Kind, Value, as_text, let, logic, looks_numeric, number_text, parse_number, refuse

_IPV4, _IPV6 = "#4 ", "#6 "
_ORDERINGS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}

# Characters that end an indexed term (segmenters.conf: MAJOR and MINOR breakers that are single characters).
_MAJOR = r"\s\[\]<>(){}|!;,'\"*&?+"
_MINOR = r"/:=@.\-$#%\\_"


def keep(frame: Frame, term: syntax.Term) -> Frame:
    """The events that match. The addresses of fields that are tested against several networks are computed once."""
    fields = sorted({name for name in _tested_addresses(term) if frame.columns.get(name) is Kind.TEXT})
    if not fields:
        return frame.over(Filter(frame.relation, condition(frame, term)))
    items = []
    for name in fields:
        forms = address(Col(name))
        items += [(_IPV4 + name, forms.ipv4), (_IPV6 + name, forms.ipv6)]
    kept = Filter(Extend(frame.relation, tuple(items)), condition(frame, term))
    return frame.over(Select(kept, tuple((name, Col(name)) for name in frame.columns)))


def _tested_addresses(term: syntax.Term) -> Iterator[str]:
    match term:
        case syntax.AllOf(inner) | syntax.AnyOf(inner):
            for item in inner:
                yield from _tested_addresses(item)
        case syntax.Negation(item):
            yield from _tested_addresses(item)
        case syntax.Comparison(field, _, value):
            if value.literal is not None and is_cidr(value.literal):
                yield field
        case syntax.Membership(field, values):
            if any(value.literal is not None and is_cidr(value.literal) for value in values):
                yield field


def condition(frame: Frame, term: syntax.Term) -> Expr:
    """True or false for every event, never null."""
    match term:
        case syntax.AllOf(terms):
            return logic("and", [condition(frame, item) for item in terms])
        case syntax.AnyOf(terms):
            return logic("or", [condition(frame, item) for item in terms])
        case syntax.Negation(inner):
            return call("not", condition(frame, inner))
        case syntax.Word(pattern, at, directive):
            return _word(frame, pattern, at, directive)
        case syntax.Membership(field, values, at):
            return logic("or", [_comparison(frame, syntax.Comparison(field, "=", value, at)) for value in values])
        case syntax.Comparison():
            return _comparison(frame, term)
        case syntax.Subsearch():
            from an1498.replay.spl.commands import lower  # the pipeline in the brackets has commands

            return combining.condition(frame, term, lower, condition)


def _comparison(frame: Frame, term: syntax.Comparison) -> Expr:
    value = frame.value(term.field, term.at)
    if value.is_null and not frame.open:
        return Lit(False)
    if term.operator in _ORDERINGS:
        test = _ordering(frame, term, value.kind)
    elif value.kind.numeric:
        test = _number_equals(term)
    else:
        test = _text_equals(term, value.kind)
    known = _known(value, test)
    if term.operator != "!=":
        return known
    exists = call("is_not_null", value.expr)
    if value.kind is Kind.LIST:
        return _any_differs(value.expr, test, known, term.at)
    return call("and", exists, call("not", known))


def _known(value: Value, test: Callable[[Expr], Expr]) -> Expr:
    if value.kind is Kind.LIST:
        variable = "#any"
        return call("coalesce", call("list_any", value.expr, Lambda(variable, test(Col(variable)))), Lit(False))
    return call("coalesce", let(value.expr, test), Lit(False))


def _any_differs(items: Expr, test: Callable[[Expr], Expr], matched: Expr, at: int) -> Expr:
    """`!=` on a multivalue: whether one value that differs is enough is not documented, so mixed values are refused."""
    differs = call("coalesce", call("list_any", items, Lambda("#ne", call("not", test(Col("#ne"))))), Lit(False))
    mixed = call("and", matched, differs)
    return Case(((mixed, refuse(at, "!= on a multivalue of which only some values match", "BOOLEAN")),), differs)


def _ordering(frame: Frame, term: syntax.Comparison, kind: Kind) -> Callable[[Expr], Expr]:
    written = term.value.literal
    if written is None:
        raise frame.context.source.unsupported(term.at, f"a wildcard with '{term.operator}'")
    function = _ORDERINGS[term.operator]
    if kind.numeric:
        if not looks_numeric(written):
            raise frame.context.source.unsupported(term.at, f"'{term.operator}' between a number and text")
        bound = Lit(float(written))
        return lambda item: call(function, item, bound)

    def words(item: Expr) -> Expr:
        exact = call(function, item, Lit(written))
        folded = call(function, call("lower", item), call("lower", Lit(written)))
        doubtful = call("ne", exact, folded)
        refused = refuse(term.at, f"'{term.operator}' between texts whose order depends on upper and lower case", "BOOLEAN")
        return Case(((doubtful, refused),), exact)

    if not looks_numeric(written):
        return words

    def numbers(item: Expr) -> Expr:
        parsed = parse_number(item)
        return Case(((call("is_not_null", parsed), call(function, parsed, Lit(float(written)))),), words(item))

    return numbers


def _number_equals(term: syntax.Comparison) -> Callable[[Expr], Expr]:
    written = term.value.literal
    if written is None:
        return lambda item: _matches(number_text(item, term.at), term.value)
    if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", written):
        return lambda item: call("eq", item, Lit(float(written)))
    return lambda item: call("and", call("is_not_null", item), Lit(False))


def _text_equals(term: syntax.Comparison, kind: Kind) -> Callable[[Expr], Expr]:
    written = term.value.literal
    if written is None and term.field == "index" and term.value.parts[0] == "":
        # "index=*" means all indexes but the internal ones, whose names begin with an underscore.
        return lambda item: call("and", _matches(item, term.value), call("not", call("starts_with", item, Lit("_"))))
    if written is not None and is_cidr(written):
        network = in_network(written)
        assert network is not None
        prepared = Address(Col(_IPV4 + term.field), Col(_IPV6 + term.field)) if kind is Kind.TEXT else None
        same = call("lower", Lit(written))
        return lambda item: call("or", call("eq", call("lower", item), same), network(prepared or address(item)))
    return lambda item: _matches(item, term.value)


def _matches(item: Expr, pattern: syntax.Pattern) -> Expr:
    folded = call("lower", item)
    parts = pattern.parts
    if len(parts) == 1:
        return call("eq", folded, call("lower", Lit(parts[0])))
    if not any(parts):
        return call("is_not_null", item)
    if len(parts) == 2:
        tests = []
        if parts[0]:
            tests.append(call("starts_with", folded, call("lower", Lit(parts[0]))))
        if parts[1]:
            tests.append(call("ends_with", folded, call("lower", Lit(parts[1]))))
        if len(tests) == 2:
            tests.append(call("ge", call("length", item), Lit(len(parts[0]) + len(parts[1]))))
        return call("and", *tests)
    if len(parts) == 3 and not parts[0] and not parts[2]:
        return call("contains", folded, call("lower", Lit(parts[1])))
    return call("regex_full", folded, Lit(".*".join(_escaped(part.lower()) for part in parts)))


def _escaped(part: str) -> str:
    return re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", part)


def _word(frame: Frame, pattern: syntax.Pattern, at: int, directive: str = "") -> Expr:
    """A word or phrase in `_raw`, case-insensitively, as whole terms: what stands before and after it must be a breaker. A
    wildcard stands for the rest of a term. `CASE(…)` is case-sensitive, what `TERM(…)` names must stand between major breakers
    (Search Manual, "Use CASE() and TERM() to match phrases")."""
    if not any(pattern.parts):
        return Lit(len(pattern.parts) > 1)
    if not frame.has("_raw"):
        raise frame.context.source.unsupported(at, "a search for words in events without _raw", "search a field, or give the events a _raw")
    raw = as_text(frame.value("_raw", at), at)
    breaker = f"[{_MAJOR}]" if directive == "TERM" else f"[{_MAJOR}{_MINOR}]"
    inside = f"[^{_MAJOR}]*"
    first, last = pattern.parts[0], pattern.parts[-1]
    before = "" if not first or re.match(breaker, first[0]) else f"(?:^|{breaker})"
    after = "" if not last or re.match(breaker, last[-1]) else f"(?:$|{breaker})"
    regex = ("" if directive == "CASE" else "(?i)") + before + inside.join(_escaped(part) for part in pattern.parts) + after
    return call("coalesce", call("regex_search", raw, Lit(regex)), Lit(False))
