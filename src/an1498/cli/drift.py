"""`an1498 drift`: what people changed in the SIEM since the last apply."""

from __future__ import annotations

from pathlib import Path

import click

from an1498.cli.console import console
from an1498.cli.deploying import opened, show, state_option, target_option
from an1498.cli.settings import Settings

EPILOG = """\b
Examples:
  an1498 drift --target elastic                 exit code 1 if a deployed object was changed, deleted or added to
  an1498 drift --target elastic --format json   the same for programs

\b
Local tuning (enabled or disabled, schedule, filter macros, exceptions, actions) is listed as `tuned` and is no drift.
Exit code 3 where the SIEM does not answer.
"""


@click.command(epilog=EPILOG, short_help="List what was changed in the SIEM since the last apply.")
@target_option
@state_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output.")
@click.pass_context
def drift(ctx: click.Context, target: str, state: Path, form: str) -> None:
    """Compare every deployed object with what the last apply left."""
    import json

    from an1498.deploy import find_drift
    from an1498.deploy.drift import drifted
    from an1498.deploy.text import drift_data, drift_lines

    settings: Settings = ctx.obj
    with opened(settings, target, state) as session:
        found = find_drift(session.siem, session.store, session.lock)
        for line in session.recovered:
            console.message(f"interrupted apply: {line}; `an1498 apply` goes on from there")
        if form == "json":
            console.data(json.dumps(drift_data(found), indent=2, ensure_ascii=False))
        else:
            show(drift_lines(found))
            console.data(f"{len(session.lock.entries)} objects deployed, {sum(d.kind != 'tuned' for d in found)} drifted")
    ctx.exit(1 if drifted(found) else 0)
