"""docs/deviations.md from the compiler's table: `python -m an1498.ship.deviations_page > docs/deviations.md`."""

from __future__ import annotations

import sys

from an1498.compiler.deviations import DEVIATIONS

HEAD = """# Declared deviations

Every difference between what a rule means ([semantics.md](semantics.md)) and what a search can say. searches.json names them per search,
`an1498 explain RULE` prints those of one rule. A difference that is not here is a bug. This page is written from `compiler/deviations.py`.
"""


def page() -> str:
    """The page's whole text."""
    return HEAD + "".join(f"\n## {code}\n\n{text}\n" for code, text in sorted(DEVIATIONS.items()))


if __name__ == "__main__":
    sys.stdout.write(page())
