"""Perl-compatible regular expressions, which SPL uses (Search Manual, "SPL and regular expressions"), as RE2, which runs them.

Only what means the same in both passes; the rest raises PcreError with the reason. Where they differ, the text is rewritten:
`(?<name>…)`, `\\h`-free classes, `\\s` with the vertical tab, `$` and `\\Z`, which in PCRE also match before a final newline (the
caller must refuse a subject that ends with one: `ends_at_newline`).
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass


class PcreError(ValueError):
    """The expression cannot be translated; the message says why."""


@dataclass(frozen=True, slots=True)
class Regex:
    """`re2` is the translated text, `groups` the names of its capturing groups in order ("" for a group without a name)."""

    re2: str
    groups: tuple[str, ...]
    ends_at_newline: bool

    @property
    def matches_empty(self) -> bool:
        return re.search(self.re2.replace(r"\z", r"\Z"), "") is not None


_GROUP_NAME = re.compile(r"\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_FLAGS = re.compile(r"\(\?([a-zA-Z-]*)([:)])")
_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}")
_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
_SPACE = r"\t\n\x0b\f\r "
_SAME_ESCAPES = frozenset("dDwWbBAzntrfaQE")


def translate(pattern: str) -> Regex:
    """Raises PcreError."""
    if "\0" in pattern:
        raise PcreError("a NUL character")
    return _Translator(pattern).run()


class _Translator:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.output: list[str] = []
        self.groups: list[str] = []
        self.ends_at_newline = False
        self.position = 0

    def run(self) -> Regex:
        while self.position < len(self.pattern):
            self._step()
        re2 = "".join(self.output)
        names = [name for name in self.groups if name]
        if len(set(names)) != len(names):
            raise PcreError("two groups of the same name")
        try:
            with warnings.catch_warnings():
                # Python's re, which only checks the syntax here, warns of "[[:digit:]]", which it reads differently.
                warnings.simplefilter("ignore", FutureWarning)
                re.compile(re2.replace(r"\z", r"\Z"))
        except re.error as error:
            raise PcreError(f"not a regular expression ({error})") from None
        return Regex(re2, tuple(self.groups), self.ends_at_newline)

    def _take(self, count: int, written: str | None = None) -> None:
        self.output.append(self.pattern[self.position : self.position + count] if written is None else written)
        self.position += count

    def _step(self) -> None:
        rest = self.pattern[self.position :]
        character = rest[0]
        if character == "\\":
            self._escape(rest, in_class=False)
        elif character == "[":
            self._class(rest)
        elif character == "(":
            self._group(rest)
        elif character == "$":
            self.ends_at_newline = True
            self._take(1, r"\z")
        elif character in "*+?" or _REPEAT.match(rest):
            self._quantifier(rest)
        elif character == "{":
            self._take(1, r"\{")
        else:
            self._take(1)

    def _quantifier(self, rest: str) -> None:
        repeat = _REPEAT.match(rest)
        length = repeat.end() if repeat is not None else 1
        if repeat is not None and max(int(repeat[1]), int(repeat[3] or 0)) > 1000:
            raise PcreError("a repetition of more than 1,000")
        following = rest[length : length + 1]
        if following == "+":
            raise PcreError("a possessive quantifier")
        self._take(length + (following == "?"))

    def _group(self, rest: str) -> None:
        named = _GROUP_NAME.match(rest)
        if named is not None:
            name = named[1] or named[2]
            self.groups.append(name)
            self._take(named.end(), f"(?P<{name}>")
        elif rest.startswith("(?"):
            flags = _FLAGS.match(rest)
            if flags is None or set(flags[1]) - set("is-"):
                raise PcreError(f"the group '{rest[:4]}'")
            self._take(flags.end())
        elif rest.startswith("(*"):
            raise PcreError("a verb such as (*UTF8)")
        else:
            self.groups.append("")
            self._take(1)

    def _escape(self, rest: str, in_class: bool) -> None:
        letter = rest[1:2]
        if not letter:
            raise PcreError("a backslash at the end")
        if letter == "Q":
            end = rest.find(r"\E")
            quoted = rest[2:] if end < 0 else rest[2:end]
            self._take(len(rest) if end < 0 else end + 2, re.sub(r"([^\w\s])", r"\\\1", quoted, flags=re.ASCII))
        elif letter == "s":
            self._take(2, _SPACE if in_class else f"[{_SPACE}]")
        elif letter == "S":
            if in_class:
                raise PcreError(r"\S in a character class")
            self._take(2, f"[^{_SPACE}]")
        elif letter == "v":
            raise PcreError(r"\v")
        elif letter == "Z":
            self.ends_at_newline = True
            self._take(2, r"\z")
        elif letter == "x":
            code = re.match(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})", rest)
            if code is None:
                raise PcreError("an incomplete \\x")
            self._take(code.end(), re.escape(chr(int(code[1] or code[2], 16))))
        elif letter in _SAME_ESCAPES - {"E"} and not (in_class and letter in "bBAz"):
            self._take(2)
        elif letter.isalnum():
            raise PcreError(f"\\{letter}")
        else:
            self._take(2, letter if letter == "_" or not letter.isascii() or letter.isspace() else "\\" + letter)

    def _class(self, rest: str) -> None:
        self._take(2 if rest.startswith("[^") else 1)
        first = True
        while True:
            rest = self.pattern[self.position :]
            if not rest:
                raise PcreError("a character class that is not closed")
            posix = _CLASS.match(rest)
            if rest[0] == "]" and not first:
                self._take(1)
                return
            if posix is not None:
                if "word" in posix[0] or "space" in posix[0]:
                    raise PcreError(posix[0])
                self._take(posix.end())
            elif rest[0] == "\\":
                self._escape(rest, in_class=True)
            elif rest[0] in "[]&~|":
                self._take(1, "\\" + rest[0])
            else:
                self._take(1)
            first = False
