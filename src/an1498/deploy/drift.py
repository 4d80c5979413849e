"""What people did to deployed objects since the last apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from an1498.deploy.diff import FieldDiff, differences
from an1498.deploy.objects import Key, Siem, empty
from an1498.deploy.plan import local_changes, tuned_fields
from an1498.deploy.state import Lock, Store


@dataclass(frozen=True, slots=True)
class Drift:
    """One object. `kind` is changed, deleted or added-to, or tuned where only fields differ that belong to the people who run the SIEM."""

    key: Key
    title: str
    kind: str
    fields: tuple[str, ...] = ()
    diff: tuple[FieldDiff, ...] = ()


def find_drift(siem: Siem, store: Store, lock: Lock) -> tuple[Drift, ...]:
    """Every deployed object that is not as the last apply left it, sorted by key."""
    found = siem.read(sorted(lock.entries))
    drifts = []
    for key in sorted(lock.entries):
        entry, live = lock.entries[key], found.get(key)
        seen, sent = store.body(entry.live), store.body(entry.sent)
        title = str(seen.get("name") or seen.get("attributes.title") or key.name)
        if live is None:
            drifts.append(Drift(key, title, "deleted"))
            continue
        fields = local_changes(siem, key, seen, live.body)
        tuned = tuned_fields(siem, key, sent, live.body)
        inside = siem.occupied(live)
        if fields:
            kind = "added-to" if all(empty(seen.get(field)) for field in fields) else "changed"
            drifts.append(Drift(key, title, kind, fields, differences(seen, {field: live.body.get(field) for field in fields})))
        elif tuned or inside:
            shown = differences({f: sent[f] for f in tuned}, {f: live.body.get(f) for f in tuned})
            drifts.append(Drift(key, title, "tuned", (*tuned, *((inside,) if inside else ())), shown))
    return tuple(drifts)


def drifted(drifts: Sequence[Drift]) -> bool:
    """Whether anything differs that belongs to the build."""
    return any(drift.kind != "tuned" for drift in drifts)
