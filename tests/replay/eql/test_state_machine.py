"""Sequences over random streams against a state machine: Elasticsearch's matching, one event after the other, as the plain
reading of its documentation and of design.md section 4 gives it, without windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from an1498.model import FieldType
from an1498.replay.eql import prepare
from an1498.replay.table import ColumnType, load

Event = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """Which events a stage takes, and their join key; a key of None never joins."""

    takes: Callable[[Event], bool]
    key: Callable[[Event], Any]


@dataclass(frozen=True)
class Partial:
    start: int
    rows: tuple[int, ...]


def sequences(events: Sequence[Event], stages: Sequence[Stage], until: Stage | None, maxspan_ms: int | None) -> list[tuple[int, ...]]:
    """Rows of the completed sequences, in completion order. `events` need `time` (ms), may have `tie`; their order is arrival."""
    order = sorted(range(len(events)), key=lambda row: (events[row]["time"], _tie(events[row]), row))
    pending: list[dict[Any, Partial]] = [{} for _ in stages]
    done: list[tuple[int, ...]] = []
    for row in order:
        event = events[row]
        for number in reversed(range(len(stages))):  # later stages first: an event is never two stages of one sequence
            stage = stages[number]
            key = stage.key(event)
            if not stage.takes(event) or key is None:
                continue
            if number == 0:
                pending[0][key] = Partial(event["time"], (row,))  # a newer first event replaces the pending one
                continue
            before = pending[number - 1].pop(key, None)  # consumed, whatever comes of it
            if before is None or (maxspan_ms is not None and event["time"] - before.start > maxspan_ms):
                continue
            grown = Partial(before.start, (*before.rows, row))
            if number == len(stages) - 1:
                done.append(grown.rows)
            else:
                pending[number][key] = grown
        if until is not None and until.takes(event):
            for waiting in pending:
                waiting.pop(until.key(event), None)
    return done


def _tie(event: Event) -> tuple[int, int]:
    """Missing tiebreakers sort last."""
    return (1, 0) if event.get("tie") is None else (0, event["tie"])


KINDS = "abcu"
KEYS = ("x", "y", None)
random_event = st.fixed_dictionaries(
    {
        "time": st.integers(0, 9),
        "kind": st.sampled_from(KINDS),
        "k": st.sampled_from(KEYS),
        "j": st.sampled_from(KEYS),
        "tie": st.sampled_from([None, 0, 1, 2]),
    }
)
kinds_of_a_stage = st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True)
random_stage = st.tuples(kinds_of_a_stage, st.sampled_from(["k", "j"]), st.integers(1, 2))


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, list[tuple[list[str], str]], tuple[list[str], str] | None, int | None, bool]:
    """The text, its stages with runs repeated, `until`, maxspan in ms, and whether null keys join."""
    terms = draw(st.lists(random_stage, min_size=2, max_size=3))
    until = draw(st.none() | random_stage)
    maxspan = draw(st.none() | st.integers(1, 9))
    keyed, optional = draw(st.sampled_from([(False, False), (True, False), (True, True)]))

    def term(kinds: list[str], key: str, runs: int) -> str:
        by = f" by {'?' if optional else ''}{key}" if keyed else ""
        listed = ", ".join(f'"{kind}"' for kind in kinds)
        return f"[any where kind in ({listed})]{by}" + (f" with runs={runs}" if runs > 1 else "")

    text = "sequence" + (f" with maxspan={maxspan}ms" if maxspan else "")
    text += "".join(f" {term(*stage)}" for stage in terms)
    if until is not None:
        text += f" until {term(until[0], until[1], 1)}"
    repeated = [(kinds, key if keyed else "") for kinds, key, runs in terms for _ in range(runs)]
    stop = None if until is None else (until[0], until[1] if keyed else "")
    return text, repeated, stop, maxspan, optional


def _stage(kinds: list[str], key: str, optional: bool) -> Stage:
    def join_key(event: Event) -> Any:
        if not key:
            return ""
        return ("", event[key]) if optional else event[key]

    return Stage(lambda event: event["kind"] in kinds, join_key)


CONNECTION = duckdb.connect()
MAPPING = {name: ColumnType(FieldType.KEYWORD) for name in ("kind", "k", "j")} | {
    "tie": ColumnType(FieldType.LONG),
    "@timestamp": ColumnType(FieldType.DATE),
}


@settings(derandomize=True, max_examples=100, deadline=None)
@given(searches(), st.lists(st.lists(random_event, max_size=14), min_size=8, max_size=8), st.booleans())
def test_sequences_agree_with_a_state_machine(search: Any, streams: list[list[Event]], tied: bool) -> None:
    text, terms, until, maxspan, optional = search
    documents = [[{**event, "@timestamp": event["time"] / 1000} for event in events] for events in streams]
    table = load(CONNECTION, "random", documents, flavour="elastic", mapping=MAPPING)
    found: list[list[tuple[int, ...]]] = [[] for _ in streams]
    for row in prepare(text, tiebreaker="tie" if tied else "").execute(table):
        found[row.stream].append(tuple(row.values["events"]))
    machine = [_stage(kinds, key, optional) for kinds, key in terms]
    stop = None if until is None else _stage(until[0], until[1], optional)
    for events, rows in zip(streams, found, strict=True):
        plain = events if tied else [{**event, "tie": None} for event in events]
        assert rows == sequences(plain, machine, stop, maxspan), text
