"""A record of a raw log that cannot be read: where, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from an1498.errors import Location, TelemetryError


@dataclass(frozen=True, slots=True)
class Reject:
    """One record that is not an event. `problem` and `remedy` are worded like those of an error; `text` is the record where the reader
    that hands out the reject is the only one to have it."""

    location: Location
    problem: str
    remedy: str
    text: bytes = field(default=b"", compare=False, repr=False)

    def error(self) -> TelemetryError:
        """The error that a strict reader raises for it."""
        return TelemetryError(self.location, self.problem, self.remedy)


class Malformed(ValueError):
    """Raised inside the readers for one value or line; the reader turns it into a Reject with the line's place."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def at(self, location: Location, text: bytes = b"") -> Reject:
        return Reject(location, self.problem, self.remedy, text)


def quoted(value: object) -> str:
    """A value as messages show it: at most 60 characters, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
