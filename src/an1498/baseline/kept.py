"""An archive loaded once, over which any variant of the pack's searches can be run.

The emitted SPL is what runs (an1498.hunt loads the events, an1498.replay executes the text), so that what is said about a filter's effect
is about the search that a SIEM would get.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from an1498.compiler import compile_search
from an1498.errors import Unsupported, UsageError
from an1498.hunt.columns import plan
from an1498.hunt.hosts import SIDECAR, Hosts
from an1498.hunt.leases import leased, stamp
from an1498.hunt.loading import load
from an1498.hunt.reading import Loaded
from an1498.hunt.store import Store, opened_store
from an1498.model import Alert, Language, Pack, Search, Target
from an1498.replay.alerts import Indexed, read_alerts
from an1498.replay.prepare import Prepared, prepare
from an1498.replay.table import EventTable
from an1498.telemetry.detect import MACS, Format, LogFile, log_files
from an1498.telemetry.stored import Site

MEMORY_MB = 1024


@dataclass(slots=True)
class Kept:
    """The events that the pack's rules may match. `skipped` are files that were not read, with the reason; `rejects` counts lines."""

    pack: Pack
    target: Target
    store: Store
    files: int = 0
    events: int = 0
    rejects: int = 0
    skipped: tuple[str, ...] = ()

    def alerts(self, pack: Pack, correlation: str) -> list[Alert]:
        """The alerts of a correlation as `pack`, a narrower variant of the pack, says it. Raises Unsupported."""
        search = compile_search(pack, correlation, self.target.name, Language.SPL)
        prepared = self._prepared(search, search.text)
        table = self._table(prepared)
        return read_alerts(search, prepared.execute(table), Indexed(self.target, ((),), table))[0]

    def matches(self, rule: str, natives: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """The events that an event rule of the pack matches: their time in seconds as `_time` and these fields, native names, where
        the archive has them. Raises Unsupported."""
        names = self._indexed(rule, natives)
        search = compile_search(self.pack, rule, self.target.name, Language.SPL)
        prepared = self._prepared(search, f"{search.text}\n| table {', '.join(['_time', *names])}")
        for row in prepared.execute(self._table(prepared)):
            found = {native: row.values.get(name) for name, native in names.items()}
            yield {"_time": row.values["_time"]} | {native: value for native, value in found.items() if value is not None}

    def count(self, rule: str) -> int:
        """How many events an event rule of the pack matches. Raises Unsupported."""
        search = compile_search(self.pack, rule, self.target.name, Language.SPL)
        prepared = self._prepared(search, f"{search.text}\n| stats count")
        return sum(int(row.values["count"]) for row in prepared.execute(self._table(prepared)))

    def _indexed(self, rule: str, natives: Sequence[str]) -> Mapping[str, str]:
        event_rule = self.pack.rules[rule]
        source = self.store.plan.source(event_rule.product, event_rule.service)
        columns = {column.native: column.indexed[0] for column in source.columns} if source is not None else {}
        return {columns[native]: native for native in natives if native in columns}

    def _prepared(self, search: Search, text: str) -> Prepared:
        return prepare(search.language, text, name=search.rule, macros=self.target.macros)

    def _table(self, prepared: Prepared) -> EventTable:
        """Only the columns that the search reads: every column costs time to plan."""
        table = self.store.table()
        fields = prepared.fields
        schema = table.schema if fields is None else {name: column for name, column in table.schema.items() if name in fields}
        return replace(table, schema=schema)


def splunk_target(pack: Pack, name: str | None) -> Target:
    """The target whose SPL is run: the named one, else the first for Splunk. Raises UsageError."""
    found = pack.targets.get(name) if name else next((one for one in pack.targets.values() if one.backend == "splunk"), None)
    if found is None:
        missing = f"target '{name}' is not in an1498.toml" if name else "an1498.toml has no target for Splunk, whose searches are run"
        raise UsageError(missing)
    if found.backend != "splunk":
        raise UsageError(f"target '{found.name}' is for {found.backend}; choose one with backend = \"splunk\", whose searches are run")
    return found


@contextmanager
def opened_archive(
    pack: Pack, target: Target, paths: Sequence[Path], hosts: Hosts, progress: Callable[[str], None], *, all_rules: bool = False
) -> Iterator[Kept]:
    """Load the logs. Without `all_rules` only the events that correlations need are kept. Raises UsageError, TelemetryError."""
    the_plan = plan(target, list(_searches(pack, target, all_rules)))
    with tempfile.TemporaryDirectory(prefix="an1498-") as directory, opened_store(the_plan, Path(directory), MEMORY_MB) as store:
        kept = Kept(pack, target, store)
        skipped: list[str] = []
        files = list(chosen_files(paths, skipped))
        known = leased(hosts, files, lambda error: skipped.append(str(error)))
        logs = [Loaded(file, number, host=known.of(file.path) if file.format in MACS else None) for number, file in enumerate(files)]
        site = Site(pack.layouts, known.known, known.addresses)
        load(store, logs, lambda *_: None, lambda name, _done, _total: progress(name), site)
        stamp(store, logs, known)
        for one in logs:
            _count(kept, one, skipped)
        kept.skipped = tuple(skipped)
        yield kept


def chosen_files(paths: Sequence[Path], skipped: list[str]) -> Iterator[LogFile]:
    """The log files; what lies below a directory and is no log goes to `skipped`. Raises TelemetryError for a named file that is none."""
    named = {str(path) for path in paths if not path.is_dir()}
    for path in paths:
        for file in log_files([path]):
            if isinstance(file, LogFile):
                yield file
            elif str(path) in named:
                raise file
            elif not file.location.file.endswith(SIDECAR):
                skipped.append(f"{file.location.file}: is no log, or cannot be read")


def _searches(pack: Pack, target: Target, all_rules: bool) -> Iterator[Search]:
    skip = target.options.get("skip", {})
    stages = {stage for correlation in pack.correlations.values() for stage in correlation.rules}
    for name in [*pack.correlations, *(rule for rule in pack.rules if all_rules or rule in stages)]:
        if name in skip:
            continue
        try:
            yield compile_search(pack, name, target.name, Language.SPL)
        except Unsupported:
            continue  # what cannot be said cannot match; readiness tells so, `build` refuses


def _count(kept: Kept, loaded: Loaded, skipped: list[str]) -> None:
    if loaded.unread is not None:
        skipped.append(str(loaded.unread))
        return
    kept.files += 1
    kept.events += loaded.events
    kept.rejects += loaded.rejects
    if loaded.damage is not None:
        skipped.append(str(loaded.damage))
    elif loaded.skipped and loaded.file.format is not Format.EMPTY:
        skipped.append(f"{loaded.file.path}: {loaded.skipped}")
