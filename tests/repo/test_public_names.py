"""The public names are exactly those that docs/development.md lists, and the error tree is the one that is drawn."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from an1498 import errors

ROOT = Path(__file__).parents[2]


def documented() -> dict[str, set[str]]:
    page = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    table = page.split("### Public names")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(an1498\.\w+)` \| (.*) \|$", table, re.MULTILINE)
    return {package: set(re.findall(r"`(\w+)`", names)) for package, names in rows}


def test_every_package_is_documented() -> None:
    """A package with public names has `__all__`; one without is for the command line alone."""
    packages = {f"an1498.{path.parent.name}" for path in (ROOT / "src" / "an1498").glob("*/__init__.py")}
    assert {package for package in packages if hasattr(importlib.import_module(package), "__all__")} == set(documented())


@pytest.mark.parametrize("package", sorted(documented()))
def test_public_names(package: str) -> None:
    module = importlib.import_module(package)
    assert set(module.__all__) == documented()[package]
    assert all(hasattr(module, name) for name in module.__all__)


def test_the_package_is_typed() -> None:
    assert (ROOT / "src" / "an1498" / "py.typed").is_file()


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+)\s+(\d)", errors.__doc__ or ""))
    defined = {
        name: str(value.exit_code)
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.An1498Error) and value is not errors.An1498Error
    }
    assert drawn == defined
