"""Proof tests record what they compared (`record_property("evidence", …)`); the run's last lines show it, with xdist too."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [value for report in terminalreporter.getreports("passed") for name, value in report.user_properties if name == "evidence"]
    if lines:
        terminalreporter.section("evidence")
        for line in sorted(map(str, lines)):
            terminalreporter.write_line(line)
