"""Points in time as numbers and as text: milliseconds or microseconds since the Unix epoch, RFC 3339 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds_since_epoch(moment: datetime) -> int:
    """Microseconds since the epoch of a moment with a time zone, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def time_text(time_ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC: 2026-01-15T10:00:07.250Z. Raises OverflowError outside the years 1 to 9999."""
    return (EPOCH + timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def second_text(time_us: int) -> str:
    """Microseconds since the epoch as RFC 3339 in UTC, cut to the second: 2026-01-15T10:00:07Z. Raises OverflowError likewise."""
    return (EPOCH + timedelta(seconds=time_us // 1_000_000)).isoformat().replace("+00:00", "Z")
