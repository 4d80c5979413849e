"""Text, conversion and time functions (Search Reference, "Text functions", "Conversion functions", "Date and Time functions")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Cast, Lit, call
from an1498.replay.spl.eval_common import Lowering, Nodes, Rows, regex_of, subject, whole
from an1498.replay.spl.times import format_time
from an1498.replay.spl.values import (
    NUMBER_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_number,
    as_text,
    let,
    refuse,
)

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions


def _text_function(function: str) -> Lowering:
    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        return Value(Kind.TEXT, call(function, as_text(scope.stored(nodes[0]), at)))

    return lowering


def _trim(function: str) -> Lowering:
    """Without the second argument spaces and tabs are removed; it is a set of characters."""

    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        characters = as_text(scope.stored(nodes[1]), at) if len(nodes) > 1 else Lit(" \t")
        return Value(Kind.TEXT, call(function, as_text(scope.stored(nodes[0]), at), characters))

    return lowering


def _len(scope: Expressions, nodes: Nodes, at: int) -> Value:
    return Value(Kind.NUMBER, Cast(call("length", as_text(scope.stored(nodes[0]), at)), NUMBER_TYPE))


def _substr(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Positions count from 1, a negative one from the end."""
    value = as_text(scope.stored(nodes[0]), at)
    start = whole(scope, nodes[1], "a position")
    length = whole(scope, nodes[2], "a length") if len(nodes) > 2 else None
    if start == 0 or (length is not None and length < 0):
        raise scope.source.unsupported(at, "substr() with position 0 or a negative length")
    if start < 0:
        short = refuse(at, "substr() from before the text's beginning", TEXT_TYPE)
        value = let(value, lambda item: Case(((call("lt", call("length", item), Lit(-start)), short),), item))
    arguments = [Lit(start)] + ([Lit(length)] if length is not None else [])
    return Value(Kind.TEXT, call("substring", value, *arguments))


def _replace(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Every match of the regular expression; `\\1` in the replacement is the first group."""
    regex = regex_of(scope, scope.stored(nodes[1]).literal, at)
    replacement = scope.stored(nodes[2]).literal
    if not isinstance(replacement, str) or re.search(r"\\(?![1-9](?!\d))", replacement):
        raise scope.source.unsupported(at, "a replacement that is not a quoted string with \\1 … \\9 as its only escapes")
    if any(int(number) > len(regex.groups) for number in re.findall(r"\\([1-9])", replacement)):
        raise scope.source.syntax_error(at, "the replacement names a group that the regular expression does not have")
    if regex.matches_empty:
        raise scope.source.unsupported(at, "replace() with a regular expression that matches the empty text")
    value = subject(as_text(scope.stored(nodes[0]), at), regex, at)
    return Value(Kind.TEXT, call("perl_replace_all", value, Lit(regex.re2), Lit(replacement)))


def _tonumber(scope: Expressions, nodes: Nodes, at: int) -> Value:
    if len(nodes) > 1 and whole(scope, nodes[1], "a base") != 10:
        raise scope.source.unsupported(at, "tonumber() with a base other than 10")
    return Value(Kind.NUMBER, as_number(scope.stored(nodes[0]), at))


def _tostring(scope: Expressions, nodes: Nodes, at: int) -> Value:
    value = scope.value(nodes[0])
    if value.kind is Kind.BOOLEAN:
        return Value(Kind.TEXT, let(value.expr, lambda b: Case(((b, Lit("True")), (call("not", b), Lit("False"))), Lit(None, TEXT_TYPE))))
    return Value(Kind.TEXT, as_text(value, at))


def _strftime(scope: Expressions, nodes: Nodes, at: int) -> Value:
    pattern = scope.stored(nodes[1]).literal
    if not isinstance(pattern, str):
        raise scope.source.unsupported(at, "a time format that is not a quoted string")
    return Value(Kind.TEXT, format_time(scope.source, as_number(scope.stored(nodes[0]), at), pattern, at))


TEXTS: Rows = {
    "lower": (_text_function("lower"), 1, 1),
    "upper": (_text_function("upper"), 1, 1),
    "md5": (_text_function("md5"), 1, 1),
    "sha1": (_text_function("sha1"), 1, 1),
    "sha256": (_text_function("sha256"), 1, 1),
    "trim": (_trim("trim"), 1, 2),
    "ltrim": (_trim("ltrim"), 1, 2),
    "rtrim": (_trim("rtrim"), 1, 2),
    "len": (_len, 1, 1),
    "substr": (_substr, 2, 3),
    "replace": (_replace, 3, 3),
    "tonumber": (_tonumber, 1, 2),
    "tostring": (_tostring, 1, 1),
    "strftime": (_strftime, 2, 2),
}
