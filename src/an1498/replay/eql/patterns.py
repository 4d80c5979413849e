"""Wildcards and regular expressions of EQL as RE2 patterns for the whole value.

`like`, `like~` and `:` know `*` (any characters) and `?` (one character); a backslash is an ordinary character (Elastic docs,
"EQL syntax reference"). `regex` on a field is a Lucene regular expression (Elastic docs, "Regular expression syntax"): always
anchored, `^` and `$` are ordinary characters, and `~ & < @ # "` are operators. `regex` on a computed value is a Java pattern.
Case-insensitive matching folds ASCII letters only. Where the two dialects, or Elasticsearch's versions, differ, we refuse.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

_RE2_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
_LUCENE_OPERATORS = frozenset('~&<@#"')
_MAX_REPEAT = 1000  # RE2's limit


class UnsupportedPattern(ValueError):
    """The pattern has no exact translation; the message says which part."""


def wildcard_regex(pattern: str) -> str:
    """RE2 text of a wildcard pattern."""
    return "".join({"*": ".*", "?": "."}.get(character) or _literal(character) for character in pattern)


def has_wildcard(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def regex(pattern: str, *, insensitive: bool, java: bool) -> str:
    """RE2 text of a Lucene (or, with `java`, a Java) regular expression. Raises UnsupportedPattern."""
    reader = _Reader(pattern, insensitive, java)
    translated = reader.union()
    if reader.position < len(pattern):
        raise UnsupportedPattern(f"'{pattern[reader.position]}' without its partner")
    return translated


def _literal(character: str) -> str:
    return "\\" + character if character in _RE2_SPECIAL else character


def _both_cases(character: str) -> str:
    return f"[{character.lower()}{character.upper()}]" if character in string.ascii_letters else _literal(character)


@dataclass(slots=True)
class _Reader:
    """Recursive descent over the pattern: union → concatenation → repetition → atom."""

    pattern: str
    insensitive: bool
    java: bool
    position: int = 0

    def peek(self) -> str:
        return self.pattern[self.position] if self.position < len(self.pattern) else ""

    def take(self) -> str:
        character = self.peek()
        if not character:
            raise UnsupportedPattern("the pattern ends too early")
        self.position += 1
        return character

    def union(self) -> str:
        branches = [self.concatenation()]
        while self.peek() == "|":
            self.position += 1
            branches.append(self.concatenation())
        if len(branches) > 1 and "" in branches:
            raise UnsupportedPattern("an empty alternative")
        return "|".join(branches)

    def concatenation(self) -> str:
        parts = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repetition())
        return "".join(parts)

    def repetition(self) -> str:
        translated = self.atom()
        while self.peek() and self.peek() in "*+?{":
            translated = f"(?:{translated}){self.quantifier()}"
            if self.java and self.peek() == "?":
                self.position += 1  # a reluctant quantifier accepts the same whole values
            if self.java and self.peek() and self.peek() in "*+?{":
                raise UnsupportedPattern("a quantifier after a quantifier")
        return translated

    def quantifier(self) -> str:
        character = self.take()
        if character != "{":
            return character
        end = self.pattern.find("}", self.position)
        body = self.pattern[self.position : end] if end >= 0 else ""
        low, comma, high = body.partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()) or int(low) > _MAX_REPEAT or int(high or 0) > _MAX_REPEAT:
            raise UnsupportedPattern(f"the repetition '{{{body}}}'")
        self.position = end + 1
        return f"{{{int(low)}{comma}{int(high) if high else ''}}}"

    def atom(self) -> str:
        character = self.take()
        match character:
            case "(":
                inside = self.union()
                if self.peek() != ")":
                    raise UnsupportedPattern("'(' without ')'")
                self.position += 1
                return f"(?:{inside})"
            case "[":
                return self.character_class()
            case ".":
                return "."
            case "\\":
                return self.plain(self.escaped())
            case "*" | "+" | "?" | "{" | "}":
                raise UnsupportedPattern(f"'{character}' without anything to repeat")
            case "^" | "$" if self.java:
                raise UnsupportedPattern(f"the anchor '{character}' on a computed value")
            case _ if character in _LUCENE_OPERATORS:
                raise UnsupportedPattern(f"the operator '{character}'")
            case _:
                return self.plain(character)

    def plain(self, character: str) -> str:
        return _both_cases(character) if self.insensitive else _literal(character)

    def escaped(self) -> str:
        """Versions of Lucene disagree on what a backslash before a letter means (`\\d`, `\\s`, `\\w`)."""
        character = self.take()
        if character.isalnum():
            raise UnsupportedPattern(f"the escape '\\{character}'; write a character class such as [0-9] or [ ]")
        return character

    def character_class(self) -> str:
        negated = self.peek() == "^"
        if negated:
            self.position += 1
        items: list[tuple[str, str]] = []
        while self.peek() != "]":
            low = self.class_character()
            high = low
            if self.peek() == "-" and self.pattern[self.position + 1 : self.position + 2] not in ("", "]"):
                self.position += 1
                high = self.class_character()
            if high < low:
                raise UnsupportedPattern(f"the range '{low}-{high}'")
            items.append((low, high))
        self.position += 1
        if not items:
            raise UnsupportedPattern("an empty character class")
        if self.insensitive:
            items = _fold_class(items)
        body = "".join(_class_literal(low) if low == high else f"{_class_literal(low)}-{_class_literal(high)}" for low, high in items)
        return f"[{'^' if negated else ''}{body}]"

    def class_character(self) -> str:
        character = self.take()
        if character == "\\":
            return self.escaped()
        if character == "[" or (character == "&" and self.peek() == "&"):
            raise UnsupportedPattern(f"'{character}' inside a character class")
        return character


def _class_literal(character: str) -> str:
    return "\\" + character if character in r"\]^-[" else character


def _fold_class(items: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Both cases of single letters. A range of letters is folded by some versions of Lucene only, so it must be in both cases already."""
    singles = {form for low, high in items if low == high for form in (low, low.swapcase() if low in string.ascii_letters else low)}
    ranged = {letter for low, high in items if low != high for letter in string.ascii_letters if low <= letter <= high}
    if any(letter.swapcase() not in ranged | singles for letter in ranged):
        raise UnsupportedPattern("a range of letters in a case-insensitive pattern; write both cases, [a-zA-Z]")
    return [(low, high) for low, high in items if low != high] + [(single, single) for single in sorted(singles)]
