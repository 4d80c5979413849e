"""Lints: one module each, named like the lint; its docstring is the lint's documentation page.

To add one: a module with a `LINT`, and cases beside the tests in tests/content/lints/<module>.yml. Nothing else needs a change.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from an1498.content.findings import MALFORMED
from an1498.content.lints._lint import Lint, Problem

__all__ = ["Lint", "Problem", "all_lints", "reference"]


@cache
def all_lints() -> tuple[Lint, ...]:
    """Every lint, by code."""
    modules = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    lints = [importlib.import_module(f"{__name__}.{name}").LINT for name in modules]
    return tuple(sorted(lints, key=lambda lint: lint.code))


def reference() -> str:
    """All codes of `an1498 check` as one Markdown page: the loaders' errors as a table, then each lint's page.

    `python -m an1498.content.lints > docs/lints.md` writes it."""
    lines = [
        "# Codes of `an1498 check`",
        "",
        "## Content that cannot be loaded (exit code 2)",
        "",
        "| code | name | says |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {code} | {name} | {text} |" for name, (code, text) in MALFORMED.items()]
    lines += ["", "## Lints (an error ends with exit code 1)", ""]
    for lint in all_lints():
        lines += [f"### {lint.code} {lint.name} ({lint.severity})", "", lint.page.strip(), ""]
    return "\n".join(lines)
