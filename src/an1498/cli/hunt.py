"""`an1498 hunt`: run the pack over archives of raw logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from an1498.cli.console import console
from an1498.cli.names import known_rule, known_target
from an1498.cli.settings import Settings

if TYPE_CHECKING:
    from an1498.hunt.engine import Hunt

EPILOG = """\b
Examples:
  an1498 hunt system_logs.ndjson /var/log/zeek/2026-01-15 --host mac-042=10.20.0.42
  an1498 hunt archive/ --host-map hosts.csv --report report.html --rejects rejects.ndjson
  an1498 hunt zeek/ --rules zeek_tls_self_signed_certificate --format csv

\b
LOGS are files or directories: unified log (ndjson), Zeek (TSV, JSON); plain, gzip or zstd. The unified log does not say which
machine wrote it: give --host, a map, or a file hosts.csv beside the logs, with the columns path,name,ip;
or have Zeek's dhcp.log among LOGS and the machine's name as a directory or file name.

\b
Exit codes: 0 no alert, 1 alerts, 2 bad input (also where part of the input could not be read and nothing else was found).
"""


_FILE = click.Path(path_type=Path)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_RULES = "Rules to run, correlations or event rules; commas or repeated.  [default: all correlations]"
_HOST = "Whose unified logs those are that lie in a directory, or a file, of this name."
_MAP = "CSV with path,name,ip.  [default: hosts.csv beside the logs]"
_MEMORY = "Memory for DuckDB; what needs more is spilled to disk."


@click.command(epilog=EPILOG, short_help="Run the pack over archives of raw logs.")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--target", metavar="T", default="splunk", show_default=True, help="Whose searches to run; a Splunk target.")
@click.option("--rules", metavar="RULE", multiple=True, help=_RULES)
@click.option("--host", "host_options", metavar="NAME=ADDRESS", multiple=True, help=_HOST)
@click.option("--host-map", metavar="FILE", type=_FILE, help=_MAP)
@click.option("--timezone", metavar="ZONE", default="", help="Of text logs without an offset: UTC, +02:00, Europe/Berlin.  [default: UTC]")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True, help="Output.")
@click.option("--report", metavar="FILE", type=_FILE, help="Also write one self-contained HTML page.")
@click.option("--rejects", metavar="FILE", type=_FILE, help="Also write the lines that could not be read, as JSON lines.")
@click.option("--memory", metavar="MB", type=click.IntRange(64), default=1024, show_default=True, help=_MEMORY)
@click.option("--temp", metavar="DIR", type=_FOLDER, help="Where temporary files go.")
@click.pass_context
def hunt(
    ctx: click.Context,
    logs: tuple[Path, ...],
    target: str,
    rules: tuple[str, ...],
    host_options: tuple[str, ...],
    host_map: Path | None,
    timezone: str,
    form: str,
    report: Path | None,
    rejects: Path | None,
    memory: int,
    temp: Path | None,
) -> None:
    """Run the pack's searches over archives of raw logs."""
    from an1498.hunt.engine import hunt as run_hunt
    from an1498.hunt.hosts import find_hosts

    settings: Settings = ctx.obj
    pack = settings.load_direct_pack()
    chosen = known_target(pack, target).name
    names = [known_rule(pack, name.strip()).name for item in rules for name in item.split(",") if name.strip()]
    hosts = find_hosts(logs, host_map, host_options, timezone)
    with console.progress() as progress:
        found = run_hunt(pack, chosen, logs, rules=names, hosts=hosts, rejects_file=rejects, memory_mb=memory, work=temp, progress=progress)
    _show(found, form)
    if report is not None:
        from an1498.cli.whole_file import write_whole
        from an1498.hunt.report import page

        write_whole(report, page(found, pack))
    _tell(found)
    ctx.exit(1 if found.findings else 2 if found.problems or found.not_run else 0)


def _show(found: Hunt, form: str) -> None:
    from an1498.hunt.output import csv_lines, json_lines, table_lines

    lines = {"json": json_lines, "csv": csv_lines, "table": table_lines}[form](found)
    for line in lines:
        console.data(line)


def _tell(found: Hunt) -> None:
    """What was read and what was not, on stderr."""
    from an1498.hunt.output import notes

    for text, style in notes(found):
        console.message(text, style)
