"""Streaming and transforming commands (Search Manual, "Types of commands"), of those that replay knows."""

from __future__ import annotations

from an1498.replay.spl.source import Source
from an1498.replay.spl.syntax import Chart, Command, Plain, Statistics, Top, Union

_STREAMING = {"search", "eval", "fieldformat", "where", "fields", "rename", "regex", "rex", "bin", "bucket", "lookup", "fillnull"}
_STREAMING |= {"makemv", "nomv"}
_TRANSFORMING = {"stats", "chart", "timechart", "top", "rare"}


def written_name(command: Command) -> str:
    if isinstance(command, Plain | Statistics | Chart | Top):
        return command.command
    return type(command).__name__.lower().removesuffix("command")


def is_streaming(command: Command) -> bool:
    """Whether it looks at one event at a time."""
    return written_name(command) in _STREAMING


def is_transforming(command: Command) -> bool:
    """Whether its results are a table of statistics, no longer events."""
    return written_name(command) in _TRANSFORMING


def check_unions(source: Source, commands: tuple[Command, ...]) -> None:
    """A union that does not begin the search appends to results of a transforming command only."""
    for number, command in enumerate(commands):
        if isinstance(command, Union) and not command.leading and not any(is_transforming(each) for each in commands[:number]):
            raise source.unsupported(command.at, "union of events with results", "begin the search with | union [search …] [search …]")
