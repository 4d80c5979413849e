"""`an1498 readiness`: the analyst's questions answered with evidence from logs, or as searches for a live SIEM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from an1498.cli.console import console
from an1498.cli.names import known_target
from an1498.cli.progress import telling
from an1498.cli.settings import Settings
from an1498.errors import UsageError

if TYPE_CHECKING:
    from an1498.model import Target
    from an1498.readiness import Assessment

EPILOG = """\b
Examples:
  an1498 readiness logs/ --host mac-042=10.20.0.42   files and directories; whose unified log it is
  an1498 readiness logs/ --format html --out page.html
  an1498 readiness logs/ --level good                exit 1 below that level
  an1498 readiness --queries --target elastic        searches that ask a live SIEM the same

\b
Levels: 0 none, 1 poor, 2 partial, 3 good, 4 full; docs/readiness.md says what each question counts.
Exit codes: 0 the level is reached, 1 it is not, 2 bad input or usage.
"""
STYLES = ("bold red", "red", "yellow", "green", "green")


@click.command(epilog=EPILOG, short_help="What logs carry, what is missing, what to switch on.")
@click.argument("logs", metavar="[LOGS]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["table", "json", "html"]), default="table", show_default=True, help="Output.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write there instead of to stdout.")
@click.option("--level", "wanted", metavar="N|NAME", default="0", help="Exit 1 below this level.")
@click.option("--host", "host_options", metavar="NAME=ADDRESS", multiple=True, help="Whose unified log it is; may be repeated.")
@click.option("--host-map", metavar="FILE", type=click.Path(path_type=Path), help="The same as a map: path,name,ip.")
@click.option("--timezone", metavar="ZONE", default="", help="Of text logs without an offset: UTC, +02:00, Europe/Berlin.  [default: UTC]")
@click.option("--target", metavar="T", help="Environment.  [default: the first for Splunk; with --queries the first]")
@click.option("--queries", "as_queries", is_flag=True, help="Print searches for the target instead of reading logs.")
@click.pass_context
def readiness(
    ctx: click.Context,
    logs: tuple[Path, ...],
    form: str,
    out: Path | None,
    wanted: str,
    host_options: tuple[str, ...],
    host_map: Path | None,
    timezone: str,
    target: str | None,
    as_queries: bool,
) -> None:
    """Ask logs what the analytic needs: key use, launchd, trust, certificates, joins, clocks, retention; and which rules can fire."""
    from an1498.readiness import assess, level_named

    settings: Settings = ctx.obj
    pack = settings.load_direct_pack()
    if as_queries:
        if logs:
            raise UsageError("--queries asks a live SIEM: give no LOGS with it")
        _write(_queries(known_target(pack, target), form), out)
        return
    if not logs:
        raise UsageError("give LOGS, files or directories, or --queries")
    from an1498.baseline.kept import splunk_target
    from an1498.hunt.hosts import find_hosts

    level = level_named(wanted)
    hosts = find_hosts(logs, host_map, host_options, timezone)
    with telling() as progress:
        assessment = assess(pack, splunk_target(pack, target), logs, hosts, progress)
    _show(assessment, form, out)
    ctx.exit(1 if assessment.level < level else 0)


def _show(assessment: Assessment, form: str, out: Path | None) -> None:
    from an1498.readiness.page import to_html
    from an1498.readiness.report import to_json
    from an1498.readiness.table import lines

    if form == "json":
        _write(to_json(assessment), out)
    elif form == "html":
        _write(to_html(assessment), out)
    elif out is not None:
        _write("\n".join(line for line, _ in lines(assessment)), out)
    else:
        for line, level in lines(assessment):
            console.styled([(line, "" if level is None else STYLES[level])])


def _queries(target: Target, form: str) -> str:
    from an1498.readiness import queries

    found = list(queries(target))
    if form == "json":
        rows = [
            {"question": one.question, "title": one.title, "target": one.target, "language": one.language.value, "text": one.text}
            for one in found
        ]
        return json.dumps(rows, indent=2, ensure_ascii=False)
    if form == "html":
        raise UsageError("--queries prints text or JSON: use --format table or json")
    return "\n\n".join(f"# {one.question}: {one.title}\n{one.text}" for one in found)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        console.data(text)
    else:
        from an1498.cli.whole_file import write_whole

        write_whole(out, text.rstrip("\n") + "\n")
