"""`an1498 plan`: what an apply would do to the target's SIEM."""

from __future__ import annotations

from pathlib import Path

import click

from an1498.cli.console import console
from an1498.cli.deploying import build_option, opened, overwrite_option, show_plan, state_option, target_option
from an1498.cli.settings import Settings

EPILOG = """\b
Examples:
  an1498 plan --target elastic                        show what would be created, updated, deleted, left alone
  an1498 plan --target elastic --out plan.json        and keep it for: an1498 apply --plan plan.json
  an1498 plan --target splunk --overwrite-local NAME  plan to lose the local changes of one object

\b
Reads the SIEM, changes nothing. Where it is and who may read it: docs/deploy.md. Exit code 3 where the SIEM does not answer.
"""


@click.command(epilog=EPILOG, short_help="Show what an apply would do to the SIEM.")
@target_option
@build_option
@state_option
@overwrite_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Also write the plan as JSON.")
@click.option("--all", "every", is_flag=True, help="Text: also the unchanged objects.")
@click.pass_obj
def plan(
    settings: Settings, target: str, built: Path, state: Path, overwrite: tuple[str, ...], form: str, out: Path | None, every: bool
) -> None:
    """Compare the build, the lock file and the SIEM, object by object."""
    import json

    from an1498.deploy import plan_build
    from an1498.deploy.plan_file import plan_data
    from an1498.deploy.state import write

    with opened(settings, target, state) as session:
        found = plan_build(session, built, overwrite)
        text = json.dumps(plan_data(found), indent=2, ensure_ascii=False)
        if form == "json":
            console.data(text)
        else:
            show_plan(session, found, every=every)
        if out is not None:
            write(out, f"{text}\n".encode())
