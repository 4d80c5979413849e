"""`an1498 build`: compile every rule for the targets and write searches.json, one file per search, and macros.conf."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from an1498.cli.compiling import compiled
from an1498.cli.console import console
from an1498.cli.names import known_targets
from an1498.cli.settings import Settings

EPILOG = """\b
Examples:
  an1498 build                              all targets of an1498.toml, into dist/
  an1498 build --target splunk --out /tmp/x  one target, elsewhere
  an1498 --env prod.toml build              with an environment's overlay

\b
Writes per target:
  DIR/<target>/searches.json                every search with schedule, lookback, fields and deviations
  DIR/<target>/searches/<rule>.<language>   each text alone
  DIR/<target>/macros.conf                  Splunk: the macros that the searches use
  DIR/<target>/an1498/…, an1498-V.tar.gz    Splunk: the app, as a directory and packed
  DIR/<target>/bundle/…                     Elastic: rules, exception lists, pipelines, templates, dashboard

The same content gives the same bytes. A rule that no language of a target can say, and that an1498.toml does not skip for it,
fails the build (exit code 1) and nothing is written.
"""


@click.command(epilog=EPILOG, short_help="Compile every rule for the targets.")
@click.option("--target", "targets", metavar="T", multiple=True, help="Only this target; may be repeated.")
@click.option("--out", metavar="DIR", default="dist", show_default=True, type=click.Path(path_type=Path), help="Where to write.")
@click.pass_obj
def build(settings: Settings, targets: tuple[str, ...], out: Path) -> None:
    """Compile every rule and correlation of the content to searches for the targets."""
    from an1498.ship import write_build

    pack = settings.load_pack()
    compilation = compiled(pack, known_targets(pack, targets), notes=True)
    for directory in write_build(compilation, out, pack=pack, prune=not targets):
        counts = Counter(str(search.language) for search in compilation.searches if search.target == directory.name)
        said = ", ".join(f"{number} {language}" for language, number in sorted(counts.items()))
        console.data(f"{directory}/searches.json: {said}")
