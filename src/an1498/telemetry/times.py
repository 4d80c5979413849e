"""Points in time as logs write them → microseconds since the Unix epoch."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from an1498.errors import UsageError
from an1498.telemetry.reject import Malformed, quoted
from an1498.times import microseconds_since_epoch

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})", re.ASCII)
_EPOCH_TEXT = re.compile(r"-?\d{1,12}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
# The years 1 to 9999 in seconds. Zeek's JSON::TS_MILLIS writes milliseconds, which for every date after 1973 are more than 10^11.
_FIRST_SECOND, _AFTER_LAST_SECOND = -62_135_596_800, 253_402_300_800
_MILLISECONDS_FROM = 100_000_000_000


def iso_us(text: str) -> int:
    """`2021-04-08 22:28:22.002306-0500` or RFC 3339, to the microsecond (further digits are cut). Raises Malformed; a time
    without an offset from UTC is refused, because it may mean any hour."""
    if not _ISO.fullmatch(text):
        raise Malformed(f"{quoted(text)} is not a time", "write it like 2026-01-15 10:00:07.250000+0000, with the offset from UTC")
    try:
        moment = datetime.fromisoformat(text.replace(",", "."))
        return microseconds_since_epoch(moment)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"{quoted(text)} is not a time: {error}", "check the clock of the machine that wrote it") from None


UTC_ZONE: tzinfo = UTC
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>[0-5]\d)", re.ASCII)


@lru_cache(maxsize=64)
def zone(text: str) -> tzinfo:
    """A time zone as people write it: `UTC`, an offset (`+02:00`), a name of the IANA database (`Europe/Berlin`). Raises UsageError."""
    if text.upper() in ("UTC", "Z", "GMT"):
        return UTC
    offset = _OFFSET.fullmatch(text)
    if offset is not None and int(offset["hours"]) < 24:
        minutes = int(offset["hours"]) * 60 + int(offset["minutes"])
        return timezone(timedelta(minutes=-minutes if offset["sign"] == "-" else minutes))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"the time zone '{text}' is unknown; write UTC, an offset such as +02:00, or a name such as Europe/Berlin"
        ) from None


def local_us(text: str, where: tzinfo) -> int:
    """`2021-04-08 22:28:22.002`, a local time of the zone `where`, to the microsecond. Of an hour that a clock change repeats it is the
    first one. Raises Malformed."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=where)
        return microseconds_since_epoch(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise Malformed(f"{quoted(text)} is not a time: {error}", "check the clock of the machine that wrote it") from None


def epoch_us(value: int | float | str) -> int:
    """Seconds since the epoch, a number or its text, to the nearest microsecond. Raises Malformed."""
    if isinstance(value, str):
        if not _EPOCH_TEXT.fullmatch(value):
            raise Malformed(f"{quoted(value)} is not a time", "write epoch seconds such as 1768471207.250000")
        value = float(value)
    if not math.isfinite(value) or not _FIRST_SECOND <= value < _AFTER_LAST_SECOND:
        raise Malformed(f"{quoted(value)} is not a time", "write epoch seconds such as 1768471207.250000")
    return round(value * 1_000_000)


def json_time_us(value: object) -> int:
    """A time in Zeek's JSON: epoch seconds, epoch milliseconds (JSON::TS_MILLIS) or ISO 8601. Raises Malformed."""
    if isinstance(value, str):
        return iso_us(value) if not _EPOCH_TEXT.fullmatch(value) else epoch_us(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"{quoted(value)} is not a time", "write epoch seconds or ISO 8601")
    if isinstance(value, int) and value >= _MILLISECONDS_FROM:
        return epoch_us(value / 1000)
    return epoch_us(value)
