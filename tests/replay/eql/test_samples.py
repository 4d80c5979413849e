"""Samples (Elastic docs, "EQL syntax reference", samples)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Replay = Callable[..., list[dict[str, Any]]]

EVENTS = [
    {"@timestamp": 3, "kind": "a", "host": "b", "os": "win"},
    {"@timestamp": 2, "kind": "b", "host": "b"},
    {"@timestamp": 1, "kind": "a", "host": "C"},
    {"@timestamp": 1, "kind": "b", "host": "C", "os": "mac"},
    {"@timestamp": 1, "kind": "a"},
    {"@timestamp": 1, "kind": "b"},
]


def test_one_sample_per_key_in_key_order_whatever_the_time(replay: Replay) -> None:
    rows = replay('sample by host [any where kind == "a"] [any where kind == "b"]', EVENTS)
    assert rows == [{"events": [2, 3], "join_keys": ["C"]}, {"events": [0, 1], "join_keys": ["b"]}]


def test_optional_keys_join_on_null_which_comes_first(replay: Replay) -> None:
    rows = replay('sample by ?host [any where kind == "a"] [any where kind == "b"]', EVENTS)
    assert [row["join_keys"] for row in rows] == [[None], ["C"], ["b"]]


def test_the_events_of_a_sample_are_distinct(replay: Replay) -> None:
    """test_sample.toml, anyRulesWithORFilters: one event cannot be two of a sample's."""
    assert replay("sample by host [any where os != null] [any where os != null]", EVENTS) == []
    rows = replay('sample by host [any where true] [any where kind == "a"]', EVENTS)
    assert [row["events"] for row in rows] == [[3, 2], [1, 0]]


def test_numbers_and_addresses_sort_by_value(replay: Replay) -> None:
    events = [{"@timestamp": 1, "n": n, "ip": ip} for n, ip in [(10, "10.0.0.10"), (9, "10.0.0.9"), (10, "10.0.0.10"), (9, "10.0.0.9")]]
    both = "[any where true] [any where true]"
    assert [row["join_keys"] for row in replay(f"sample by n {both}", events)] == [[9], [10]]
    by_address = replay(f"sample by ip {both}", events, mapping={"ip": "ip"})
    assert [row["join_keys"] for row in by_address] == [["10.0.0.9"], ["10.0.0.10"]]


def test_pipes_apply_to_samples(replay: Replay) -> None:
    rows = replay('sample by host [any where kind == "a"] [any where kind == "b"] | tail 1', EVENTS)
    assert [row["join_keys"] for row in rows] == [["b"]]
