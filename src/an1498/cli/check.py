"""`an1498 check`: lint rules, filters, pipelines, parameters and samples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from an1498 import __version__
from an1498.cli.console import console
from an1498.cli.settings import Settings

if TYPE_CHECKING:
    from an1498.content import Finding

EPILOG = """\b
Examples:
  an1498 check                                  all content of this directory
  an1498 check rules/network samples/my-case    findings in these only
  an1498 check --format sarif > findings.sarif  for code scanning

\b
Exit codes: 0 no errors (warnings and notes may be shown), 1 findings with severity error, 2 content that cannot be loaded.
"""
STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


@click.command(epilog=EPILOG, short_help="Lint rules, filters, pipelines, parameters, samples.")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True, help="How to print findings."
)
@click.pass_context
def check(ctx: click.Context, paths: tuple[Path, ...], form: str) -> None:
    """Lint the content: rules, filters, pipelines, parameters, samples.

    Each finding has a place, a code and a remedy. PATH limits the findings to files and directories; a YAML file outside the
    content is checked as an addition to it, a directory with an an1498.toml as content of its own.
    """
    from an1498.content import check as run

    settings: Settings = ctx.obj
    if settings.root is None and len(paths) == 1 and (paths[0] / "an1498.toml").is_file():
        root, paths = paths[0], ()
    else:
        root = settings.find_root()
    findings = run(root, settings.overlays, paths)
    if form == "text":
        _print_text(findings)
    elif form == "json":
        console.data(json.dumps(_json(findings), indent=2, ensure_ascii=False))
    else:
        from an1498.content.sarif import sarif

        console.data(json.dumps(sarif(findings, __version__), indent=2, ensure_ascii=False))
    if any(finding.malformed for finding in findings):
        ctx.exit(2)
    if any(finding.severity == "error" for finding in findings):
        ctx.exit(1)


def _print_text(findings: Sequence[Finding]) -> None:
    for finding in findings:
        severity = finding.severity.value
        console.styled(
            [
                (f"{finding.location}: ", "bold"),
                (severity, STYLES[severity]),
                (f" {finding.code} {finding.name}: {finding.problem}; {finding.remedy}", ""),
            ]
        )
    counts = _counts(findings)
    told = ", ".join(f"{number} {severity}{'s' * (number != 1)}" for severity, number in counts.items() if number)
    console.message(told or "no findings")


def _json(findings: Sequence[Finding]) -> dict[str, object]:
    rows = [
        {
            "file": finding.location.file,
            "line": finding.location.line,
            "column": finding.location.column,
            "code": finding.code,
            "name": finding.name,
            "severity": finding.severity.value,
            "problem": finding.problem,
            "remedy": finding.remedy,
        }
        for finding in findings
    ]
    return {**_counts(findings), "findings": rows}


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    return {severity: sum(finding.severity == severity for finding in findings) for severity in STYLES}
