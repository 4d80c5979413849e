"""Everything that the program prints goes through `console`: data to stdout, messages to stderr.

rich is imported only where a message is coloured or a table is drawn, because its import costs more than `--help` may take.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


class Console:
    """Streams are looked up at each call, so that they can be redirected."""

    def data(self, text: str) -> None:
        """A line (or lines) of the command's result, unchanged and uncoloured."""
        sys.stdout.write(text + "\n")

    def message(self, text: str, style: str = "") -> None:
        """One message for the person at the terminal; `style` is a rich style, used only on a terminal."""
        if style and sys.stderr.isatty():
            from rich.console import Console as Rich

            Rich(stderr=True, highlight=False, markup=False, soft_wrap=True).print(text, style=style)
        else:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def styled(self, parts: Sequence[tuple[str, str]]) -> None:
        """One line of data in (text, style) parts; styles show only on a terminal."""
        if sys.stdout.isatty():
            from rich.console import Console as Rich
            from rich.text import Text

            Rich(highlight=False, soft_wrap=True).print(Text.assemble(*parts))
        else:
            self.data("".join(text for text, _ in parts))

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None] | None]:
        """A bar on stderr, as a function that is told what is being done, how much is done, and of how much; None where stderr is
        no terminal."""
        if not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console as Rich
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
        with Progress(*columns, console=Rich(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda text, done, total: bar.update(task, description=text, completed=done, total=total or None)


console = Console()
