"""The events of an archive, one after the other, with a count of what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from an1498.baseline.kept import chosen_files
from an1498.errors import TelemetryError
from an1498.hunt.hosts import Hosts
from an1498.model import NativeEvent
from an1498.telemetry import Reject, scan_log
from an1498.telemetry.detect import Format, LogFile

_FORMATS = {Format.UNIFIEDLOG: "unifiedlog", Format.ZEEK_TSV: "zeek", Format.ZEEK_JSON: "zeek"}
_SHOWN_REJECTS = 20
_STEP = 10_000


@dataclass(slots=True)
class Intake:
    """What was read. `rejected` holds the first rejects' texts, `skipped` why a file was not read, or not to its end."""

    files: int = 0
    events: int = 0
    rejects: int = 0
    rejected: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def events(paths: Sequence[Path], hosts: Hosts, intake: Intake, progress: Callable[[int], None]) -> Iterator[NativeEvent]:
    """Every event of the files and directories; `progress` is told now and then how many events were read."""
    for file in chosen_files(paths, intake.skipped):
        if file.format not in _FORMATS:
            if file.format is not Format.EMPTY:
                intake.skipped.append(f"{file.path}: readiness does not read {file.format} files")
            continue
        intake.files += 1
        try:
            yield from _file(file, hosts, intake, progress)
        except TelemetryError as error:
            intake.skipped.append(str(error))
    progress(intake.events)


def _file(file: LogFile, hosts: Hosts, intake: Intake, progress: Callable[[int], None]) -> Iterator[NativeEvent]:
    for item in scan_log(file.path, _FORMATS[file.format], hosts.of(file.path) if file.format is Format.UNIFIEDLOG else None):
        if isinstance(item, Reject):
            intake.rejects += 1
            if len(intake.rejected) < _SHOWN_REJECTS:
                intake.rejected.append(str(item.error()))
            continue
        intake.events += 1
        if intake.events % _STEP == 0:
            progress(intake.events)
        yield item
