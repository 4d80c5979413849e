"""What the pages say is what the code does: commands exist, links lead somewhere, generated pages are current."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from an1498.cli.program import COMMANDS, cli
from an1498.replay import subset_page
from an1498.ship.deviations_page import page

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def command_lines() -> Iterator[tuple[str, str]]:
    """(page, command) of every line in a shell block that starts with an1498 or make, prompts and comments removed."""
    for path in PAGES:
        for block in re.findall(r"```(?:sh|console)\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                text = line.strip().removeprefix("$ ")
                for command in re.split(r"\s(?:\||&&)\s", text.split(" #")[0]):
                    if re.match(r"(\.venv/bin/)?an1498\b|make\b", command):
                        yield path.name, command.strip()


LINES = sorted(set(command_lines()))


@pytest.mark.parametrize(("where", "command"), LINES)
def test_commands_in_pages_exist(where: str, command: str) -> None:
    words = [word for word in shlex.split(command) if not word.startswith((">", "<"))]
    if words[0] == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets), f"{where}: {command}"
        return
    context = click.Context(cli, info_name="an1498")
    _, rest, _ = cli.make_parser(context).parse_args(words[1:])
    if rest:
        found = cli.get_command(context, rest[0])
        found.make_parser(click.Context(found, parent=context)).parse_args(rest[1:])


def test_every_command_is_shown_in_the_readme() -> None:
    shown = {command for where, command in LINES if where == "README.md"}
    assert all(any(f"an1498 {name}" in command for command in shown) for name in COMMANDS)


def test_the_readme_leads_with_what_it_does_and_the_two_commands() -> None:
    lines = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.strip()]
    assert lines[0].startswith("# ")
    assert all(not line.startswith(("#", "`", "-", "|")) for line in lines[1:6])
    first = [command for where, command in command_lines() if where == "README.md"][:2]
    assert first == ["make demo", "make test"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_the_page_of_deviations_is_current() -> None:
    assert (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8") == page()


def test_the_page_of_what_replay_executes_is_current() -> None:
    assert (ROOT / "docs" / "replay.md").read_text(encoding="utf-8") == subset_page.page()


def test_ci_runs_what_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert "make test" in script.read_text(encoding="utf-8").splitlines()
    assert script.stat().st_mode & 0o111
