"""`an1498 apply`: bring a build to the target's SIEM."""

from __future__ import annotations

from pathlib import Path

import click

from an1498.cli.console import console
from an1498.cli.deploying import build_option, carry_out, opened, overwrite_option, show_plan, state_option, target_option, yes_option
from an1498.cli.settings import Settings
from an1498.errors import StateChanged, UsageError

EPILOG = """\b
Examples:
  an1498 apply --target elastic                  plan, ask, write
  an1498 apply --target elastic --plan plan.json write exactly what was planned and reviewed
  an1498 apply --target splunk --yes             in a pipeline

\b
Nothing is written that the plan does not show. Exit code 1 where the SIEM changed since the plan, 3 where it refused or did not answer;
what was written until then is in the lock file, and the next apply goes on from there.
"""


@click.command(epilog=EPILOG, short_help="Bring a build to the SIEM.")
@target_option
@build_option
@state_option
@overwrite_option
@click.option(
    "--plan",
    "planned",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Only if the plan is still what this file says; does not ask.",
)
@yes_option
@click.pass_obj
def apply(settings: Settings, target: str, built: Path, state: Path, overwrite: tuple[str, ...], planned: Path | None, yes: bool) -> None:
    """Write what a plan shows, in an order that keeps rules working, and record it in the lock file."""
    from an1498.deploy import plan_build
    from an1498.deploy.plan_file import read_plan, stale

    shown = read_plan(planned) if planned else None
    if shown is not None and overwrite:
        raise UsageError("--overwrite-local goes into the plan: give it to `an1498 plan`")
    with opened(settings, target, state) as session:
        found = plan_build(session, built, shown["overwrite"] if shown else overwrite)
        if shown is None:
            show_plan(session, found)
        else:
            changed = stale(found, shown)
            for line in changed:
                console.message(line)
            if changed:
                raise StateChanged(f"{planned}: {len(changed)} objects are not as the plan saw them; nothing is written, plan again")
        carry_out(session, found, yes=yes or shown is not None)
