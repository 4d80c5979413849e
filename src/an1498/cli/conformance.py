"""`an1498 conformance`: correlation cases as data, run through our compiler, the official backends and sqlite."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from an1498.cli.console import console
from an1498.cli.settings import Settings
from an1498.errors import UsageError

EPILOG = """\b
Examples:
  an1498 conformance                               who passes what
  an1498 conformance --backend an1498-spl --backend pysigma-splunk
  an1498 conformance my-cases --format json        any directory of cases (format: conformance/README.md)

\b
Backends:
  reference                                    brute force, written from the semantics alone
  an1498-spl, an1498-esql, an1498-eql          this pack's compiler, its text executed by replay
  pysigma-splunk, pysigma-esql, pysigma-eql    the official backends' text, executed by replay
  sqlite                                       pysigma-backend-sqlite on sqlite3 (extra: an1498[test])

Exit code 1 where the reference or one of this pack's languages gives a wrong answer. Nothing here runs on Splunk or Elasticsearch.
"""
STYLES = {"head": "bold", "fail": "red"}


@click.command(epilog=EPILOG, short_help="Run the public correlation cases through every backend.")
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--backend", "backends", metavar="NAME", multiple=True, help="Only this backend; may be repeated.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True, help="Output.")
@click.pass_context
def conformance(ctx: click.Context, directory: Path | None, backends: tuple[str, ...], form: str) -> None:
    """Run the cases of DIR (default: those that come with the program) through each backend and tell who passes what."""
    from an1498.content.pack import packaged_root
    from an1498.proof.conformance import load_cases
    from an1498.proof.conformance.page import lines, refusals, to_json, to_markdown
    from an1498.proof.conformance.suite import BACKENDS, run

    settings: Settings = ctx.obj
    for name in backends:
        if name not in BACKENDS:
            near = difflib.get_close_matches(name, BACKENDS, n=1)
            raise UsageError(
                f"there is no backend '{name}'; " + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(BACKENDS)}")
            )
    default = (settings.root or packaged_root()) / "conformance"
    suite = run(load_cases(directory or default), tuple(dict.fromkeys(backends)))
    if form == "json":
        console.data(to_json(suite))
    elif form == "markdown":
        console.data(to_markdown(suite))
    else:
        for style, line in lines(suite):
            console.styled([(line, STYLES.get(style, ""))])
        for line in refusals(suite):
            console.message(f"note: {line}")
    ctx.exit(1 if suite.failed else 0)
