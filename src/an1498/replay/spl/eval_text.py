"""Text and cryptographic functions (Search Reference, "Text functions", "Cryptographic functions")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Cast, Expr, Lit, call
from an1498.replay.spl.eval_common import Lowering, Nodes, Rows, regex_of, subject
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
    start, length = (Cast(as_number(scope.stored(node), at), "BIGINT") for node in (*nodes[1:], nodes[-1])[:2])
    refused = refuse(at, "substr() with position 0, from before the text's beginning, or of a negative length", TEXT_TYPE)

    def cut(item: Expr) -> Expr:
        wrong = [call("eq", start, Lit(0)), call("lt", call("length", item), call("neg", start))]
        arguments = [item, start]
        if len(nodes) > 2:
            wrong.append(call("lt", length, Lit(0)))
            arguments.append(length)
        return Case(((call("coalesce", call("or", *wrong), Lit(False)), refused),), call("substring", *arguments))

    return Value(Kind.TEXT, let(value, cut))


def _urldecode(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Percent escapes; whether a plus sign is a space is not documented."""

    def decoded(item: Expr) -> Expr:
        plus = call("contains", item, Lit("+"))
        return Case(((plus, refuse(at, "urldecode() of text with a plus sign", TEXT_TYPE)),), call("url_decode", item))

    return Value(Kind.TEXT, let(as_text(scope.stored(nodes[0]), at), decoded))


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
    "length": (_len, 1, 1),
    "substr": (_substr, 2, 3),
    "replace": (_replace, 3, 3),
    "urldecode": (_urldecode, 1, 1),
}
