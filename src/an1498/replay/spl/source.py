"""The text of a search after comments are removed and macros expanded, with the way back to line and column of the original.

Rules: Splunk Knowledge Manager Manual, "Use search macros in searches" (backticks; "macros inside of quoted values are not
expanded"; macros nest) and Search Manual, "Add comments to searches" (triple backticks).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from an1498.errors import Location, SearchSyntaxError, UnsupportedConstruct

LANGUAGE = "spl"
_CALL = re.compile(r"\s*([\w:.-]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_MACRO_KEY = re.compile(r"([\w:.-]+)\s*(?:\((.*)\))?")
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Source:
    """`text` is what is parsed; `origins[i]` is the place in `original` that character i comes from."""

    name: str
    original: str
    text: str
    origins: tuple[int, ...]

    def locate(self, offset: int) -> Location:
        if not self.origins:
            return Location(self.name, 1, 1)
        place = self.origins[offset] if offset < len(self.origins) else self.origins[-1] + 1
        before = self.original[:place]
        return Location(self.name, before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1)

    def syntax_error(self, offset: int, problem: str, remedy: str = "") -> SearchSyntaxError:
        return SearchSyntaxError(LANGUAGE, self.locate(offset), problem, remedy)

    def unsupported(self, offset: int, construct: str, remedy: str = "") -> UnsupportedConstruct:
        return UnsupportedConstruct(LANGUAGE, self.locate(offset), f"replay does not model {construct}", remedy)


def read_source(text: str, name: str, macros: Mapping[str, str]) -> Source:
    """Raises SearchSyntaxError for an unknown macro or an open quotation mark or backtick."""
    expanded = _Expander(text, name, macros).expand(text, list(range(len(text))), 0)
    return Source(name, text, "".join(character for character, _ in expanded), tuple(origin for _, origin in expanded))


class _Expander:
    def __init__(self, original: str, name: str, macros: Mapping[str, str]) -> None:
        self.plain = Source(name, original, original, tuple(range(len(original))))
        self.macros: dict[tuple[str, int], tuple[tuple[str, ...], str]] = {}
        for key, definition in macros.items():
            match = _MACRO_KEY.fullmatch(key.strip())
            if match is not None:
                names = tuple(part.strip() for part in match[2].split(",")) if match[2] is not None else ()
                if len(names) == 1 and names[0].isdecimal():
                    names = ("",) * int(names[0])
                self.macros[match[1], len(names)] = (names, definition)

    def expand(self, text: str, origins: list[int], depth: int) -> list[tuple[str, int]]:
        output: list[tuple[str, int]] = []
        position = 0
        while position < len(text):
            character = text[position]
            if character == '"':
                end = self._closing_quote(text, position, origins)
                output += zip(text[position:end], origins[position:end], strict=True)
                position = end
            elif text.startswith("```", position):
                end = text.find("```", position + 3)
                if end < 0:
                    raise self.plain.syntax_error(origins[position], "a comment is not closed", "end it with ```")
                output.append((" ", origins[position]))
                position = end + 3
            elif character == "`":
                end = text.find("`", position + 1)
                if end < 0:
                    raise self.plain.syntax_error(origins[position], "a macro call is not closed", "end it with a backtick")
                output += self._macro(text[position + 1 : end], origins[position], depth)
                position = end + 1
            else:
                output.append((character, origins[position]))
                position += 2 if character == "\\" else 1
                if character == "\\" and position <= len(text):
                    output.append((text[position - 1], origins[position - 1]))
        return output

    def _closing_quote(self, text: str, start: int, origins: list[int]) -> int:
        position = start + 1
        while position < len(text):
            if text[position] == "\\":
                position += 2
            elif text[position] == '"':
                return position + 1
            else:
                position += 1
        raise self.plain.syntax_error(origins[start], "a quotation mark is not closed")

    def _macro(self, written: str, origin: int, depth: int) -> list[tuple[str, int]]:
        match = _CALL.fullmatch(written)
        if match is None:
            raise self.plain.syntax_error(origin, f"`{written}` is not a macro call")
        if depth >= _DEEPEST:
            raise self.plain.syntax_error(origin, f"macro '{match[1]}' nests too deep", "macros must not call each other in a circle")
        given = [] if match[2] is None else [part.strip() for part in match[2].split(",")]
        if any('"' in argument for argument in given):
            raise self.plain.unsupported(origin, "quotation marks in a macro's arguments")
        known = self.macros.get((match[1], len(given)))
        if known is None:
            named = f"{match[1]}({len(given)})" if given else match[1]
            raise self.plain.syntax_error(origin, f"macro '{named}' is not defined", "give its definition to replay")
        names, definition = known
        text = definition
        for name, argument in zip(names, given, strict=True):
            if not name:
                raise self.plain.unsupported(origin, f"macro '{match[1]}' without its arguments' names", "define it as name(first,second)")
            prefix, separator, value = argument.partition("=")
            text = text.replace(f"${name}$", value if separator and prefix.strip() == name else argument)
        return self.expand(text, [origin] * len(text), depth + 1)
