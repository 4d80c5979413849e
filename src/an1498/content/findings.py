"""What `an1498 check` reports: a place, a stable code, a problem and its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from an1498.errors import ContentError, Location


class Severity(StrEnum):
    """ERROR fails the check; a WARNING or a NOTE is shown only. The words are SARIF's levels."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem. `malformed` is true where the content cannot be loaded, so that `check` ends with 2 as every command does."""

    location: Location
    code: str
    name: str
    severity: Severity
    problem: str
    remedy: str
    malformed: bool = False

    def __str__(self) -> str:
        return f"{self.location}: {self.severity} {self.code} {self.name}: {self.problem}; {self.remedy}"


# Name of a ContentError's code → (code of the finding, what it says). Lints have codes from AN101.
MALFORMED: Mapping[str, tuple[str, str]] = {
    "unreadable-file": ("AN001", "A file is missing, unreadable, not a regular file, or too large."),
    "not-utf8": ("AN002", "A file is not UTF-8 text, or holds NUL bytes."),
    "yaml-syntax": ("AN003", "A file is not one YAML document of plain values with text keys."),
    "toml-syntax": ("AN004", "A file is not TOML."),
    "wrong-type": ("AN005", "A value has another type than its key asks for."),
    "unknown-key": ("AN006", "A key is not known; the message names the nearest known one."),
    "missing-key": ("AN007", "A key that must be there is missing."),
    "bad-value": ("AN008", "A value is outside what its key may hold."),
    "unknown-reference": ("AN009", "A name refers to a rule, parameter, field, layout or target that does not exist."),
    "duplicate": ("AN010", "A name, id, key or list item stands twice."),
    "cycle": ("AN011", "Correlations refer to each other in a circle."),
}


def malformed(error: ContentError) -> Finding:
    """The finding of a loader's error."""
    name = error.code if error.code in MALFORMED else "bad-value"
    return Finding(error.location, MALFORMED[name][0], name, Severity.ERROR, error.problem, error.remedy, malformed=True)
