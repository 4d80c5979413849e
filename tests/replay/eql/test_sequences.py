"""Sequences (Elastic docs, "EQL syntax reference", sequences), by example; `test_state_machine.py` has the random streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from an1498.errors import SearchSyntaxError, UnsupportedConstruct

Replay = Callable[..., list[dict[str, Any]]]
Event = dict[str, Any]


def stream(text: str) -> list[Event]:
    """ "1a/k 2b" → events at 1 ms and 2 ms of kinds a and b, the first with key k."""
    events = []
    for item in text.split():
        head, _, key = item.partition("/")
        digits = head.rstrip("abcdefghijklmnopqrstuvwxyz")
        event: Event = {"@timestamp": int(digits) / 1000, "kind": head[len(digits) :]}
        if key:
            event["k"] = key
        events.append(event)
    return events


def stages(*kinds: str) -> str:
    """ "a" → `[any where kind == "a"]`; "!a" → `![…]`; "ab" → either kind; "*" → any."""
    parts = []
    for kind in kinds:
        letters = kind.removeprefix("!")
        condition = "true" if letters == "*" else "kind in (" + ", ".join(f'"{letter}"' for letter in letters) + ")"
        parts.append(f"{'!' if kind.startswith('!') else ''}[any where {condition}]")
    return " ".join(parts)


@pytest.mark.parametrize(
    ("why", "search", "events", "found"),
    [
        ("order matters", f"sequence {stages('a', 'b')}", "1b 2a", []),
        ("in arrival order or not", f"sequence {stages('a', 'b')}", "2b 1a", [[1, 0]]),
        ("a newer first event replaces the pending one", f"sequence {stages('a', 'b')}", "1a 2a 3b", [[1, 2]]),
        ("a completed sequence is consumed", f"sequence {stages('a', 'b')}", "1a 2b 3b", [[0, 1]]),
        ("events between do not matter", f"sequence {stages('a', 'b')}", "1a 2c 3b", [[0, 2]]),
        ("an event is never two stages of one sequence", f"sequence {stages('*', '*')}", "1a 2a 3a", [[0, 1], [1, 2]]),
        ("later stages are tried first", f"sequence {stages('a', '*', '*')}", "1a 2a 3a", [[0, 1, 2]]),
        ("maxspan is inclusive", f"sequence with maxspan=5ms {stages('a', 'b')}", "1a 6b", [[0, 1]]),
        ("one more millisecond is too much", f"sequence with maxspan=5ms {stages('a', 'b')}", "1a 7b", []),
        ("maxspan counts from the first event", f"sequence with maxspan=5ms {stages('a', 'b', 'c')}", "1a 5b 7c", []),
        ("too late consumes as well", f"sequence with maxspan=5ms {stages('a', 'b')}", "1a 9b 5b", [[0, 2]]),
        ("until ends a pending sequence", f"sequence {stages('a', 'b')} until {stages('u')}", "1a 2u 3b", []),
        ("until after the end does not", f"sequence {stages('a', 'b')} until {stages('u')}", "1a 3b 4u", [[0, 1]]),
        ("until before the start does not", f"sequence {stages('a', 'b')} until {stages('u')}", "1u 2a 3b", [[1, 2]]),
        ("until as the last event comes too late", f"sequence {stages('a', 'b')} until {stages('b')}", "1a 3b", [[0, 1]]),
        ("until as the first event comes in time", f"sequence {stages('a', 'b')} until {stages('a')}", "1a 3b", []),
        ("runs repeat a stage", f"sequence {stages('a')} with runs=2 {stages('b')}", "1a 2a 3a 4b", [[1, 2, 3]]),
        ("ties are in arrival order", f"sequence {stages('a', 'b')}", "1a 1b", [[0, 1]]),
        ("ties are in arrival order, reversed", f"sequence {stages('a', 'b')}", "1b 1a", []),
        ("completion order", f"sequence by k {stages('a', 'b')}", "1a/x 2a/y 3b/y 4b/x", [[1, 2], [0, 3]]),
        ("keys separate", f"sequence by k {stages('a', 'b')}", "1a/x 2b/y", []),
        ("a missing key never joins", f"sequence by k {stages('a', 'b')}", "1a 2b 3a/x 4b/x", [[2, 3]]),
        ("optional keys join on null", f"sequence by ?k {stages('a', 'b')}", "1a 2b 3a/x 4b/x", [[0, 1], [2, 3]]),
        ("an unknown optional key is null everywhere", f"sequence by ?nowhere {stages('a', 'b')}", "1a/x 2b/y", [[0, 1]]),
        ("until has keys too", f"sequence by k {stages('a', 'b')} until {stages('u')}", "1a/x 2u/y 3b/x 4a/x 5u/x 6b/x", [[0, 2]]),
        ("keys respect case", f"sequence by k {stages('a', 'b')}", "1a/X 2b/x", []),
        ("head", f"sequence {stages('a', 'b')} | head 1", "1a 2b 3a 4b 5a 6b", [[0, 1]]),
        ("tail", f"sequence {stages('a', 'b')} | tail 2", "1a 2b 3a 4b 5a 6b", [[2, 3], [4, 5]]),
        ("head, then tail", f"sequence {stages('a', 'b')} | head 2 | tail 1", "1a 2b 3a 4b 5a 6b", [[2, 3]]),
        ("missing: none between", f"sequence with maxspan=9ms {stages('a', '!m', 'b')}", "1a 3b", [[0, None, 1]]),
        ("missing: one between", f"sequence with maxspan=9ms {stages('a', '!m', 'b')}", "1a 2m 3b", []),
        ("missing: at the same time is not between", f"sequence with maxspan=9ms {stages('a', '!m', 'b')}", "1m 1a 3b 3m", [[1, None, 2]]),
        ("missing after: within maxspan of the first", f"sequence with maxspan=5ms {stages('a', 'b', '!m')}", "1a 3b 6m", []),
        ("missing after: later", f"sequence with maxspan=5ms {stages('a', 'b', '!m')}", "1a 3b 7m", [[0, 1, None]]),
        ("missing after: at the same time", f"sequence with maxspan=5ms {stages('a', 'b', '!m')}", "1a 3b 3m", [[0, 1, None]]),
        ("missing before: within maxspan of the last", f"sequence with maxspan=5ms {stages('!m', 'a', 'b')}", "1m 3a 6b", []),
        ("missing before: earlier", f"sequence with maxspan=5ms {stages('!m', 'a', 'b')}", "1m 3a 7b", [[None, 1, 2]]),
        ("missing on both sides: both, close", f"sequence with maxspan=5ms {stages('!m', 'a', '!m')}", "1m 3a 6m", []),
        ("missing on both sides: both, far", f"sequence with maxspan=5ms {stages('!m', 'a', '!m')}", "1m 3a 7m", [[None, 1, None]]),
        ("missing on both sides: one only", f"sequence with maxspan=5ms {stages('!m', 'a', '!m')}", "1m 3a", [[None, 1, None]]),
        ("missing events have keys", f"sequence by k with maxspan=9ms {stages('a', '!m', 'b')}", "1a/x 2m/y 3b/x", [[0, None, 2]]),
        ("missing runs", f"sequence with maxspan=9ms {stages('a', '!m')} with runs=2 {stages('b')}", "1a 3b", [[0, None, None, 1]]),
    ],
)  # fmt: skip
def test_rules_by_example(replay: Replay, why: str, search: str, events: str, found: list[list[int | None]]) -> None:
    assert [row["events"] for row in replay(search, stream(events), mapping={"k": "keyword"})] == found, why


def test_a_tiebreaker_orders_equal_times_and_missing_ones_come_last(replay: Replay) -> None:
    search = f"sequence {stages('a', 'b')}"
    events = [{"@timestamp": 1, "kind": "a", "rank": 3}, {"@timestamp": 1, "kind": "b", "rank": 1}]
    assert [row["events"] for row in replay(search, events)] == [[0, 1]]
    assert replay(search, events, tiebreaker="rank") == []
    late = [{"@timestamp": 1, "kind": "b"}, {"@timestamp": 1, "kind": "a", "rank": 3}]
    assert [row["events"] for row in replay(search, late, tiebreaker="rank")] == [[1, 0]]


def test_join_keys_are_shared_keys_then_each_querys_own(replay: Replay) -> None:
    events = [{"@timestamp": 1, "u": "x", "a": 7}, {"@timestamp": 2, "u": "x", "b": 7}]
    (row,) = replay("sequence by u [any where a != null] by a [any where b != null] by b", events)
    assert row == {"events": [0, 1], "join_keys": ["x", 7]}


def test_dates_as_join_keys_print_as_instants(replay: Replay) -> None:
    events = [{"@timestamp": 1, "seen": "1970-01-02T00:00:00Z"}, {"@timestamp": 2, "seen": "1970-01-02T01:00:00+01:00"}]
    (row,) = replay("sequence by seen [any where true] [any where true]", events, mapping={"seen": "date"})
    assert row["join_keys"] == ["1970-01-02T00:00:00.000Z"]


def test_several_values_of_a_key_join_on_each(replay: Replay) -> None:
    """x-pack/plugin/eql, test_extra.toml, sequenceWithMultivalue_ManyToMany, _CartesianProduct and _Duplicates."""
    events = [
        {"@timestamp": 1, "tags": ["y", "x", "x"], "n": [1, 2]},
        {"@timestamp": 2, "tags": ["x", "y"], "n": 2},
        {"@timestamp": 3, "tags": []},
    ]
    rows = replay("sequence by tags, n [any where true] [any where true]", events)
    assert rows == [{"events": [0, 1], "join_keys": ["x", 2]}, {"events": [0, 1], "join_keys": ["y", 2]}]


@pytest.mark.parametrize(
    ("search", "error", "message"),
    [
        ("sequence [any where true] by n [any where true] by s", SearchSyntaxError, "join key [s] is a string but [n] is a long"),
        ("sequence by nowhere [any where true] [any where true]", SearchSyntaxError, "Unknown column [nowhere]"),
        ('sequence by tags [any where tags == "a"] [any where true]', UnsupportedConstruct, "array field [tags] as a join key"),
        ("sequence by ?n with maxspan=1s [any where true] ![any where true] [any where true]", UnsupportedConstruct, "optional join keys"),
        ("sequence [any where true] [any where true] | head 4 | tail 2", UnsupportedConstruct, "'tail' after 'head'"),
    ],
)
def test_what_is_rejected_or_refused(replay: Replay, search: str, error: type[Exception], message: str) -> None:
    events = [{"@timestamp": number, "n": 1, "s": "1", "tags": ["a", "b"]} for number in range(4)]
    with pytest.raises(error) as raised:
        replay(search, events)
    assert message in str(raised.value)
