"""Zeek's dhcp.log → claims: which host leased which address, from when to when.

A record is one DHCP conversation (Zeek, base/protocols/dhcp/main.zeek): `ts` is its first message, `ts` + `duration` its last;
`assigned_addr` and `lease_time` may be those of an offer, so that only a record with an ACK is a lease (RFC 2131, section 4).
Before Zeek 2.6 each record was one acknowledgement, with `assigned_ip` and neither message types nor names.

A renewal goes on with the lease. A lease ends when it expires, when it is given back (RELEASE, DECLINE), refused (NAK), or when the server
gives the address to another client: then with the first message of that conversation, while the new lease begins with its last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from an1498.model import NativeEvent
from an1498.telemetry.addresses import canonical_ip
from an1498.telemetry.assets import Claim, host_key, mac_key
from an1498.telemetry.zeek_values import is_address

_ENDINGS = {"RELEASE": ("client_addr",), "DECLINE": ("requested_addr",), "NAK": ("requested_addr", "client_addr")}
_FOREVER = 31_557_600_000
_NOBODY = frozenset({"0.0.0.0", "255.255.255.255", "::"})


@dataclass(frozen=True, slots=True)
class _Conversation:
    event: NativeEvent
    last_us: int
    types: frozenset[str]
    mac: str
    host: str | None

    @property
    def client(self) -> str:
        """Who leases: the hardware address, else the name."""
        return self.mac or self.host or ""


def is_dhcp(event: NativeEvent) -> bool:
    return event.product == "zeek" and event.service == "dhcp"


def leases(events: Iterable[NativeEvent]) -> tuple[Claim, ...]:
    """The leases of dhcp.log's events, in any order; events of other logs are passed over. Claims on one address do not overlap."""
    done: list[Claim] = []
    held: dict[str, tuple[str, Claim]] = {}
    conversations = [_conversation(event) for event in events if is_dhcp(event)]
    for talk in sorted(conversations, key=lambda talk: (talk.event.time_us, talk.last_us)):
        for address in _given_back(talk):
            client, claim = held.get(address, ("", None))
            if claim is not None and (not talk.client or talk.client == client):
                done.append(_ended(claim, talk.event.time_us))
                del held[address]
        given = _address(talk.event.fields.get("assigned_addr", talk.event.fields.get("assigned_ip")))
        if not given or "ACK" not in talk.types or "DECLINE" in talk.types:
            continue
        client, claim = held.pop(given, ("", None))
        new = _claim(talk, given)
        if claim is not None and claim.end_us is not None:
            if client == talk.client and talk.last_us <= claim.end_us and _same_host(claim, new):
                # A renewal, which may also shorten the lease. Clients need not say their name each time.
                held[given] = (client, claim if new is None else replace(claim, end_us=new.end_us, host=claim.host or new.host))
                continue
            done.append(_ended(claim, talk.event.time_us))
        if new is not None:
            held[given] = (talk.client, new)
    return tuple(done) + tuple(claim for _, claim in held.values())


def _same_host(claim: Claim, new: Claim | None) -> bool:
    return new is None or claim.host is None or new.host in (None, claim.host)


def _conversation(event: NativeEvent) -> _Conversation:
    fields = event.fields
    types = fields.get("msg_types")
    # Old logs have no types: each record is an acknowledgement.
    found = types if isinstance(types, list) else ["ACK"] if "assigned_ip" in fields else []
    last = event.time_us + round(max(0.0, _seconds(fields.get("duration")) or 0.0) * 1_000_000)
    host = host_key(fields.get("host_name")) or host_key(fields.get("client_fqdn"))
    return _Conversation(event, last, frozenset(map(str, found)), mac_key(fields.get("mac")), host)


def _given_back(talk: _Conversation) -> list[str]:
    """The addresses that the client has no longer, from the conversation on."""
    found = [_address(talk.event.fields.get(name)) for kind in sorted(talk.types & _ENDINGS.keys()) for name in _ENDINGS[kind]]
    return [address for address in dict.fromkeys(found) if address]


def _claim(talk: _Conversation, address: str) -> Claim | None:
    """The lease, or None where the server did not say how long (an answer to INFORM, BOOTP): then nobody has the address."""
    lease = _seconds(talk.event.fields.get("lease_time"))
    if lease is None or lease <= 0:
        return None
    end = talk.last_us + round(lease * 1_000_000)
    return Claim(address, talk.last_us, end, talk.host, talk.mac, "dhcp", talk.event.location)


def _ended(claim: Claim, time_us: int) -> Claim:
    assert claim.end_us is not None
    return replace(claim, end_us=min(claim.end_us, time_us))


def _address(value: Any) -> str:
    if not isinstance(value, str) or not is_address(value):
        return ""
    found = canonical_ip(value)
    return "" if found in _NOBODY else found


def _seconds(value: Any) -> float | None:
    """None for what is no number of seconds; a lease of a thousand years is for ever."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return float(max(-_FOREVER, min(_FOREVER, value)))
