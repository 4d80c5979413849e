"""SPL text → pipeline of commands (segments.py). Each command's arguments go through grammar.lark and a builder."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import cast

from lark import Lark
from lark.exceptions import UnexpectedInput
from lark.load_grammar import Grammar, load_grammar

from an1498.replay.spl import build, build_eval, build_search, build_statistics
from an1498.replay.spl.command_types import check_unions, is_streaming, is_transforming, written_name
from an1498.replay.spl.nodes import Node
from an1498.replay.spl.segments import Segment, segments, skip
from an1498.replay.spl.source import Source
from an1498.replay.spl.syntax import Branching, Command, Foreach, Multisearch, Plain, Search, Term, Union

_PLAIN = (
    *("accum", "addinfo", "addcoltotals", "addtotals", "autoregress", "bin", "bucket", "collect", "dedup", "delta", "discretize"),
    *("extract", "fields", "filldown", "fillnull", "head", "kv", "makemv", "makeresults", "mvcombine", "mvexpand", "nomv", "reverse"),
    *("rex", "spath", "strcat", "table", "tail", "transpose", "uniq", "untable", "xyseries"),
)

# command → (grammar's start rule, builder)
_COMMANDS: dict[str, tuple[str, build.Builder]] = {
    "eval": ("eval", build_eval.assignments),
    "fieldformat": ("eval", build_eval.fieldformat),
    "where": ("where", build_eval.where),
    "stats": ("stats", build_statistics.statistics),
    "eventstats": ("stats", build_statistics.statistics),
    "streamstats": ("stats", build_statistics.statistics),
    "sort": ("sort", build.sort),
    "rename": ("rename", build.rename),
    "lookup": ("lookup", build.lookup),
    "regex": ("regex", build.regex),
    "chart": ("chart", build_statistics.chart),
    "timechart": ("chart", build_statistics.chart),
    "convert": ("convert", build.convert),
    "replace": ("replace", build.replace),
    "top": ("top", build.top),
    "rare": ("top", build.top),
    **dict.fromkeys(_PLAIN, ("plain", build.plain)),
}
_BRANCHING = {"append", "appendcols", "appendpipe", "join"}
COMMANDS = frozenset({*_COMMANDS, *_BRANCHING, "foreach", "head", "inputlookup", "multisearch", "search", "union"})

# reset_after="("match(x,\"yes\")")": the condition stands between quoted parentheses, its own quotation marks are escaped.
_QUOTED_CONDITION = re.compile(r'reset_(?:before|after)\s*=\s*"\(".*?"\)"', re.IGNORECASE | re.DOTALL)


@cache
def _grammar() -> Grammar:
    """Read once for all parsers: reading a grammar costs as much as building a parser from it."""
    text = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return cast(Grammar, load_grammar(text, "grammar.lark", [], False)[0])  # type: ignore[no-untyped-call]


@cache
def _lark(rule: str) -> Lark:
    """One parser per start rule: merged LALR states would let the tokens of one command appear in another."""
    return Lark(
        _grammar(),
        parser="lalr",
        lexer="contextual",
        start=rule,
        propagate_positions=True,
        maybe_placeholders=False,
    )


def parse(source: Source) -> tuple[Command, ...]:
    """Raises SearchSyntaxError or UnsupportedConstruct with the place in the original text."""
    return _pipeline(source, 0, len(source.text))


def _pipeline(source: Source, start: int, end: int, *, implied: bool = True) -> tuple[Command, ...]:
    """`implied`: the search command need not be written at the beginning."""
    commands = tuple(_command(source, segment) for segment in segments(source, start, end, implied, frozenset({*_COMMANDS, *_BRANCHING})))
    if not commands:
        raise source.syntax_error(start, "the search is empty")
    if not implied and isinstance(commands[0], Union | Multisearch):
        raise source.unsupported(start, "a search that begins with union or multisearch in these brackets")
    check_unions(source, commands)
    return commands


def _command(source: Source, segment: Segment) -> Command:
    if segment.name == "multisearch":
        return _multisearch(source, segment)
    if segment.name == "inputlookup":
        return _inputlookup(source, segment)
    if segment.name == "foreach":
        return _foreach(source, segment)
    if segment.name == "union":
        return _union(source, segment)
    if segment.name in _BRANCHING:
        return _branching(source, segment)
    if segment.name == "search":
        return _search(source, segment)
    if segment.name not in _COMMANDS:
        raise source.unsupported(segment.start, f"command '{segment.name}'")
    if segment.brackets:
        raise source.unsupported(segment.brackets[0][0], f"a subsearch in {segment.name}")
    rule, builder = _COMMANDS[segment.name]
    if segment.name == "head" and source.text[segment.arguments : segment.end].strip().startswith("("):
        rule, builder = "head", build.head
    blanked = _QUOTED_CONDITION.sub(_unescaped, source.text) if segment.name == "streamstats" else None
    return builder(source, _tree(source, rule, segment, blanked), segment.name, segment.start)


def _unescaped(condition: re.Match[str]) -> str:
    """`\\"text\\"` as ` "text" `, which is as long."""
    parts = condition[0].split('\\"')
    return parts[0] + "".join((' "' if place % 2 == 0 else '" ') + part for place, part in enumerate(parts[1:]))


def _tree(source: Source, rule: str, segment: Segment, blanked: str | None = None) -> Node:
    """The arguments' tree. `blanked` is what to parse instead of the source's text, of the same length."""
    written = (source.text if blanked is None else blanked)[segment.arguments : segment.end]
    # Blank the text before the arguments instead of cutting it off, so that the parser's offsets are those of the source.
    padded = " " * segment.arguments + written
    try:
        return _lark(rule).parse(padded)
    except UnexpectedInput as error:
        offset = error.pos_in_stream
        place = segment.end if offset is None or offset < segment.arguments else offset
        found = source.text[place : place + 20].split("\n")[0].strip()
        if found.startswith("(") and rule == "plain":
            raise source.unsupported(place, f"an expression in command '{segment.name}'") from None
        problem = f"'{found}' is not expected in command '{segment.name}'" if found else f"command '{segment.name}' is incomplete"
        raise source.syntax_error(min(place, len(source.text)), problem) from None


def _search(source: Source, segment: Segment) -> Search:
    """Search terms; subsearches are parsed apart, in their places stand brackets around U+0001."""
    pipelines = {begin: _subsearch(source, begin, end) for begin, end in segment.brackets}
    if "\x01" in source.text[segment.arguments : segment.end]:
        raise source.unsupported(segment.start, "the control character U+0001 in a search")
    return build_search.search(source, _tree(source, "search", segment, _blanked(source, segment, "\x01")), segment.start, pipelines)


def _blanked(source: Source, segment: Segment, filler: str) -> str:
    text = source.text
    for begin, end in segment.brackets:
        text = text[: begin + 1] + filler * (end - begin - 1) + text[end:]
    return text


def _subsearch(source: Source, begin: int, end: int) -> tuple[Command, ...]:
    """What stands in brackets: `search …`, or a generating command after a pipe."""
    inner = skip(source.text, begin + 1, end)
    if source.text[inner : inner + 1] != "|" and source.text[inner : inner + 7].lower().strip() != "search":
        raise source.unsupported(inner, "a subsearch that does not begin with 'search' or '|'")
    return _pipeline(source, inner, end)


def _branching(source: Source, segment: Segment) -> Branching:
    if len(segment.brackets) != 1 or source.text[segment.brackets[0][1] + 1 : segment.end].strip():
        raise source.syntax_error(segment.start, f"{segment.name} takes one search in brackets, as its last argument")
    begin, end = segment.brackets[0]
    outside = Segment(segment.name, segment.start, segment.arguments, begin, ())
    plain = build.plain(source, _tree(source, "plain", outside), segment.name, segment.start)
    if segment.name == "appendpipe":
        inner = _pipeline(source, skip(source.text, begin + 1, end), end, implied=False)
    else:
        inner = _subsearch(source, begin, end)
    return Branching(segment.name, inner, plain.words, plain.options, segment.start)


def _foreach(source: Source, segment: Segment) -> Foreach:
    """`foreach fields [commands with <<FIELD>>]`."""
    if len(segment.brackets) != 1 or source.text[segment.brackets[0][1] + 1 : segment.end].strip():
        raise source.syntax_error(segment.start, "foreach takes fields and commands in brackets")
    begin, end = segment.brackets[0]
    outside = Segment("foreach", segment.start, segment.arguments, begin, ())
    plain = build.plain(source, _tree(source, "plain", outside), "foreach", segment.start)
    if plain.options or not plain.words:
        raise source.unsupported(segment.start, "foreach with options", "write foreach and a list of fields")
    return Foreach(plain.words, source.text[begin + 1 : end], segment.start)


def parse_template(source: Source, text: str, at: int) -> tuple[Command, ...]:
    """Commands without a search before them, from a text that stands at `at`. Errors point there."""
    inner = _quoted(source, text, at)
    return _pipeline(inner, at, len(inner.text), implied=False)


def _quoted(source: Source, text: str, at: int) -> Source:
    """A text that stands at `at`, as a source whose offsets begin there and whose places are that place."""
    origin = source.origins[at] if at < len(source.origins) else 0
    return Source(source.name, source.original, " " * at + text, (origin,) * (at + len(text) + 1))


def _inputlookup(source: Source, segment: Segment) -> Plain:
    words = source.text[segment.arguments : segment.end].split()
    if len(words) != 1 or "=" in words[0]:
        raise source.unsupported(segment.start, "inputlookup with anything but a lookup's name", "filter with a following search or where")
    return Plain("inputlookup", (words[0].strip('"'),), {}, segment.start)


def parse_terms(source: Source, text: str, at: int) -> Term:
    """Search terms that stand in a quoted string at `at`. Errors point there."""
    inner = _quoted(source, text, at)
    command = _command(inner, Segment("search", at, at, len(inner.text), ()))
    assert isinstance(command, Search)
    return command.term


def _multisearch(source: Source, segment: Segment) -> Multisearch:
    """`| multisearch [search …] [search …]` (Search Reference, multisearch): two or more streaming subsearches."""
    pipelines = []
    position = segment.arguments
    for begin, end in segment.brackets:
        if source.text[position:begin].strip():
            raise source.syntax_error(position, "multisearch takes searches in brackets only")
        position = end + 1
        inner = skip(source.text, begin + 1, end)
        if source.text[inner : inner + 1] == "|":
            inner = skip(source.text, inner + 1, end)
        if source.text[inner : inner + 6].lower() != "search" or source.text[inner + 6 : inner + 7].strip():
            raise source.unsupported(inner, "a multisearch branch that does not begin with 'search'")
        commands = _pipeline(source, inner, end)
        for command in commands:
            if not is_streaming(command):
                raise source.syntax_error(command.at, f"multisearch runs streaming commands only, not '{written_name(command)}'")
        pipelines.append(commands)
    if source.text[position : segment.end].strip():
        raise source.syntax_error(position, "multisearch takes searches in brackets only")
    if len(pipelines) < 2:
        raise source.syntax_error(segment.start, "multisearch needs at least two searches")
    return Multisearch(tuple(pipelines), segment.start)


def _union(source: Source, segment: Segment) -> Union | Multisearch:
    """`union [search …] [search …]` (Search Reference, union): at the beginning of a search streaming searches are run as by multisearch,
    others are appended. Named datasets, options and events that would have to be interleaved with the incoming results are refused."""
    position = segment.arguments
    for begin, end in segment.brackets:
        if source.text[position:begin].strip().strip(","):
            raise source.unsupported(position, "union of anything but searches in brackets")
        position = end + 1
    if source.text[position : segment.end].strip():
        raise source.unsupported(position, "union of anything but searches in brackets")
    before = source.text[: segment.start].rstrip().removesuffix("|").rstrip()
    leading = not before or before.endswith("[")
    if len(segment.brackets) < (2 if leading else 1):
        raise source.syntax_error(segment.start, "union needs two searches")
    pipelines = tuple(_subsearch(source, begin, end) for begin, end in segment.brackets)
    if leading and all(is_streaming(command) for pipeline in pipelines for command in pipeline):
        return Multisearch(pipelines, segment.start)
    for pipeline, (begin, _) in zip(pipelines, segment.brackets, strict=True):
        if not any(is_transforming(command) for command in pipeline):
            raise source.unsupported(begin, "union of events with results", "end the search with stats, chart, timechart, top or rare")
    return Union(pipelines, leading, segment.start)
