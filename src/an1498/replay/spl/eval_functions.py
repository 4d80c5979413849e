"""The functions of eval and where (Search Reference, "Evaluation functions"), one row or function each.

`now`, `random`, `searchmatch` and others that depend on more than the event are not here and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Cast, Col, Expr, Lambda, ListOf, Lit, call
from an1498.replay.spl import syntax
from an1498.replay.spl.addresses import address, in_network
from an1498.replay.spl.comparisons import compare
from an1498.replay.spl.pcre import PcreError, Regex, translate
from an1498.replay.spl.times import format_time
from an1498.replay.spl.values import (
    LIST_TYPE,
    NULL,
    NUMBER_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_list,
    as_number,
    as_text,
    boolean,
    common_kind,
    convert,
    let,
    logic,
    non_empty,
    number,
    parse_number,
    refuse,
)

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions

Body = Callable[[Expr], Expr]
_Nodes = tuple[syntax.Expression, ...]
_Lowering = Callable[["Expressions", _Nodes, int], Value]


def lower(scope: Expressions, node: syntax.Function) -> Value:
    """Raises SearchSyntaxError for a wrong number of arguments, UnsupportedConstruct for a function that is not modelled."""
    row = _FUNCTIONS.get(node.name)
    if row is None:
        raise scope.source.unsupported(node.at, f"the function {node.name}()")
    lowering, least, most = row
    if not least <= len(node.arguments) <= most:
        raise scope.source.syntax_error(node.at, f"{node.name}() takes {least if least == most else f'{least} or more'} arguments")
    return lowering(scope, node.arguments, node.at)


# --- conditions --------------------------------------------------------------------------------------------------------------


def _choose(branches: list[tuple[Expr, Value]], default: Value, at: int) -> Value:
    values = [value for _, value in branches] + [default]
    kind = common_kind(values)
    if kind is Kind.BOOLEAN:
        return boolean(Case(tuple((condition, value.expr) for condition, value in branches), default.expr))
    if any(value.kind is Kind.BOOLEAN for value in values):
        kind = Kind.BOOLEAN
    return Value(kind, Case(tuple((condition, convert(value, kind, at)) for condition, value in branches), convert(default, kind, at)))


def _same_kind(scope: Expressions, values: list[Value], at: int) -> None:
    kinds = {value.kind is Kind.BOOLEAN for value in values if not value.is_null}
    if len(kinds) > 1:
        raise scope.source.unsupported(at, "branches of which some are Booleans and some are not")


def _if(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    condition = scope.condition(nodes[0])
    values = [scope.value(node) for node in nodes[1:]]
    _same_kind(scope, values, at)
    return _choose([(condition, values[0])], values[1], at)


def _case(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """The value of the first condition that is true; null where none is."""
    if len(nodes) % 2:
        raise scope.source.syntax_error(at, "case() takes pairs of a condition and a value")
    branches = [(scope.condition(nodes[i]), scope.value(nodes[i + 1])) for i in range(0, len(nodes), 2)]
    _same_kind(scope, [value for _, value in branches], at)
    return _choose(branches, NULL, at)


def _validate(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """The opposite of case: the value of the first condition that is not true."""
    if len(nodes) % 2:
        raise scope.source.syntax_error(at, "validate() takes pairs of a condition and a value")
    branches = []
    for i in range(0, len(nodes), 2):
        condition = let(
            scope.condition(nodes[i]),
            lambda value: Case(((call("is_null", value), refuse(at, "validate() of a null condition", "BOOLEAN")),), call("not", value)),
        )
        branches.append((condition, scope.stored(nodes[i + 1])))
    return _choose(branches, NULL, at)


def _coalesce(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    values = [scope.stored(node) for node in nodes]
    kind = common_kind(values)
    return Value(kind, call("coalesce", *(convert(value, kind, at) for value in values)))


def _nullif(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    first, second = scope.stored(nodes[0]), scope.stored(nodes[1])
    equal = compare("=", first, second, at)
    return Value(first.kind, Case(((equal, Lit(None, first.kind.sql_type)),), first.expr))


def _in(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    value = scope.stored(nodes[0])
    return boolean(logic("or", [compare("=", value, scope.stored(node), at) for node in nodes[1:]]))


def like(scope: Expressions, value: Value, pattern: Value, at: int) -> Value:
    """`%` is any text, `_` one character; case-sensitive, the whole value. An escape for them is not documented."""
    written = pattern.literal
    if not isinstance(written, str):
        raise scope.source.unsupported(at, "a LIKE pattern that is not a quoted string")
    if re.search(r"\\[%_\\]", written):
        raise scope.source.unsupported(at, "a backslash before %, _ or a backslash in a LIKE pattern")
    parts = re.split(r"([%_])", written)
    regex = "".join({"%": ".*", "_": "."}.get(part, _literal(part)) for part in parts)
    return boolean(call("regex_full", as_text(value, at), Lit(regex)))


def _literal(part: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", part, flags=re.ASCII) if part.isascii() else re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", part)


def _like(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    return like(scope, scope.stored(nodes[0]), scope.stored(nodes[1]), at)


def regex_of(scope: Expressions, written: object, at: int) -> Regex:
    if not isinstance(written, str):
        raise scope.source.unsupported(at, "a regular expression that is not a quoted string")
    try:
        return translate(written)
    except PcreError as error:
        raise scope.source.unsupported(at, f"this regular expression: {error}") from None


def subject(value: Expr, regex: Regex, at: int) -> Expr:
    """PCRE's `$` also matches before a final newline, RE2's does not: such a text is refused."""
    if not regex.ends_at_newline:
        return value
    refused = refuse(at, "'$' against text that ends with a newline", TEXT_TYPE)
    return let(value, lambda item: Case(((call("ends_with", item, Lit("\n")), refused),), item))


def _match(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """Perl-compatible, case-sensitive, anywhere in the value."""
    regex = regex_of(scope, scope.stored(nodes[1]).literal, at)
    return boolean(call("perl_search", subject(as_text(scope.stored(nodes[0]), at), regex, at), Lit(regex.re2)))


def _cidrmatch(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    network = scope.stored(nodes[0]).literal
    if not isinstance(network, str):
        raise scope.source.unsupported(at, "a network that is not a quoted string")
    test = in_network(network)
    if test is None:
        raise scope.source.syntax_error(at, f"'{network}' is not an address or network in CIDR notation")

    def known(item: Expr) -> Expr:
        return Case(((call("is_null", item), Lit(None, "BOOLEAN")),), test(address(item)))

    return boolean(let(as_text(scope.stored(nodes[1]), at), known))


def _isnull(negated: bool) -> _Lowering:
    function = "is_not_null" if negated else "is_null"

    def lowering(scope: Expressions, nodes: _Nodes, _at: int) -> Value:
        return boolean(call(function, scope.value(nodes[0]).expr))

    return lowering


def _isnum(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    value = scope.stored(nodes[0])
    if isinstance(value.literal, str):
        raise scope.source.unsupported(at, "a type test of a quoted string")
    return boolean(call("is_not_null", as_number(value, at)))


def _isint(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    parsed = as_number(scope.stored(nodes[0]), at)
    return boolean(let(parsed, lambda n: call("coalesce", call("eq", n, call("trunc", n)), Lit(False))))


def _constant(value: Value) -> _Lowering:
    return lambda _scope, _nodes, _at: value


# --- text --------------------------------------------------------------------------------------------------------------------


def _text_function(function: str) -> _Lowering:
    def lowering(scope: Expressions, nodes: _Nodes, at: int) -> Value:
        return Value(Kind.TEXT, call(function, as_text(scope.stored(nodes[0]), at)))

    return lowering


def _trim(function: str) -> _Lowering:
    """Without the second argument spaces and tabs are removed; it is a set of characters."""

    def lowering(scope: Expressions, nodes: _Nodes, at: int) -> Value:
        characters = as_text(scope.stored(nodes[1]), at) if len(nodes) > 1 else Lit(" \t")
        return Value(Kind.TEXT, call(function, as_text(scope.stored(nodes[0]), at), characters))

    return lowering


def _len(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    return Value(Kind.NUMBER, Cast(call("length", as_text(scope.stored(nodes[0]), at)), NUMBER_TYPE))


def _whole(scope: Expressions, node: syntax.Expression, what: str) -> int:
    negative = isinstance(node, syntax.Unary) and node.operator == "-"
    constant = node.operand if isinstance(node, syntax.Unary) and negative else node
    if not isinstance(constant, syntax.Number) or not constant.value.is_integer():
        raise scope.source.unsupported(node.at, f"{what} that is not a whole number written in the search")
    return -int(constant.value) if negative else int(constant.value)


def _substr(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """Positions count from 1, a negative one from the end."""
    value = as_text(scope.stored(nodes[0]), at)
    start = _whole(scope, nodes[1], "a position")
    length = _whole(scope, nodes[2], "a length") if len(nodes) > 2 else None
    if start == 0 or (length is not None and length < 0):
        raise scope.source.unsupported(at, "substr() with position 0 or a negative length")
    if start < 0:
        short = refuse(at, "substr() from before the text's beginning", TEXT_TYPE)
        value = let(value, lambda item: Case(((call("lt", call("length", item), Lit(-start)), short),), item))
    arguments = [Lit(start)] + ([Lit(length)] if length is not None else [])
    return Value(Kind.TEXT, call("substring", value, *arguments))


def _replace(scope: Expressions, nodes: _Nodes, at: int) -> Value:
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


def _tonumber(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    if len(nodes) > 1 and _whole(scope, nodes[1], "a base") != 10:
        raise scope.source.unsupported(at, "tonumber() with a base other than 10")
    return Value(Kind.NUMBER, as_number(scope.stored(nodes[0]), at))


def _tostring(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    value = scope.value(nodes[0])
    if value.kind is Kind.BOOLEAN:
        return Value(Kind.TEXT, let(value.expr, lambda b: Case(((b, Lit("True")), (call("not", b), Lit("False"))), Lit(None, TEXT_TYPE))))
    return Value(Kind.TEXT, as_text(value, at))


# --- numbers -----------------------------------------------------------------------------------------------------------------


def _number_function(function: str, domain: Callable[[Expr], Expr] | None = None) -> _Lowering:
    """`domain` says where the function is defined; elsewhere the result is null."""

    def lowering(scope: Expressions, nodes: _Nodes, at: int) -> Value:
        def applied(argument: Expr) -> Expr:
            if domain is None:
                return call(function, argument)
            return Case(((domain(argument), call(function, argument)),), Lit(None, NUMBER_TYPE))

        return Value(Kind.NUMBER, let(as_number(scope.stored(nodes[0]), at), applied))

    return lowering


def _round(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    value = as_number(scope.stored(nodes[0]), at)
    digits = _whole(scope, nodes[1], "a number of decimals") if len(nodes) > 1 else 0
    if digits < 0:
        raise scope.source.unsupported(at, "round() to a negative number of decimals")
    return Value(Kind.ROUNDED if digits else Kind.NUMBER, call("round", value, Lit(digits)))


def _log(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """`log(x)` has base 10."""
    value = as_number(scope.stored(nodes[0]), at)
    positive = let(value, lambda n: Case(((call("gt", n, Lit(0)), call("log10", n)),), Lit(None, NUMBER_TYPE)))
    if len(nodes) == 1:
        return Value(Kind.NUMBER, positive)
    base = _whole(scope, nodes[1], "a base")
    if base < 2:
        raise scope.source.unsupported(at, "log() with a base below 2")
    return Value(Kind.NUMBER, call("div", positive, call("log10", Lit(float(base)))))


def _pow(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    return Value(Kind.NUMBER, call("power", *(as_number(scope.stored(node), at) for node in nodes)))


def _extreme(function: str) -> _Lowering:
    """max() and min() of numbers. Text is greater than numbers there, and nulls are not documented: both are refused."""

    def lowering(scope: Expressions, nodes: _Nodes, at: int) -> Value:
        values = [scope.stored(node) for node in nodes]
        if any(value.kind is Kind.LIST for value in values):
            raise scope.source.unsupported(at, "min() or max() of a multivalue")
        numbers = [as_number(value, at) for value in values]
        missing = call("or", *(call("is_null", item) for item in numbers))
        refused = refuse(at, "min() or max() of a null or of text that is no number", NUMBER_TYPE)
        return Value(Kind.NUMBER, Case(((missing, refused),), call(function, *numbers)))

    return lowering


# --- multivalues -------------------------------------------------------------------------------------------------------------


def _mvcount(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """Null for no value, 1 for a single value."""
    return Value(Kind.NUMBER, Cast(call("list_length", as_list(scope.stored(nodes[0]), at)), NUMBER_TYPE))


def _mvindex(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """Indexes count from 0, negative ones from the end; both ends are included; out of range is null."""
    items = as_list(scope.stored(nodes[0]), at)
    start = _whole(scope, nodes[1], "an index")
    first = Lit(start + 1 if start >= 0 else start)
    if len(nodes) == 2:
        return Value(Kind.TEXT, call("list_element", items, first))
    end = _whole(scope, nodes[2], "an index")
    last = Lit(end + 1 if end >= 0 else end)
    needed = max(start + 1 if start >= 0 else -start, end + 1 if end >= 0 else -end)

    def sliced(it: Expr) -> Expr:
        beyond = refuse(at, "mvindex() with a range beyond the values", LIST_TYPE)
        return Case(((call("lt", call("list_length", it), Lit(needed)), beyond),), non_empty(call("list_slice", it, first, last)))

    return Value(Kind.LIST, let(items, sliced))


def _mvappend(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    empty = Lit(None, LIST_TYPE)
    lists = [as_list(scope.stored(node), at) for node in nodes]
    padded = [call("coalesce", items, call("list_filter", ListOf((Lit(""),)), Lambda("#none", Lit(False)))) for items in lists]
    joined: Expr = padded[0]
    for items in padded[1:]:
        joined = call("list_concat", joined, items)
    return Value(Kind.LIST, non_empty(joined)) if lists else Value(Kind.LIST, empty)


def _mvjoin(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    delimiter = scope.stored(nodes[1]).literal
    if not isinstance(delimiter, str):
        raise scope.source.unsupported(at, "a delimiter that is not a quoted string")
    return Value(Kind.TEXT, call("list_join", as_list(scope.stored(nodes[0]), at), Lit(delimiter)))


def _mvsort(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """Lexicographical."""
    return Value(Kind.LIST, call("list_sort", as_list(scope.stored(nodes[0]), at)))


def _mvdedup(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """Each value once, in the order of its first occurrence."""

    def distinct(items: Expr) -> Expr:
        places = call("list_transform", items, Lambda("#place", call("list_position", items, Col("#place"))))
        ordered = call("list_sort", call("list_distinct", places))
        return call("list_transform", ordered, Lambda("#index", call("list_element", items, Col("#index"))))

    return Value(Kind.LIST, let(as_list(scope.stored(nodes[0]), at), distinct, "d"))


def _fields_of(node: syntax.Expression) -> set[str]:
    match node:
        case syntax.Field(name):
            return {name}
        case syntax.Unary(_, operand):
            return _fields_of(operand)
        case syntax.Binary(_, left, right):
            return _fields_of(left) | _fields_of(right)
        case syntax.Function(_, arguments):
            return {name for argument in arguments for name in _fields_of(argument)}
        case _:
            return set()


def _mvfilter(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """The values for which the condition holds; it may refer to one field only."""
    names = _fields_of(nodes[0])
    if len(names) != 1:
        raise scope.source.syntax_error(at, "the condition of mvfilter() must refer to exactly one field")
    (name,) = names
    items = as_list(scope.value(syntax.Field(name, at)), at)
    variable = f"#f{at}"
    inner = scope.binding(name, Value(Kind.TEXT, Col(variable)))
    return Value(Kind.LIST, non_empty(call("list_filter", items, Lambda(variable, inner.condition(nodes[0])))))


def _mvmap(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """The expression for each value of the field."""
    if not isinstance(nodes[0], syntax.Field):
        raise scope.source.unsupported(at, "mvmap() over anything but a field")
    items = as_list(scope.value(nodes[0]), at)
    variable = f"#m{at}"
    inner = scope.binding(nodes[0].name, Value(Kind.TEXT, Col(variable)))
    mapped = call("list_transform", items, Lambda(variable, as_text(inner.stored(nodes[1]), at)))
    return Value(Kind.LIST, non_empty(call("list_filter", mapped, Lambda("#kept", call("is_not_null", Col("#kept"))))))


def _mvfind(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    """The index of the first value that matches the regular expression."""
    regex = regex_of(scope, scope.stored(nodes[1]).literal, at)
    variable = f"#s{at}"
    found = call(
        "list_transform",
        as_list(scope.stored(nodes[0]), at),
        Lambda(variable, call("perl_search", subject(Col(variable), regex, at), Lit(regex.re2))),
    )
    place = call("list_position", found, Lit(True))
    return Value(
        Kind.NUMBER,
        let(place, lambda p: Case(((call("gt", p, Lit(0)), Cast(call("sub", p, Lit(1)), NUMBER_TYPE)),), Lit(None, NUMBER_TYPE))),
    )


def _split(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    delimiter = scope.stored(nodes[1]).literal
    if not isinstance(delimiter, str):
        raise scope.source.unsupported(at, "a delimiter that is not a quoted string")
    refused = refuse(at, "split() of the empty text", LIST_TYPE)
    value = as_text(scope.stored(nodes[0]), at)
    return Value(Kind.LIST, let(value, lambda item: Case(((call("eq", item, Lit("")), refused),), call("split", item, Lit(delimiter)))))


def _strftime(scope: Expressions, nodes: _Nodes, at: int) -> Value:
    pattern = scope.stored(nodes[1]).literal
    if not isinstance(pattern, str):
        raise scope.source.unsupported(at, "a time format that is not a quoted string")
    return Value(Kind.TEXT, format_time(scope.source, as_number(scope.stored(nodes[0]), at), pattern, at))


_MANY = 1_000
_POSITIVE: Callable[[Expr], Expr] = lambda n: call("gt", n, Lit(0))  # noqa: E731
_NOT_NEGATIVE: Callable[[Expr], Expr] = lambda n: call("ge", n, Lit(0))  # noqa: E731

# name → (lowering, least and most arguments)
_FUNCTIONS: dict[str, tuple[_Lowering, int, int]] = {
    "if": (_if, 3, 3),
    "case": (_case, 2, _MANY),
    "validate": (_validate, 2, _MANY),
    "coalesce": (_coalesce, 1, _MANY),
    "nullif": (_nullif, 2, 2),
    "in": (_in, 2, _MANY),
    "like": (_like, 2, 2),
    "match": (_match, 2, 2),
    "cidrmatch": (_cidrmatch, 2, 2),
    "isnull": (_isnull(False), 1, 1),
    "isnotnull": (_isnull(True), 1, 1),
    "isnum": (_isnum, 1, 1),
    "isint": (_isint, 1, 1),
    "null": (_constant(NULL), 0, 0),
    "true": (_constant(boolean(Lit(True))), 0, 0),
    "false": (_constant(boolean(Lit(False))), 0, 0),
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
    "abs": (_number_function("abs"), 1, 1),
    "floor": (_number_function("floor"), 1, 1),
    "ceiling": (_number_function("ceil"), 1, 1),
    "ceil": (_number_function("ceil"), 1, 1),
    "sqrt": (_number_function("sqrt", _NOT_NEGATIVE), 1, 1),
    "exp": (_number_function("exp"), 1, 1),
    "ln": (_number_function("ln", _POSITIVE), 1, 1),
    "log": (_log, 1, 2),
    "pow": (_pow, 2, 2),
    "pi": (_constant(number(3.141592653589793)), 0, 0),
    "round": (_round, 1, 2),
    "max": (_extreme("greatest"), 1, _MANY),
    "min": (_extreme("least"), 1, _MANY),
    "mvcount": (_mvcount, 1, 1),
    "mvindex": (_mvindex, 2, 3),
    "mvappend": (_mvappend, 1, _MANY),
    "mvjoin": (_mvjoin, 2, 2),
    "mvsort": (_mvsort, 1, 1),
    "mvdedup": (_mvdedup, 1, 1),
    "mvfilter": (_mvfilter, 1, 1),
    "mvmap": (_mvmap, 2, 2),
    "mvfind": (_mvfind, 2, 2),
    "split": (_split, 2, 2),
    "strftime": (_strftime, 2, 2),
}

__all__ = ["Body", "like", "lower", "parse_number", "regex_of", "subject"]
