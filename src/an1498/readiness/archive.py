"""The events of an archive, one after the other, with a count of what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from an1498.baseline.kept import chosen_files
from an1498.errors import TelemetryError
from an1498.hunt.hosts import Hosts
from an1498.hunt.leases import leased
from an1498.model import NativeEvent, Pack
from an1498.telemetry import Reject, Site, scan_log
from an1498.telemetry.detect import MACS
from an1498.telemetry.reader import format_of
from an1498.telemetry.stored import addressed

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


def events(pack: Pack, paths: Sequence[Path], hosts: Hosts, intake: Intake, progress: Callable[[int], None]) -> Iterator[NativeEvent]:
    """Every event of the files and directories; `progress` is told now and then how many events were read."""
    files = list(chosen_files(paths, intake.skipped))
    hosts = leased(hosts, files, lambda error: intake.skipped.append(str(error)))
    site = Site(pack.layouts, hosts.known, hosts.addresses)
    for file in files:
        format = format_of(file.format)
        if format is None:
            continue
        intake.files += 1
        host = hosts.of(file.path) if file.format in MACS else None
        try:
            yield from _counted(scan_log(file.path, format, host, site), hosts, intake, progress)
        except TelemetryError as error:
            intake.skipped.append(str(error))
    progress(intake.events)


def _counted(items: Iterable[NativeEvent | Reject], hosts: Hosts, intake: Intake, progress: Callable[[int], None]) -> Iterator[NativeEvent]:
    for item in items:
        if isinstance(item, Reject):
            intake.rejects += 1
            if len(intake.rejected) < _SHOWN_REJECTS:
                intake.rejected.append(str(item.error()))
            continue
        intake.events += 1
        if intake.events % _STEP == 0:
            progress(intake.events)
        yield addressed(item, hosts.addresses)
