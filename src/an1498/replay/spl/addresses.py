"""CIDR tests on text (Search Reference, "search": "supports IPv4 and IPv6 addresses and subnets that use CIDR notation", and
`cidrmatch`). Text that is not an address is in no network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from an1498.replay.algebra import Expr, Lit, call
from an1498.replay.spl.values import let

_CIDR = re.compile(r"[0-9a-fA-F:.]+/\d{1,3}")


def is_cidr(text: str) -> bool:
    return _CIDR.fullmatch(text) is not None and in_network(text) is not None


def in_network(text: str) -> Callable[[Expr], Expr] | None:
    """A test of a text expression that is never null (but for a null text), or None where `text` is no network."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv4Network):
        low, high = int(network.network_address), int(network.broadcast_address)
        return lambda value: let(value, lambda item: _between(call("ipv4_number", item), low, high))
    digits, rest = divmod(network.prefixlen, 4)
    prefix = network.network_address.exploded.replace(":", "")

    def test(value: Expr) -> Expr:
        def matches(number: Expr) -> Expr:
            tests = [call("is_not_null", number), call("starts_with", number, Lit(prefix[:digits]))]
            if rest:
                first = int(prefix[digits], 16)
                accepted = [Lit(f"{first + step:x}") for step in range(2 ** (4 - rest))]
                tests.append(call("in", call("substring", number, Lit(digits + 1), Lit(1)), *accepted))
            return call("coalesce", call("and", *tests), Lit(False))

        return let(let(value, lambda item: call("ipv6_digits", item)), matches)

    return test


def _between(number: Expr, low: int, high: int) -> Expr:
    return let(
        number,
        lambda n: call("coalesce", call("and", call("ge", n, Lit(low)), call("le", n, Lit(high))), Lit(False)),
    )
