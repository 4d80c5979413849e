"""Other people's engines as second opinions. Each is a test extra; an oracle that is not installed says so and proves nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an oracle was asked and how often it agreed. `differences` shows the first few disagreements, one line each."""

    oracle: str
    version: str
    subject: str
    comparisons: int
    agreed: int
    differences: tuple[str, ...] = ()
