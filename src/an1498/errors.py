"""Everything that the pack raises on purpose, one page.

    An1498Error                      exit code
    ├── ContentError                 2   a rule, filter, pipeline, parameter or sample file is wrong
    ├── TelemetryError               2   a raw log cannot be read at all
    ├── UsageError                   2   the command line asks for something that does not exist
    ├── Unsupported                  1   a rule says what a target's language cannot say
    ├── SearchSyntaxError            2   a search text is outside the grammar that replay executes
    │   └── UnsupportedConstruct     2   … it is valid in the SIEM, but replay does not model it
    ├── StateChanged                 1   a SIEM is no longer as the plan saw it
    └── ExternalError                3   a SIEM, a disk or a network failed

Each is one line for the person who must act: where, what, and what to do. Nothing else may leave the program as a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file. `line` and `column` count from 1; line 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


class An1498Error(Exception):
    """Base of all deliberate errors; `str(error)` is the line that the user reads."""

    exit_code: ClassVar[int] = 2


class UsageError(An1498Error):
    """The command line names something that does not exist, or combines options that do not go together."""


class ContentError(An1498Error):
    """A content file is malformed or contradicts another one."""

    def __init__(self, location: Location, problem: str, remedy: str = "", code: str = "") -> None:
        self.location = location
        self.problem = problem
        self.remedy = remedy
        self.code = code
        super().__init__(f"{location}: {_sentence(problem, remedy)}")


class TelemetryError(An1498Error):
    """A raw log file cannot be read: wrong format, unknown record type, unreadable bytes."""

    def __init__(self, location: Location, problem: str, remedy: str = "") -> None:
        self.location = location
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{location}: {_sentence(problem, remedy)}")


class Unsupported(An1498Error):
    """A rule asks for something that a target's query language cannot say; emitting a near miss is never an option."""

    exit_code = 1

    def __init__(self, *, rule: str, location: Location, target: str, language: str, construct: str, remedy: str) -> None:
        self.rule = rule
        self.location = location
        self.target = target
        self.language = language
        self.construct = construct
        self.remedy = remedy
        super().__init__(f"{location}: rule '{rule}' cannot be said in {language} for target '{target}': {_sentence(construct, remedy)}")


class SearchSyntaxError(An1498Error):
    """A search text does not parse. `location` names the line and column inside the search."""

    def __init__(self, language: str, location: Location, problem: str, remedy: str = "") -> None:
        self.language = language
        self.location = location
        self.problem = problem
        super().__init__(f"{location}: {language}: {_sentence(problem, remedy)}")


class UnsupportedConstruct(SearchSyntaxError):
    """A search text uses a construct of its language that replay does not model, so replay refuses to answer."""


class StateChanged(An1498Error):
    """Somebody changed the SIEM between the plan and its apply; nothing more is written."""

    exit_code = 1


class ExternalError(An1498Error):
    """Something outside failed: a SIEM, a file system, a network."""

    exit_code = 3


def _sentence(problem: str, remedy: str) -> str:
    return f"{problem}; {remedy}" if remedy else problem
