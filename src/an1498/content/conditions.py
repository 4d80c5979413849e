"""The grammar of Sigma conditions, checked before any converter sees them.

Sigma specification 2.1, "Detection → condition": `not` binds tighter than `and`, `and` tighter than `or`; `1 of x*`, `any of x*`,
`all of x*`, `… of them`. Boolean temporal conditions use the same words over rule names, without `… of`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection

from an1498.content.node import Node, suggestion
from an1498.errors import ContentError

MAX_LENGTH = 4096
MAX_DEPTH = 30
_TOKEN = re.compile(r"\s*(?:([A-Za-z0-9_*-]+)|([()])|(\S))", re.ASCII)
_QUANTIFIERS = ("1", "any", "all")
_WORDS = ("and", "or", "not", "of", "them")


def check_condition(node: Node, names: Collection[str], *, what: str, quantifiers: bool = True) -> tuple[str, ...]:
    """The names that a condition uses, in order of appearance. `what` says what a name stands for ("selection", "rule").
    Raises ContentError for a syntax error or an unknown name."""
    text = node.text(longest=MAX_LENGTH, lines=True)
    parser = _Parser(node, text, names, what, quantifiers)
    parser.disjunction(0)
    if parser.at < len(parser.tokens):
        parser.refuse_capitals(parser.tokens[parser.at])
        raise parser.error(f"does not end at '{parser.tokens[parser.at]}'", "join its parts with 'and' or 'or'")
    return tuple(dict.fromkeys(parser.used))


class _Parser:
    def __init__(self, node: Node, text: str, names: Collection[str], what: str, quantifiers: bool) -> None:
        self.node = node
        self.names = names
        self.what = what
        self.quantifiers = quantifiers
        self.used: list[str] = []
        self.at = 0
        self.tokens: list[str] = []
        for word, parenthesis, other in _TOKEN.findall(text):
            if other == "|":
                raise self.error("pipes its result into an aggregation", "write a correlation rule instead")
            if other:
                raise self.error(f"holds '{other}'", f"use {what} names, and, or, not, and parentheses")
            self.tokens.append(word or parenthesis)

    def error(self, problem: str, remedy: str, code: str = "bad-value") -> ContentError:
        return self.node.error(f"condition {problem}", remedy, code)

    def refuse_capitals(self, word: str) -> None:
        if word.lower() in _WORDS and word not in _WORDS:
            raise self.error(f"has '{word}' in capitals", f"write '{word.lower()}'")

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, word: str) -> bool:
        taken = self._next() == word
        self.at += taken
        return taken

    def disjunction(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.error(f"is nested more than {MAX_DEPTH} levels deep", "split the rule")
        self._conjunction(depth)
        while self._take("or"):
            self._conjunction(depth)

    def _conjunction(self, depth: int) -> None:
        self._negation(depth)
        while self._take("and"):
            self._negation(depth)

    def _negation(self, depth: int) -> None:
        while self._take("not"):
            pass
        if self._take("("):
            self.disjunction(depth + 1)
            if not self._take(")"):
                raise self.error("has an opening parenthesis without its closing one", "add ')'")
            return
        self._operand()

    def _operand(self) -> None:
        word = self._next()
        if not word:
            raise self.error("ends too early", f"add a {self.what} name")
        if word == ")" or word in _WORDS:
            raise self.error(f"has '{word}' where a {self.what} name must stand", f"add a {self.what} name before it")
        self.at += 1
        if word in _QUANTIFIERS and self._take("of"):
            self._selector(word)
            return
        if word not in self.names:
            self.refuse_capitals(word)
            raise self.error(f"names the {self.what} '{word}', which does not exist", suggestion(word, self.names), "unknown-reference")
        self.used.append(word)

    def _selector(self, quantifier: str) -> None:
        if not self.quantifiers:
            raise self.error(f"uses '{quantifier} of'", f"name each {self.what}, joined with 'and' or 'or'")
        pattern = self._next()
        if not pattern or pattern in "()":
            raise self.error(f"has no pattern after '{quantifier} of'", "add a pattern such as selection_* or them")
        self.at += 1
        # A name that starts with an underscore is outside `them` and patterns without one (Sigma specification, "condition").
        matching = [
            name
            for name in self.names
            if (pattern == "them" or fnmatch.fnmatchcase(name, pattern)) and (pattern.startswith("_") or not name.startswith("_"))
        ]
        if not matching:
            raise self.error(f"'{quantifier} of {pattern}' matches no {self.what}", suggestion(pattern, self.names), "unknown-reference")
        self.used.extend(matching)
