"""What earlier applies did: the lock file, the bodies it refers to, and the journal of an apply that is running.

    DIR/<target>/an1498.lock.json   per object the hashes of what was sent and of how the SIEM showed it then; the history of applies
    DIR/<target>/objects/<sha256>   bodies and snapshots, content-addressed, so that any earlier apply can be restored
    DIR/<target>/journal.json       only while an apply runs, or after it was killed

Lock file and objects are committed with the content; both hold no credentials. Every file is written aside, synced and renamed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from an1498.deploy.objects import Body, Key, canonical, digest
from an1498.errors import ExternalError, UsageError

LOCK = "an1498.lock.json"
JOURNAL = "journal.json"
HELD = ".held"
OBJECTS = "objects"
FORMAT = 1
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as last applied: `sent` is the hash of its body as the build wanted it then, `live` of how the SIEM showed it after;
    `apply` is the number of the apply that wrote it."""

    sent: str
    live: str
    version: int
    apply: int


@dataclass(frozen=True, slots=True)
class Apply:
    """One apply of the history. `snapshot` is the hash of all entries after it; `complete` is false where it was cut short or
    refused in part, `snapshot` empty while it runs and, where it was cut short, until the next apply."""

    number: int
    time: str
    action: str
    build: str
    complete: bool
    snapshot: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock file. `versions` has, per object, the version of each content that was ever applied, by the content's hash."""

    siem: str = ""
    entries: Mapping[Key, Entry] = field(default_factory=dict)
    applies: tuple[Apply, ...] = ()
    versions: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.applies[-1].number if self.applies else 0


@dataclass(frozen=True, slots=True)
class Intent:
    """What an apply was about to do to an object, as hashes of bodies: `wanted` by the build, `sent` with what is tuned locally, `before`
    in the SIEM. `wanted` and `sent` are None for a deletion, `before` for a creation."""

    wanted: str | None
    sent: str | None
    before: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Journal:
    """The batch that was being sent."""

    apply: int
    intents: Mapping[Key, Intent]


class Store:
    """The state directory of one target. Raises UsageError for files that are not as this program writes them, ExternalError where the
    disk refuses."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the state directory for one apply; the system lets go of it when the process ends, however it does. Raises UsageError."""
        path = self.directory / HELD
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                try:
                    _hold(file.fileno())
                except BlockingIOError as error:
                    raise UsageError(f"{self.directory}: another apply is running with this state directory; wait for it") from error
                yield
        except OSError as error:
            raise ExternalError(f"{path}: cannot write: {error.strerror or error}") from error

    # Bodies

    def put(self, value: object) -> str:
        """Keep a value; returns its hash."""
        name = digest(value)
        path = self.directory / OBJECTS / name
        if not path.is_file():
            write(path, canonical(value) + b"\n")
        return name

    def get(self, name: str) -> Any:
        """The value of a hash."""
        path = self.directory / OBJECTS / name
        if not HASH.fullmatch(name):
            raise UsageError(f"{self.directory / LOCK}: {name[:70]!r} is no hash; restore the lock file from version control")
        value = _read(path, "restore it from version control")
        if value is None:
            raise UsageError(f"{path}: a body that the lock file names is missing; restore it from version control")
        if digest(value) != name:
            raise UsageError(f"{path}: the body does not have the hash that its name says; restore it from version control")
        return value

    def body(self, name: str) -> Body:
        value = self.get(name)
        if not isinstance(value, dict):
            raise UsageError(f"{self.directory / OBJECTS / name}: is no object's body; restore it from version control")
        return value

    # Lock

    def load(self) -> Lock:
        path = self.directory / LOCK
        data = _read(path, "restore it from version control")
        if data is None:
            return Lock()
        try:
            if data["format"] != FORMAT:
                raise UsageError(f"{path}: has format {data['format']!r}, this an1498 knows {FORMAT}; update an1498")
            return Lock(
                siem=str(data["siem"]),
                entries=entries_of(data["objects"]),
                applies=tuple(Apply(**{name: item[name] for name in Apply.__dataclass_fields__}) for item in data["history"]),
                versions={Key.parse(key): {str(h): int(n) for h, n in known.items()} for key, known in data["versions"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"{path}: is not as an1498 writes it ({type(error).__name__}: {error}); restore it from version control"
            ) from error

    def save(self, lock: Lock) -> None:
        data = {
            "format": FORMAT,
            "siem": lock.siem,
            "objects": entries_data(lock.entries),
            "versions": {str(key): dict(known) for key, known in lock.versions.items()},
            "history": [{name: getattr(item, name) for name in Apply.__dataclass_fields__} for item in lock.applies],
        }
        write(self.directory / LOCK, (json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())

    def snapshot(self, entries: Mapping[Key, Entry]) -> str:
        return self.put(entries_data(entries))

    def restore(self, number: int, lock: Lock) -> Mapping[Key, Entry]:
        """The entries after an earlier apply."""
        for item in lock.applies:
            if item.number == number and not item.snapshot:
                return lock.entries
            if item.number == number:
                try:
                    return entries_of(self.get(item.snapshot))
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise UsageError(
                        f"{self.directory / OBJECTS / item.snapshot}: is no snapshot; restore it from version control"
                    ) from error
        known = ", ".join(str(item.number) for item in lock.applies) or "none yet"
        raise UsageError(f"{self.directory / LOCK}: there is no apply {number}; there are: {known}")

    # Journal

    def journal(self) -> Journal | None:
        path = self.directory / JOURNAL
        data = _read(path, "look at it, then remove it")
        if data is None:
            return None
        try:
            intents = {
                Key.parse(key): Intent(item["wanted"], item["sent"], item["before"], int(item["version"]))
                for key, item in data["intents"].items()
            }
            return Journal(int(data["apply"]), intents)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"{path}: is not as an1498 writes it ({type(error).__name__}: {error}); look at it, then remove it") from error

    def begin(self, journal: Journal) -> None:
        """Say what is about to be sent, before it is."""
        intents = {str(key): {name: getattr(i, name) for name in Intent.__dataclass_fields__} for key, i in sorted(journal.intents.items())}
        write(self.directory / JOURNAL, (json.dumps({"apply": journal.apply, "intents": intents}, indent=1) + "\n").encode())

    def end(self) -> None:
        """Forget the journal, once the lock file says what was done."""
        try:
            (self.directory / JOURNAL).unlink(missing_ok=True)
        except OSError as error:
            raise ExternalError(f"{self.directory / JOURNAL}: cannot remove: {error.strerror}") from error


def entries_data(entries: Mapping[Key, Entry]) -> dict[str, dict[str, Any]]:
    return {str(key): {"sent": e.sent, "live": e.live, "version": e.version, "apply": e.apply} for key, e in sorted(entries.items())}


def entries_of(data: Mapping[str, Any]) -> dict[Key, Entry]:
    return {Key.parse(key): Entry(str(e["sent"]), str(e["live"]), int(e["version"]), int(e["apply"])) for key, e in data.items()}


def learned(lock: Lock, key: Key, entry: Entry | None, content_hash: str = "") -> Lock:
    """The lock with an object's new entry, or without it. A content's version is kept for ever: the same content has the same version."""
    entries = {k: e for k, e in lock.entries.items() if k != key}
    versions = dict(lock.versions)
    if entry is not None:
        entries[key] = entry
        if content_hash:
            versions[key] = {**versions.get(key, {}), content_hash: entry.version}
    return replace(lock, entries=entries, versions=versions)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, also when the machine stops."""
    aside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise ExternalError(f"{path}: cannot write: {error.strerror or error}") from error


def _hold(handle: int) -> None:
    try:
        import fcntl
    except ImportError:
        # Windows: no advisory locks; one apply at a time is up to the caller.
        return
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_directory(path: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path, remedy: str) -> Any:
    """A JSON file's value, None where there is no file."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON ({error}); {remedy}") from error
