"""SPL text → pipeline of commands. The pipeline is split here, then each command's arguments go through grammar.lark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NoReturn

from lark import Lark, Token
from lark.exceptions import UnexpectedInput

from an1498.replay.spl import build
from an1498.replay.spl.source import Source
from an1498.replay.spl.syntax import Command, Multisearch, Plain

_PLAIN = (
    *(
        "addinfo",
        "bin",
        "bucket",
        "collect",
        "dedup",
        "discretize",
        "fields",
        "fillnull",
        "head",
        "makemv",
        "makeresults",
        "mvexpand",
        "nomv",
    ),
    *("reverse", "rex", "table", "tail"),
)

# command → (grammar's start rule, builder)
_COMMANDS: dict[str, tuple[str, build.Builder]] = {
    "search": ("search", build.search),
    "eval": ("eval", build.assignments),
    "where": ("where", build.where),
    "stats": ("stats", build.statistics),
    "eventstats": ("stats", build.statistics),
    "streamstats": ("stats", build.statistics),
    "sort": ("sort", build.sort),
    "rename": ("rename", build.rename),
    "lookup": ("lookup", build.lookup),
    "regex": ("regex", build.regex),
    **dict.fromkeys(_PLAIN, ("plain", build.plain)),
}
# Commands whose arguments may quote with ' as well as with ".
_SINGLE_QUOTES = {"eval", "where", "stats", "eventstats", "streamstats", "sort", "rename", "table", "fields", "dedup", "lookup"}
_GENERATING = {"multisearch", "makeresults", "search"}
_STREAMING = {"search", "eval", "where", "fields", "rename", "regex", "rex", "bin", "bucket", "lookup", "fillnull", "makemv", "nomv"}


@dataclass(frozen=True, slots=True)
class _Segment:
    """One command: `start` is where its name begins, the arguments are text[arguments:end]; `brackets` are its subsearches."""

    name: str
    start: int
    arguments: int
    end: int
    brackets: tuple[tuple[int, int], ...]


@cache
def _lark(rule: str) -> Lark:
    """One parser per start rule: merged LALR states would let the tokens of one command appear in another."""
    grammar = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    callbacks: dict[str, Callable[[Token], Token]] = {"DIRECTIVE": _directive}
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=rule,
        propagate_positions=True,
        maybe_placeholders=False,
        lexer_callbacks=callbacks,
    )


class _Directive(Exception):
    def __init__(self, token: Token) -> None:
        self.token = token
        super().__init__(str(token))


def _directive(token: Token) -> NoReturn:
    raise _Directive(token)


def parse(source: Source) -> tuple[Command, ...]:
    """Raises SearchSyntaxError or UnsupportedConstruct with the place in the original text."""
    return _pipeline(source, 0, len(source.text))


def _pipeline(source: Source, start: int, end: int) -> tuple[Command, ...]:
    commands = tuple(_command(source, segment) for segment in _segments(source, start, end))
    if not commands:
        raise source.syntax_error(start, "the search is empty")
    return commands


def _segments(source: Source, start: int, end: int) -> Iterator[_Segment]:
    text = source.text
    position = _skip(text, start, end)
    first = True
    previous = ""
    while position < end:
        if text[position] == "|":
            position = _skip(text, position + 1, end)
            implied = False
        else:
            implied = first
        name_end = position
        while name_end < end and (text[name_end].isalnum() or text[name_end] == "_"):
            name_end += 1
        word = text[position:name_end].lower()
        if implied and not (word == "search" and (name_end == end or text[name_end].isspace())):
            name, arguments = "search", position
        else:
            name, arguments = word, name_end
            if not name:
                raise source.syntax_error(position, "a command is expected after '|'")
            if first and not implied and name not in _GENERATING and name in _COMMANDS:
                raise source.syntax_error(position, f"command '{name}' cannot begin a search", "begin with search terms")
        if not first and previous == "collect":
            raise source.unsupported(position, "a command after collect", "end the search with collect")
        previous = name
        if not first and name in ("multisearch", "makeresults"):
            raise source.syntax_error(position, f"command '{name}' must be the first of a search")
        segment_end, brackets = _segment_end(source, name, arguments, end)
        yield _Segment(name, position, arguments, segment_end, brackets)
        position = segment_end
        first = False
    if text[start:end].rstrip().endswith("|"):
        raise source.syntax_error(end - 1, "a command is expected after '|'")


def _segment_end(source: Source, name: str, start: int, end: int) -> tuple[int, tuple[tuple[int, int], ...]]:
    text = source.text
    brackets: list[tuple[int, int]] = []
    opened: list[int] = []
    position = start
    while position < end:
        character = text[position]
        if character == "\\":
            position += 1
        elif character == '"':
            position = _closing(source, position, end)
        elif character == "'" and name in _SINGLE_QUOTES and not opened:
            closing = text.find("'", position + 1, end)
            if closing < 0:
                raise source.syntax_error(position, "a single quotation mark is not closed")
            position = closing
        elif character == "[":
            opened.append(position)
        elif character == "]":
            if not opened:
                raise source.syntax_error(position, "a bracket closes that was not opened")
            begin = opened.pop()
            if not opened:
                brackets.append((begin, position))
        elif character == "|" and not opened:
            break
        position += 1
    if opened:
        raise source.syntax_error(opened[0], "a bracket is not closed")
    return min(position, end), tuple(brackets)


def _closing(source: Source, start: int, end: int) -> int:
    position = start + 1
    while position < end:
        if source.text[position] == "\\":
            position += 1
        elif source.text[position] == '"':
            return position
        position += 1
    raise source.syntax_error(start, "a quotation mark is not closed")


def _skip(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position


def _command(source: Source, segment: _Segment) -> Command:
    if segment.name == "multisearch":
        return _multisearch(source, segment)
    if segment.name not in _COMMANDS:
        raise source.unsupported(segment.start, f"command '{segment.name}'")
    if segment.brackets:
        raise source.unsupported(segment.brackets[0][0], "a subsearch", "replay knows brackets in multisearch only")
    rule, builder = _COMMANDS[segment.name]
    written = source.text[segment.arguments : segment.end]
    # Blank the text before the arguments instead of cutting it off, so that the parser's offsets are those of the source.
    padded = " " * segment.arguments + written
    try:
        tree = _lark(rule).parse(padded)
    except _Directive as error:
        directive = f"{error.token})"
        raise source.unsupported(error.token.start_pos or 0, f"the directive {directive}") from None
    except UnexpectedInput as error:
        offset = error.pos_in_stream
        place = segment.end if offset is None or offset < segment.arguments else offset
        found = source.text[place : place + 20].split("\n")[0].strip()
        if found.startswith("(") and rule == "plain":
            raise source.unsupported(place, f"an expression in command '{segment.name}'") from None
        problem = f"'{found}' is not expected in command '{segment.name}'" if found else f"command '{segment.name}' is incomplete"
        raise source.syntax_error(min(place, len(source.text)), problem) from None
    return builder(source, tree, segment.name, segment.start)


def _multisearch(source: Source, segment: _Segment) -> Multisearch:
    """`| multisearch [search …] [search …]` (Search Reference, multisearch): two or more streaming subsearches."""
    pipelines = []
    position = segment.arguments
    for begin, end in segment.brackets:
        if source.text[position:begin].strip():
            raise source.syntax_error(position, "multisearch takes searches in brackets only")
        position = end + 1
        inner = _skip(source.text, begin + 1, end)
        if source.text[inner : inner + 1] == "|":
            inner = _skip(source.text, inner + 1, end)
        if source.text[inner : inner + 6].lower() != "search" or source.text[inner + 6 : inner + 7].strip():
            raise source.unsupported(inner, "a multisearch branch that does not begin with 'search'")
        commands = _pipeline(source, inner, end)
        for command in commands:
            name = command.command if isinstance(command, Plain) else type(command).__name__.lower().removesuffix("command")
            if name not in _STREAMING:
                raise source.syntax_error(command.at, f"multisearch runs streaming commands only, not '{name}'")
        pipelines.append(commands)
    if source.text[position : segment.end].strip():
        raise source.syntax_error(position, "multisearch takes searches in brackets only")
    if len(pipelines) < 2:
        raise source.syntax_error(segment.start, "multisearch needs at least two searches")
    return Multisearch(tuple(pipelines), segment.start)
