"""`an1498 verify --live`: load the samples into a SIEM, run the built searches there, compare the alerts with what scenarios expect."""

from __future__ import annotations

from pathlib import Path

import click

from an1498.cli.deploying import build_option, target_option
from an1498.cli.names import known_target
from an1498.cli.reporting import show_report
from an1498.cli.settings import Settings
from an1498.errors import UsageError

EPILOG = """\b
Examples:
  an1498 verify --target elastic --live                        all samples, all built searches
  an1498 verify --target splunk --live --samples samples/ipv6  one scenario
  an1498 test --target elastic                                 the same without a SIEM, on the embedded evaluator

\b
Writes sample events, but only into a data stream namespace (Elastic) or an index (Splunk) whose name begins with an1498test or
an1498_test, and removes them at the end. docs/deploy.md says what it needs. Exit code 1 where alerts differ from `expect`.
"""


@click.command(epilog=EPILOG, short_help="Run the samples through the searches in a live SIEM.")
@target_option
@build_option
@click.option("--live", is_flag=True, help="Write sample events into the target's SIEM; nothing is done without it.")
@click.option("--samples", metavar="DIR", type=click.Path(path_type=Path), help="Scenarios.  [default: samples/ of the content]")
@click.option("--keep", is_flag=True, help="Leave the samples there, to look at them.")
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True, help="Output.")
@click.pass_context
def verify(ctx: click.Context, target: str, built: Path, live: bool, samples: Path | None, keep: bool, form: str) -> None:
    """Load the samples into the target's SIEM, run the built searches by its API, compare, clean up."""
    import os

    from an1498.deploy.verify_live import verify_live
    from an1498.replay.scenarios import load_scenarios
    from an1498.ship import read_build

    if not live:
        raise UsageError("verify writes sample events into a SIEM: say --live; `an1498 test` needs none")
    settings: Settings = ctx.obj
    pack = settings.load_pack()
    chosen = known_target(pack, target)
    scenarios = load_scenarios(samples or pack.root / "samples", pack)
    build = read_build(built, (chosen.name,))
    report = verify_live(chosen, os.environ, build.searches, build.macros.get(chosen.name, {}), scenarios, keep=keep)
    show_report(report, form)
    ctx.exit(1 if report.failures else 0)
