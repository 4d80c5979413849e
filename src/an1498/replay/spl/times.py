"""Time spans, snapping and time formats (Search Reference, "Time modifiers", "Date and time format variables").

The user's time zone is UTC throughout; sub-second digits are those of the event, microseconds at most.
"""

from __future__ import annotations

import re

from an1498.replay.algebra import Case, Cast, Expr, Lit, call
from an1498.replay.spl.source import Source
from an1498.replay.spl.values import TEXT_TYPE, let, refuse

_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
}
_SPAN = re.compile(r"(\d+)([a-z]*)")

# Format variables that mean the same to DuckDB, and those that are rewritten.
_SAME = frozenset("YmdHMSyjIpaAbB")
# Stands for %s, the epoch seconds, until they are put in: DuckDB's strftime has no such variable.
_EPOCH = "\x01"
_REWRITTEN = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "z": "+0000", "Z": "UTC"}


def span_seconds(text: str) -> int | None:
    """Seconds of a span such as `5m` or `300` (seconds); None for months, weeks, sub-second and other spans."""
    match = _SPAN.fullmatch(text)
    if match is None or (match[2] or "s") not in _UNITS:
        return None
    return int(match[1]) * _UNITS[match[2] or "s"] or None


def format_time(source: Source, seconds: Expr, pattern: str, at: int) -> Expr:
    """strftime of epoch seconds in UTC."""
    output = ""
    milliseconds = microseconds = epoch = False
    position = 0
    while position < len(pattern):
        if pattern[position] != "%":
            output += pattern[position]
            position += 1
            continue
        variable = re.match(r"%(?:([36])?[NQ]|(.))", pattern[position:], re.DOTALL)
        if variable is None:
            raise source.syntax_error(at, "the time format ends with '%'")
        letter = variable[2]
        if letter is None:
            if variable[1] == "6":
                microseconds, output = True, output + "%f"
            elif variable[1] == "3":
                milliseconds, output = True, output + "%g"
            else:
                raise source.unsupported(at, f"the time format variable {variable[0]}")
        elif letter == "s":
            epoch, output = True, output + _EPOCH
        elif letter in _SAME or letter == "%":
            output += variable[0]
        elif letter in _REWRITTEN:
            output += _REWRITTEN[letter]
        else:
            raise source.unsupported(at, f"the time format variable {variable[0]}")
        position += variable.end()

    def formatted(value: Expr) -> Expr:
        micros = Cast(call("round", call("mul", value, Lit(1e6))), "BIGINT")
        text = call("format_time", micros, Lit(output))
        if epoch:
            seconds_text = Cast(Cast(call("floor", call("div", Cast(micros, "DOUBLE"), Lit(1e6))), "BIGINT"), TEXT_TYPE)
            text = call("replace_text", text, Lit(_EPOCH), seconds_text)
        if milliseconds and not microseconds:
            cut = call("ne", call("mod", micros, Lit(1000)), Lit(0))
            return Case(((cut, refuse(at, "%3N of a time with microseconds", TEXT_TYPE)),), text)
        return text

    return let(seconds, formatted)
