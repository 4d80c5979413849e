"""A record of a raw log that cannot be read: where, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from an1498.errors import Location, TelemetryError


@dataclass(frozen=True, slots=True)
class Reject:
    """One line that is not an event. `problem` and `remedy` are worded like those of an error."""

    location: Location
    problem: str
    remedy: str

    def error(self) -> TelemetryError:
        """The error that a strict reader raises for it."""
        return TelemetryError(self.location, self.problem, self.remedy)


class Malformed(ValueError):
    """Raised inside the readers for one value or line; the reader turns it into a Reject with the line's place."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def at(self, location: Location) -> Reject:
        return Reject(location, self.problem, self.remedy)


def quoted(value: object) -> str:
    """A value as messages show it: at most 60 characters, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
