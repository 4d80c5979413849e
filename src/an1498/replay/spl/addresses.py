"""CIDR tests on text (Search Reference, "search": "supports IPv4 and IPv6 addresses and subnets that use CIDR notation", and
`cidrmatch`). Text that is not an address is in no network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from an1498.replay.algebra import Expr, Lit, call
from an1498.replay.spl.values import let

_CIDR = re.compile(r"[0-9a-fA-F:.]+/\d{1,3}")


def is_cidr(text: str) -> bool:
    return _CIDR.fullmatch(text) is not None and in_network(text) is not None


@dataclass(frozen=True, slots=True)
class Address:
    """A text's forms as an address (see `functions.py`), computed once for all networks that it is tested against."""

    ipv4: Expr
    ipv6: Expr


def address(value: Expr) -> Address:
    return Address(call("ipv4_number", value), call("ipv6_digits", value))


def in_network(text: str) -> Callable[[Address], Expr] | None:
    """A test of an address that is never null, or None where `text` is no network."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv4Network):
        low, high = int(network.network_address), int(network.broadcast_address)
        return lambda given: let(given.ipv4, lambda number: _between(number, low, high))
    digits, rest = divmod(network.prefixlen, 4)
    prefix = network.network_address.exploded.replace(":", "")

    def matches(number: Expr) -> Expr:
        tests = [call("is_not_null", number)]
        if digits:
            tests.append(call("starts_with", number, Lit(prefix[:digits])))
        if rest:
            first = int(prefix[digits], 16)
            accepted = [Lit(f"{first + step:x}") for step in range(2 ** (4 - rest))]
            tests.append(call("in", call("substring", number, Lit(digits + 1), Lit(1)), *accepted))
        return call("coalesce", call("and", *tests), Lit(False))

    return lambda given: let(given.ipv6, matches)


def _between(number: Expr, low: int, high: int) -> Expr:
    return call("coalesce", call("and", call("ge", number, Lit(low)), call("le", number, Lit(high))), Lit(False))
