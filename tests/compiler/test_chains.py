"""Chains: counts as stages of other correlations, over random streams, against the reference applied twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from tests.compiler.build import pack

from an1498.compiler import compile_search
from an1498.errors import Unsupported
from an1498.model import Condition, CorrelationType, Language
from an1498.proof import synthetic
from an1498.proof.differential import execute
from an1498.proof.reference import Firing, Observation, Spec, firings
from an1498.proof.streams import Drawn, draw
from an1498.proof.synthetic import MAC, ZEEK, Case
from an1498.replay.alerts import index_streams

STREAMS = 120
INNER_S, OUTER_S = 60, 300


@dataclass(frozen=True)
class Chain:
    """`bursts` are event counts by name: (their rules, the bounds)."""

    type: CorrelationType
    rules: tuple[str, ...]
    sensors: tuple[str, ...]
    bursts: dict[str, tuple[tuple[str, ...], dict[str, int]]]
    condition: dict[str, int] | str | None = None
    skew_s: int = 0


ORDERED, TEMPORAL, COUNT = CorrelationType.TEMPORAL_ORDERED, CorrelationType.TEMPORAL, CorrelationType.EVENT_COUNT
CHAINS = {
    "burst then event": Chain(ORDERED, ("many", "bravo"), (MAC, ZEEK), {"many": (("alpha",), {"gte": 2})}),
    "event then burst": Chain(ORDERED, ("alpha", "many"), (MAC, ZEEK), {"many": (("bravo",), {"gte": 2, "lt": 4})}),
    "two bursts": Chain(ORDERED, ("many", "more"), (ZEEK, ZEEK), {"many": (("alpha",), {"gte": 2}), "more": (("bravo",), {"gt": 1})}),
    "three stages": Chain(ORDERED, ("alpha", "many", "charlie"), (MAC, MAC, ZEEK), {"many": (("bravo",), {"gte": 2})}),
    "clock skew": Chain(ORDERED, ("many", "bravo"), (MAC, ZEEK), {"many": (("alpha",), {"gte": 2})}, skew_s=2),
    "a burst of two rules": Chain(ORDERED, ("many", "charlie"), (MAC, MAC, MAC), {"many": (("alpha", "bravo"), {"gte": 2})}),
    "an event that is also of the burst": Chain(ORDERED, ("alpha", "many"), (MAC,), {"many": (("alpha",), {"gte": 2})}),
    "a lull": Chain(ORDERED, ("many", "bravo"), (MAC, MAC), {"many": (("alpha",), {"lt": 2})}),
    "in any order": Chain(TEMPORAL, ("many", "bravo"), (MAC, ZEEK), {"many": (("alpha",), {"gte": 2})}),
    "in words": Chain(TEMPORAL, ("many", "bravo"), (MAC, ZEEK), {"many": (("alpha",), {"gte": 2})}, "many and not bravo"),
    "bursts": Chain(COUNT, ("many",), (ZEEK,), {"many": (("alpha",), {"gte": 2})}, {"gte": 2}),
}


def base(chain: Chain) -> Case:
    """The events of the chain: one rule per sensor, and the outer correlation."""
    case = synthetic.case(COUNT, chain.sensors, window_s=OUTER_S, skew_s=chain.skew_s, condition={"gte": 1})
    body: dict[str, Any] = {"type": str(chain.type), "rules": list(chain.rules), "timespan": f"{OUTER_S}s", "group-by": list(case.group_by)}
    aliases = case.correlation.get("aliases")
    if aliases is not None:
        own = {rule: field for rule, field in aliases["entity"].items() if rule in chain.rules}
        body["aliases"] = {"entity": {**own, **dict.fromkeys(chain.bursts, "entity")}}
    if chain.condition is not None:
        body["condition"] = chain.condition
    return replace(case, correlation=body)


def write_bursts(chain: Chain, case: Case, root: Path) -> None:
    (root / "rules").mkdir()
    fields = {rule: "host.ip" if sensor == MAC else "id.orig_h" for rule, sensor in case.spec.sensors.items()}
    for number, (name, (rules, bounds)) in enumerate(chain.bursts.items()):
        body: dict[str, Any] = {"type": "event_count", "rules": list(rules), "timespan": f"{INNER_S}s", "condition": bounds}
        body["group-by"] = list(case.group_by)
        if case.group_by == ("entity",):
            body["aliases"] = {"entity": {rule: fields[rule] for rule in rules}}
        identifier = f"178143c9-dd2d-443b-99dd-75c633dab4a{number}"
        document = {"title": name, "name": name, "id": identifier, "correlation": body, "level": "low"}
        (root / "rules" / f"{name}.yml").write_text(yaml.safe_dump(document), encoding="utf-8")


def expected(chain: Chain, case: Case, stream: Sequence[Drawn]) -> set[Firing]:
    """What the definition of design.md section 4 says, an inner alert being an event of the outer correlation."""
    events = [drawn.observation for drawn in stream]
    sensors = dict(case.spec.sensors)
    outer = [replace(event, groups={rule: key for rule, key in event.groups.items() if rule in chain.rules}) for event in events]
    for name, (rules, bounds) in chain.bursts.items():
        sensors[name] = sensors[rules[0]]
        inner = Spec(COUNT, rules, INNER_S * 1000, Condition(tuple((key, float(value)) for key, value in bounds.items())))
        outer += [Observation(time, {name: group}) for group, time in firings(inner, events)]
    condition = Condition()
    if isinstance(chain.condition, str):
        condition = Condition(expression=chain.condition)
    elif chain.condition is not None:
        condition = Condition(tuple((key, float(value)) for key, value in chain.condition.items()))
    return firings(Spec(chain.type, chain.rules, OUTER_S * 1000, condition, chain.skew_s * 1000, sensors), outer)


def differences(chain: Chain, root: Path, streams: int, seed: int) -> tuple[int, dict[Language, int]]:
    """How many alerts the reference has, and on how many streams each language differs from it."""
    case = base(chain)
    write_bursts(chain, case, root)
    built = synthetic.load(case, root)
    rng = random.Random(seed)
    windows = [replace(case.spec, window_ms=seconds * 1000) for seconds in (INNER_S, OUTER_S)]
    drawn = [draw(windows[number % 2], case.population, rng, 16) for number in range(streams)]
    wanted = [expected(chain, case, stream) for stream in drawn]
    found = {}
    for language, target in ((Language.SPL, "splunk"), (Language.ESQL, "elastic")):
        events = [[synthetic.native_event(case, event) for event in stream] for stream in drawn]
        table = index_streams(duckdb.connect(), built.targets[target], events)
        got = execute(built, compile_search(built, synthetic.NAME, target, language), table)
        found[language] = sum(one != other for one, other in zip(wanted, got, strict=True))
    return sum(map(len, wanted)), found


@pytest.mark.parametrize("name", CHAINS)
def test_random_streams(name: str, tmp_path: Path) -> None:
    alerts, found = differences(CHAINS[name], tmp_path, STREAMS, seed=5)
    assert alerts > 0
    assert found == {Language.SPL: 0, Language.ESQL: 0}


RULES = (
    "name: a\ndetection: {s: {server_name: x}, condition: s}\n---\nname: b\ndetection: {s: {server_name: y}, condition: s}\n---\n"
    "name: c\nlogsource: {product: macos, service: unifiedlog}\ndetection: {s: {category: z}, condition: s}\n---\n"
)
INNER = "name: many\ncorrelation: {type: event_count, rules: [a], group-by: [id.orig_h], timespan: 1m, condition: {gte: 2}}\n---\n"
OUTER = "name: outer\ncorrelation: {type: temporal_ordered, rules: [many, b], group-by: [id.orig_h], timespan: 5m}\n"


@pytest.mark.parametrize(
    ("inner", "outer", "construct"),
    [
        (
            INNER.replace("event_count", "value_count").replace("gte: 2", "gte: 2, field: id.resp_h"),
            OUTER,
            "over the value_count correlation",
        ),
        (INNER.replace("id.orig_h", "id.orig_h, server_name"), OUTER, "groups by id.orig_h, server_name, not by id.orig_h"),
        (
            INNER + INNER.replace("name: many", "name: more").replace("[a]", "[many]"),
            OUTER.replace("many", "more"),
            "'more' refers to the correlation 'many'",
        ),
        (INNER, OUTER.replace("temporal_ordered", "event_count").replace("5m", "5m, condition: {gte: 2}"), "and other rules"),
        (
            INNER.replace("[a]", "[a, c]").replace("[id.orig_h]", "[e]").replace("1m", "1m, aliases: {e: {a: id.orig_h, c: host.ip}}"),
            OUTER.replace("[id.orig_h]", "[e]").replace("5m", "5m, aliases: {e: {many: e, b: id.orig_h}}"),
            "several log sources",
        ),
    ],
)
@pytest.mark.parametrize(("target", "language"), [("splunk", Language.SPL), ("elastic", Language.ESQL)])
def test_other_chains_are_refused_where_they_are_written(inner: str, outer: str, construct: str, target: str, language: Language) -> None:
    built = pack(RULES + inner + outer)
    with pytest.raises(Unsupported, match=construct) as refusal:
        compile_search(built, "outer", target, language)
    assert refusal.value.location.line > 1
    assert refusal.value.remedy


def test_eql_has_no_chains() -> None:
    with pytest.raises(Unsupported, match=r"a chain over 'many'.*use ES\|QL"):
        compile_search(pack(RULES + INNER + OUTER), "outer", "elastic", Language.EQL)


def test_a_chain_looks_back_over_both_windows() -> None:
    """Outer window 300, inner window twice for its rising edge 120, interval 300, ingest lag 120; and names its stages."""
    search = compile_search(pack(RULES + INNER + OUTER), "outer", "splunk", Language.SPL)
    assert search.lookback_s == 300 + 120 + 300 + 120
    assert [name for name, _ in search.stages] == ["many", "b"]
