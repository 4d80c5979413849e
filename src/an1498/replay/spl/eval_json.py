"""JSON functions (Search Reference, "JSON functions"). JSON is a text; what these functions write has no spaces.

A value of a field that is JSON itself (a number, `true`, an object) may become that or a string: the page does not say, so it is refused.
So are numbers whose text could change (1.0, 1e5), escapes in an object that is copied, and Booleans and nulls taken out of JSON.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Col, Expr, Lambda, Lit, call
from an1498.replay.spl import eval_syntax
from an1498.replay.spl.eval_common import MANY, Body, Nodes, Rows
from an1498.replay.spl.values import LIST_TYPE, TEXT_TYPE, Kind, Value, as_list, as_text, boolean, let, non_empty, refuse

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions

_WRITERS = ("json_object", "json_array", "json_set", "json_append", "json_keys", "mv_to_json_array")
"""Functions whose result is JSON, so that it nests as it is."""

ODD_NUMBER = r"[:,\[]\s*-?[0-9]+(\.[0-9]*0\s*[,}\]]|(\.[0-9]+)?[eE])"
_PLAIN_NUMBER = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,10}[1-9])?"

Part = str | int
"""A key or an index of a path."""


def path_parts(scope: Expressions, node: eval_syntax.Expression) -> list[Part | None]:
    """The path in a quoted string: keys between dots, `{2}` an element, `{}` (None) every element; counted from 0."""
    written = scope.stored(node).literal
    if not isinstance(written, str) or not re.fullmatch(r"(?:[^.{}\"\\]+|\{\d*\})(?:\.[^.{}\"\\]+|\.?\{\d*\})*", written):
        raise scope.source.unsupported(node.at, "a path of JSON that is not keys, dots and {<number>} in a quoted string")
    found = re.findall(r"([^.{}]+)|\{(\d*)\}", written)
    return [key if key else int(index) if index else None for key, index in found]


def in_document(scope: Expressions, node: eval_syntax.Expression, at: int, body: Body, sql_type: str = TEXT_TYPE) -> Expr:
    """`body` of the text, null for null; text that is no JSON object or array is refused."""
    refused = refuse(at, "a JSON function over text that is no JSON object or array", sql_type)

    def checked(item: Expr) -> Expr:
        container = call("coalesce", call("is_json_container", item), Lit(False))
        twice = (call("json_repeats", item), refuse(at, "JSON with a key twice", sql_type))
        text = Case((twice,), body(item))
        return Case(((call("is_null", item), Lit(None, sql_type)), (container, text)), refused)

    value = scope.stored(node)
    return Lit(None, sql_type) if value.is_null else let(as_text(value, at), checked)


def written_json(scope: Expressions, node: eval_syntax.Expression, at: int) -> Expr:
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
    """The JSON of a field's text: an object or array nests ("another JSON object"), other text is a string."""
    refused = refuse(at, "a value that is JSON itself, which may become a string or that JSON", TEXT_TYPE)
    nested = Case(((_copied(item, item), call("json_compact", item)),), refused)
    valid = call("coalesce", call("is_json", item), Lit(False))
    container = call("coalesce", call("is_json_container", item), Lit(False))
    return Case(((container, nested), (valid, refused)), call("json_quoted", item))


def _object(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """`json_object("key", value, …)`."""
    if len(nodes) % 2:
        raise scope.source.syntax_error(at, "json_object() takes pairs of a key and a value")
    keys = [scope.stored(node).literal for node in nodes[::2]]
    if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise scope.source.unsupported(at, "keys of json_object() that are not different quoted strings")
    names = [Lit(json.dumps(key, ensure_ascii=False) + ":") for key in keys]
    members: list[Expr] = [call("concat", name, written_json(scope, node, at)) for name, node in zip(names, nodes[1::2], strict=True)]
    return Value(Kind.TEXT, _listed("{", members, "}"))


def _array(scope: Expressions, nodes: Nodes, at: int) -> Value:
    return Value(Kind.TEXT, _listed("[", [written_json(scope, node, at) for node in nodes], "]"))


def _listed(opening: str, items: list[Expr], closing: str) -> Expr:
    separated = [part for item in items for part in (Lit(","), item)][1:]
    return call("concat", Lit(opening), *separated, Lit(closing))


def _copied(item: Expr, document: Expr) -> Expr:
    """Whether the text of a JSON value in `document` is the one that Splunk would write."""
    even = call("not", call("perl_search", document, Lit(ODD_NUMBER)))
    whole = call("regex_full", item, Lit("-?(0|[1-9][0-9]{0,14})"))
    number = call("and", call("regex_full", item, Lit(_PLAIN_NUMBER)), even)
    kind = call("json_kind", item)
    other = call("or", call("and", call("is_json_container", item), even), call("eq", kind, Lit("VARCHAR")))
    return call("or", whole, number, call("and", other, call("not", call("contains", item, Lit("\\")))))


def _native(item: Expr, document: Expr, at: int) -> Expr:
    """The field's value of a JSON value in `document`: a string without its quotation marks, a number, an object or array as its text;
    a JSON null is null. A Boolean is one, which a field cannot hold."""
    kind = call("json_kind", item)
    refused = refuse(at, "a Boolean, or a number or object whose text Splunk's documentation does not decide, from JSON", TEXT_TYPE)
    missing = call("or", call("is_null", item), call("eq", kind, Lit("NULL")))
    word = (call("eq", kind, Lit("VARCHAR")), call("json_unquoted", item))
    return Case(((missing, Lit(None, TEXT_TYPE)), word, (_copied(item, document), item)), refused)


def _extract(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """`json_extract(json, path)`: the value at the path, null where there is none; with `{}` one JSON array of the values of all elements.
    The page's examples differ on `{}` and `{0}` of an object: refused."""
    parts = path_parts(scope, nodes[1])

    def found(item: Expr) -> Expr:
        if None not in parts:
            return let(_walked(item, parts, at), lambda value: _native(value, item, at))
        place = parts.index(None)
        variable = f"#e{at}"
        refused = refuse(at, "{} over what some elements lack, escapes, or values whose text is not decided", TEXT_TYPE)
        known = call("coalesce", _copied(Col(variable), item), Lit(False))
        checked = Lambda(variable, Case(((known, Col(variable)),), refused))

        def joined(array: Expr) -> Expr:
            values = call("list_transform", _spread(array, parts[place + 1 :], at), checked)
            text = call("concat", Lit("["), call("list_join", values, Lit(",")), Lit("]"))
            return Case(((call("is_null", array), Lit(None, TEXT_TYPE)),), text)

        return let(_walked(item, parts[:place], at), joined)

    return Value(Kind.TEXT, in_document(scope, nodes[0], at, found))


def _walked(item: Expr, parts: list[Part | None], at: int) -> Expr:
    """The JSON value at keys and indexes, null where there is none."""
    for part in parts:
        kind, path = ("ARRAY", f"$[{part}]") if isinstance(part, int) else ("OBJECT", f'$."{part}"')
        refused = refuse(at, "a path of JSON with a key in what is no object, or an index in what is no array", TEXT_TYPE)
        twice = refuse(at, "JSON with a key twice", TEXT_TYPE)

        def step(value: Expr, kind: str = kind, path: str = path, refused: Expr = refused, twice: Expr = twice) -> Expr:
            branches = (
                (call("is_null", value), Lit(None, TEXT_TYPE)),
                (call("json_repeats", value), twice),
                (call("eq", call("json_kind", value), Lit(kind)), call("json_at", value, Lit(path))),
            )
            return Case(branches, refused)

        item = let(item, step)
    return item


def _spread(array: Expr, parts: list[Part | None], at: int) -> Expr:
    """The JSON values at the rest of the path in each element, in one list."""
    refused = refuse(at, "{} of what is no array, or of an empty one", LIST_TYPE)
    filled = call("and", call("eq", call("json_kind", array), Lit("ARRAY")), call("gt", call("json_size", array), Lit(0)))
    elements = Case(((call("coalesce", filled, Lit(False)), call("json_elements", array)),), refused)
    place = parts.index(None) if None in parts else len(parts)
    variable = f"#s{at}_{len(parts)}"
    below: Expr = call("list_transform", elements, Lambda(variable, _walked(Col(variable), parts[:place], at)))
    if place == len(parts):
        return below
    inner = f"#t{at}_{len(parts)}"
    return call("list_flatten", call("list_transform", below, Lambda(inner, _spread(Col(inner), parts[place + 1 :], at))))


def _keys(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The top-level keys of an object as a JSON array."""
    refused = refuse(at, "json_keys() of an array", TEXT_TYPE)

    def named(item: Expr) -> Expr:
        return Case(((call("eq", call("json_kind", item), Lit("OBJECT")), call("json_quoted", call("json_names", item))),), refused)

    return Value(Kind.TEXT, in_document(scope, nodes[0], at, named))


def _valid(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """Whether the text is a JSON object or array; a text that is another JSON value is refused."""

    def tested(item: Expr) -> Expr:
        valid = call("is_json", item)
        single = call("and", valid, call("not", call("is_json_container", item)))
        return Case(((call("coalesce", single, Lit(False)), refuse(at, "json_valid() of a single value", "BOOLEAN")),), valid)

    return boolean(let(as_text(scope.stored(nodes[0]), at), tested))


def _array_to_mv(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The elements of an array as a multivalue, nothing for what is no array; with true() strings keep their quotation marks."""
    kept = nodes[1] if len(nodes) > 1 else None
    if kept is not None and not (isinstance(kept, eval_syntax.Function) and kept.name in ("true", "false")):
        raise scope.source.unsupported(at, "a second argument of json_array_to_mv() that is not true() or false()")
    quotes = isinstance(kept, eval_syntax.Function) and kept.name == "true"
    variable = Col(f"#v{at}")

    def elements(item: Expr) -> Expr:
        value = _native(variable, item, at)
        if quotes:
            value = Case(((call("eq", call("json_kind", variable), Lit("VARCHAR")), variable),), value)
        values = call("list_transform", call("json_elements", item), Lambda(variable.name, value))
        single = refuse(at, "json_array_to_mv() of an array with null", LIST_TYPE)
        nothing = Lambda("#nothing", call("is_null", Col("#nothing")))
        checked = let(values, lambda found: Case(((call("list_any", found, nothing), single),), found))
        array = call("coalesce", call("json_array_in", item), Lit(False))
        return Case(((array, non_empty(checked)),), Lit(None, LIST_TYPE))

    value = scope.stored(nodes[0])
    return Value(Kind.LIST, Lit(None, LIST_TYPE) if value.is_null else let(as_text(value, at), elements))


def _mv_to_array(scope: Expressions, nodes: Nodes, at: int) -> Value:
    """The values as a JSON array of strings; inferred types are refused."""
    if len(nodes) > 1 and not (isinstance(nodes[1], eval_syntax.Function) and nodes[1].name == "false"):
        raise scope.source.unsupported(at, "mv_to_json_array() that infers types")

    def quoted(items: Expr) -> Expr:
        return Case(((call("is_null", items), Lit(None, TEXT_TYPE)),), call("json_quoted", items))

    return Value(Kind.TEXT, let(as_list(scope.stored(nodes[0]), at), quoted))


JSON: Rows = {
    "json_object": (_object, 0, MANY),
    "json_array": (_array, 0, MANY),
    "json_extract": (_extract, 2, 2),
    "json_keys": (_keys, 1, 1),
    "json_valid": (_valid, 1, 1),
    "json_array_to_mv": (_array_to_mv, 1, 2),
    "mv_to_json_array": (_mv_to_array, 1, 2),
}
