"""The alias `entity` by strategy: the host by lookup, the flow by community ID, and what each refuses."""

from __future__ import annotations

import dataclasses

import pytest
from tests.compiler.build import pack

from an1498.compiler import compile_pack, compile_search
from an1498.errors import Unsupported
from an1498.model import Entity, Language, Pack

RULES = """
name: use
logsource: {product: macos, service: unifiedlog}
detection: {s: {category: seckey}, condition: s}
rank: 2
---
name: tls
detection: {s: {server_name: a}, condition: s}
rank: 1
---
"""
ORDERED = (
    "correlation: {type: temporal_ordered, rules: [use, tls], group-by: [entity], timespan: 5m, "
    "aliases: {entity: {use: host.ip, tls: id.orig_h}}}"
)
COUNT = (
    "correlation: {type: event_count, rules: [tls], group-by: [entity], timespan: 10m, condition: {gte: 3}, "
    "aliases: {entity: {tls: id.orig_h}}}"
)
PLAIN = "correlation: {type: event_count, rules: [tls], group-by: [id.orig_h], timespan: 10m, condition: {gte: 3}}"


def packed(text: str, strategy: Entity) -> Pack:
    built = pack(RULES + text)
    targets = {name: dataclasses.replace(target, entity=strategy) for name, target in built.targets.items()}
    return dataclasses.replace(built, targets=targets)


def text_of(text: str, target: str, language: Language) -> str:
    return compile_search(packed(text, Entity.LOOKUP), "correlation", target, language).text


def test_the_host_in_spl() -> None:
    """Streaming commands only, inside multisearch; the lookup gives the row that began last, the key says whether it still held."""
    first, second = text_of(ORDERED, "splunk", Language.SPL).splitlines()[1:3]
    assert first.endswith(r""" an1498_key_1=replace(lower('host'), "^([^.]*[^.0-9][^.]*)[.].*", "\1") ]""")
    assert "lookup" not in first
    assert second.endswith(
        r"""| eval an1498_ip=replace(lower('id.orig_h'), "^::ffff:([0-9.]+)", "\1") """
        "| lookup an1498_assets ip AS an1498_ip OUTPUT host AS an1498_host, end AS an1498_end "
        "| eval an1498_stage=2, an1498_order=round(_time, 6), an1498_key_1=if(_time<tonumber(an1498_end), an1498_host, null()) ]"
    )


def test_the_host_in_esql() -> None:
    """The join comes before anything is counted; only events that have no name of a host are joined."""
    lines = text_of(ORDERED, "elastic", Language.ESQL).splitlines()
    at = lines.index("| LOOKUP JOIN an1498-assets ON an1498_asset_ip")
    assert lines[at - 1] == '| EVAL an1498_asset_ip = CASE(event.dataset == "zeek", source.ip)'
    held = "CASE(@timestamp >= an1498_asset_from AND @timestamp < an1498_asset_until, an1498_asset_host)"
    name = 'CASE(TO_LOWER(host.name) RLIKE "[^.]*[^.0-9][^.]*[.].*", MV_FIRST(SPLIT(TO_LOWER(host.name), ".")), TO_LOWER(host.name))'
    assert lines[at + 2 : at + 4] == [
        f"| EVAL an1498_key_1 = CASE(an1498_stage == 2, {held}, {name})",
        "| WHERE an1498_key_1 IS NOT NULL",
    ]
    counted = text_of(COUNT, "elastic", Language.ESQL).splitlines()
    assert counted[2:5] == [
        "| EVAL an1498_asset_ip = source.ip",
        "| LOOKUP JOIN an1498-assets ON an1498_asset_ip",
        f"| EVAL an1498_key_1 = {held}",
    ]


def test_eql_cannot_look_up() -> None:
    with pytest.raises(Unsupported) as raised:
        text_of(ORDERED, "elastic", Language.EQL)
    refusal = raised.value
    assert (refusal.rule, refusal.target) == ("correlation", "elastic") and "EQL joins by stored fields only" in refusal.construct
    assert refusal.location.line > 1 and "ES|QL" in refusal.remedy


def test_fields_are_those_that_events_have() -> None:
    search = compile_search(packed(ORDERED, Entity.LOOKUP), "correlation", "splunk", Language.SPL)
    assert search.entity_fields == ("host", "id.orig_h")
    built = packed(ORDERED, Entity.LOOKUP)
    assert compile_search(built, "use", "splunk", Language.SPL).entity_fields == ("host",)
    assert compile_search(built, "tls", "splunk", Language.SPL).entity_fields == ("id.orig_h",)


def test_what_does_not_group_by_the_alias_does_not_change() -> None:
    for strategy in Entity:
        built = packed(PLAIN, strategy)
        texts = [search.text for search in compile_pack(built).searches if search.rule == "correlation"]
        assert texts == [search.text for search in compile_pack(packed(PLAIN, Entity.IP)).searches if search.rule == "correlation"]


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        (ORDERED, "events of macos/unifiedlog have no addresses and ports"),
        (COUNT, 'event_count per machine with entity = "community_id": a community ID is one flow, not a machine'),
    ],
)
def test_a_flow_is_refused_where_it_is_no_key(text: str, construct: str) -> None:
    """Rule, file and line of the alias, target, remedy; in every language, and nothing else of the pack is refused."""
    found = compile_pack(packed(text, Entity.COMMUNITY_ID))
    assert {(refusal.rule, refusal.target, str(refusal.language)) for refusal in found.refused} == {
        ("correlation", "splunk", "spl"),
        ("correlation", "elastic", "eql"),
        ("correlation", "elastic", "esql"),
    }
    for refusal in found.refused:
        assert construct in refusal.construct and 'entity = "ip" or "lookup"' in refusal.remedy and ".skip]" in refusal.remedy
        assert refusal.location.file.endswith(".yml") and refusal.location.line > 1
    assert {search.rule for search in found.searches} == {"use", "tls"}
