"""The one scale of the readiness check.

    4 full     90 % or more of what the question counts
    3 good     half or more
    2 partial  a quarter or more
    1 poor     some, but less than a quarter
    0 none     nothing

A question whose denominator is empty (no session that could have a certificate, say) has no level: it is "unknown" and counts for
nothing. The level of an archive is the lowest among its essential questions, because the correlations need every one of them.
"""

from __future__ import annotations

from an1498.errors import UsageError

LEVELS = ("none", "poor", "partial", "good", "full")

_STEPS = ((0.9, 4), (0.5, 3), (0.25, 2))


def level_of_share(part: int, whole: int) -> int | None:
    """The level of a share; None where there is nothing to take a share of."""
    if whole == 0:
        return None
    if part == 0:
        return 0
    return next((level for bound, level in _STEPS if part / whole >= bound), 1)


def level_named(text: str) -> int:
    """`0` to `4` or a level's name. Raises UsageError."""
    if text in LEVELS:
        return LEVELS.index(text)
    if text in {str(number) for number in range(len(LEVELS))}:
        return int(text)
    raise UsageError(f"--level {text}: write 0 to 4, or one of {', '.join(LEVELS)}")


def level_text(level: int | None) -> str:
    return "unknown" if level is None else LEVELS[level]
