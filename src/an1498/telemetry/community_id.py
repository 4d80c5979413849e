"""Community ID, version 1: one name for a flow, whichever sensor saw it (github.com/corelight/community-id-spec).

The name is a hash of seed, addresses, protocol and ports, with the lesser end first, so that both directions have one name. ICMP has no
ports: its type stands for one and the type of the answer for the other; where there is no answer (one-way), type and code do, unordered.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import struct
from collections.abc import Mapping
from typing import Any

from an1498.telemetry.addresses import canonical_ip

PROTOCOLS: Mapping[str, int] = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58, "ipv6-icmp": 58, "sctp": 132}
_PORTS = frozenset(PROTOCOLS.values())
# Type → type of the answer, as the specification's reference implementation has them.
_ANSWERS: Mapping[int, Mapping[int, int]] = {
    1: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9},
    58: {128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130, 139: 140, 140: 139, 144: 145, 145: 144},
}


def community_id(protocol: int, source: str, destination: str, ports: tuple[int, int] | None = None, seed: int = 0) -> str | None:
    """The ID of a flow; `ports` are source and destination, for ICMP type and code. None where it has none: an address is no address, the
    protocol needs ports and there are none, or a number is out of range."""
    try:
        first, second = (ipaddress.ip_address(canonical_ip(address)).packed for address in (source, destination))
    except ValueError:
        return None
    numbers = (seed, *(ports or ()))
    if not 0 <= protocol <= 255 or any(not 0 <= number <= 65535 for number in numbers) or len(first) != len(second):
        return None
    if protocol not in _PORTS:
        ends = b"".join(sorted((first, second)))
        tail = b""
    elif ports is None:
        return None
    else:
        answer = _ANSWERS[protocol].get(ports[0]) if protocol in _ANSWERS else ports[1]
        one_way = answer is None
        near, far = (first, ports[0]), (second, ports[1] if answer is None else answer)
        if not one_way and near > far:
            near, far = far, near
        ends, tail = near[0] + far[0], struct.pack("!HH", near[1], far[1])
    digest = hashlib.sha1(struct.pack("!H", seed) + ends + struct.pack("!BB", protocol, 0) + tail, usedforsecurity=False).digest()
    return "1:" + base64.b64encode(digest).decode("ascii")


def of_record(fields: Mapping[str, Any], transport: str = "") -> str | None:
    """The ID of a Zeek record's connection: `id.orig_h` … `id.resp_p`, and `proto` where the log has it, else `transport`."""
    protocol = PROTOCOLS.get(str(fields.get("proto") or transport).lower())
    source, destination = fields.get("id.orig_h"), fields.get("id.resp_h")
    ports = (fields.get("id.orig_p"), fields.get("id.resp_p"))
    if protocol is None or not isinstance(source, str) or not isinstance(destination, str):
        return None
    if protocol == PROTOCOLS["icmp"] and ":" in canonical_ip(source):
        protocol = PROTOCOLS["icmp6"]  # Zeek calls both icmp
    if not all(isinstance(port, int) and not isinstance(port, bool) for port in ports):
        return None
    return community_id(protocol, source, destination, (int(str(ports[0])), int(str(ports[1]))))
