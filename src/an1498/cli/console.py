"""Everything that the program prints goes through `console`: data to stdout, messages to stderr.

rich is imported only where a message is coloured or a table is drawn, because its import costs more than `--help` may take.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


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


console = Console()
