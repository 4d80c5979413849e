"""The pipeline of an SPL text, split into commands: where each begins and ends and where its brackets are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from an1498.replay.spl.source import Source

# Commands whose arguments may quote with ' as well as with ".
_SINGLE_QUOTES = {"eval", "where", "stats", "eventstats", "streamstats", "sort", "rename", "table", "fields", "dedup", "lookup"}
_SINGLE_QUOTES |= {"fieldformat", "chart", "timechart", "convert", "top", "rare"}
_GENERATING = {"multisearch", "makeresults", "search", "inputlookup", "union"}
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Segment:
    """One command: `start` is where its name begins, the arguments are text[arguments:end]; `brackets` are its subsearches."""

    name: str
    start: int
    arguments: int
    end: int
    brackets: tuple[tuple[int, int], ...]


def segments(source: Source, start: int, end: int, implied_search: bool, following: frozenset[str]) -> Iterator[Segment]:
    """The commands of text[start:end]. `implied_search`: the search command need not be written at the beginning; `following` are the
    commands that need results before them. Raises SearchSyntaxError, UnsupportedConstruct."""
    text = source.text
    position = skip(text, start, end)
    first = implied_search
    previous = ""
    while position < end:
        if text[position] == "|":
            position = skip(text, position + 1, end)
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
            if first and not implied and name not in _GENERATING and name in following:
                raise source.syntax_error(position, f"command '{name}' cannot begin a search", "begin with search terms")
        if not first and previous == "collect":
            raise source.unsupported(position, "a command after collect", "end the search with collect")
        previous = name
        if not first and name in ("multisearch", "makeresults", "inputlookup"):
            raise source.syntax_error(position, f"command '{name}' must be the first of a search")
        segment_end, brackets = _segment_end(source, name, arguments, end)
        yield Segment(name, position, arguments, segment_end, brackets)
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
            if len(opened) > _DEEPEST:
                raise source.unsupported(position, f"brackets nested deeper than {_DEEPEST} levels")
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


def skip(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position
