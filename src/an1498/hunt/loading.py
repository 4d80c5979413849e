"""Log files → kept events: by DuckDB where it reads every record as our readers do, line by line in Python where it does not.

Files of one kind are read together, because planning a statement costs as much as thousands of lines; several such batches are read at a
time, one to a core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from threading import Event

from an1498.hunt.json_files import read_unifiedlogs, read_zeek_json
from an1498.hunt.reading import Batch, Loaded, OnReject
from an1498.hunt.record_files import read_records
from an1498.hunt.store import Store
from an1498.hunt.tsv_files import read_tsv
from an1498.telemetry.detect import Format
from an1498.telemetry.files import is_plain, shown
from an1498.telemetry.stored import Site

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes done and the bytes in all."""

_BATCH_BYTES = 128 * 2**20
_BATCH_FILES = 200
_TELL_S = 0.5
_EXPANSION = 10
"""How much larger a compressed log is taken to be once it is plain."""


def load(store: Store, files: Sequence[Loaded], on_reject: OnReject, progress: Progress | None = None, site: Site | None = None) -> int:
    """Read the files; what came of each is written to it. `site` helps to read exports of a SIEM. Returns their bytes."""
    sizes = {one.number: one.file.path.stat().st_size if one.file.path.is_file() else 0 for one in files}
    batches = sorted(_batches(files, sizes), key=lambda batch: -_bytes(batch, sizes))
    done, total = 0, sum(sizes.values())
    running: dict[int, tuple[Store, int]] = {}
    for batch in _read_all(store, batches, on_reject, site, running if progress is not None else None, sizes):
        done += _bytes(batch, sizes)
        if progress is not None:
            under_way = sum(int(size * max(0.0, own.connection.query_progress()) / 100) for own, size in list(running.values()))
            progress(shown(batch[-1].file.path) if batch else "reading", done + under_way, total)
    return total


def _batches(files: Sequence[Loaded], sizes: Mapping[int, int]) -> Iterator[list[Loaded]]:
    kinds: dict[tuple[Format, str], list[Loaded]] = {}
    for one in files:
        kinds.setdefault((one.file.format, one.file.service), []).append(one)
    for alike in kinds.values():
        batch: list[Loaded] = []
        held = 0
        for one in alike:
            size = sizes[one.number] * (_EXPANSION if _is_copied(one) else 1)
            if len(batch) == _BATCH_FILES or (batch and held + size > _BATCH_BYTES):
                yield batch
                batch, held = [], 0
            batch.append(one)
            held += size
        yield batch


def _is_copied(loaded: Loaded) -> bool:
    """Whether the file takes space in the working directory while it is read."""
    try:
        return not is_plain(loaded.file.path)
    except OSError:
        return False


def _bytes(batch: Sequence[Loaded], sizes: Mapping[int, int]) -> int:
    return sum(sizes[one.number] for one in batch)


def _read_all(
    store: Store,
    batches: Sequence[Sequence[Loaded]],
    on_reject: OnReject,
    site: Site | None,
    running: dict[int, tuple[Store, int]] | None,
    sizes: Mapping[int, int],
) -> Iterator[Sequence[Loaded]]:
    """The batches as they are done. With `running`, which then holds the connections at work and their batches' bytes, nothing is given
    now and then, so that the caller can tell how far they are."""
    stop = Event()
    workers = min(os.cpu_count() or 1, len(batches))
    if workers <= 1 and running is None:
        for batch in batches:
            _read(Batch(store, on_reject, stop, site), batch)
            yield batch
        return
    stores = [store.beside(f"worker-{number}") for number in range(workers)]
    free: SimpleQueue[Store] = SimpleQueue()
    for one in stores:
        free.put(one)

    def work(batch: Sequence[Loaded]) -> Sequence[Loaded]:
        own = free.get()
        if running is not None:
            running[id(own)] = own, _bytes(batch, sizes)
        try:
            _read(Batch(own, on_reject, stop, site), batch)
        finally:
            if running is not None:
                del running[id(own)]
            free.put(own)
        return batch

    with ThreadPoolExecutor(max(1, workers)) as pool:
        futures = [pool.submit(work, batch) for batch in batches]
        try:
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, timeout=None if running is None else _TELL_S, return_when=FIRST_COMPLETED)
                yield from ((future.result() for future in done) if done else [()])
        except BaseException:
            # Ctrl-C or a fault: the threads end here, before the directory of their temporary files does.
            stop.set()
            _interrupt(futures, stores)
            raise
        finally:
            for one in stores:
                one.connection.close()


def _interrupt(futures: Sequence[Future[Sequence[Loaded]]], stores: Sequence[Store]) -> None:
    for future in futures:
        future.cancel()
    while wait(futures, timeout=0.05).not_done:
        for one in stores:
            one.connection.interrupt()


def _read(batch: Batch, files: Sequence[Loaded]) -> None:
    """Files of one format and log."""
    first = files[0].file
    match first.format:
        case Format.UNIFIEDLOG:
            source = batch.store.plan.source("macos", "unifiedlog")
            if source is None or not source.wanted:
                _skip(files, "no search reads the unified log")
            else:
                read_unifiedlogs(batch, files, source)
        case Format.ZEEK_TSV | Format.ZEEK_JSON:
            source = batch.store.plan.source("zeek", first.service)
            if first.service and (source is None or not source.wanted):
                _skip(files, f"no search reads {first.service}.log")
            elif first.format is Format.ZEEK_TSV:
                read_tsv(batch, files)
            else:
                read_zeek_json(batch, files, source)
        case Format.EMPTY:
            _skip(files, "it is empty")
        case _:
            read_records(batch, files)


def _skip(files: Sequence[Loaded], reason: str) -> None:
    for one in files:
        one.skipped = reason
