"""The group `an1498`, its global options, and the last line that turns every outcome into an exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from an1498 import __version__
from an1498.cli.console import console
from an1498.cli.settings import Settings
from an1498.errors import An1498Error

COMMANDS = (
    "check",
    "build",
    "show",
    "explain",
    "test",
    "replay",
    "hunt",
    "readiness",
    "baseline",
    "assets",
    "prove",
    "conformance",
    "plan",
    "apply",
    "rollback",
    "drift",
    "verify",
)

INTERRUPTED = 130
BROKEN_PIPE = 141
"""What a shell reports for a program ended by SIGINT and SIGPIPE: 128 + the signal's number."""

EPILOG = """\b
Examples:
  an1498 check                          lint the content in this directory
  an1498 build --target splunk          write dist/splunk/searches.json
  an1498 show RULE --language eql       print one search, ready to paste
  an1498 explain RULE                   what it means, in words
  an1498 test                           replay the sample logs through every search
  an1498 hunt archive/ --report r.html  run the pack over raw logs
  an1498 --env prod.toml build          with an overlay over an1498.toml

\b
Exit codes:
  0  good
  1  findings, or alerts other than expected, or a rule that a language cannot say
  2  bad input or usage: the message names the file and line
  3  something outside failed: a disk, a SIEM
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed, so that `--help` stays instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            ctx.fail(f"there is no command '{cmd_name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        command = getattr(importlib.import_module(f"an1498.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Content to use: a directory with an1498.toml.  [default: the working directory if it has one, else the packaged content]",
)
@click.option(
    "--env", "overlays", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="Overlay over an1498.toml; may be repeated."
)
@click.option("--debug", is_flag=True, help="Show a traceback where something fails.")
@click.version_option(__version__, prog_name="an1498")
@click.pass_context
def cli(ctx: click.Context, root: Path | None, overlays: tuple[Path, ...], debug: bool) -> None:
    """Detections for MITRE ATT&CK analytic AN1498 (macOS), as searches for Splunk and Elastic.

    The content (Sigma rules, correlations, layouts, parameters) is compiled to SPL, EQL, ES|QL and Lucene, and the emitted text
    is executed over raw sample logs. Data goes to stdout, messages to stderr.
    """
    ctx.obj = Settings(root, overlays, debug)


def main() -> NoReturn:
    """The console script: run the command line of this process and exit."""
    if "_AN1498_COMPLETE" in os.environ:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(cli, {}, "an1498", "_AN1498_COMPLETE", os.environ["_AN1498_COMPLETE"]))
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code."""
    code = _invoke(arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more at its end, and would complain about the same again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        console.message(f"an1498: stdout: {error.strerror}")
        return 3
    return code


def _invoke(arguments: Sequence[str]) -> int:
    debug = "--debug" in arguments
    try:
        # Not `cli.main`, which has its own ideas of Ctrl-C and of a closed pipe.
        with cli.make_context("an1498", list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as outcome:
        return outcome.exit_code
    except click.ClickException as error:
        hint = f"; see: {error.ctx.command_path} --help" if isinstance(error, click.UsageError) and error.ctx else ""
        console.message(f"an1498: {error.format_message().rstrip('.')}{hint}")
        return 2
    except BrokenPipeError:
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        console.message("an1498: interrupted")
        return INTERRUPTED
    except Exception as error:
        if debug:
            raise
        console.message(_one_line(error))
        return error.exit_code if isinstance(error, An1498Error) else 3
    return 0


def _one_line(error: Exception) -> str:
    if isinstance(error, An1498Error):
        return f"an1498: {error}"
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return f"an1498: {error.filename}: {what}" if error.filename else f"an1498: {what}"
    return f"an1498: a fault in an1498 itself: {type(error).__name__}: {error}; run again with --debug and report what it prints"
