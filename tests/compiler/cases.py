"""Golden cases: one file per rule, the rule first and beside it its exact text in every language.

`=== rule` is YAML in the short form of build.py, `=== parameters` (optional) lines for an1498.toml, then `=== spl`, `=== eql` and so
on, or a refusal. To write the expected texts again, then read the diff: `.venv/bin/python -m tests.compiler.cases`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.compiler.build import texts

from an1498.model import Language

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Case:
    rule: str
    parameters: str
    expected: dict[str, str]


def read(path: Path) -> Case:
    pieces = re.split(r"^=== (\w+)\n", path.read_bytes().decode(), flags=re.MULTILINE)
    sections = {name: body.rstrip("\n") for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    return Case(sections.pop("rule"), sections.pop("parameters", ""), sections)


def compiled(case: Case) -> dict[str, str]:
    return {str(language): text for language, text in texts(case.rule, parameters=case.parameters).items()}


def rendered(case: Case) -> str:
    head = f"=== parameters\n{case.parameters}\n" if case.parameters else ""
    found = compiled(case)
    return head + f"=== rule\n{case.rule}\n" + "".join(f"=== {language}\n{found[language]}\n" for language in Language)


def main() -> None:
    """Write every expected text again."""
    for path in sorted(GOLDEN.glob("*.txt")):
        path.write_bytes(rendered(read(path)).encode())


if __name__ == "__main__":
    main()
