"""`an1498 test`: replay raw sample logs through every built search and compare the alerts with what scenarios expect."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from an1498.cli.compiling import compiled
from an1498.cli.names import known_targets
from an1498.cli.reporting import show_report
from an1498.cli.settings import Settings

if TYPE_CHECKING:
    from an1498.model import Pack
    from an1498.ship import Build

EPILOG = """\b
Examples:
  an1498 test                              the content's samples, searches compiled now
  an1498 test --build dist                 the searches of an existing build
  an1498 test --samples my-logs            any directory of scenarios (scenario.yml + raw logs), or one of them
  an1498 test --target elastic --format junit > report.xml

The searches are written as a build, and their text is read back from its files. Exit code 1 where alerts differ from `expect`; for
each difference the report tells which raw events (file:line) every stage matched and where the chain broke.
"""


@click.command(epilog=EPILOG, short_help="Replay scenarios through every built search.")
@click.option("--samples", metavar="DIR", type=click.Path(path_type=Path), help="Scenarios.  [default: samples/ of the content]")
@click.option("--target", "targets", metavar="T", multiple=True, help="Only this target; may be repeated.")
@click.option("--build", "built", metavar="DIR", type=click.Path(path_type=Path), help="Use this build instead of compiling.")
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True, help="Output.")
@click.option("--matrix", is_flag=True, help="Text: also every correlation × language × scenario.")
@click.pass_context
def test(ctx: click.Context, samples: Path | None, targets: tuple[str, ...], built: Path | None, form: str, matrix: bool) -> None:
    """Replay every scenario through every built search."""
    from an1498.replay.lost import diagnosed
    from an1498.replay.scenarios import load_scenarios, run_scenarios

    settings: Settings = ctx.obj
    pack = settings.load_pack()
    chosen = known_targets(pack, targets)
    scenarios = load_scenarios(samples or pack.root / "samples", pack)
    build = _build(pack, chosen, built)
    report = run_scenarios(pack, build.searches, build.macros, scenarios)
    show_report(diagnosed(report, pack, build.searches, build.macros, scenarios), form, matrix)
    ctx.exit(1 if report.failures else 0)


def _build(pack: Pack, targets: tuple[str, ...], built: Path | None) -> Build:
    """The build as its files say; without one, what `an1498 build` would write now."""
    from an1498.ship import read_build, write_build

    if built is not None:
        return read_build(built, targets)
    with tempfile.TemporaryDirectory(prefix="an1498-") as directory:
        write_build(compiled(pack, targets, notes=False), Path(directory))
        return read_build(Path(directory), targets)
