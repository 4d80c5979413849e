"""printf (Search Reference, "Conversion functions": `printf("format", arguments)`, which is like C's sprintf).

%p is %X, %z is %s. What the page leaves open is refused: a fraction for %d, a null argument, both the flag 0 and a precision for a whole
number, the precision 0 for one, too few or too many arguments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Cast, Expr, Lit, call
from an1498.replay.spl import eval_syntax
from an1498.replay.spl.eval_common import MANY, Body, Nodes, Rows, whole
from an1498.replay.spl.values import TEXT_TYPE, Kind, Value, as_number, as_text, let, refuse

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions

_SPECIFIER = re.compile(r"%(?P<flags>[-+ 0#']*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d*))?(?P<kind>[A-Za-z%])")
_SIGNED, _UNSIGNED, _REAL, _TEXT = "di", "uoxXp", "fFeEgGaA", "sz"
_WRITTEN_AS = {"i": "d", "u": "d", "p": "X"}
# Flags that C defines for the kind.
_FLAGS = {
    **dict.fromkeys(_SIGNED + _REAL, "-+ 0"),
    **dict.fromkeys(_UNSIGNED, "-0#"),
    **dict.fromkeys(_TEXT, "-"),
    "u": "-0",
}


def _printf(scope: Expressions, nodes: Nodes, at: int) -> Value:
    written = scope.stored(nodes[0]).literal
    if not isinstance(written, str):
        raise scope.source.unsupported(at, "a format of printf() that is not a quoted string")
    arguments = list(nodes[1:])
    parts: list[Expr] = []
    position = 0
    for match in _SPECIFIER.finditer(written):
        parts.append(_plain(scope, written[position : match.start()], at))
        parts.append(Lit("%") if match[0] == "%%" else _conversion(scope, match, arguments, at))
        position = match.end()
    parts.append(_plain(scope, written[position:], at))
    if arguments:
        raise scope.source.unsupported(at, "printf() with more arguments than conversion specifiers")
    return Value(Kind.TEXT, call("concat", *parts))


def _plain(scope: Expressions, written: str, at: int) -> Expr:
    if "%" in written:
        raise scope.source.unsupported(at, "a % of printf() that begins no conversion specifier", "write %% for a percent sign")
    return Lit(written)


def _next(scope: Expressions, arguments: list[eval_syntax.Expression], at: int) -> eval_syntax.Expression:
    if not arguments:
        raise scope.source.unsupported(at, "printf() with fewer arguments than conversion specifiers")
    return arguments.pop(0)


def _conversion(scope: Expressions, match: re.Match[str], arguments: list[eval_syntax.Expression], at: int) -> Expr:
    """One specifier with its argument; `*` takes a width or precision from the arguments before it."""
    flags, width, precision, kind = match["flags"], match["width"] or "", match["precision"], match["kind"]
    if width == "*":
        width = str(whole(scope, _next(scope, arguments, at), "a width of printf()"))
    if precision == "*":
        precision = str(whole(scope, _next(scope, arguments, at), "a precision of printf()"))
    grouped = flags == "'" and kind in _SIGNED and not width
    known = kind in _FLAGS and not set(flags) - set(_FLAGS[kind]) and not {"-", "0"} <= set(flags)
    character = kind == "c" and not flags and not width
    sized = all(size is None or re.fullmatch(r"\d{0,3}", size) for size in (width, precision))
    if precision is not None and kind in _SIGNED + _UNSIGNED:
        known = known and "0" not in flags and precision.strip("0") != ""  # with precision 0 the number 0 is no character
    if not (grouped or known or character) or not sized or (precision is not None and (kind == "c" or grouped)):
        raise scope.source.unsupported(at, f"the conversion specifier {match[0]} of printf()")
    value = scope.stored(_next(scope, arguments, at))
    if "+" in flags:
        flags = flags.replace(" ", "")  # "if both are specified, the space is ignored"
    form = f"%{flags}{width}" + ("" if precision is None else f".{precision or 0}")
    if kind == "c":
        return _character(value, at)
    if kind in _TEXT:
        return _defined(as_text(value, at), lambda item: _word(item, form + "s", bool(width or precision is not None), at), at)
    item = as_number(value, at)
    if kind in _REAL:
        form += kind if precision is not None or kind in "aA" else f".6{kind}"
        return _defined(item, lambda real: call("printf", Lit(form), real), at)
    refused = refuse(at, f"{match[0]} of printf() with a fraction, a negative number or a number of more than 15 digits", TEXT_TYPE)

    def digits(number: Expr) -> Expr:
        fits = call("and", call("eq", number, call("trunc", number)), call("lt", call("abs", number), Lit(1e15)))
        if kind in _UNSIGNED:
            fits = call("and", fits, call("ge", number, Lit(0)))
        integer = Cast(number, "BIGINT")
        shown = call("grouped_digits", integer) if grouped else call("printf", Lit(form + _WRITTEN_AS.get(kind, kind)), integer)
        return Case(((fits, shown),), refused)

    return _defined(item, digits, at)


def _defined(item: Expr, body: Body, at: int) -> Expr:
    refused = refuse(at, "printf() of a field that does not exist, or of text where a number is needed", TEXT_TYPE)
    return let(item, lambda known: Case(((call("is_null", known), refused),), body(known)))


def _word(item: Expr, form: str, sized: bool, at: int) -> Expr:
    """A width counts characters, but not every one is as wide on DuckDB: beyond ASCII it is refused."""
    if not sized:
        return item
    refused = refuse(at, "a width of printf() for text beyond ASCII", TEXT_TYPE)
    return Case(((call("perl_search", item, Lit(r"[^\x00-\x7F]")), refused),), call("printf", Lit(form), item))


def _character(value: Value, at: int) -> Expr:
    """%c: the code point of a number, the first letter of a text."""
    if value.kind is Kind.NUMBER:
        odd = refuse(at, "%c of printf() of this number", TEXT_TYPE)

        def letter(item: Expr) -> Expr:
            fits = call("and", call("ge", item, Lit(32)), call("lt", item, Lit(55_296)), call("eq", item, call("trunc", item)))
            return Case(((fits, call("character", Cast(item, "INTEGER"))),), odd)

        return _defined(value.expr, letter, at)
    refused = refuse(at, "%c of printf() of empty text or text that begins with a digit", TEXT_TYPE)

    def first(item: Expr) -> Expr:
        return Case(((call("perl_search", item, Lit(r"^[^0-9+.-]")), call("substring", item, Lit(1), Lit(1))),), refused)

    return _defined(as_text(value, at), first, at)


PRINTF: Rows = {"printf": (_printf, 1, MANY)}
