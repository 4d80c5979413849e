"""Sigma strings as patterns: text with `*` (any characters) and `?` (exactly one), the same for every language.

Source: Sigma specification 2.1, "String wildcard" (both wildcards can be escaped; text compares case-insensitively).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sigma.types import SigmaCasedString, SigmaString, SpecialChars

MANY = SpecialChars.WILDCARD_MULTI
ONE = SpecialChars.WILDCARD_SINGLE
Part = str | SpecialChars


@dataclass(frozen=True, slots=True)
class Pattern:
    """`parts` alternate text and wildcards, without empty texts or repeated `*`."""

    parts: tuple[Part, ...]
    cased: bool = False

    @property
    def wild(self) -> bool:
        return any(not isinstance(part, str) for part in self.parts)

    @property
    def anything(self) -> bool:
        """Whether any present value matches (`*`)."""
        return self.parts == (MANY,)

    @property
    def text(self) -> str:
        """All literal characters in order; the whole value where there is no wildcard."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def caseless(self) -> bool:
        """Whether letter case cannot matter, because no literal character has two cases."""
        return self.cased or self.text.lower() == self.text.upper()

    @property
    def ascii(self) -> bool:
        """Whether ASCII letters are the only ones with two cases: all that Lucene's case-insensitive queries know."""
        return all(c.isascii() or c.lower() == c.upper() for c in self.text)

    def lower(self) -> Pattern:
        """The pattern in lower case, to compare with a lower-cased value."""
        return Pattern(tuple(part.lower() if isinstance(part, str) else part for part in self.parts), self.cased)


def pattern(value: SigmaString) -> Pattern:
    """The pattern of a Sigma string whose placeholders are resolved."""
    return Pattern(tuple(_merged(value)), isinstance(value, SigmaCasedString))


def _merged(value: SigmaString) -> Iterator[Part]:
    pending = ""
    last_many = False
    for part in value.s:
        if isinstance(part, str):
            pending += part
        elif isinstance(part, SpecialChars):
            if pending:
                yield pending
                pending, last_many = "", False
            if not (part is MANY and last_many):
                yield part
            last_many = part is MANY
        else:
            raise TypeError(f"unresolved placeholder {part!r}")
        if isinstance(part, str) and part:
            last_many = False
    if pending:
        yield pending
