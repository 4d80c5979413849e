"""Comparisons of one field with texts, numbers and patterns: what is known of them without a value at hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from an1498.replay.algebra import Call, Col, Expr, Lambda, Lit, call
from an1498.replay.sharing import children

Facts = dict[Expr, Lit]
"""What is known of comparisons in a case."""


def fields_of(expr: Expr) -> set[str]:
    """The columns that an expression reads; a lambda's parameter counts as none."""
    match expr:
        case Col(name):
            return {name}
        case Lambda(parameter, body):
            return fields_of(body) - {parameter}
        case _:
            return set().union(*map(fields_of, children(expr)))


def literals(expr: Expr) -> Iterator[Any]:
    """The values that an expression names."""
    if isinstance(expr, Lit) and expr.value is not None:
        yield expr.value
    if not isinstance(expr, Lambda):
        for child in children(expr):
            yield from literals(child)


def is_certain(atom: Expr) -> bool:
    """Whether a comparison of a field that is there cannot be null."""
    return glob_of(atom) is not None or (isinstance(atom, Call) and atom.function == "coalesce" and isinstance(atom.args[-1], Lit))


_FOLDS = frozenset({"lower", "lower_root", "ascii_lower"})


def is_plain(expr: Expr) -> bool:
    """A field, as it is or with its letters folded: never null where the field is there."""
    return isinstance(expr, Col) or (isinstance(expr, Call) and expr.function in _FOLDS and isinstance(expr.args[0], Col))


def only_folded(expr: Expr) -> bool:
    """Whether it reads its field with the letters folded only, so that their case does not matter."""
    pattern = glob_of(expr)
    if pattern is not None and all(token[0] == "~" or token in (_ANY, _ONE) or not token[1:].isalpha() for token in pattern.tokens):
        return True
    return (is_plain(expr) and not isinstance(expr, Col)) or (not isinstance(expr, Col) and all(map(only_folded, children(expr))))


def is_equality(atom: Expr) -> bool:
    """A comparison that only the values named in it can fulfil, and that is false for any other value."""
    match atom:
        case Call("eq", (left, right)):
            return (is_plain(left) and not fields_of(right)) or (is_plain(right) and not fields_of(left))
        case Call("in", (left, *values)):
            return is_plain(left) and not any(map(fields_of, values))
        case Call("coalesce", (inner, Lit(False))):
            return is_equality(inner)
        case _:
            return spelled(atom) is not None


def spelled(atom: Expr) -> str | None:
    """The one text (in any case where the pattern admits both) that a pattern without wildcards is."""
    pattern = glob_of(atom)
    if pattern is None or not pattern.tokens or any(token in (_ANY, _ONE) for token in pattern.tokens):
        return None
    return "".join(token[1:] for token in pattern.tokens)


def present(atoms: Sequence[Expr]) -> Facts:
    """What is known of null tests where the field has a value."""
    found: Facts = {}
    for atom in atoms:
        match atom.args[0] if isinstance(atom, Call) and atom.function == "coalesce" else atom:
            case Call("is_null", (inner,)) if is_plain(inner):
                found[atom] = Lit(False)
            case Call("is_not_null", (inner,)) if is_plain(inner):
                found[atom] = Lit(True)
    return found


_ANY, _ONE = "any", "one"
_CODE = re.compile(r"\\x\{([0-9a-fA-F]+)\}")
_TOKEN = re.compile(r"\.\*|\.|\\(.)|\[(\w)(\w)\]|([^\\.*+?()\[\]{}|^$])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Glob:
    """What a pattern compares (the field, folded or not), and its letters with wildcards between them."""

    subject: Expr
    tokens: tuple[str, ...]


def glob_of(atom: Expr) -> Glob | None:
    """A comparison with a pattern; None where it is something else."""
    match atom:
        case Call("coalesce", (inner, Lit(False))):
            return glob_of(inner)
        case Call("regex_full" | "regex_full_line", (subject, Lit(str(regex)))) if is_plain(subject):
            tokens = _tokens(regex)
            return None if tokens is None else Glob(subject, tokens)
        case Call("starts_with" | "contains" | "ends_with" as function, (subject, Call("lower", (Lit(str(text)),)))) if is_plain(subject):
            return glob_of(call(function, subject, Lit(text.lower())))
        case Call("starts_with" | "contains" | "ends_with" as function, (subject, Lit(str(text)))) if is_plain(subject):
            before = () if function == "starts_with" else (_ANY,)
            after = () if function == "ends_with" else (_ANY,)
            return Glob(subject, (*before, *(f"={letter}" for letter in text), *after))
        case _:
            return None


def _tokens(regex: str) -> tuple[str, ...] | None:
    regex = _CODE.sub(lambda match: re.escape(chr(int(match[1], 16))), regex)
    regex = regex.replace("(?:.)", ".")
    found, position = [], 0
    while position < len(regex):
        match = _TOKEN.match(regex, position)
        if match is None:
            return None
        letter = match[1] or match[4]
        if (match[1] and match[1].isalnum()) or (match[2] and match[2].lower() != match[3].lower()):
            return None
        if match[2]:
            found.append(f"~{match[2].lower()}")
            position = match.end()
            continue
        found.append(f"={letter}" if letter else _ANY if match[0] == ".*" else _ONE)
        position = match.end()
    return tuple(found)


def contains(wide: Glob, narrow: Glob) -> bool:
    """Whether every value of the narrow pattern is one of the wide one: the wide one matches the narrow one's text, wildcards included."""
    if wide.subject != narrow.subject:
        folded = isinstance(wide.subject, Call) and wide.subject.args[0] == narrow.subject
        if not folded or any(token != token.lower() for token in narrow.tokens):
            return False
    reached = {0}
    for token in (*narrow.tokens, ""):
        closed = set(reached)
        for place in reached:
            while place < len(wide.tokens) and wide.tokens[place] == _ANY:
                place += 1
                closed.add(place)
        if not token:
            return len(wide.tokens) in closed
        reached = set()
        for place in closed:
            if place < len(wide.tokens):
                own = wide.tokens[place]
                if own == _ANY:
                    reached.add(place)
                elif own == token or (own == _ONE and token != _ANY) or (own[0] == "~" and token == f"={own[1:]}"):
                    reached.add(place + 1)
    return False
