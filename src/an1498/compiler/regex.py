"""Regular expressions of each engine: Lucene's (whole value, no anchors, own reserved characters) and PCRE (Splunk).

Sources: Elasticsearch reference, "Regular expression syntax" (reserved characters `. ? + * | { } [ ] ( ) " \\`, optional operators
`# @ & < > ~`, implicit anchoring, default limit of 1,000 characters); Sigma specification 2.1, modifier `re` (case-sensitive, matches
anywhere in the value; flags i, m, s); Splunk Search Manual, "SPL and regular expressions" (PCRE).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from re import _constants as sre
from re import _parser as sre_parser
from typing import Any

from sigma.types import SigmaRegularExpression, SigmaRegularExpressionFlag

from an1498.compiler.patterns import MANY, Pattern
from an1498.compiler.refusal import Refusal

LUCENE_LIMIT = 1000
_LUCENE_RESERVED = frozenset('.?+*|{}[]()"\\#@&<>~^$')
_LUCENE_CLASS_RESERVED = frozenset('[]^-\\"&~#@<>')
# The classes of ASCII, as PCRE has them.
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "0-9",
    sre.CATEGORY_WORD: "A-Za-z0-9_",
    sre.CATEGORY_SPACE: " \t-\r",
}
_NEGATED_CATEGORIES = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
}
_STARTS = (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
_ENDS = (sre.AT_END, sre.AT_END_STRING)
_REMEDY = "rewrite it without that construct, or use the modifiers contains, startswith, endswith"
# Characters that a quoted Splunk string, a macro call, a saved search's $token$ or a bracketed subsearch could take for its own.
_PCRE_HEX = frozenset("\"'`$[]|\\")


def lucene_pattern(found: Pattern, *, one: str = ".", many: str = ".*", ignore_case: bool | None = None) -> str:
    """A Sigma string as a Lucene regular expression for the whole value; case-insensitive through classes such as `[aA]`
    unless the string is cased. `one` and `many` stand for the wildcards."""
    insensitive = not found.cased if ignore_case is None else ignore_case
    rendered = "".join(
        "".join(_lucene_character(c, insensitive) for c in part) if isinstance(part, str) else (many if part is MANY else one)
        for part in found.parts
    )
    # "()" is Lucene's empty string; an empty expression would be no expression.
    return limited(rendered or "()")


def lucene_regex(expression: SigmaRegularExpression, *, ignore_case_by_operator: bool = False) -> str:
    """A Sigma `re` value as a Lucene regular expression for the whole value.

    With `ignore_case_by_operator` the language has its own case-insensitive operator, so flag `i` needs no classes.
    Lazy quantifiers become greedy ones, which match the same values. Raises Refusal for what Lucene cannot say."""
    parsed, flags = _parse(expression)
    translation = _Translation(
        ignore_case=bool(flags & re.IGNORECASE) and not ignore_case_by_operator,
        any_character="." if flags & re.DOTALL else "[^\n]",
        multiline=bool(flags & re.MULTILINE),
    )
    branches = _branches(list(parsed))
    return limited("|".join(translation.anchored(branch) for branch in branches))


def ignores_case(expression: SigmaRegularExpression) -> bool:
    """Whether the whole expression is case-insensitive, by Sigma's flag or an inline one."""
    return bool(_parse(expression)[1] & re.IGNORECASE)


def limited(rendered: str) -> str:
    """The expression, unless it exceeds what an index accepts by default (`index.max_regex_length`)."""
    if len(rendered) > LUCENE_LIMIT:
        raise Refusal(
            f"a regular expression of {len(rendered)} characters, over the index limit of {LUCENE_LIMIT}", "shorten or split the value"
        )
    return rendered


def pcre_pattern(found: Pattern) -> str:
    """A Sigma string as a PCRE for the whole value, without any character that has a meaning in SPL."""
    body = "".join(
        "".join(_pcre_character(c) for c in part) if isinstance(part, str) else (".*" if part is MANY else ".") for part in found.parts
    )
    return rf"(?{'s' if found.cased else 'is'})\A{body}\z"


def pcre_regex(expression: SigmaRegularExpression) -> str:
    """A Sigma `re` value as a PCRE. Escapes of characters that mean something in SPL become hexadecimal, so that the text
    holds no double backslash, quote, backtick or `$token$`; `$` becomes `\\z`, the end of the value, as in Lucene."""
    text = str(expression.regexp)
    flags = "".join(
        letter
        for flag, letter in (
            (SigmaRegularExpressionFlag.IGNORECASE, "i"),
            (SigmaRegularExpressionFlag.MULTILINE, "m"),
            (SigmaRegularExpressionFlag.DOTALL, "s"),
        )
        if flag in expression.flags
    )
    multiline = "m" in flags
    return (f"(?{flags})" if flags else "") + "".join(_pcre_tokens(text, multiline))


def _pcre_tokens(text: str, multiline: bool) -> Iterator[str]:
    position = 0
    class_start = -1
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            following = text[position + 1]
            if following == "Z":
                yield r"\z"  # Python's end of value; PCRE's \Z would allow a line feed after it
            else:
                yield _hexadecimal(following) if following in '\\"`$' or ord(following) < 32 else character + following
            position += 2
            continue
        if class_start >= 0:
            if character == "]" and position > class_start:
                class_start = -1
                yield character
            else:
                yield _hexadecimal(character) if character in '"`$' or ord(character) < 32 else character
        elif character == "[":
            yield character
            class_start = position + 1
            if text[class_start : class_start + 1] == "^":
                yield "^"
                position = class_start
                class_start += 1
        elif character == "$" and not multiline:
            yield r"\z"
        else:
            yield _hexadecimal(character) if character in '"`' or ord(character) < 32 else character
        position += 1


def _pcre_character(character: str) -> str:
    if character in _PCRE_HEX or ord(character) < 32 or ord(character) == 127:
        return _hexadecimal(character)
    return re.escape(character) if character in ".^*+?{}()" else character


def _hexadecimal(character: str) -> str:
    return f"\\x{ord(character):02x}"


def _lucene_character(character: str, ignore_case: bool) -> str:
    if ignore_case:
        both = sorted({character, character.lower(), character.upper()})
        if len(both) > 1 and all(len(c) == 1 for c in both):
            return "[" + "".join(both) + "]"
    if character == "\\":
        # A class, because `\\/` inside a query_string's /…/ would be read as an escaped slash.
        return "[\\\\]"
    return "\\" + character if character in _LUCENE_RESERVED else character


def _parse(expression: SigmaRegularExpression) -> tuple[Any, int]:
    flags = 0
    for flag in expression.flags:
        flags |= SigmaRegularExpression.sigma_to_python_flags[flag]
    text = str(expression.regexp)
    if "[[:" in text:
        raise Refusal("a POSIX class in a regular expression", "write the characters of the class")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = sre_parser.parse(text, flags)
    return parsed, parsed.state.flags


def _branches(items: list[Any]) -> list[list[Any]]:
    """The alternatives at the top level; each has its own anchors."""
    if len(items) == 1 and items[0][0] is sre.BRANCH:
        return [list(branch) for branch in items[0][1][1]]
    return [items]


class _Translation:
    """Renders a parsed expression; the flags hold for the whole of it, groups may change `ignore_case`."""

    def __init__(self, *, ignore_case: bool, any_character: str, multiline: bool) -> None:
        self.ignore_case = ignore_case
        self.any_character = any_character
        self.multiline = multiline

    def anchored(self, items: list[Any]) -> str:
        start = end = False
        while items and items[0][0] is sre.AT and items[0][1] in _STARTS:
            start, items = True, items[1:]
        while items and items[-1][0] is sre.AT and items[-1][1] in _ENDS:
            end, items = True, items[:-1]
        if self.multiline and (start or end):
            raise Refusal("line anchors with flag m in a regular expression", _REMEDY)
        body = self.sequence(items)
        return ("" if start else ".*") + body + ("" if end else ".*") or "()"

    def sequence(self, items: list[Any]) -> str:
        return "".join(self.item(operator, argument) for operator, argument in items)

    def item(self, operator: Any, argument: Any) -> str:
        if operator is sre.LITERAL:
            return _lucene_character(chr(argument), self.ignore_case)
        if operator is sre.NOT_LITERAL:
            return "[^" + "".join(_class_character(c) for c in self.variants(argument)) + "]"
        if operator is sre.ANY:
            return self.any_character
        if operator is sre.IN:
            return self.character_class(argument)
        if operator is sre.BRANCH:
            return "(" + "|".join(self.sequence(list(branch)) or "()" for branch in argument[1]) + ")"
        if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            return self.repeat(*argument)
        if operator is sre.SUBPATTERN:
            return self.group(*argument)
        named = {
            sre.AT: "an anchor or word boundary inside",
            sre.ASSERT: "a lookaround in",
            sre.ASSERT_NOT: "a negative lookaround in",
            sre.GROUPREF: "a back-reference in",
            sre.GROUPREF_EXISTS: "a conditional in",
        }
        raise Refusal(f"{named.get(operator, f'{operator} in')} a regular expression", _REMEDY)

    def repeat(self, low: int, high: Any, body: Any) -> str:
        inner = self.sequence(list(body))
        atom = inner if len(body) == 1 and body[0][0] not in (sre.MAX_REPEAT, sre.MIN_REPEAT) else f"({inner})"
        if high is sre.MAXREPEAT:
            return atom + {0: "*", 1: "+"}.get(low, f"{{{low},}}")
        if (low, high) == (0, 1):
            return atom + "?"
        return atom + (f"{{{low}}}" if low == high else f"{{{low},{high}}}")

    def group(self, _number: Any, added: int, removed: int, body: Any) -> str:
        if (added | removed) & ~re.IGNORECASE:
            raise Refusal("flags inside a group of a regular expression", _REMEDY)
        before = self.ignore_case
        self.ignore_case = (before or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE
        inner = self.sequence(list(body))
        self.ignore_case = before
        if len(body) == 1 and body[0][0] is sre.BRANCH:
            return inner  # has its parentheses already
        return f"({inner or '()'})"

    def character_class(self, members: list[Any]) -> str:
        negated = members[0][0] is sre.NEGATE
        rest = members[1:] if negated else members
        rendered: list[str] = []
        for operator, argument in rest:
            if operator is sre.LITERAL:
                rendered.extend(_class_character(c) for c in self.variants(argument))
            elif operator is sre.RANGE:
                rendered.append(self.range(*argument))
            elif operator is sre.CATEGORY and argument in _CATEGORIES:
                rendered.append(_CATEGORIES[argument])
            elif operator is sre.CATEGORY and len(rest) == 1 and argument in _NEGATED_CATEGORIES:
                rendered.append(_CATEGORIES[_NEGATED_CATEGORIES[argument]])
                negated = not negated
            else:
                raise Refusal("a negated class inside a character class of a regular expression", _REMEDY)
        return ("[^" if negated else "[") + "".join(rendered) + "]"

    def variants(self, code: int) -> list[str]:
        character = chr(code)
        if not self.ignore_case:
            return [character]
        return sorted({c for c in (character, character.lower(), character.upper()) if len(c) == 1})

    def range(self, low: int, high: int) -> str:
        rendered = f"{_class_character(chr(low))}-{_class_character(chr(high))}"
        if not self.ignore_case:
            return rendered
        if high > 127:
            raise Refusal("a range of non-ASCII letters in a case-insensitive regular expression", _REMEDY)
        others = {c.swapcase() for c in map(chr, range(low, high + 1)) if c.isalpha()}
        inside = set(map(chr, range(low, high + 1)))
        return rendered + "".join(sorted(others - inside))


def _class_character(character: str) -> str:
    return "\\" + character if character in _LUCENE_CLASS_RESERVED else character
