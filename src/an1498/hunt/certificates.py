"""What x509.log says about the certificates of the TLS sessions in findings.

x509.log has no addresses and logs a certificate once a day, so it is read last, and only for the certificates that are asked for. An
ssl.log row names its leaf by fingerprint (`cert_chain_fps`, Zeek ≥ 4.1: x509 `fingerprint`) or by file id (`cert_chain_fuids`, before:
x509 `id`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from an1498.hunt.alerts import Evidence, Finding, rows
from an1498.hunt.columns import Column, Plan, Source
from an1498.hunt.loading import load
from an1498.hunt.reading import Loaded, OnReject
from an1498.hunt.store import EVENTS, opened_store
from an1498.model import Target
from an1498.replay.algebra import identifier, literal
from an1498.replay.spl.prefilter import Condition, Passing
from an1498.telemetry.stored import Site

_KEYS = ("fingerprint", "id")


def with_certificates(
    found: Sequence[Finding],
    target: Target,
    logs: Sequence[Loaded],
    work: Path,
    memory_mb: int,
    on_reject: OnReject,
    site: Site | None = None,
) -> tuple[tuple[Finding, ...], bool]:
    """The findings with their sessions' certificates, and whether the x509 logs had to be read for them."""
    wanted = sorted({name for one in found for event in one.events for name in _leaf(event)})
    source = _source(target, wanted)
    if source is None or not wanted or not logs:
        return tuple(found), False
    with opened_store(Plan(target, (), (source,)), work, memory_mb) as store:
        load(store, logs, on_reject, site=site)
        kept = [event for _, event in rows(store, EVENTS, {one.number: str(one.file.path) for one in logs})]
    known: dict[str, Mapping[str, Any]] = {}
    for event in sorted(kept, key=lambda event: event.time_s):
        known |= {event.fields[key]: event.fields for key in _KEYS if key in event.fields}
    return tuple(replace(one, events=tuple(_described(one.events, known))) for one in found), True


def _described(events: Iterable[Evidence], known: Mapping[str, Mapping[str, Any]]) -> Iterable[Evidence]:
    for event in events:
        certificate = next((known[name] for name in _leaf(event) if name in known), {})
        yield replace(event, certificate=certificate) if certificate else event


def _leaf(event: Evidence) -> list[str]:
    """The names that ssl.log has for the server's own certificate, the first of its chain."""
    chains = (event.fields.get("cert_chain_fps"), event.fields.get("cert_chain_fuids"))
    return [chain[0] for chain in chains if isinstance(chain, list) and chain]


def _source(target: Target, wanted: Sequence[str]) -> Source | None:
    layouts = [source for layout in target.layouts for source in layout.sources]
    layout = next((one for one in layouts if (one.product, one.service) == ("zeek", "x509")), None)
    if layout is None:
        return None
    columns = tuple(Column(row.native, (row.indexed,), row.array) for row in layout.fields)
    listed = ", ".join(map(literal, wanted))
    keys = [column.indexed[0] for column in columns if column.native in _KEYS]
    condition = " OR ".join(f"coalesce({identifier(key)} IN ({listed}), FALSE)" for key in keys)
    known = Condition(condition or "FALSE", frozenset(keys))
    return Source("zeek", "x509", layout, columns, Passing(known, known))
