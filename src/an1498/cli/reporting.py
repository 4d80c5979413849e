"""How `test` and `verify` show which alerts were as expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from an1498.cli.console import console

if TYPE_CHECKING:
    from an1498.replay.scenarios import Report

STYLES = {"pass": "green", "fail": "red", "error": "red", "summary": "bold"}


def show_report(report: Report, form: str, with_matrix: bool = False) -> None:
    from an1498.replay.report import lines, matrix, to_json, to_junit

    if form == "json":
        console.data(to_json(report))
    elif form == "junit":
        console.data(to_junit(report))
    else:
        for status, line in lines(report):
            console.styled([(line, STYLES.get(status, ""))])
        if with_matrix:
            console.data("\n".join(["", *matrix(report)]))
    for note in report.skipped:
        console.message(f"note: {note}")
