"""`an1498 rollback`: bring the SIEM back to what an earlier apply left."""

from __future__ import annotations

from pathlib import Path

import click

from an1498.cli.deploying import carry_out, opened, overwrite_option, show_plan, state_option, target_option, yes_option
from an1498.cli.settings import Settings

EPILOG = """\b
Examples:
  an1498 rollback --target elastic          to the apply before the last
  an1498 rollback --target elastic --to 3   to what apply 3 left

\b
A rollback is an apply of its own: it plans, asks, is recorded, and can be rolled back. Local tuning stays as it is.
"""


@click.command(epilog=EPILOG, short_help="Bring the SIEM back to an earlier apply.")
@target_option
@state_option
@click.option(
    "--to", "number", metavar="N", type=click.IntRange(min=1), help="The apply to go back to.  [default: the one before the last]"
)
@overwrite_option
@yes_option
@click.pass_obj
def rollback(settings: Settings, target: str, state: Path, number: int | None, overwrite: tuple[str, ...], yes: bool) -> None:
    """Restore the objects of an earlier apply from the bodies kept beside the lock file."""
    from an1498.deploy import plan_rollback

    with opened(settings, target, state) as session:
        found = plan_rollback(session, number, overwrite)
        show_plan(session, found)
        carry_out(session, found, yes=yes)
