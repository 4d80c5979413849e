"""Hunts archives: chooses the searches, loads the logs, runs each search once over what was kept, and gives its alerts."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from an1498.compiler import compile_search
from an1498.errors import TelemetryError, UsageError
from an1498.hunt.alerts import Finding, NotRun, findings
from an1498.hunt.certificates import with_certificates
from an1498.hunt.columns import Plan, plan
from an1498.hunt.hosts import SIDECAR, Hosts
from an1498.hunt.leases import leased, stamp
from an1498.hunt.loading import Progress, load
from an1498.hunt.reading import Loaded, OnReject
from an1498.hunt.store import opened_store
from an1498.model import Language, Pack, Search
from an1498.telemetry.detect import EXPORTS, MACS, LogFile, log_files
from an1498.telemetry.files import STDIN, shown
from an1498.telemetry.reject import Reject
from an1498.telemetry.stored import Site

SHOWN_REJECTS = 5
"""Rejects that are kept to be shown; the others are counted, and written to the rejects file."""

_WAITING = 10_000
"""Rejects of one file that wait in memory to be written."""


@dataclass(slots=True)
class Hunt:
    """What a hunt found. `problems` are files that could not be read, wholly or in part; `others` are files below a directory that are
    no logs."""

    findings: tuple[Finding, ...] = ()
    loaded: list[Loaded] = field(default_factory=list)
    problems: list[TelemetryError] = field(default_factory=list)
    others: list[TelemetryError] = field(default_factory=list)
    first_rejects: list[Reject] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)
    unaddressed: list[str] = field(default_factory=list)
    unread_leases: list[TelemetryError] = field(default_factory=list)

    @property
    def events(self) -> int:
        return sum(one.events for one in self.loaded)

    @property
    def rejects(self) -> int:
        return sum(one.rejects for one in self.loaded)


def chosen_searches(pack: Pack, target: str, rules: Sequence[str]) -> tuple[Search, ...]:
    """The searches of the named rules, else of all correlations of the pack. Raises UsageError, Unsupported."""
    skip = pack.targets[target].options.get("skip", {})
    names = rules or [name for name in pack.correlations if name not in skip]
    for name in names:
        if name in skip:
            raise UsageError(f"rule '{name}' is not for target '{target}': {skip[name]}")
    return tuple(compile_search(pack, name, target, Language.SPL) for name in names)


def hunt(
    pack: Pack,
    target: str,
    paths: Sequence[Path],
    *,
    rules: Sequence[str] = (),
    hosts: Hosts | None = None,
    rejects_file: Path | None = None,
    memory_mb: int = 1024,
    work: Path | None = None,
    progress: Progress | None = None,
) -> Hunt:
    """Run the searches of a Splunk target over the files and directories `paths`; see `run`. Raises UsageError, SearchSyntaxError too."""
    the_plan = plan(pack.targets[target], chosen_searches(pack, target, rules))
    return run(pack, the_plan, paths, hosts=hosts, rejects_file=rejects_file, memory_mb=memory_mb, work=work, progress=progress)


def run(
    pack: Pack,
    the_plan: Plan,
    paths: Sequence[Path],
    *,
    hosts: Hosts | None = None,
    rejects_file: Path | None = None,
    memory_mb: int = 1024,
    work: Path | None = None,
    progress: Progress | None = None,
) -> Hunt:
    """`work` is where temporary files go (default: the system's directory for them). Raises TelemetryError where a file named in `paths`
    cannot be read at all."""
    result = Hunt()
    with (
        tempfile.TemporaryDirectory(prefix="an1498-hunt-", dir=work) as directory,
        opened_store(the_plan, Path(directory), memory_mb) as store,
    ):
        rejects = _Rejects(result, rejects_file, Path(directory))
        files = _files([_from_stdin(Path(directory)) if path == STDIN else path for path in paths], result)
        known = leased(hosts or Hosts(), files, result.unread_leases.append)
        site = Site(pack.layouts, known.known, known.addresses)
        logs = [Loaded(file, number, host=known.of(file.path) if file.format in MACS else None) for number, file in enumerate(files)]
        size = load(store, logs, rejects.add, progress, site)
        if progress is not None:
            progress("searching", size, size)
        result.unaddressed = [shown(path) for path in stamp(store, logs, known)]
        found, result.not_run = findings(pack, store, logs)
        result.findings, logs = _certified(found, the_plan, logs, Path(directory), memory_mb, rejects.add, site)
        told = {one.number: problem for one in logs if (problem := one.unread or one.damage) is not None}
        result.problems = [*told.values(), *result.unread_leases]
        result.loaded = [one for one in logs if one.unread is None]
        rejects.write()
    return result


def _certified(
    found: Sequence[Finding], the_plan: Plan, logs: list[Loaded], work: Path, memory_mb: int, on_reject: OnReject, site: Site
) -> tuple[tuple[Finding, ...], list[Loaded]]:
    """The findings with their certificates, and the logs, those too that were read for that only."""
    if not the_plan.skips("zeek", "x509"):
        return tuple(found), logs
    x509 = [Loaded(one.file, one.number) for one in logs if one.file.service == "x509"]
    # Exports were read before, their records counted and their rejects told: they hold more than x509.log.
    exports = [Loaded(one.file, one.number) for one in logs if one.file.format in EXPORTS]
    numbers = {one.number for one in x509}

    def tell(number: int, reject: Reject, line: bytes) -> None:
        if number in numbers:
            on_reject(number, reject, line)

    certified, read = with_certificates(found, the_plan.target, [*x509, *exports], work, memory_mb, tell, site)
    return certified, [one for one in logs if one.number not in numbers] + x509 if read else logs


def _files(paths: Sequence[Path], result: Hunt) -> list[LogFile]:
    named = {path for path in paths if not path.is_dir()}
    files: list[LogFile] = []
    for path in paths:
        for found in log_files([path]):
            if isinstance(found, LogFile):
                files.append(found)
            elif path in named:
                raise found
            elif not found.location.file.endswith(SIDECAR):
                result.others.append(found)
    return list({file.path.absolute(): file for file in files}.values())


def _from_stdin(work: Path) -> Path:
    """A file with what the standard input has: a log is looked at more than once."""
    copy = work / "stdin"
    with copy.open("wb") as target:
        shutil.copyfileobj(sys.stdin.buffer, target)
    return copy


class _Rejects:
    """Counts are kept by the loader; the first few of the first files are kept to be shown; all go to `file`, one JSON object a line, in
    the order of the files. Files are read at the same time, so until the end each one's rejects wait in a file of its own below `work`."""

    def __init__(self, result: Hunt, file: Path | None, work: Path) -> None:
        self._result = result
        self._file = file
        self._work = work
        self._first: dict[int, list[Reject]] = {}
        self._waiting: dict[int, list[str]] = {}
        self._lock = Lock()
        if file is not None:
            _try(file)

    def add(self, number: int, reject: Reject, line: bytes) -> None:
        with self._lock:
            first = self._first.setdefault(number, [])
            if len(first) < SHOWN_REJECTS:
                first.append(reject)
            if self._file is not None:
                waiting = self._waiting.setdefault(number, [])
                waiting.append(_reject_line(reject, line))
                if len(waiting) == _WAITING:
                    self._flush(number)

    def write(self) -> None:
        """Show the first ones, write all."""
        self._result.first_rejects = [one for number in sorted(self._first) for one in self._first[number]][:SHOWN_REJECTS]
        if self._file is not None:
            whole = self._work / "rejects"
            with whole.open("wb") as target:
                for number in sorted(self._waiting):
                    self._flush(number)
                    with self._path(number).open("rb") as source:
                        shutil.copyfileobj(source, target)
            try:
                shutil.copyfile(whole, self._file)
            except OSError as error:
                raise _not_written(self._file, error) from None

    def _flush(self, number: int) -> None:
        with self._path(number).open("a", encoding="utf-8") as stream:
            stream.writelines(self._waiting[number])
        self._waiting[number].clear()

    def _path(self, number: int) -> Path:
        return self._work / f"rejects-{number}"


def _try(file: Path) -> None:
    """Raises UsageError at once where the file cannot be written, not at the end of a long run."""
    there = file.exists()
    try:
        with file.open("ab"):
            pass
    except OSError as error:
        raise _not_written(file, error) from None
    if not there:
        file.unlink()


def _not_written(file: Path, error: OSError) -> UsageError:
    return UsageError(f"{file} cannot be written: {error.strerror}; check the path and its permissions")


def _reject_line(reject: Reject, line: bytes) -> str:
    record = {
        "file": reject.location.file,
        "line": reject.location.line,
        "problem": reject.problem,
        "remedy": reject.remedy,
        "text": line.decode("utf-8", "backslashreplace"),
    }
    return json.dumps(record, ensure_ascii=False) + "\n"
