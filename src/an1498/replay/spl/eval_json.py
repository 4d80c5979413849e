"""JSON functions (Search Reference, "JSON functions"). JSON is a text; what these functions write has no spaces.

A value of a field that is JSON itself (a number, `true`, an object) may become that or a string: the page does not say, so it is refused.
So are numbers whose text could change (1.0, 1e5), escapes in an object that is copied, and Booleans and nulls taken out of JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Col, Expr, Lambda, Lit, call
from an1498.replay.spl import eval_syntax
from an1498.replay.spl.eval_common import MANY, Body, Nodes, Rows
from an1498.replay.spl.values import LIST_TYPE, TEXT_TYPE, Kind, Value, as_list, as_text, boolean, let, non_empty, refuse

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions

_WRITERS = ("json_object", "json_array", "json_set", "json_append", "json_keys", "mv_to_json_array")
"""Functions whose result is JSON, so that it nests as it is."""

_ODD_NUMBER = r"[:,\[]\s*-?[0-9]+(\.[0-9]*0\s*[,}\]]|(\.[0-9]+)?[eE])"
_PLAIN_NUMBER = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,10}[1-9])?"

Part = str | int
"""A key or an index of a path."""


def _parts(scope: Expressions, node: eval_syntax.Expression) -> list[Part | None]:
    """The path in a quoted string: keys between dots, `{2}` an element, `{}` (None) every element; counted from 0."""
    written = scope.stored(node).literal
    if not isinstance(written, str) or not re.fullmatch(r"(?:[^.{}\"\\]+|\{\d*\})(?:\.[^.{}\"\\]+|\.?\{\d*\})*", written):
        raise scope.source.unsupported(node.at, "a path of JSON that is not keys, dots and {<number>} in a quoted string")
    found = re.findall(r"([^.{}]+)|\{(\d*)\}", written)
    return [key if key else int(index) if index else None for key, index in found]


def _document(scope: Expressions, node: eval_syntax.Expression, at: int, body: Body, sql_type: str = TEXT_TYPE) -> Expr:
    """`body` of the text, null for null; text that is no JSON object or array is refused."""
    refused = refuse(at, "a JSON function over text that is no JSON object or array", sql_type)

    def checked(item: Expr) -> Expr:
        container = call("coalesce", call("is_json_container", item), Lit(False))
        twice = (call("json_repeats", item), refuse(at, "JSON with a key twice", sql_type))
        text = Case((twice,), body(item))
        return Case(((call("is_null", item), Lit(None, sql_type)), (container, text)), refused)

    return let(as_text(scope.stored(node), at), checked)


def _written(scope: Expressions, node: eval_syntax.Expression, at: int) -> Expr:
    """The JSON of an argument."""
    value = scope.value(node)
    if isinstance(node, eval_syntax.Function) and node.name in _WRITERS:
        return call("coalesce", value.expr, Lit("null"))
    if value.is_null:
        return Lit("null")
    if value.kind is Kind.BOOLEAN:
        return Case(((value.expr, Lit("true")), (call("not", value.expr), Lit("false"))), Lit("null"))
    if value.kind is Kind.LIST:
        items = call("list_transform", value.expr, Lambda(f"#j{at}", _string(Col(f"#j{at}"), at)))
        return call("coalesce", call("concat", Lit("["), call("list_join", items, Lit(",")), Lit("]")), Lit("null"))
    if value.kind.numeric:
        return call("coalesce", as_text(value, at), Lit("null"))
    if isinstance(value.literal, str):
        if _is_container(value.literal):
            raise scope.source.unsupported(node.at, "a quoted JSON object or array as a value", "write json_object() or json_array()")
        return Lit(json.dumps(value.literal, ensure_ascii=False))
    return call("coalesce", let(as_text(value, at), lambda item: _string(item, at)), Lit("null"))


def _is_container(written: str) -> bool:
    try:
        return isinstance(json.loads(written), dict | list)
    except (ValueError, RecursionError):
        return False


def _string(item: Expr, at: int) -> Expr:
    refused = refuse(at, "a value that is JSON itself, which may become a string or that JSON", TEXT_TYPE)
    return Case(((call("coalesce", call("is_json", item), Lit(False)), refused),), call("json_quoted", item))


def _object(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """`json_object("key", value, …)`."""
    if len(nodes) % 2:
        raise scope.source.syntax_error(at, "json_object() takes pairs of a key and a value")
    keys = [scope.stored(node).literal for node in nodes[::2]]
    if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise scope.source.unsupported(at, "keys of json_object() that are not different quoted strings")
    names = [Lit(json.dumps(key, ensure_ascii=False) + ":") for key in keys]
    members: list[Expr] = [call("concat", name, _written(scope, node, at)) for name, node in zip(names, nodes[1::2], strict=True)]
    return Value(Kind.TEXT, _listed("{", members, "}"))


def _array(scope: Expressions, nodes: Nodes, at: int) -> Value:
    return Value(Kind.TEXT, _listed("[", [_written(scope, node, at) for node in nodes], "]"))


def _listed(opening: str, items: list[Expr], closing: str) -> Expr:
    separated = [part for item in items for part in (Lit(","), item)][1:]
    return call("concat", Lit(opening), *separated, Lit(closing))


def _native(item: Expr, document: Expr, at: int) -> Expr:
    """The field's value of a JSON value in `document`: a string without its quotation marks, a number, an object or array as its text."""
    kind = call("json_kind", item)
    even = call("not", call("perl_search", document, Lit(_ODD_NUMBER)))
    whole = call("regex_full", item, Lit("-?(0|[1-9][0-9]{0,14})"))
    number = call("and", call("regex_full", item, Lit(_PLAIN_NUMBER)), even)
    container = call("and", call("is_json_container", item), even, call("not", call("contains", item, Lit("\\"))))
    refused = refuse(at, "a Boolean, null, number or object whose text Splunk's documentation does not decide, from JSON", TEXT_TYPE)
    missing = (call("is_null", item), Lit(None, TEXT_TYPE))
    word = (call("eq", kind, Lit("VARCHAR")), call("json_unquoted", item))
    return Case((missing, word, (call("or", whole, number, container), item)), refused)


def _extract(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """`json_extract(json, path)`: the value at the path, null where there is none; with `{}` a JSON array of the values."""
    parts = _parts(scope, nodes[1])
    if parts.count(None) > 1:
        raise scope.source.unsupported(at, "a path with {} twice")
    if None not in parts:

        def found(item: Expr) -> Expr:
            twice = [call("json_repeats", _at(item, parts[:length])) for length in range(1, len(parts))]
            value = let(_at(item, parts), lambda value: _native(value, item, at))
            return Case(((call("or", *twice), refuse(at, "JSON with a key twice", TEXT_TYPE)),), value)

        return Value(Kind.TEXT, _document(scope, nodes[0], at, found))
    place = parts.index(None)
    variable = f"#e{at}"
    plain = call("regex_full", Col(variable), Lit(rf'{_PLAIN_NUMBER}|"[^"\\]*"'))
    refused = refuse(at, "{} over values that are neither text nor plain numbers, or that some elements lack", TEXT_TYPE)
    checked = Lambda(variable, Case(((call("coalesce", plain, Lit(False)), Col(variable)),), refused))

    def collected(item: Expr) -> Expr:
        def each(array: Expr) -> Expr:
            inner = call("list_transform", call("json_elements", array), Lambda(f"#i{at}", _at(Col(f"#i{at}"), parts[place + 1 :])))
            joined = call("concat", Lit("["), call("list_join", call("list_transform", inner, checked), Lit(",")), Lit("]"))
            even = call("not", call("perl_search", item, Lit(_ODD_NUMBER)))
            filled = call("and", call("eq", call("json_kind", array), Lit("ARRAY")), call("gt", call("json_size", array), Lit(0)), even)
            nothing = refuse(at, "{} over an empty array, what is no array, or numbers such as 1.0", TEXT_TYPE)
            return Case(((call("is_null", array), Lit(None, TEXT_TYPE)), (filled, joined)), nothing)

        return let(_at(item, parts[:place]), each)

    return Value(Kind.TEXT, _document(scope, nodes[0], at, collected))


def _at(item: Expr, parts: list[Part | None]) -> Expr:
    if not parts:
        return item
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in parts)
    return call("json_at", item, Lit(path))


def _keys(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The top-level keys of an object as a JSON array."""
    refused = refuse(at, "json_keys() of an array", TEXT_TYPE)

    def named(item: Expr) -> Expr:
        return Case(((call("eq", call("json_kind", item), Lit("OBJECT")), call("json_quoted", call("json_names", item))),), refused)

    return Value(Kind.TEXT, _document(scope, nodes[0], at, named))


def _valid(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Whether the text is a JSON object or array; a text that is another JSON value is refused."""

    def tested(item: Expr) -> Expr:
        valid = call("is_json", item)
        single = call("and", valid, call("not", call("is_json_container", item)))
        return Case(((call("coalesce", single, Lit(False)), refuse(at, "json_valid() of a single value", "BOOLEAN")),), valid)

    return boolean(let(as_text(scope.stored(nodes[0]), at), tested))


def _array_to_mv(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The elements of an array as a multivalue."""
    refused = refuse(at, "json_array_to_mv() of an object", LIST_TYPE)

    def elements(item: Expr) -> Expr:
        values = call("list_transform", call("json_elements", item), Lambda(f"#v{at}", _native(Col(f"#v{at}"), item, at)))
        return Case(((call("eq", call("json_kind", item), Lit("ARRAY")), non_empty(values)),), refused)

    return Value(Kind.LIST, _document(scope, nodes[0], at, elements, LIST_TYPE))


def _mv_to_array(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The values as a JSON array of strings; inferred types are refused."""
    if len(nodes) > 1 and not (isinstance(nodes[1], eval_syntax.Function) and nodes[1].name == "false"):
        raise scope.source.unsupported(at, "mv_to_json_array() that infers types")

    def quoted(items: Expr) -> Expr:
        return Case(((call("is_null", items), Lit(None, TEXT_TYPE)),), call("json_quoted", items))

    return Value(Kind.TEXT, let(as_list(scope.stored(nodes[0]), at), quoted))


Leaf = Callable[[Expr], Expr]


def _updates(function: str, leaf: Callable[[Expr, Expr, int], Expr]) -> Callable[[Expressions, Nodes, int], Value]:
    """json_set and json_append: pairs of a path and a value, one after the other."""

    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        if len(nodes) % 2 == 0:
            raise scope.source.syntax_error(at, f"{function}() takes JSON and pairs of a path and a value")
        pairs = [(_parts(scope, path), _written(scope, value, at)) for path, value in zip(nodes[1::2], nodes[2::2], strict=True)]
        if any(not isinstance(part, str) for parts, _ in pairs for part in parts):
            raise scope.source.unsupported(at, f"{function}() with an index in the path")

        def updated(item: Expr) -> Expr:
            unstable = call("or", call("contains", item, Lit("\\")), call("perl_search", item, Lit(_ODD_NUMBER)))
            result: Expr = call("json_compact", item)
            for parts, value in pairs:
                keys = [part for part in parts if isinstance(part, str)]
                result = _replaced(result, keys, lambda old, value=value: leaf(old, value, at), at)  # type: ignore[misc]
            return Case(((unstable, refuse(at, f"{function}() of JSON with escapes or numbers whose text may change", TEXT_TYPE)),), result)

        return Value(Kind.TEXT, _document(scope, nodes[0], at, updated))

    return lowering


def _replaced(item: Expr, keys: list[str], leaf: Leaf, at: int) -> Expr:
    """The object with `leaf` of the old value (null where there is none) at the path."""
    key, *deeper = keys

    def rebuilt(document: Expr) -> Expr:
        old = call("json_at", document, Lit(f'$."{key}"'))
        if deeper:
            missing = refuse(at, "a path of which only the beginning exists", TEXT_TYPE)
            new = let(old, lambda inner: Case(((call("is_null", inner), missing),), _replaced(inner, deeper, leaf, at)))
        else:
            new = leaf(old)
        refused = refuse(at, "a path through JSON that is no object", TEXT_TYPE)
        replaced = let(new, lambda value: call("json_with", document, Lit(key), value))
        return Case(((call("eq", call("json_kind", document), Lit("OBJECT")), replaced),), refused)

    return let(item, rebuilt)


def _appended(old: Expr, value: Expr, at: int) -> Expr:
    refused = refuse(at, "json_append() to what is no array", TEXT_TYPE)

    def joined(array: Expr) -> Expr:
        inner = call("substring", array, Lit(2), call("sub", call("length", array), Lit(2)))
        separator = Case(((call("eq", array, Lit("[]")), Lit("")),), Lit(","))
        is_array = call("coalesce", call("eq", call("json_kind", array), Lit("ARRAY")), Lit(False))
        return Case(((is_array, call("concat", Lit("["), inner, separator, value, Lit("]"))),), refused)

    return let(old, joined)


JSON: Rows = {
    "json_object": (_object, 0, MANY),
    "json_array": (_array, 0, MANY),
    "json_extract": (_extract, 2, 2),
    "json_keys": (_keys, 1, 1),
    "json_valid": (_valid, 1, 1),
    "json_set": (_updates("json_set", lambda _old, value, _at: value), 3, MANY),
    "json_append": (_updates("json_append", _appended), 3, MANY),
    "json_array_to_mv": (_array_to_mv, 1, 1),
    "mv_to_json_array": (_mv_to_array, 1, 2),
}
