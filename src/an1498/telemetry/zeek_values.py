"""Zeek's types: a `#types` word → a converter of a TSV value; known fields' types → a check of a JSON value.

Both give the same Python values: bool, int, float (double, interval, time as epoch seconds), text (string, enum, addr, subnet, …),
list (set, vector). The words and the escapes follow Zeek's ASCII log writer (docs.zeek.org, "Zeek Log Formats and Inspection" and
base/frameworks/logging/writers/ascii.zeek).
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from an1498.telemetry.reject import Malformed, quoted
from an1498.telemetry.times import json_time_us

Convert = Callable[[str], Any]
Check = Callable[[Any], Any]

_INTEGER = re.compile(r"-?\d{1,20}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_CONTAINER = re.compile(r"(set|vector|table|list)\[(\w+)(?:,\w+)*\]")
_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})|\\\\")
_TEXTS = ("string", "enum", "subnet", "pattern", "func", "file", "record", "any")


def unescape(text: str) -> str:
    r"""`\x2c` → `,`, `\\` → `\`. Bytes that are not UTF-8 stay in the form `\xNN`, as Zeek's JSON writer shows them."""
    if "\\" not in text:
        return text
    unescaped = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]) if match[1] else b"\\", text.encode())
    return unescaped.decode("utf-8", "backslashreplace")


@lru_cache(maxsize=65536)
def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _boolean(text: str) -> bool:
    if text in ("T", "F"):
        return text == "T"
    raise Malformed(f"{quoted(text)} is not a bool (T or F)", "write the log with Zeek's ASCII writer")


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Malformed(f"{quoted(text)} is not a whole number", "write the log with Zeek's ASCII writer")
    return int(text)


def _count(text: str) -> int:
    return _not_negative(_integer(text))


def _not_negative(number: int) -> int:
    if number < 0:
        raise Malformed(f"{number} is negative", "a count is 0 or more")
    return number


def _port(text: str) -> int:
    return _port_number(_integer(text.split("/")[0]))


def _port_number(number: int) -> int:
    if not 0 <= number <= 65535:
        raise Malformed(f"{number} is not a port", "a port is 0 to 65535")
    return number


def _double(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise Malformed(f"{quoted(text)} is not a number", "write the log with Zeek's ASCII writer")
    return float(text)


def _time(text: str) -> float:
    return json_time_us(text) / 1_000_000


def _address(text: str) -> str:
    if not is_address(text):
        raise Malformed(f"{quoted(text)} is not an address", "write IPv4 or IPv6")
    return text


_CONVERTERS: dict[str, Convert] = {
    **dict.fromkeys(_TEXTS, unescape),
    "bool": _boolean,
    "int": _integer,
    "count": _count,
    "port": _port,
    "double": _double,
    "interval": _double,
    "time": _time,
    "addr": _address,
}


def converter(type_name: str, separator: str, empty: str, unset: str) -> Convert:
    """The converter of a `#types` word; `separator`, `empty` and `unset` are the file's markers. The caller deals with an unset
    value itself. Raises Malformed for an unknown type."""
    container = _CONTAINER.fullmatch(type_name)
    # A type that is not known here, of a newer Zeek or another tool, is text.
    element = _CONVERTERS.get(container[2] if container else type_name, unescape)
    if container:

        def elements(text: str) -> list[Any]:
            if text == empty:
                return []
            return ["" if item == empty else element(item) for item in text.split(separator) if item != unset]

        return elements
    if element is unescape:
        return lambda text: "" if text == empty else unescape(text)
    return element


# --- JSON --------------------------------------------------------------------------------------------------------------------


def _json_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Malformed(f"{quoted(value)} is not true or false", "write the log with Zeek's JSON writer")


def _json_integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"{quoted(value)} is not a whole number", "write the log with Zeek's JSON writer")
    return value


def _json_double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Malformed(f"{quoted(value)} is not a number", "write the log with Zeek's JSON writer")
    return float(value)


def _json_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{quoted(value)} is not text", "write the log with Zeek's JSON writer")
    return value


_CHECKS: dict[str, Check] = {
    "bool": _json_boolean,
    "int": _json_integer,
    "count": lambda value: _not_negative(_json_integer(value)),
    "port": lambda value: _port_number(_json_integer(value)),
    "double": _json_double,
    "interval": _json_double,
    "time": lambda value: json_time_us(value) / 1_000_000,
    "addr": lambda value: _address(_json_text(value)),
    "string": _json_text,
}


def json_value(type_name: str, value: Any) -> Any:
    """A JSON value that is not null, checked against the type of a known field. Raises Malformed."""
    container = _CONTAINER.fullmatch(type_name)
    if container is None:
        return _CHECKS[type_name](value)
    check = _CHECKS[container[2]]
    items = value if isinstance(value, list) else [value]
    return [check(item) for item in items if item is not None]
