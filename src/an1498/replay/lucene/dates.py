"""Dates and addresses as Elasticsearch reads them in a search text (Elasticsearch reference: "format", "Range query", missing date
components; "IP field type"). Times are milliseconds since the epoch, UTC."""

from __future__ import annotations

import calendar
import ipaddress
import re
from datetime import UTC, datetime, timedelta

from an1498.times import microseconds_since_epoch

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:T(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?)?)?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)


def date_bounds(text: str) -> tuple[int, int] | None:
    """The first and last millisecond that a `strict_date_optional_time` text stands for: a day for `2024-01-15`, a millisecond
    for a full time. None where it is not such a text."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    part = {name: value for name, value in found.groupdict().items() if value is not None}
    year, month, day = int(part["year"]), int(part.get("month", "1")), int(part.get("day", "1"))
    try:
        start = datetime(
            year, month, day, int(part.get("hour", "0")), int(part.get("minute", "0")), int(part.get("second", "0")), tzinfo=UTC
        )
    except ValueError:
        return None
    zone = part.get("zone", "Z")
    if zone != "Z":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        start -= timedelta(minutes=(int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone[0] == "-" else 1))
    first = microseconds_since_epoch(start) // 1000 + int(part.get("fraction", "0").ljust(3, "0")[:3])
    return first, first + _width(part, year, month) - 1


def _width(part: dict[str, str], year: int, month: int) -> int:
    day = 86_400_000
    if "month" not in part:
        return day * (366 if calendar.isleap(year) else 365)
    if "day" not in part:
        return day * calendar.monthrange(year, month)[1]
    for name, width in (("hour", day), ("minute", 3_600_000), ("second", 60_000), ("fraction", 1000)):
        if name not in part:
            return width
    return 1


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def address_key(text: str) -> str:
    """The `ip_key` of an address (see functions.py)."""
    packed = ipaddress.ip_address(text).packed
    return ("00000000000000000000ffff" if len(packed) == 4 else "") + packed.hex()


def cidr_bounds(block: str) -> tuple[str, str] | None:
    """The first and last `ip_key` of a CIDR block; None where it is not one. Host bits may be set, as Elasticsearch allows."""
    if "/" not in block:
        return None
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        return None
    return address_key(str(network.network_address)), address_key(str(network.broadcast_address))
