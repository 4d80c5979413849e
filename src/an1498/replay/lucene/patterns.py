"""Lucene's regular expressions and wildcards as RE2, for every language whose patterns Lucene executes.

Both match the whole value and know no anchors. Sources: Elasticsearch reference, "Regular expression syntax" (operators, reserved
characters, all optional operators on); Lucene API, `org.apache.lucene.util.automaton.RegExp` (grammar, predefined classes) and
`org.apache.lucene.search.WildcardQuery` (`*`, `?`, escape).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLASSES = {"d": "0-9", "s": " \\t\\n\\r", "w": "a-zA-Z_0-9"}
_MOST_REPEATS = 1000  # RE2's limit


class PatternError(ValueError):
    """The pattern is malformed, or (`unsupported`) valid for Lucene but outside what RE2 can say exactly."""

    def __init__(self, message: str, *, unsupported: bool = False) -> None:
        self.unsupported = unsupported
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Pattern:
    """`re2` must match the whole value, with `.` matching every character; `matches_all` where every value matches;
    `literal` is the only value that matches, where there is just one."""

    re2: str
    matches_all: bool = False
    literal: str | None = None


def wildcard(pattern: str) -> Pattern:
    """`*` is any text, `?` exactly one character, a backslash takes the next character literally (a last one is itself)."""
    parts: list[str] = []
    literal: list[str] | None = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character in "*?":
            parts.append(".*" if character == "*" else ".")
            literal = None
        else:
            if character == "\\" and position + 1 < len(pattern):
                position += 1
                character = pattern[position]
            parts.append(_quoted(character))
            if literal is not None:
                literal.append(character)
        position += 1
    return Pattern("".join(parts), bool(parts) and set(parts) == {".*"}, None if literal is None else "".join(literal))


def regular_expression(pattern: str) -> Pattern:
    """Translate a Lucene regular expression. Raises PatternError."""
    if not pattern:
        return Pattern("")
    reader = _Reader(pattern)
    node = reader.union()
    if reader.more():
        raise PatternError(f"')' without '(' at position {reader.position + 1}")
    return Pattern(node.re2, node.total)


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of an expression; `total` where it matches every text, `nullable` where it matches the empty text."""

    re2: str
    total: bool = False
    nullable: bool = False
    any_character: bool = False


def _quoted(character: str) -> str:
    return re.escape(character) if character.isprintable() and character.isascii() else _in_class(character)


class _Reader:
    """Recursive descent over Lucene's grammar: union of concatenations of repeated simple expressions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def more(self) -> bool:
        return self.position < len(self.text)

    def peek(self, characters: str) -> bool:
        return self.more() and self.text[self.position] in characters

    def take(self, character: str) -> bool:
        if self.peek(character):
            self.position += 1
            return True
        return False

    def next(self) -> str:
        if not self.more():
            raise PatternError("the expression ends where a character is expected")
        self.position += 1
        return self.text[self.position - 1]

    def union(self) -> _Node:
        branches = [self.concatenation()]
        while self.take("|"):
            branches.append(self.concatenation())
        if len(branches) == 1:
            return branches[0]
        return _Node(
            f"(?:{'|'.join(branch.re2 for branch in branches)})",
            any(branch.total for branch in branches),
            any(branch.nullable for branch in branches),
        )

    def concatenation(self) -> _Node:
        parts = [self.repetition()]
        while self.more() and not self.peek(")|"):
            if self.peek("&"):
                raise PatternError("'&' (intersection) has no form in RE2", unsupported=True)
            parts.append(self.repetition())
        if len(parts) == 1:
            return parts[0]
        nullable = all(part.nullable for part in parts)
        return _Node("".join(part.re2 for part in parts), nullable and any(part.total for part in parts), nullable)

    def repetition(self) -> _Node:
        node = self.simple()
        while self.peek("?*+{"):
            quantifier = self.next()
            least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(quantifier) or self.counts()
            written = quantifier if quantifier != "{" else f"{{{least},{'' if most is None else most}}}"
            nullable = least == 0 or node.nullable
            total = node.total or (node.any_character and least == 0 and most is None)
            node = _Node(f"(?:{node.re2}){written}", total and most != 0, nullable)
        return node

    def counts(self) -> tuple[int, int | None]:
        least = self.number()
        if least is None:
            raise PatternError(f"a number is expected at position {self.position + 1}")
        most: int | None = least
        if self.take(","):
            most = self.number()
        if not self.take("}"):
            raise PatternError(f"'}}' is expected at position {self.position + 1}")
        if max(least, most or 0) > _MOST_REPEATS:
            raise PatternError(f"more than {_MOST_REPEATS} repetitions", unsupported=True)
        if most is not None and most < least:
            raise PatternError("a repetition's upper bound is below its lower bound", unsupported=True)
        return least, most

    def number(self) -> int | None:
        start = self.position
        while self.peek("0123456789"):
            self.position += 1
        return int(self.text[start : self.position]) if start < self.position else None

    def simple(self) -> _Node:
        if self.peek("~<"):
            raise PatternError(f"'{self.text[self.position]}' (complement or interval) has no form in RE2", unsupported=True)
        if self.take("["):
            return self.character_class()
        if self.take("."):
            return _Node(".", any_character=True)
        if self.take("#"):
            return _Node(r"[^\x00-\x{10FFFF}]")
        if self.take("@"):
            return _Node(".*", total=True, nullable=True)
        if self.take('"'):
            end = self.text.find('"', self.position)
            if end < 0:
                raise PatternError("a quoted text does not end")
            quoted, self.position = self.text[self.position : end], end + 1
            return _Node(f"(?:{''.join(map(_quoted, quoted))})", nullable=not quoted)
        if self.take("("):
            if self.take(")"):
                return _Node("(?:)", nullable=True)
            node = self.union()
            if not self.take(")"):
                raise PatternError("'(' without ')'")
            return _Node(f"(?:{node.re2})", node.total, node.nullable)
        predefined = self.predefined()
        if predefined is not None:
            return _Node(f"[{predefined}]")
        return _Node(_quoted(self.character()))

    def predefined(self) -> str | None:
        """The inside of a class for \\d \\w \\s, or of its negation, which is a class of its own."""
        if not self.peek("\\") or self.position + 1 >= len(self.text):
            return None
        letter = self.text[self.position + 1]
        if letter in "dsw":
            self.position += 2
            return _CLASSES[letter]
        if letter in "DSW":
            self.position += 2
            return "^" + _CLASSES[letter.lower()]
        if letter.isascii() and letter.isalpha():
            raise PatternError(f"'\\{letter}' is not a character class of Lucene")
        return None

    def character(self) -> str:
        if self.take("\\") and not self.more():
            raise PatternError("the expression ends after a backslash")
        return self.next()

    def character_class(self) -> _Node:
        """Union of ranges. Lucene reads at least one character, so a first `]` is literal, and `a-]` is a range."""
        negated = self.take("^")
        inside: list[str] = []
        while True:
            predefined = self.predefined()
            if predefined is not None:
                if predefined.startswith("^"):
                    raise PatternError("a negated class inside brackets", unsupported=True)
                inside.append(predefined)
            else:
                first = self.character()
                if self.take("-"):
                    last = self.character()
                    if first > last:
                        raise PatternError(f"the range {first}-{last} is backwards")
                    inside.append(f"{_in_class(first)}-{_in_class(last)}")
                else:
                    inside.append(_in_class(first))
            if self.take("]"):
                break
            if not self.more():
                raise PatternError("'[' without ']'")
        return _Node(f"[{'^' if negated else ''}{''.join(inside)}]")


def _in_class(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"
