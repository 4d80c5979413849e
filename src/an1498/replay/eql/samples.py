"""`sample by`: unordered events that share join keys (Elastic docs, "EQL syntax reference", samples).

One sample per combination of key values (Elasticsearch's default `max_samples_per_key`), in key order, nulls first, made of
distinct events, one per query. Which of several suitable events Elasticsearch picks is not defined; this takes the earliest
arrivals. The key combinations, and whether there is a sample at all, are exact.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from an1498.model import FieldType
from an1498.replay.algebra import Col, Limit, Relation, Scan
from an1498.replay.eql.ast import SampleQuery
from an1498.replay.eql.sequences import Layout, key_names, key_types, keyed
from an1498.replay.eql.values import Scope
from an1498.replay.table import ROW, ResultRow


def lower(scope: Scope, query: SampleQuery, scan: Scan, layout: Layout) -> list[Relation]:
    """Per query of the sample its events with their keys. As many events per key as there are queries suffice, because then
    distinct events can be found whenever they exist."""
    types = key_types(scope, query.terms)
    names = key_names(len(types))
    return [Limit(keyed(scope, term, scan, layout, types, (("row", Col(ROW)),)), len(query.terms), names) for term in query.terms]


def choose(stages: Sequence[Sequence[ResultRow]], keys: Sequence[str], addresses: Sequence[bool]) -> Iterator[ResultRow]:
    """The samples of every stream: `rows` and the keys. `addresses` tells which keys are IP addresses, whose order differs."""
    candidates: list[dict[tuple[Any, ...], list[int]]] = []
    for stage in stages:
        found: dict[tuple[Any, ...], list[int]] = {}
        for row in stage:
            found.setdefault((row.stream, *(row.values[key] for key in keys)), []).append(row.values["row"])
        candidates.append(found)
    shared = set(candidates[0]).intersection(*candidates[1:])
    for key in sorted(shared, key=lambda values: (values[0], *map(_rank, values[1:], addresses))):
        rows = _distinct([found[key] for found in candidates])
        if rows is not None:
            yield ResultRow(key[0], {"rows": rows, **dict(zip(keys, key[1:], strict=True))})


def are_addresses(scope: Scope, query: SampleQuery) -> list[bool]:
    columns: list[Mapping[str | None, None]] = [
        dict.fromkeys(scope.column(term.keys[place]) for term in query.terms) for place in range(len(query.terms[0].keys))
    ]
    return [any(column is not None and scope.type_of(column).type is FieldType.IP for column in place) for place in columns]


def _rank(value: Any, address: bool) -> tuple[Any, ...]:
    """Nulls first; strings by code point; addresses by their 128 bits, IPv4 as ::ffff:a.b.c.d."""
    if value is None:
        return (0,)
    if address:
        try:
            parsed = ipaddress.ip_address(value)
        except ValueError:
            return (1, -1, value)
        return (1, int(parsed) + (0xFFFF << 32 if parsed.version == 4 else 0), value)
    return (1, value)


def _distinct(lists: list[list[int]], taken: tuple[int, ...] = ()) -> list[int] | None:
    """One event per list, no event twice; the earliest choice."""
    if len(taken) == len(lists):
        return list(taken)
    for row in lists[len(taken)]:
        if row not in taken and (chosen := _distinct(lists, (*taken, row))) is not None:
            return chosen
    return None
