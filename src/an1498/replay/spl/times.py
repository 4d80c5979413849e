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
_REWRITTEN = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "z": "+0000", "Z": "UTC", "R": "%H:%M", "w": "%w", "D": "%m/%d/%y"}


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
            elif variable[1] == "3" or variable[0] == "%Q":
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
        micros = in_microseconds(value)
        text = call("format_time", micros, Lit(output))
        if epoch:
            seconds_text = Cast(Cast(call("floor", call("div", Cast(micros, "DOUBLE"), Lit(1e6))), "BIGINT"), TEXT_TYPE)
            text = call("replace_text", text, Lit(_EPOCH), seconds_text)
        if milliseconds and not microseconds:
            cut = call("ne", call("mod", micros, Lit(1000)), Lit(0))
            return Case(((cut, refuse(at, "%3N of a time with microseconds", TEXT_TYPE)),), text)
        return text

    return let(seconds, formatted)


_MONTHS = {
    **dict.fromkeys(("mon", "month", "months"), 1),
    **dict.fromkeys(("q", "qtr", "qtrs", "quarter", "quarters"), 3),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 12),
}
_WEEKS = ("w", "week", "weeks")
_STEP = re.compile(r"([+-])(\d*)([a-z]+)|@([a-z]+)([0-7])?")
_DAY_OF_EPOCH = 4  # 1970-01-01 was a Thursday; weeks snap to Sunday, @w0
_MICROSECOND = 1_000_000


def in_microseconds(seconds: Expr) -> Expr:
    return Cast(call("round", call("mul", seconds, Lit(1e6))), "BIGINT")


def relative(source: Source, seconds: Expr, specifier: str, at: int) -> Expr:
    """`relative_time` (Search Reference, "Date and time functions", and Search Manual, "Specify time modifiers in your search"): offsets
    such as `-1d` and snaps such as `@d`, from left to right; a snap goes to the latest such boundary that is not later."""
    steps = list(_STEP.finditer(specifier.replace(" ", "")))
    if not steps or "".join(step[0] for step in steps) != specifier.replace(" ", ""):
        raise source.syntax_error(at, f"'{specifier}' is not a relative time", "write for instance -1d@d")
    result = in_microseconds(seconds)
    for step in steps:
        unit = step[3] or step[4]
        if step[5] and unit != "w":
            raise source.syntax_error(at, f"'{step[0]}' is not a relative time", "only weeks snap to a numbered day")
        result = _shifted(source, result, step, at) if step[1] else _snapped(source, result, step, at)
    return call("div", Cast(result, "DOUBLE"), Lit(1e6))


def _shifted(source: Source, micros: Expr, step: re.Match[str], at: int) -> Expr:
    count = int(step[2] or "1") * (-1 if step[1] == "-" else 1)
    unit = step[3]
    if abs(count) > 1_000_000:
        raise source.unsupported(at, f"the offset {step[0]}")
    if unit in _UNITS or unit in _WEEKS:
        return call("add", micros, Lit(count * _UNITS.get(unit, 604_800) * _MICROSECOND))
    if unit not in _MONTHS:
        raise source.syntax_error(at, f"'{unit}' is not a unit of time")
    refused = refuse(at, "an offset of months from the 29th, 30th or 31st of a month", "BIGINT")

    def moved(value: Expr) -> Expr:
        late = call("gt", call("day_of_month", value), Lit(28))
        return Case(((late, refused),), call("shift_months", Lit(count * _MONTHS[unit]), value))

    return let(micros, moved)


def _snapped(source: Source, micros: Expr, step: re.Match[str], at: int) -> Expr:
    unit = step[4]
    if unit in _UNITS:
        size = _UNITS[unit] * _MICROSECOND
        return call("mul", Cast(call("floor", call("div", Cast(micros, "DOUBLE"), Lit(float(size)))), "BIGINT"), Lit(size))
    if unit in _WEEKS:
        day, week = 86_400 * _MICROSECOND, 604_800 * _MICROSECOND
        offset = (_DAY_OF_EPOCH - int(step[5] or "0") % 7) * day
        weeks = Cast(call("floor", call("div", Cast(call("add", micros, Lit(offset)), "DOUBLE"), Lit(float(week)))), "BIGINT")
        return call("sub", call("mul", weeks, Lit(week)), Lit(offset))
    period = {1: "month", 3: "quarter", 12: "year"}.get(_MONTHS.get(unit, 0))
    if period is None:
        raise source.syntax_error(at, f"'{unit}' is not a unit of time")
    return call("truncate_time", Lit(period), micros)


# Variables that strptime reads as DuckDB does.
_PARSED = {**{letter: f"%{letter}" for letter in "YmdHMSyjIpbB%"}, "F": "%Y-%m-%d", "T": "%H:%M:%S", "e": "%d", "z": "%z", "R": "%H:%M"}
_PARSED_FRACTION = {"3": "%g", "6": "%f", "": "%g"}


def parse_time(source: Source, text: Expr, pattern: str, at: int) -> Expr:
    """`strptime`: text of this format, in UTC where it names no offset, as epoch seconds. Text that does not have the format is refused:
    whether Splunk reads its beginning is not documented."""
    output, position, read = "", 0, set()
    while position < len(pattern):
        variable = re.match(r"%(?:([36]?)[NQ]|(.)|)", pattern[position:], re.DOTALL)
        if variable is None:
            output += pattern[position]
            position += 1
            continue
        letter = variable[2]
        known = _PARSED.get(letter) if letter else _PARSED_FRACTION.get(variable[1] or "") if variable[1] is not None else None
        if known is None:
            raise source.unsupported(at, f"the time format variable {variable[0]} of strptime")
        read |= set(known)
        output += known
        position += variable.end()
    if not {"Y", "y"} & read or not (("d" in read and {"m", "b", "B"} & read) or "j" in read):
        raise source.unsupported(at, "a time without a date", "give year, month and day")
    refused = refuse(at, "strptime() of text that does not have the format", "BIGINT")

    def parsed(item: Expr) -> Expr:
        found = call("parse_time", item, Lit(output))
        return Case(((call("is_null", item), Lit(None, "BIGINT")), (call("is_null", found), refused)), found)

    return call("div", Cast(let(text, parsed), "DOUBLE"), Lit(1e6))
