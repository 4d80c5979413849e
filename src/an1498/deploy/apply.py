"""Carry out a plan: batch by batch, each looked at right before it is sent and read back after, so that a kill at any request, a
time-out or an error in the middle of a batch leaves a state from which a rerun converges.

    look again → journal (what is about to be sent) → send → read back → lock file      for each batch
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from an1498.deploy.diff import printable
from an1498.deploy.http import Clock, Unsure, backoff
from an1498.deploy.objects import VERSION, Body, Key, Live, Siem, Write, content, holds, same
from an1498.deploy.plan import Change, Plan
from an1498.deploy.state import Apply, Entry, Intent, Journal, Lock, Store, learned
from an1498.errors import ExternalError, StateChanged

ATTEMPTS = 3
"""How often a write is sent whose outcome was not known and which proved not to have happened."""

UNCHANGED = "the SIEM says that it is done, but shows no change"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """`refused` has the SIEM's words for each object that could not be written; `written` counts creations, updates and deletions."""

    number: int
    written: int
    refused: Mapping[Key, str]


def apply_plan(plan: Plan, siem: Siem, store: Store, lock: Lock, clock: Clock, say: Say) -> Result:
    """Write what the plan shows and nothing else. Raises StateChanged where the SIEM changed meanwhile, ExternalError where it fails; what
    was done until then is in the lock file."""
    if not plan.pending:
        settle(store, lock)
        return Result(lock.number, 0, {})
    with store.alone():
        return _apply(plan, siem, store, lock, clock, say)


def _apply(plan: Plan, siem: Siem, store: Store, lock: Lock, clock: Clock, say: Say) -> Result:
    number = lock.number + 1
    time = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if lock.applies and not lock.applies[-1].snapshot:
        # It was cut short; now it is known how far it came.
        lock = _closed(lock, store, complete=False)
    running = Apply(number, time, plan.action, plan.build, False, "")
    lock = replace(lock, siem=siem.identity, applies=(*lock.applies, running))
    for change in plan.changes:
        if change.learn and change.wanted is not None and change.live is not None:
            lock = _recorded(lock, store, change, change.live, number)
    store.save(lock)
    refused: dict[Key, str] = {}
    written = 0
    for batch in _batches(plan, siem):
        lock, problems = _carry_out(batch, siem, store, lock, clock, number)
        refused |= problems
        for change in batch:
            named = printable(f"{change.key} ({change.title})")
            if change.key in problems:
                say(f"refused {named}: {problems[change.key]}")
            else:
                written += 1
                say(f"{change.status} {named}")
    store.save(_closed(lock, store, complete=not refused))
    store.end()
    return Result(number, written, refused)


def recover(siem: Siem, store: Store, lock: Lock) -> tuple[Lock, tuple[str, ...]]:
    """The lock file as a killed apply would have left it, and a line per object that it was writing. Nothing is saved."""
    journal = store.journal()
    if journal is None:
        return lock, ()
    found = siem.read(list(journal.intents))
    lines = []
    for key, intent in journal.intents.items():
        live = found.get(key)
        if intent.sent is None or intent.wanted is None:
            if live is None and key in lock.entries:
                lock = learned(lock, key, None)
                lines.append(f"{key}: was deleted before the interruption")
            continue
        if live is None:
            continue
        sent, before = store.body(intent.sent), store.body(intent.before) if intent.before else {}
        wanted = store.body(intent.wanted)
        entry = Entry(intent.wanted, store.put(live.body), intent.version, journal.apply)
        if lock.entries.get(key) == entry:
            continue
        if holds(live.body, sent):
            lock = learned(lock, key, entry, content(wanted))
            lines.append(f"{key}: was written before the interruption")
        elif (intent.before is None or not holds(live.body, before)) and halfway(live.body, before, sent):
            lock = learned(lock, key, _half(store, sent, live, intent.version, journal.apply))
            lines.append(f"{key}: was written in part before the interruption")
    return lock, tuple(lines)


def _half(store: Store, sent: Body, live: Live, version: int, number: int) -> Entry:
    """The entry of an object that was written in part: said to be what it is, so that the next plan completes it."""
    there = {field: value for field, value in sent.items() if live.body.get(field) == value and field != VERSION}
    return Entry(store.put(there), store.put(live.body), version, number)


def halfway(live: Body, before: Body, sent: Body) -> bool:
    """Whether each field is as it was or as it was sent: a write of ours that was cut short. Fields that we never send do not count."""
    return all(same(live.get(field), sent[field]) or same(live.get(field), before.get(field)) for field in sent)


def settle(store: Store, lock: Lock) -> None:
    """Keep what was learned of an interrupted apply where nothing is left to write."""
    if store.journal() is not None or (lock.applies and not lock.applies[-1].snapshot):
        store.save(_closed(lock, store, complete=True) if lock.applies else lock)
        store.end()


def _batches(plan: Plan, siem: Siem) -> Iterator[Sequence[Change]]:
    """Writes by kind in the SIEM's order; then deletions, one at a time, in the opposite order."""
    for kind in siem.order:
        changes = [c for c in plan.changes if c.key.kind == kind and c.status in ("create", "update")]
        size = siem.batch(kind)
        yield from (changes[start : start + size] for start in range(0, len(changes), size))
    for kind in reversed(siem.order):
        yield from ([c] for c in plan.changes if c.key.kind == kind and c.status == "delete")


def _carry_out(batch: Sequence[Change], siem: Siem, store: Store, lock: Lock, clock: Clock, number: int) -> tuple[Lock, dict[Key, str]]:
    _look_again(batch, siem.read([change.key for change in batch]))
    store.begin(Journal(number, {change.key: _intent(store, change) for change in batch}))
    problems: dict[Key, str] = {}
    left = list(batch)
    found = {change.key: change.live for change in batch if change.live is not None}
    doubt = ""
    for attempt in range(1, ATTEMPTS + 1):
        doubt = ""
        try:
            problems |= _send(left, found, siem)
        except Unsure as error:
            doubt = str(error)
            clock.sleep(error.wait_s or backoff(attempt))
        found = siem.read([change.key for change in batch])
        left = [c for c in left if c.key not in problems and not _done(c, found.get(c.key))]
        if not doubt:
            # Said to be done. A SIEM may show a value otherwise than it was sent, but it must show some change.
            problems |= {c.key: UNCHANGED for c in left if _state(found.get(c.key)) == _state(c.live)}
            left = []
        for change in [c for c in left if not _repeatable(c, found.get(c.key))]:
            problems[change.key] = f"{doubt}; it reads back neither as it was nor as it was sent"
            left.remove(change)
        if not left:
            break
    problems |= {change.key: f"{doubt}; not written after {ATTEMPTS} attempts" for change in left}
    for change in batch:
        live = found.get(change.key)
        if change.key in problems:
            if live is not None and change.sent is not None and _state(live) != _state(change.live) and _repeatable(change, live):
                lock = learned(lock, change.key, _half(store, change.sent, live, change.version, number))
        else:
            lock = _recorded(lock, store, change, live, number) if live is not None else learned(lock, change.key, None)
    store.save(lock)
    return lock, problems


def _send(batch: Sequence[Change], found: Mapping[Key, Live], siem: Siem) -> dict[Key, str]:
    if batch[0].status == "delete":
        refusals = {c.key: siem.delete(c.live) for c in batch if c.live is not None}
        return {key: problem for key, problem in refusals.items() if problem}
    return siem.write([Write(change.key, change.sent, found.get(change.key)) for change in batch if change.sent is not None])


def _done(change: Change, live: Live | None) -> bool:
    if change.sent is None:
        return live is None
    return live is not None and holds(live.body, change.sent)


def _repeatable(change: Change, live: Live | None) -> bool:
    """Whether a write whose outcome was in doubt may be sent again: nothing happened, or part of it."""
    if _state(live) == _state(change.live):
        return True
    return live is not None and change.sent is not None and halfway(live.body, change.live.body if change.live else {}, change.sent)


def _look_again(batch: Sequence[Change], found: Mapping[Key, Live]) -> None:
    for change in batch:
        if _state(found.get(change.key)) != _state(change.live):
            named = printable(f"{change.key} ({change.title})")
            raise StateChanged(f"{named}: changed in the SIEM since the plan; nothing more is written, plan again")


def _state(live: Live | None) -> str | None:
    return live.state if live else None


def _intent(store: Store, change: Change) -> Intent:
    return Intent(
        wanted=store.put(change.wanted) if change.wanted is not None else None,
        sent=store.put(change.sent) if change.sent is not None else None,
        before=store.put(change.live.body) if change.live else None,
        version=change.version,
    )


def _recorded(lock: Lock, store: Store, change: Change, live: Live, number: int) -> Lock:
    assert change.wanted is not None
    return learned(lock, change.key, Entry(store.put(change.wanted), store.put(live.body), change.version, number), content(change.wanted))


def _closed(lock: Lock, store: Store, *, complete: bool) -> Lock:
    last = replace(lock.applies[-1], complete=complete, snapshot=store.snapshot(lock.entries))
    return replace(lock, applies=(*lock.applies[:-1], last))


def refusal(result: Result) -> ExternalError:
    """The error of an apply that the SIEM refused in part."""
    first = next(iter(result.refused))
    return ExternalError(
        f"{len(result.refused)} objects were refused and are not recorded as applied, first {first}: {result.refused[first]}"
    )
