"""One target opened for deployment: its build, its SIEM, its state directory."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from an1498.deploy.apply import recover
from an1498.deploy.build_files import read_files
from an1498.deploy.connection import Connection, connection
from an1498.deploy.http import Clock
from an1498.deploy.objects import Siem, Wanted
from an1498.deploy.plan import Plan, make_plan
from an1498.deploy.state import Lock, Store
from an1498.errors import UsageError
from an1498.model import Target

CLOCK = Clock(time.time, lambda seconds: time.sleep(seconds))

AFTERWARDS = (
    ("component_template", ("create", "update"), "component templates count for new indices: roll the data streams over after the apply"),
    ("lookup_index", ("create",), "a new lookup index is empty, and rules that join it see nothing until it is filled (bundle/README.md)"),
)
"""What is left to people after an apply, by kind and statuses."""


@dataclass(frozen=True, slots=True)
class Session:
    """`lock` is the lock file as a killed apply would have left it, `recovered` what was learned of that."""

    target: Target
    siem: Siem
    store: Store
    lock: Lock
    recovered: tuple[str, ...]
    clock: Clock


@contextmanager
def open_session(
    target: Target, state: Path, environment: Mapping[str, str], *, clock: Clock = CLOCK, transport: httpx.BaseTransport | None = None
) -> Iterator[Session]:
    """Open a target. Raises UsageError, ExternalError."""
    access = connection(target, environment)
    siem = siem_of(access, clock, transport)
    store = Store(state / target.name)
    try:
        lock = store.load()
        if lock.siem and lock.siem != siem.identity:
            raise UsageError(f"{store.directory}: the lock file is of {lock.siem}, not of {siem.identity}; choose another --state")
        lock, recovered = recover(siem, store, lock)
        yield Session(target, siem, store, lock, recovered, clock)
    finally:
        siem.close()


def plan_build(opened: Session, build: Path, overwrite: Collection[str] = ()) -> Plan:
    """The plan that brings a build to the SIEM."""
    files = read_files(build, opened.target.name)
    wanted, notes = _wanted(opened.target, files)
    plan = _plan(opened, wanted, "apply", overwrite, [*notes, *opened.siem.ready(files)])
    left = (note for kind, statuses, note in AFTERWARDS if any(c.key.kind == kind and c.status in statuses for c in plan.changes))
    return replace(plan, notes=(*plan.notes, *left))


def plan_rollback(opened: Session, number: int | None, overwrite: Collection[str] = ()) -> Plan:
    """The plan that restores what an earlier apply left; by default the one before the last. Raises UsageError where there is none."""
    lock = opened.lock
    if number is None:
        earlier = [item.number for item in lock.applies[:-1]]
        if not earlier:
            raise UsageError(f"{opened.store.directory}: there is no earlier apply to roll back to")
        number = earlier[-1]
    entries = opened.store.restore(number, lock)
    wanted = []
    for key, entry in entries.items():
        body = opened.store.body(entry.sent)
        wanted.append(Wanted(key, str(body.get("name") or body.get("attributes.title") or key.name), body))
    return _plan(opened, wanted, f"rollback to {number}", overwrite, ())


def _wanted(target: Target, files: Mapping[str, bytes]) -> tuple[list[Wanted], list[str]]:
    if target.backend == "elastic":
        from an1498.deploy import elastic

        return elastic.wanted_objects(files)
    from an1498.deploy import splunk

    return splunk.wanted_objects(files)


def siem_of(access: Connection, clock: Clock, transport: httpx.BaseTransport | None = None) -> Siem:
    """The SIEM behind a connection."""
    if access.backend == "elastic":
        from an1498.deploy.elastic import Elastic

        return Elastic(access, clock, transport=transport)
    from an1498.deploy.splunk import Splunk

    return Splunk(access, clock, transport=transport)


def _plan(opened: Session, wanted: Sequence[Wanted], action: str, overwrite: Collection[str], notes: Sequence[str]) -> Plan:
    return make_plan(
        opened.siem, opened.store, opened.lock, wanted, target=opened.target.name, action=action, overwrite=overwrite, notes=notes
    )
