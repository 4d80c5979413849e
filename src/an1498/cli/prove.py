"""`an1498 prove`: the evidence that the emitted searches mean what the rules say, as one page."""

from __future__ import annotations

from pathlib import Path

import click

from an1498.cli.console import console
from an1498.cli.settings import Settings

EPILOG = """\b
Examples:
  an1498 prove                             a quick look: a sample of streams and mutants
  an1498 prove --long                      every mutant, 15,000 streams per correlation type
  an1498 prove --long --format markdown --out proof.md
                                           the long run as a Markdown page, written when it is whole

It executes the emitted text on this program's own evaluator, never on Splunk or Elasticsearch, and asks the oracles that are installed
(extra `test`; AN1498_ESQL_PYTHON names a Python that has Elastic's ES|QL grammar). Exit code 1 on an undeclared difference, on a mutant
that survives without a declared reason, and on an oracle that compared nothing.
"""


@click.command(epilog=EPILOG, short_help="Print the evidence for the emitted searches.")
@click.option("--long", "thorough", is_flag=True, help="The long run instead of the quick one.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True, help="Output.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file instead of stdout.")
@click.pass_context
def prove(ctx: click.Context, thorough: bool, form: str, out: Path | None) -> None:
    """Execute every search over random streams, samples and mutants; ask other engines; print what was found."""
    from an1498.cli.whole_file import write_whole
    from an1498.proof import page
    from an1498.proof.budget import LONG, QUICK
    from an1498.proof.prove import prove as run

    settings: Settings = ctx.obj
    root = settings.load_pack().root
    label = "long (`an1498 prove --long`)" if thorough else "quick (`an1498 prove`)"
    evidence = run(root, settings.overlays, LONG if thorough else QUICK, label, console.message)
    write = {"json": page.to_json, "markdown": page.to_markdown, "text": page.to_text}[form]
    if out is None:
        console.data(write(evidence))
    else:
        write_whole(out, write(evidence) + "\n")
    for problem in evidence.problems:
        console.message(f"an1498: {problem}", "red")
    ctx.exit(1 if evidence.problems else 0)
