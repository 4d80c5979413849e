"""IP addresses as texts: one spelling for one address."""

from __future__ import annotations

import ipaddress


def canonical_ip(text: str) -> str:
    """The address as Elasticsearch compares it: lower case, compressed, IPv4-mapped IPv6 as IPv4; other text unchanged."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
