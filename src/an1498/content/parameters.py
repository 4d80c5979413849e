"""Tuning values of an1498.toml `[parameters]`: what each may hold.

A parameter with a name below is checked against its kind; another name is allowed where a rule, correlation or filter uses it, and
then holds a number, a text, a truth value, or a list of texts or numbers. An overlay keeps each value's kind.
"""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Callable, Mapping

from an1498.content.durations import DAY, duration
from an1498.content.node import Node, kind
from an1498.model import Parameter, Scalar

Value = Scalar | tuple[Scalar, ...]

# Windows: a search looks back over its window, so a month is already more than a SIEM should read every few minutes.
MIN_WINDOW_S = 1
MAX_WINDOW_S = 31 * DAY
MAX_SKEW_S = 3600
# Shannon entropy of bytes lies between 0 and 8 bits.
MAX_ENTROPY = 8.0


def _window(node: Node) -> Value:
    duration(node, low=MIN_WINDOW_S, high=MAX_WINDOW_S)
    return str(node.value)


def _skew(node: Node) -> Value:
    duration(node, low=0, high=MAX_SKEW_S)
    return str(node.value)


def _entropy(node: Node) -> Value:
    return node.number(low=0, high=MAX_ENTROPY)


def _count(node: Node) -> Value:
    return node.integer(low=1, high=1_000_000_000)


def _days(node: Node) -> Value:
    return node.integer(low=0, high=36_500)


def _texts(node: Node) -> Value:
    return node.texts(empty=True)


def _addresses(node: Node) -> Value:
    texts = node.texts(empty=True)
    for item in node.items():
        try:
            ipaddress.ip_address(item.value)
        except ValueError:
            raise item.error(f"'{item.value}' is not an IP address", "write one IPv4 or IPv6 address per item") from None
    return texts


def _ports(node: Node) -> Value:
    ports = tuple(item.integer(low=0, high=65_535) for item in node.items())
    for index, item in enumerate(node.items()):
        if item.value in ports[:index]:
            raise item.error(f"port {item.value} is listed twice", "remove one", "duplicate")
    return ports


# First match wins: the names of design.md section 3 (MITRE's where MITRE has one), then families.
KINDS: Mapping[str, Callable[[Node], Value]] = {
    "time_window": _window,
    "clock_skew": _skew,
    "payload_entropy_threshold": _entropy,
    "trusted_doh_endpoints": _texts,
    "allowed_processes": _texts,
    "trusted_issuers": _texts,
    "expected_tls_ports": _ports,
    "user_writable_paths": _texts,
    "*_addresses": _addresses,
    "*_window": _window,
    "*_skew": _skew,
    "*_entropy_threshold": _entropy,
    "*_ports": _ports,
    "*_days": _days,
    "*_threshold": _count,
}

# Names that stand without a rule that uses them: the compiler reads the skew, hunt the entropy of server names; the others are MITRE's
# mutable elements of AN1498.
BUILT_IN = frozenset({"clock_skew", "payload_entropy_threshold", "sni_entropy_threshold", "trusted_doh_endpoints", "time_window"})


def load_parameter(name: str, node: Node, base: Parameter | None = None) -> Parameter:
    """The typed parameter of a node; `base` is the value that an overlay replaces. Raises ContentError."""
    if not name.replace("_", "a").isalnum() or not name.isascii() or name != name.lower():
        raise node.error(f"parameter name '{name}' is not lower_case", "use letters, digits and underscores")
    reader = next((reader for pattern, reader in KINDS.items() if fnmatch.fnmatchcase(name, pattern)), None)
    value = reader(node) if reader else _any(node)
    if base is not None and kind(value) != kind(base.value):
        raise node.wrong_type(f"{kind(base.value)} as in {base.location}")
    return Parameter(name, value, node.location)


def _any(node: Node) -> Value:
    if isinstance(node.value, list):
        items = node.items()
        values = tuple(_scalar(item) for item in items)
        if len({kind(value) for value in values}) > 1:
            raise node.error(f"'{node.name}' mixes texts and numbers", "use one type in a list", "wrong-type")
        return values
    return _scalar(node)


def _scalar(node: Node) -> Scalar:
    if isinstance(node.value, str):
        return node.text(longest=4096)
    if isinstance(node.value, bool):
        return node.value
    if isinstance(node.value, int | float):
        number = node.number(low=-1e15, high=1e15)
        return int(number) if isinstance(node.value, int) else number
    raise node.wrong_type("text, a number, true, false, or a list of these")
