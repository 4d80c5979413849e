"""Batches of JSON logs: the unified log, Zeek."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from an1498.hunt import unifiedlog, zeek_json
from an1498.hunt.columns import Source
from an1498.hunt.reading import Batch, Loaded, Reading
from an1498.hunt.sql import Staged
from an1498.model import Host
from an1498.telemetry import unifiedlog as unifiedlog_reader
from an1498.telemetry import zeek as zeek_reader


def read_unifiedlogs(batch: Batch, files: Sequence[Loaded], source: Source) -> None:
    def staged(some: Sequence[Reading]) -> Staged:
        return unifiedlog.staged([str(one.found.path) for one in some], source, [one.loaded.host or Host() for one in some])

    readings = batch.cleaned(files, lambda one: unifiedlog_reader.LineReader(one.file.path, one.host).read, json=True)
    _read(batch, readings, source, staged)


def read_zeek_json(batch: Batch, files: Sequence[Loaded], source: Source | None) -> None:
    """Without a source nothing tells which log they are but their lines, which Python reads."""

    def staged(some: Sequence[Reading]) -> Staged:
        assert source is not None
        return zeek_json.staged([str(one.found.path) for one in some], source)

    readings = batch.cleaned(files, lambda one: zeek_reader.LineReader(one.file.path, None).read, json=True)
    _read(batch, readings, source, staged)


def _read(batch: Batch, readings: Sequence[Reading], source: Source | None, staged: Callable[[Sequence[Reading]], Staged]) -> None:
    for reading, seen in zip(readings, batch.together(readings, source, staged), strict=True):
        if seen is None and source is not None and source.plain and not reading.copied:
            # Where DuckDB saw other records than there are lines (it skips lines of blanks), it gets a copy without such lines.
            reading.found = batch.clean(reading.loaded, json=True, always=True)
            (seen,) = batch.together([reading], source, staged)
        batch.finish(reading, seen)
