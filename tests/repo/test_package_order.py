"""The data goes one way through the packages; an import that points backwards is a bug (docs/development.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "an1498"
ORDER = (
    "errors",
    "times",
    "model",
    "content",
    "telemetry",
    "compiler",
    "replay",
    "hunt",
    "baseline",
    "readiness",
    "ship",
    "deploy",
    "proof",
    "cli",
)
ONLY = {"telemetry": {"errors", "times", "model", "telemetry"}, "errors": {"errors"}, "times": {"times"}, "model": {"errors", "model"}}
ROOT_MODULES = {"__init__", "__main__"}


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, part of an1498) of every import, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write absolute imports"
            if node.module == "an1498":
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif node.module and node.module.startswith("an1498."):
                yield node.lineno, node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("an1498."):
                    yield node.lineno, alias.name.split(".")[1]


def backwards(part: str, text: str) -> list[str]:
    allowed = ONLY.get(part, set(ORDER[: ORDER.index(part) + 1]))
    return [f"line {line}: {part} imports {name}" for line, name in imported(ast.parse(text)) if name in ORDER and name not in allowed]


def parts() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if part not in ROOT_MODULES:
            found.append((part, path))
    return found


def test_every_part_has_a_place_in_the_order() -> None:
    assert {part for part, _ in parts()} <= set(ORDER)


@pytest.mark.parametrize("part", ORDER)
def test_no_import_points_backwards(part: str) -> None:
    wrong = [
        f"{path}: {problem}" for owner, path in parts() if owner == part for problem in backwards(part, path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("part", "text", "count"),
    [
        ("content", "from an1498.compiler import x", 1),
        ("content", "def f():\n    import an1498.cli.program", 1),
        ("replay", "from an1498 import ship", 1),
        ("replay", "from an1498.content.node import y\nfrom an1498.replay.table import z", 0),
        ("telemetry", "from an1498.content.text import label", 1),
        ("cli", "import an1498.replay", 0),
    ],
)
def test_the_test_finds_them(part: str, text: str, count: int) -> None:
    assert len(backwards(part, text)) == count
