"""What the builders of lark's trees share: places, children, and the texts of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token, Tree

from an1498.replay.spl.source import Source

Node = Tree[Token]


def place(node: Node | Token) -> int:
    return (node.start_pos if isinstance(node, Token) else node.meta.start_pos) or 0


def trees(node: Node, rule: str) -> Iterator[Node]:
    return (child for child in node.children if isinstance(child, Tree) and child.data == rule)


def tokens(node: Node, *names: str) -> Iterator[Token]:
    return (child for child in node.children if isinstance(child, Token) and child.type in names)


_EVAL_ESCAPES = {"\\": "\\", '"': '"', "t": "\t", "n": "\n", "r": "\r"}


def eval_text(token: str) -> str:
    """A quoted string of eval. Search Manual, "Types of expressions": `\\t` is a tab, a backslash is written `\\\\`. An
    unknown escape keeps its backslash, so that `"\\d"` is the regular expression `\\d`."""
    return re.sub(r"\\(.)", lambda match: _EVAL_ESCAPES.get(match[1], match[0]), token[1:-1], flags=re.DOTALL)


def regex_text(token: str) -> str:
    """A quoted regular expression. Search Manual, "SPL and regular expressions": of two backslashes one is removed before the
    expression is read, and a quotation mark is escaped."""
    return re.sub(r'\\([\\"])', r"\1", token[1:-1])


def name_text(source: Source, node: Node) -> str:
    token = node.children[0]
    assert isinstance(token, Token)
    name = eval_text(token) if token.type == "STRING" else str(token)[1:-1] if token.type == "SINGLE_QUOTED" else str(token)
    if not name:
        raise source.syntax_error(place(token), "a field name is empty")
    return name
