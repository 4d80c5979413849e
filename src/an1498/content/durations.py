"""Spans of time in content files: "5m", "0s", "36h". Sigma specification 2.1, correlation `timespan`: number + letter.

Months (`M`) and years (`y`), which have no fixed length, are refused.
"""

from __future__ import annotations

import re

from an1498.content.node import Node

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
DAY = SECONDS["d"]
_TEXT = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)


def seconds(text: str) -> int | None:
    """The span in seconds, or None where the text is not one."""
    found = _TEXT.fullmatch(text)
    return int(found[1]) * SECONDS[found[2]] if found else None


def duration(node: Node, *, low: int, high: int) -> int:
    """The node's span in seconds, between `low` and `high` (seconds, inclusive). Raises ContentError."""
    if not isinstance(node.value, str):
        raise node.wrong_type("a span of time", 'write a number and a unit in quotes, such as "5m"')
    span = seconds(node.value)
    if span is None:
        raise node.error(
            f"'{node.name}' is '{node.value[:40]}', which is not a span of time",
            "write a whole number and one of s, m, h, d, w, such as 5m",
        )
    if not low <= span <= high:
        raise node.error(f"'{node.name}' is {node.value}, outside {text(low)} … {text(high)}", "give a span inside that range")
    return span


def text(span_s: int) -> str:
    """The shortest text of a span in seconds: 300 → "5m"."""
    for unit in ("w", "d", "h", "m"):
        if span_s and span_s % SECONDS[unit] == 0:
            return f"{span_s // SECONDS[unit]}{unit}"
    return f"{span_s}s"
