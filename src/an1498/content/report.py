"""Where the loaders' errors go: `load_pack` raises the first one, `check` collects them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from an1498.errors import ContentError

Report = Callable[[ContentError], None]


def stop(error: ContentError) -> None:
    raise error


@contextmanager
def reporting(report: Report) -> Iterator[None]:
    """Gives a ContentError inside the block to `report`; where that does not raise, goes on after the block."""
    try:
        yield
    except ContentError as error:
        report(error)
