"""What `plan`, `apply`, `rollback` and `drift` share: their options, and how a plan is shown and asked about."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from an1498.cli.console import console
from an1498.cli.names import known_target
from an1498.cli.settings import Settings
from an1498.errors import UsageError

if TYPE_CHECKING:
    from an1498.deploy import Plan, Session

Command = Callable[..., Any]


def target_option(command: Command) -> Command:
    return click.option("--target", metavar="T", required=True, help="The target whose SIEM is meant.")(command)


def state_option(command: Command) -> Command:
    text = "Lock file and bodies of earlier applies, per target; commit it."
    return click.option("--state", metavar="DIR", default="deploy", show_default=True, type=click.Path(path_type=Path), help=text)(command)


def build_option(command: Command) -> Command:
    text = "What `an1498 build` wrote."
    return click.option("--build", "built", metavar="DIR", default="dist", show_default=True, type=click.Path(path_type=Path), help=text)(
        command
    )


def overwrite_option(command: Command) -> Command:
    text = "Lose the local changes of this object (name, title or key); may be repeated."
    return click.option("--overwrite-local", "overwrite", metavar="NAME", multiple=True, help=text)(command)


def yes_option(command: Command) -> Command:
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


def opened(settings: Settings, target: str, state: Path) -> AbstractContextManager[Session]:
    """The target's SIEM, with credentials of this process's environment."""
    from an1498.deploy import open_session

    return open_session(known_target(settings.load_pack(), target), state, os.environ)


def show(lines: Iterable[list[tuple[str, str]]]) -> None:
    for parts in lines:
        console.styled(parts)


def show_plan(session: Session, plan: Plan, *, every: bool = False) -> None:
    from an1498.deploy.text import plan_lines

    for line in session.recovered:
        console.message(f"interrupted apply: {line}")
    show(plan_lines(plan, every=every))
    for note in plan.notes:
        console.message(f"note: {note}")


def carry_out(session: Session, plan: Plan, *, yes: bool) -> None:
    """Ask, then apply. Raises ExternalError where objects were refused."""
    from an1498.deploy import apply_plan
    from an1498.deploy.apply import refusal, settle

    if not plan.pending:
        settle(session.store, session.lock)
        console.message("nothing to write")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is here to ask; look at the plan and give --yes, or give a plan file with --plan")
        click.confirm("Write this?", abort=True, err=True)
    result = apply_plan(plan, session.siem, session.store, session.lock, session.clock, console.message)
    if result.refused:
        raise refusal(result)
    console.data(f"apply {result.number}: {result.written} objects written; commit {session.store.directory}")
