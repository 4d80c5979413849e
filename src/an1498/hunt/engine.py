"""Hunts archives: chooses the searches, loads the logs, runs each search once over what was kept, and gives its alerts."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from an1498.compiler import compile_search
from an1498.errors import TelemetryError, UsageError
from an1498.hunt.alerts import Finding, findings
from an1498.hunt.certificates import with_certificates
from an1498.hunt.columns import Plan, plan
from an1498.hunt.hosts import SIDECAR, Hosts
from an1498.hunt.loading import Loaded, load
from an1498.hunt.store import opened_store
from an1498.model import Language, Pack, Search
from an1498.telemetry.detect import EXPORTS, MACS, LogFile, log_files
from an1498.telemetry.files import STDIN, shown
from an1498.telemetry.reject import Reject
from an1498.telemetry.stored import Site

SHOWN_REJECTS = 5
"""Rejects that are kept to be shown; the others are counted, and written to the rejects file."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes done and the bytes in all."""


@dataclass(slots=True)
class Hunt:
    """What a hunt found. `problems` are files that could not be read, wholly or in part; `others` are files below a directory that are
    no logs."""

    findings: tuple[Finding, ...] = ()
    loaded: list[Loaded] = field(default_factory=list)
    problems: list[TelemetryError] = field(default_factory=list)
    others: list[TelemetryError] = field(default_factory=list)
    first_rejects: list[Reject] = field(default_factory=list)

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
    known = hosts or Hosts()
    site = Site(pack.layouts, known.known)
    with (
        tempfile.TemporaryDirectory(prefix="an1498-hunt-", dir=work) as directory,
        _Rejects(result, rejects_file) as rejects,
        opened_store(the_plan, Path(directory), memory_mb) as store,
    ):
        files = _files([_from_stdin(Path(directory)) if path == STDIN else path for path in paths], result)
        sizes = [_size(file.path) for file in files]
        for number, file in enumerate(files):
            if progress is not None:
                progress(shown(file.path), sum(sizes[:number]), sum(sizes))
            host = known.of(file.path) if file.format in MACS else None
            try:
                one = load(store, file, number, host, rejects.add, site)
            except TelemetryError as error:
                result.problems.append(error)
                continue
            result.loaded.append(one)
            if one.damage is not None:
                result.problems.append(one.damage)
        if progress is not None:
            progress("searching", sum(sizes), sum(sizes))
        found = tuple(findings(pack, store, result.loaded))
        x509 = [file for file in files if the_plan.skips("zeek", "x509") and (file.service == "x509" or file.format in EXPORTS)]
        result.findings, more, problems = with_certificates(found, the_plan.target, x509, Path(directory), memory_mb, rejects.add, site)
        # Exports were read before, and counted: they hold more than x509.log.
        more = [one for one in more if one.file.format not in EXPORTS]
        read = {one.file for one in more}
        result.loaded = [one for one in result.loaded if one.file not in read] + more
        result.problems += problems
    return result


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


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


class _Rejects:
    """Counts are kept by the loader; the first few are kept to be shown; all go to the file, one JSON object a line."""

    def __init__(self, result: Hunt, file: Path | None) -> None:
        self._result = result
        self._stream = file.open("w", encoding="utf-8") if file is not None else None

    def __enter__(self) -> _Rejects:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, reject: Reject, line: bytes) -> None:
        if len(self._result.first_rejects) < SHOWN_REJECTS:
            self._result.first_rejects.append(reject)
        if self._stream is not None:
            record = {
                "file": reject.location.file,
                "line": reject.location.line,
                "problem": reject.problem,
                "remedy": reject.remedy,
                "text": line.decode("utf-8", "backslashreplace"),
            }
            self._stream.write(json.dumps(record, ensure_ascii=False) + "\n")
