"""What an apply would do: the build, the lock file and the SIEM compared, object by object and field by field.

A field belongs to the build, or (`Siem.tunable`) to the people who run the SIEM. What they set in a field of theirs stays, always. What
they changed in a field of the build makes the whole object `locally-modified`: it is left alone until somebody asks to overwrite it.

    live                   last apply     build        status
    missing                none           has it       create
    missing                has it         has it       locally-modified (deleted in the SIEM)
    as last applied        has it         differs      update
    as last applied        has it         the same     unchanged
    as the build wants it  any            has it       unchanged (the lock file learns of it)
    otherwise              any            has it       locally-modified
    as last applied        has it         lost it      delete
    missing                has it         lost it      delete (gone already)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from an1498.deploy.diff import FieldDiff, differences
from an1498.deploy.objects import VERSION, Body, Key, Live, Siem, Wanted, content, digest, empty, holds, same
from an1498.deploy.state import Lock, Store
from an1498.errors import UsageError

STATUSES = ("create", "update", "delete", "locally-modified", "unchanged")


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one object. `wanted` is the build's body with its version, `sent` the same with what is tuned locally; both are None
    for a deletion and where nothing is written. `tuned` are fields kept as people set them. `learn`: the lock file learns of the object.
    `overwritable`: whether `--overwrite-local` would change anything."""

    key: Key
    title: str
    status: str
    reason: str = ""
    wanted: Body | None = None
    sent: Body | None = None
    live: Live | None = None
    version: int = 0
    tuned: tuple[str, ...] = ()
    diff: tuple[FieldDiff, ...] = ()
    learn: bool = False
    overwritable: bool = True

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What must be the same when the plan is carried out."""
        return {
            "status": self.status,
            "sent": digest(self.sent) if self.sent is not None else None,
            "state": self.live.state if self.live else None,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All objects of a target. `build` is the hash of what the build wants, `action` what the history will call the apply, `notes` what
    is not deployed and why."""

    target: str
    siem: str
    action: str
    build: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    overwrite: tuple[str, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether there is anything to write, if only into the lock file."""
        return any(change.status in ("create", "update", "delete") or change.learn for change in self.changes)

    def count(self, status: str) -> int:
        return sum(change.status == status for change in self.changes)


def make_plan(
    siem: Siem,
    store: Store,
    lock: Lock,
    wanted: Sequence[Wanted],
    *,
    target: str,
    action: str = "apply",
    overwrite: Collection[str] = (),
    notes: Sequence[str] = (),
) -> Plan:
    """Read the SIEM and compare. `overwrite` are names, titles or keys of objects whose local changes are to be lost. Raises UsageError for
    such a name that no object has."""
    wishes = {item.key: item for item in wanted}
    forced = _forced(overwrite, [*wishes.values(), *(Wanted(key, key.name, {}) for key in lock.entries if key not in wishes)])
    ranks = {kind: rank for rank, kind in enumerate(siem.order)}
    keys = sorted({*wishes, *lock.entries}, key=lambda key: (ranks.get(key.kind, len(ranks)), key.name))
    found = siem.read(keys)
    changes = []
    for key in keys:
        entry, live, force = lock.entries.get(key), found.get(key), key in forced
        sent, seen = (store.body(entry.sent), store.body(entry.live)) if entry else (None, None)
        if key in wishes:
            changes.append(_change(siem, lock, wishes[key], sent, seen, live, force))
        else:
            changes.append(_removal(siem, key, sent or {}, seen or {}, live, force))
    hashes = {str(item.key): content(item.body) for item in wanted}
    return Plan(target, siem.identity, action, digest(hashes), tuple(changes), tuple(notes), tuple(overwrite))


def local_changes(siem: Siem, key: Key, seen: Body, live: Body) -> tuple[str, ...]:
    """The build's fields that are not as the last apply left them. A version alone is no change: SIEMs count other edits there too."""
    fields = sorted({*seen, *live} - {VERSION})
    return tuple(field for field in fields if not siem.tunable(key, field) and not same(seen.get(field), live.get(field)))


def tuned_fields(siem: Siem, key: Key, reference: Body, live: Body) -> tuple[str, ...]:
    """The people's fields that are not as the build has them."""
    return tuple(field for field in sorted(reference) if siem.tunable(key, field) and not same(live.get(field), reference[field]))


def _change(siem: Siem, lock: Lock, wish: Wanted, sent: Body | None, seen: Body | None, live: Live | None, force: bool) -> Change:
    key, title = wish.key, wish.title
    body, version = _versioned(lock, wish, live)
    if live is None:
        if sent is not None and not force:
            return Change(key, title, "locally-modified", "deleted in the SIEM")
        return Change(key, title, "create", wanted=body, sent=body, version=version, diff=differences({}, body))
    own = {field: value for field, value in body.items() if field != VERSION and not siem.tunable(key, field)}
    as_wanted = holds(live.body, own)
    if not as_wanted:
        siem.check(live, own)
    # What people set is measured against what the last apply wanted: a value that the build changes since is still theirs.
    tuned = () if force else tuned_fields(siem, key, {f: (sent or body).get(f, body[f]) for f in body if siem.tunable(key, f)}, live.body)
    effective = {**body, **{field: siem.kept(key, field, body[field], live.body.get(field)) for field in tuned}}
    local = local_changes(siem, key, seen, live.body) if seen is not None else ()
    if seen is None and not as_wanted and not force:
        fields = tuple(field for field in own if not same(live.body.get(field), own[field]))
        reason = f"is there and no apply of this lock file wrote it; differs in {', '.join(fields)}"
        return Change(key, title, "locally-modified", reason, live=live, diff=differences(live.body, own))
    if local and not as_wanted and not force:
        reason = f"changed in the SIEM: {', '.join(local)}"
        return Change(
            key,
            title,
            "locally-modified",
            reason,
            live=live,
            tuned=tuned,
            diff=differences(seen or {}, {f: live.body.get(f) for f in local}),
        )
    moved = sent is None or any(not same(sent.get(field), value) for field, value in body.items() if field not in (VERSION, *tuned))
    moved = moved or any(field not in body and not empty(value) for field, value in (sent or {}).items())
    kept = {field: effective[field] for field in effective if siem.tunable(key, field)}
    if (as_wanted and holds(live.body, kept)) or not (moved or force):
        # Where a version is only ours to count, an object that is as wanted keeps the one it has.
        known = version if sent is not None and not local else int(live.body.get(VERSION) or version)
        learn = sent is None or bool(local) or moved
        return Change(key, title, "unchanged", wanted=_with_version(body, known), live=live, version=known, tuned=tuned, learn=learn)
    reason = "overwrites what was changed in the SIEM" if force else ""
    return Change(key, title, "update", reason, body, effective, live, version, tuned, differences(live.body, effective))


def _removal(siem: Siem, key: Key, sent: Body, seen: Body, live: Live | None, force: bool) -> Change:
    title = str(seen.get("name") or sent.get("name") or key.name)
    if live is None:
        return Change(key, title, "delete", "gone already")
    data = siem.irreplaceable(live)
    if data:
        reason = f"no longer in the build, but {data}; an1498 never deletes it: delete it by hand if nobody needs them"
        return Change(key, title, "locally-modified", reason, live=live, overwritable=False)
    local = () if force else local_changes(siem, key, seen, live.body)
    inside = "" if force else siem.occupied(live)
    if local or inside:
        reason = f"no longer in the build, but {inside or 'changed in the SIEM: ' + ', '.join(local)}"
        return Change(key, title, "locally-modified", reason, live=live)
    return Change(key, title, "delete", "no longer in the build", live=live)


def _versioned(lock: Lock, wish: Wanted, live: Live | None) -> tuple[Body, int]:
    """The body with its version. The same content has the same version for ever; other content gets the build's version, or one more than
    any that the object ever had."""
    if VERSION not in wish.body:
        return wish.body, 0
    known = lock.versions.get(wish.key, {})
    version = known.get(content(wish.body))
    if version is None:
        seen = live.body.get(VERSION) if live else None
        highest = max([*known.values(), seen if isinstance(seen, int) else 0])
        version = max(int(wish.body[VERSION]), highest + 1 if highest else 0)
    return _with_version(wish.body, version), version


def _with_version(body: Body, version: int) -> Body:
    return {**body, VERSION: version} if VERSION in body else body


def _forced(names: Iterable[str], known: Sequence[Wanted]) -> set[Key]:
    by_name: dict[str, set[Key]] = {}
    for item in known:
        for name in {str(item.key), item.key.name, item.title}:
            by_name.setdefault(name, set()).add(item.key)
    forced: set[Key] = set()
    for name in names:
        if name not in by_name:
            raise UsageError(f"--overwrite-local {name}: no deployed object has this name, title or key; `an1498 plan` lists them")
        forced |= by_name[name]
    return forced
