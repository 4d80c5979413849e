"""Zeek's types in SQL, for both of its formats."""

from __future__ import annotations

_BYTE = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"({_BYTE}\.){{3}}{_BYTE}"
# Full and shortened forms of eight groups, without an IPv4 part and without a scope; others are read by Python.
_GROUP = "[0-9a-fA-F]{1,4}"
_IPV6 = "|".join(
    [
        f"({_GROUP}:){{7}}{_GROUP}",
        "::",
        *(f"({_GROUP}:){{{n}}}(:{_GROUP}){{1,{7 - n}}}" for n in range(1, 7)),
        f":(:{_GROUP}){{1,7}}",
        f"({_GROUP}:){{1,7}}:",
    ]
)


def address_odd(text: str) -> str:
    """Whether the text is there and not surely an address; the long expression for IPv6 is asked only of what is no IPv4 address."""
    return f"(NOT regexp_full_match({text}, '{_IPV4}') AND NOT regexp_full_match({text}, '{_IPV6}'))"


def number_text(text: str) -> str:
    """A decimal as JSON writes the number."""
    return f"CAST(TRY_CAST({text} AS DOUBLE) AS VARCHAR)"
