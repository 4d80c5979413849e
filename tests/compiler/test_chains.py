"""Chains: correlations as stages of other correlations, over random streams, against the reference applied to its own alerts."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

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
from an1498.ship.explanation import explanation

STREAMS = 100
OUTER_S = 300
AMOUNT, OWN = "amount", {MAC: "threadID", ZEEK: "id.resp_p"}
"""An alias that names a field of each sensor."""
VALUES = {
    "category": ("AES", "aes", "*", None),
    "threadID": (1, 5, 10, 443, None),
    "cipher": ("A", "a", None),
    "id.resp_p": (1, 10, 443, None),
}


@dataclass(frozen=True)
class Part:
    """A correlation of a chain."""

    type: CorrelationType
    rules: tuple[str, ...]
    condition: Mapping[str, Any] | str | None = None
    window_s: int = 60


@dataclass(frozen=True)
class Chain:
    """`sensors` are those of the words alpha, bravo, …; `inner` the correlations by name; `keys` how many of the group's keys the
    outermost correlation has."""

    outer: Part
    sensors: tuple[str, ...]
    inner: Mapping[str, Part] = field(default_factory=dict)
    skew_s: int = 0
    keys: int = 2


ORDERED, TEMPORAL, COUNT = CorrelationType.TEMPORAL_ORDERED, CorrelationType.TEMPORAL, CorrelationType.EVENT_COUNT
DISTINCT, SUM, AVERAGE = CorrelationType.VALUE_COUNT, CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG
MEDIAN, PERCENTILE = CorrelationType.VALUE_MEDIAN, CorrelationType.VALUE_PERCENTILE


def outer(kind: CorrelationType, *rules: str, condition: Mapping[str, Any] | str | None = None) -> Part:
    return Part(kind, rules, condition, OUTER_S)


TWO = {"gte": 2}
MANY = Part(COUNT, ("alpha",), TWO)
PAIR = Part(ORDERED, ("alpha", "bravo"))
BOTH = Part(TEMPORAL, ("alpha", "bravo"))
CHAINS = {
    "burst then event": Chain(outer(ORDERED, "many", "bravo"), (MAC, ZEEK), {"many": MANY}),
    "event then burst": Chain(outer(ORDERED, "alpha", "many"), (MAC, ZEEK), {"many": Part(COUNT, ("bravo",), {"gte": 2, "lt": 4})}),
    "two bursts": Chain(outer(ORDERED, "many", "more"), (ZEEK, ZEEK), {"many": MANY, "more": Part(COUNT, ("bravo",), {"gt": 1})}),
    "clock skew": Chain(outer(ORDERED, "many", "bravo"), (MAC, ZEEK), {"many": MANY}, skew_s=2),
    "an event that is also of the burst": Chain(outer(ORDERED, "alpha", "many"), (MAC,), {"many": MANY}),
    "a burst of both sensors": Chain(outer(ORDERED, "many", "charlie"), (MAC, ZEEK, ZEEK), {"many": Part(COUNT, ("alpha", "bravo"), TWO)}),
    "a lull": Chain(outer(ORDERED, "many", "bravo"), (MAC, MAC), {"many": Part(COUNT, ("alpha",), {"lt": 2})}),
    "in any order": Chain(outer(TEMPORAL, "many", "bravo"), (MAC, ZEEK), {"many": MANY}),
    "in words": Chain(outer(TEMPORAL, "many", "bravo", condition="many and not bravo"), (MAC, ZEEK), {"many": MANY}),
    "bursts": Chain(outer(COUNT, "many", condition=TWO), (ZEEK,), {"many": MANY}),
    "bursts and events": Chain(outer(COUNT, "many", "alpha", "bravo", condition={"gte": 4}), (MAC, MAC), {"many": MANY}),
    "pair then event": Chain(outer(ORDERED, "pair", "charlie"), (MAC, ZEEK, ZEEK), {"pair": PAIR}),
    "event then pair, clock skew": Chain(outer(ORDERED, "charlie", "pair"), (MAC, ZEEK, MAC), {"pair": PAIR}, skew_s=2),
    "pair of three": Chain(outer(TEMPORAL, "pair", "alpha"), (MAC, MAC, MAC), {"pair": Part(ORDERED, ("alpha", "bravo", "charlie"))}),
    "pairs": Chain(outer(COUNT, "pair", condition=TWO), (MAC, ZEEK), {"pair": replace(PAIR, window_s=120)}),
    "both then event": Chain(outer(ORDERED, "both", "charlie"), (MAC, ZEEK, ZEEK), {"both": BOTH}),
    "not both": Chain(outer(COUNT, "both", condition=TWO), (MAC, MAC), {"both": replace(BOTH, condition="alpha and not bravo")}),
    "values then event": Chain(
        outer(ORDERED, "spread", "bravo"), (MAC, ZEEK), {"spread": Part(DISTINCT, ("alpha",), {**TWO, "field": "category"})}
    ),
    "two kinds of values": Chain(
        outer(TEMPORAL, "spread", "sum"),
        (MAC, ZEEK),
        {
            "spread": Part(DISTINCT, ("alpha",), {**TWO, "field": ["category", "threadID"]}),
            "sum": Part(SUM, ("bravo",), {"gte": 20, "field": "id.resp_p"}),
        },
    ),
    "a sum of both sensors": Chain(
        outer(ORDERED, "sum", "charlie"), (MAC, ZEEK, ZEEK), {"sum": Part(SUM, ("alpha", "bravo"), {"gte": 20, "field": "amount"})}
    ),
    "averages": Chain(
        outer(COUNT, "mean", "alpha", condition=TWO), (ZEEK,), {"mean": Part(AVERAGE, ("alpha",), {"gte": 100, "field": "id.resp_p"})}
    ),
    "sums of equal values": Chain(
        outer(ORDERED, "many", "sum"), (MAC,), {"many": MANY, "sum": Part(SUM, ("alpha",), {"gte": 20, "field": "threadID"})}
    ),
    "median then event": Chain(
        outer(ORDERED, "middle", "bravo"), (MAC, ZEEK), {"middle": Part(MEDIAN, ("alpha",), {"gt": 4, "lt": 300, "field": "threadID"})}
    ),
    "percentile": Chain(
        outer(TEMPORAL, "high", "bravo"),
        (MAC, ZEEK),
        {"high": Part(PERCENTILE, ("alpha",), {"gte": 10, "percentile": 90, "field": "threadID"})},
    ),
    "three deep": Chain(
        outer(ORDERED, "bursts", "charlie"),
        (MAC, ZEEK, ZEEK),
        {"pair": replace(PAIR, window_s=240), "bursts": Part(COUNT, ("pair",), TWO, 240)},
    ),
    "three deep, four types": Chain(
        outer(COUNT, "either", condition={"gte": 1}),
        (MAC, MAC, MAC),
        {"many": MANY, "pair": Part(ORDERED, ("many", "bravo"), window_s=120), "either": Part(TEMPORAL, ("pair", "charlie"), window_s=120)},
    ),
    "different keys of bursts": Chain(
        outer(DISTINCT, "many", condition={**TWO, "field": "processID"}), (MAC, MAC), {"many": Part(COUNT, ("alpha", "bravo"), TWO)}, keys=1
    ),
    "different keys of pairs and events": Chain(
        outer(DISTINCT, "pair", "bravo", condition={**TWO, "field": ["processID", "host.name"]}), (MAC, MAC), {"pair": PAIR}, keys=1
    ),
    "different keys, deep": Chain(
        outer(ORDERED, "spread", "bravo"),
        (MAC, MAC),
        {"many": MANY, "spread": Part(DISTINCT, ("many", "bravo"), {"gte": 1, "field": "processID"}, 120)},
    ),
    "a smaller group": Chain(outer(COUNT, "many", "bravo", condition=TWO), (MAC, MAC), {"many": MANY}, keys=1),
    "a smaller group, ordered": Chain(outer(ORDERED, "pair", "charlie"), (MAC, MAC, MAC), {"pair": PAIR}, keys=1),
    "a smaller group, counted": Chain(
        outer(TEMPORAL, "pairs", "charlie"), (MAC, MAC, MAC), {"pair": PAIR, "pairs": Part(COUNT, ("pair",), TWO, 120)}, keys=1
    ),
}


def base(chain: Chain) -> Case:
    """The events of the chain: one rule per sensor, and the outermost correlation."""
    case = synthetic.case(COUNT, chain.sensors, window_s=OUTER_S, skew_s=chain.skew_s, condition={"gte": 1})
    values = {
        name: choices
        for name, choices in VALUES.items()
        if any(name in str(part.condition) or AMOUNT in str(part.condition) for part in chain.inner.values())
    }
    # Few machines, or hardly any stream would complete a chain; one that differs in a part of its group, one without.
    first, *_, null = case.population.groups
    groups = [first, first, first, ("mac-1", "77") if len(first) > 1 else ("10.20.0.11",), null]
    population = replace(case.population, values=values, groups=groups)
    return replace(case, population=population, correlation=body(chain, case, chain.outer))


def body(chain: Chain, case: Case, part: Part) -> dict[str, Any]:
    keys = case.group_by[: chain.keys] if part.window_s == OUTER_S else case.group_by
    found: dict[str, Any] = {"type": str(part.type), "rules": list(part.rules), "timespan": f"{part.window_s}s", "group-by": list(keys)}
    if case.group_by == ("entity",):
        fields = {rule: "host.ip" if sensor == MAC else "id.orig_h" for rule, sensor in case.spec.sensors.items()}
        found["aliases"] = {"entity": {rule: fields.get(rule, "entity") for rule in part.rules}}
    if part.condition is not None:
        found["condition"] = part.condition
        if AMOUNT in str(part.condition):
            found["aliases"][AMOUNT] = {rule: OWN[case.spec.sensors[rule]] for rule in part.rules}
    return found


def write_inner(chain: Chain, case: Case, root: Path) -> None:
    (root / "rules").mkdir()
    for name, part in chain.inner.items():
        document = {
            "title": name,
            "name": name,
            "id": str(uuid5(NAMESPACE_URL, name)),
            "correlation": body(chain, case, part),
            "level": "low",
        }
        (root / "rules" / f"{name}.yml").write_text(yaml.safe_dump(document), encoding="utf-8")


def expected(chain: Chain, case: Case, stream: Sequence[Drawn]) -> set[Firing]:
    """What the definition of design.md section 4 says, an inner alert being an event of the outer correlation."""
    return _alerts(chain, case, stream, chain.outer, chain.keys)


def _alerts(chain: Chain, case: Case, stream: Sequence[Drawn], part: Part, keys: int) -> set[Firing]:
    seen = []
    for drawn in stream:
        parts = drawn.group[:keys]
        group = None if None in parts else tuple(str(key) for key in parts)
        rules = {rule: group for rule in drawn.observation.groups if rule in part.rules}
        keyed = dict(zip(case.group_by, drawn.group, strict=True))
        values = {**keyed, **drawn.observation.values, AMOUNT: drawn.observation.values.get(OWN[drawn.sensor])}
        seen.append(replace(drawn.observation, groups=rules, values=values))
    for name in part.rules:
        if name in chain.inner:
            inner = _alerts(chain, case, stream, chain.inner[name], len(case.group_by))
            seen += [Observation(time, {name: group[:keys]}, dict(zip(case.group_by, group, strict=True))) for group, time in inner]
    sensors = {rule: _sensor(chain, case, rule) for rule in part.rules}
    return firings(Spec(part.type, part.rules, part.window_s * 1000, _condition(part), chain.skew_s * 1000, sensors), seen)


def _sensor(chain: Chain, case: Case, rule: str) -> str:
    return _sensor(chain, case, chain.inner[rule].rules[-1]) if rule in chain.inner else case.spec.sensors[rule]


def _condition(part: Part) -> Condition:
    if not isinstance(part.condition, Mapping):
        return Condition(expression=part.condition or "")
    named = part.condition.get("field", ())
    fields = (named,) if isinstance(named, str) else tuple(named)
    bounds = tuple((key, float(value)) for key, value in part.condition.items() if key not in ("field", "percentile"))
    return Condition(bounds, fields, part.condition.get("percentile"))


def differences(chain: Chain, root: Path, streams: int, seed: int) -> tuple[int, dict[Language, int]]:
    """How many alerts the reference has, and on how many streams each language differs from it."""
    case = base(chain)
    write_inner(chain, case, root)
    built = synthetic.load(case, root)
    rng = random.Random(seed)
    windows = [replace(case.spec, window_ms=seconds * 1000) for seconds in (60, OUTER_S)]
    drawn = [draw(windows[number % 2], case.population, rng, 20) for number in range(streams)]
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
    assert alerts > 3
    assert found == {Language.SPL: 0, Language.ESQL: 0}


RULES = (
    "name: a\ndetection: {s: {server_name: x}, condition: s}\n---\nname: b\ndetection: {s: {server_name: y}, condition: s}\n---\n"
    "name: c\nlogsource: {product: macos, service: unifiedlog}\ndetection: {s: {category: z}, condition: s}\n---\n"
)
INNER = "name: many\ncorrelation: {type: event_count, rules: [a], group-by: [id.orig_h], timespan: 1m, condition: {gte: 2}}\n---\n"
OUTER = "name: outer\ncorrelation: {type: temporal_ordered, rules: [many, b], group-by: [id.orig_h], timespan: 5m}\n"
SAME = "{many: id.orig_h, b: note}"


@pytest.mark.parametrize(
    ("inner", "outer", "parameters", "construct"),
    [
        (
            INNER,
            OUTER.replace("temporal_ordered", "value_count")
            .replace("5m", "5m, condition: {gte: 2, field: id.orig_h}")
            .replace("value_count", "value_sum"),
            "",
            "value_sum over the correlation 'many', whose alerts have no values but their group",
        ),
        (
            INNER,
            OUTER.replace("[id.orig_h]", "[e, f]").replace("5m", f"5m, aliases: {{e: {SAME}, f: {SAME}}}"),
            "",
            "groups by id.orig_h, not by id.orig_h, id.orig_h",
        ),
        (
            INNER.replace("[a]", "[a, c]").replace("[id.orig_h]", "[e]").replace("1m", "1m, aliases: {e: {a: note, c: category}}"),
            OUTER.replace("[id.orig_h]", "[e]").replace("5m", "5m, aliases: {e: {many: e, b: note}}"),
            'clock_skew = "2s"',
            "a clock skew in a chain over 'many', whose alerts may have either",
        ),
        (
            INNER.replace("[a]", "[a, b]").replace("[id.orig_h]", "[e]").replace("1m", "1m, aliases: {e: {a: id.orig_h, b: id.resp_h}}"),
            OUTER.replace("[id.orig_h]", "[e]").replace("5m", "5m, aliases: {e: {many: e, b: id.orig_h}}"),
            "",
            "different group fields",
        ),
        (INNER.replace("[id.orig_h]", "[id.orig_h, cert_chain_fps]"), OUTER, "", "in the chain over 'many', group-by 'cert_chain_fps'"),
    ],
)
@pytest.mark.parametrize(("target", "language"), [("splunk", Language.SPL), ("elastic", Language.ESQL)])
def test_what_a_chain_cannot_say_is_refused_where_it_is_written(
    inner: str, outer: str, parameters: str, construct: str, target: str, language: Language
) -> None:
    built = pack(RULES + inner + outer, parameters)
    with pytest.raises(Unsupported, match=construct) as refusal:
        compile_search(built, "outer", target, language)
    assert refusal.value.location.line > 1
    assert refusal.value.remedy


def test_eql_has_no_chains() -> None:
    with pytest.raises(Unsupported, match=r"a chain over 'many'.*use ES\|QL") as refusal:
        compile_search(pack(RULES + INNER + OUTER), "outer", "elastic", Language.EQL)
    assert refusal.value.location.line > 1


def test_a_chain_looks_back_over_all_its_windows() -> None:
    """Ordered 300 + the count's 60 twice for its rising edge + interval 300 + ingest lag 120 + skew. Its stages are its events'."""
    search = compile_search(pack(RULES + INNER + OUTER), "outer", "splunk", Language.SPL)
    assert search.lookback_s == 300 + 2 * 60 + 300 + 120
    assert [name for name, _ in search.stages] == ["a", "b"]
    assert "range-start" in {deviation.code for deviation in search.deviations}
    pair = INNER.replace("[a]", "[a, b]").replace("event_count", "temporal_ordered").replace(", condition: {gte: 2}", "")
    search = compile_search(pack(RULES + pair + OUTER), "outer", "splunk", Language.SPL)
    assert search.lookback_s == 300 + 60 + 300 + 120
    assert "range-start" not in {deviation.code for deviation in search.deviations}
    deep = pair + INNER.replace("name: many", "name: more").replace("[a]", "[many]").replace("1m", "2m")
    search = compile_search(pack(RULES + deep + OUTER.replace("many", "more"), 'clock_skew = "2s"'), "outer", "splunk", Language.SPL)
    assert search.lookback_s == 300 + 2 * 120 + 60 + 300 + 120 + 2


def test_explain_adds_up_the_windows_and_names_the_fields_of_a_chain() -> None:
    built = pack(RULES + INNER + OUTER)
    lines = [line.strip() for line in explanation(built, built.correlations["outer"], built.targets["splunk"])]
    assert "window 300s + 2 × many's window 120s + interval 300s + ingest lag 120s + clock skew 0s = 840s" in lines
    assert "server_name  server_name" in lines
