"""What long work says about itself, for commands whose work has no known end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from an1498.cli.console import console


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done on a terminal's stderr, and nothing elsewhere."""
    with console.progress() as progress:

        def tell(text: str) -> None:
            if progress is not None:
                progress(text, 0, 0)

        yield tell
