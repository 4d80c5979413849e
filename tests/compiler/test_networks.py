"""Networks on address fields: Elasticsearch's IPv6 networks may hold IPv4 addresses, and are refused where they do."""

from __future__ import annotations

import pytest

from an1498.compiler import compile_search
from an1498.errors import Unsupported
from an1498.model import Language
from an1498.proof.detections import compare_batch, rules_pack
from an1498.proof.rules import ZEEK, Document

ADDRESSES = ("10.1.2.3", "192.168.0.1", "::1", "::", "fe80::1", "2001:db8::5")


def rule(networks: list[str]) -> Document:
    return {
        "title": "r",
        "name": "r",
        "logsource": {"product": "zeek", "service": "ssl"},
        "detection": {"s": {"id.resp_h|cidr": networks}, "condition": "s"},
    }


@pytest.mark.parametrize("network", ["::/0", "::/8", "::/80", "::ffff:0:0/96", "::ffff:10.0.0.0/104"])
@pytest.mark.parametrize("language", [Language.EQL, Language.ESQL, Language.LUCENE])
def test_a_network_with_ipv4_addresses_in_it_is_refused(network: str, language: Language) -> None:
    for networks in ([network], ["10.0.0.0/8", network]):
        with pytest.raises(Unsupported, match="which in Elasticsearch has IPv4 addresses too"):
            compile_search(rules_pack([rule(networks)]), "r", "elastic", language)


@pytest.mark.parametrize("network", ["2000::/3", "fe80::/10", "::1/128", "0.0.0.0/0", "10.0.0.0/8"])
def test_other_networks_are_exact(network: str) -> None:
    events = [(ZEEK, {"id.resp_h": address}) for address in ADDRESSES]
    result = compare_batch([rule([network])], events)
    assert result.differences == ()
    assert len(result.executed) == 4


def test_splunk_keeps_the_families_apart() -> None:
    result = compare_batch([rule(["::/0"])], [(ZEEK, {"id.resp_h": address}) for address in ("10.1.2.3", "::1")])
    assert result.differences == ()
    assert result.executed == {Language.SPL: 1}
