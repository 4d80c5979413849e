"""json_set and json_append (Search Reference, "JSON functions"). A path that does not fit the JSON is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from an1498.replay.algebra import Case, Expr, Lit, call
from an1498.replay.spl.eval_common import MANY, Nodes, Rows
from an1498.replay.spl.eval_json import ODD_NUMBER, in_document, path_parts, written_json
from an1498.replay.spl.values import TEXT_TYPE, Kind, Value, let, refuse

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions

Leaf = Callable[[Expr], Expr]


def _updates(function: str, leaf: Callable[[Expr, Expr, int], Expr]) -> Callable[[Expressions, Nodes, int], Value]:
    """json_set and json_append: pairs of a path and a value, one after the other."""

    def lowering(scope: Expressions, nodes: Nodes, at: int) -> Value:
        if len(nodes) % 2 == 0:
            raise scope.source.syntax_error(at, f"{function}() takes JSON and pairs of a path and a value")
        pairs = [(path_parts(scope, path), written_json(scope, value, at)) for path, value in zip(nodes[1::2], nodes[2::2], strict=True)]
        if any(not isinstance(part, str) for parts, _ in pairs for part in parts):
            raise scope.source.unsupported(at, f"{function}() with an index in the path")

        def updated(item: Expr) -> Expr:
            unstable = call("or", call("contains", item, Lit("\\")), call("perl_search", item, Lit(ODD_NUMBER)))
            result: Expr = call("json_compact", item)
            for parts, value in pairs:
                keys = [part for part in parts if isinstance(part, str)]
                result = _replaced(result, keys, lambda old, value=value: leaf(old, value, at), at)  # type: ignore[misc]
            return Case(((unstable, refuse(at, f"{function}() of JSON with escapes or numbers whose text may change", TEXT_TYPE)),), result)

        return Value(Kind.TEXT, in_document(scope, nodes[0], at, updated))

    return lowering


def _replaced(item: Expr, keys: list[str], leaf: Leaf, at: int) -> Expr:
    """The object with `leaf` of the old value (null where there is none) at the path."""
    key, *deeper = keys

    def rebuilt(document: Expr) -> Expr:
        old = call("json_at", document, Lit(f'$."{key}"'))
        if deeper:
            created = leaf(Lit(None, TEXT_TYPE))
            for name in reversed(deeper):
                created = call("concat", Lit("{" + json.dumps(name, ensure_ascii=False) + ":"), created, Lit("}"))
            new = let(old, lambda inner: Case(((call("is_null", inner), created),), _replaced(inner, deeper, leaf, at)))
        else:
            new = leaf(old)
        refused = refuse(at, "a path through JSON that is no object", TEXT_TYPE)
        replaced = let(new, lambda value: call("json_with", document, Lit(key), value))
        return Case(((call("eq", call("json_kind", document), Lit("OBJECT")), replaced),), refused)

    return let(item, rebuilt)


def _appended(old: Expr, value: Expr, at: int) -> Expr:
    """The array with the value; a single value or object is put into an array first."""
    refused = refuse(at, "json_append() to a path that does not exist", TEXT_TYPE)

    def joined(known: Expr) -> Expr:
        inner = call("substring", known, Lit(2), call("sub", call("length", known), Lit(2)))
        separator = Case(((call("eq", known, Lit("[]")), Lit("")),), Lit(","))
        is_array = call("eq", call("json_kind", known), Lit("ARRAY"))
        wrapped = call("concat", Lit("["), known, Lit(","), value, Lit("]"))
        longer = call("concat", Lit("["), inner, separator, value, Lit("]"))
        return Case(((call("is_null", known), refused), (is_array, longer)), wrapped)

    return let(old, joined)


JSON_UPDATES: Rows = {
    "json_set": (_updates("json_set", lambda _old, value, _at: value), 3, MANY),
    "json_append": (_updates("json_append", _appended), 3, MANY),
}
