"""Lints: one module each, named like the lint; its docstring is the lint's documentation page.

To add one: a module with a `LINT`, and cases beside the tests in tests/content/lints/<module>.yml. Nothing else needs a change.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from an1498.content.lints._lint import Lint, Problem

__all__ = ["Lint", "Problem", "all_lints"]


@cache
def all_lints() -> tuple[Lint, ...]:
    """Every lint, by code."""
    modules = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    lints = [importlib.import_module(f"{__name__}.{name}").LINT for name in modules]
    return tuple(sorted(lints, key=lambda lint: lint.code))
