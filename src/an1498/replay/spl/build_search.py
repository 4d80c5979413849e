"""lark's trees of search terms → the nodes of syntax.py (Search Reference, "search")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from lark import Token, Tree

from an1498.replay.spl import syntax
from an1498.replay.spl.nodes import Node, place, tokens
from an1498.replay.spl.source import Source

Pipelines = Mapping[int, tuple[syntax.Command, ...]]

# Search modifiers that are not fields of an event (Search Reference, "search", and "Time modifiers").
_MODIFIERS = re.compile(
    "(_index_)?(earliest|latest)|(start|end)(time|daysago|hoursago|minutesago)|timeformat|searchtimespan(days|hours|minutes)"
    "|eventtype(tag)?|hosttag|tag|sourcetypetag|saved(search|splunk)|splunk_server(_group)?"
)


def search(source: Source, tree: Node, at: int, pipelines: Pipelines) -> syntax.Search:
    """`pipelines` are the subsearches by the offset of their opening bracket."""
    terms = [_term(source, child, pipelines) for child in tree.children if isinstance(child, Tree)]
    return syntax.Search(terms[0] if terms else syntax.AllOf(()), at)


def _term(source: Source, node: Node, pipelines: Pipelines) -> syntax.Term:
    children = [child for child in node.children if isinstance(child, Tree)]
    match node.data:
        case "all_of" | "any_of":
            for left, right in pairwise(children):
                if left.meta.end_pos == right.meta.start_pos and "group" not in (left.data, right.data):
                    raise source.unsupported(right.meta.start_pos, "two terms without a space between them")
            terms = tuple(_term(source, child, pipelines) for child in children)
            if len(terms) == 1:
                return terms[0]
            return syntax.AllOf(terms) if node.data == "all_of" else syntax.AnyOf(terms)
        case "negation":
            return syntax.Negation(_term(source, children[0], pipelines))
        case "group":
            return _term(source, children[0], pipelines)
        case "comparison":
            field = _search_field(source, children[0])
            return syntax.Comparison(field, str(next(tokens(node, "OPERATOR"))), _pattern(source, children[1]), place(node))
        case "membership":
            field = _search_field(source, children[0])
            return syntax.Membership(field, tuple(_pattern(source, child) for child in children[1:]), place(node))
        case "subsearch":
            return syntax.Subsearch(pipelines[place(node)], place(node))
        case "directive":
            return _directive(source, str(node.children[0]), place(node))
        case _:
            return syntax.Word(_pattern(source, node), place(node))


def _directive(source: Source, written: str, at: int) -> syntax.Word:
    kind, inner = written[:4], written[5:-1].strip().strip('"')
    if kind not in ("TERM", "CASE") or not inner or "\\" in inner:
        raise source.unsupported(at, f"the directive {written}")
    return syntax.Word(syntax.Pattern(tuple(inner.split("*")), at), at, kind)


def _search_field(source: Source, node: Node) -> str:
    pattern = _pattern(source, node)
    name = pattern.literal
    if not name:
        raise source.unsupported(place(node), "a field name with wildcards")
    if _MODIFIERS.fullmatch(name) or "::" in name:
        raise source.unsupported(place(node), f"the search modifier '{name}'")
    return name


def _pattern(source: Source, node: Node) -> syntax.Pattern:
    """A search value. Search Reference, "search", "Quotes and escaping characters": a backslash escapes a quotation mark and
    itself; Search Manual, "Backslashes": it cannot escape an asterisk. Other escapes are not documented, so they are refused."""
    token = node.children[0]
    assert isinstance(token, Token)
    at = place(token)
    if token.type == "DIRECTIVE":
        raise source.unsupported(at, f"the directive {token} as a field's value")
    quoted = token.type == "STRING"
    written = token[1:-1] if quoted else str(token)
    parts = [""]
    position = 0
    while position < len(written):
        character = written[position]
        if character == "*":
            if not (position and written[position - 1] == "*" and parts[-1] == "" and len(parts) > 1):
                parts.append("")
            position += 1
        elif character == "\\":
            following = written[position + 1 : position + 2]
            if following not in ("\\", '"'):
                raise source.unsupported(
                    at + position + quoted,
                    f"the escape '\\{following}' in a search term",
                    "write \\\\ for a backslash; * cannot be escaped",
                )
            parts[-1] += following
            position += 2
        else:
            parts[-1] += character
            position += 1
    return syntax.Pattern(tuple(parts), at)
