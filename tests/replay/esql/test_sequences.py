"""The shape of an ordered correlation (design.md section 5) executed over many random streams at once, against the brute-force
reference of section 4: pairs across bucket edges, ties, spans of exactly the window and one millisecond more, several groups."""

from __future__ import annotations

import random
from typing import Any

import duckdb

from an1498.model import CorrelationType, FieldType
from an1498.proof.reference import Observation, Spec, firings
from an1498.replay.esql import prepare
from an1498.replay.table import ColumnType, epoch_microseconds, load

WINDOW = 300_000
SEARCH = f"""FROM logs-*
| WHERE kind == "a" OR kind == "b"
| EVAL stage = CASE(kind == "a", 1, 2), time = TO_LONG(@timestamp)
| WHERE source.ip IS NOT NULL
| EVAL bucket = CASE(stage == 1, MV_APPEND(time / {WINDOW}, time / {WINDOW} + 1), time / {WINDOW})
| MV_EXPAND bucket
| EVAL a = CASE(stage == 1, time), b = CASE(stage == 2, time)
| STATS a = VALUES(a), b = VALUES(b) BY source.ip, bucket
| MV_EXPAND a
| MV_EXPAND b
| WHERE b > a AND b - a <= {WINDOW}
| STATS a = MAX(a) BY source.ip, b
| STATS b = MIN(b) BY source.ip, a
| EVAL @timestamp = TO_DATETIME(b)
| KEEP @timestamp, source.ip
| SORT @timestamp
| LIMIT 10000"""
STEPS = (0, 0, 1, 1000, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW)


def stream(chance: random.Random) -> list[dict[str, Any]]:
    time = 1_768_471_200_000 + chance.choice((0, WINDOW - 1, 1))
    events = []
    for _ in range(chance.randrange(12)):
        time += chance.choice(STEPS)
        event = {"@timestamp": time / 1000, "kind": chance.choice("aabbc")}
        if chance.random() > 0.1:
            event["source.ip"] = chance.choice(("10.0.0.1", "10.0.0.2"))
        events.append(event)
    chance.shuffle(events)
    return events


def test_the_nearest_pairs_are_the_sequences_of_the_reference() -> None:
    chance = random.Random(1498)
    streams = [stream(chance) for _ in range(2000)]
    table = load(duckdb.connect(), "events", streams, flavour="elastic", mapping={"source.ip": ColumnType(FieldType.IP)})
    found: list[set[tuple[tuple[str, ...], int]]] = [set() for _ in streams]
    rows = prepare(SEARCH).execute(table)
    for row in rows:
        found[row.stream].add(((row.values["source.ip"],), epoch_microseconds(row.values["@timestamp"]) // 1000))
    spec = Spec(CorrelationType.TEMPORAL_ORDERED, ("a", "b"), WINDOW)
    for number, events in enumerate(streams):
        observations = [
            Observation(round(event["@timestamp"] * 1000), {event["kind"]: (event["source.ip"],) if "source.ip" in event else None})
            for event in events
        ]
        assert found[number] == firings(spec, observations), (number, events)
    assert len(rows) > 400
