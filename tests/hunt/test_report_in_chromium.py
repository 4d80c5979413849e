"""The page in a real, headless Chromium. Collected where there is one (conftest.py); CI installs it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from an1498.hunt.engine import Hunt
from an1498.hunt.report import page
from an1498.model import Pack

CHROMIUM = [
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000"),
]


def test_chromium_shows_the_page_and_runs_nothing_in_it(found: Hunt, pack: Pack, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(found, pack), encoding="utf-8")
    command = [*CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "<title>AN1498 hunt</title>" in dom
    assert dom.count("<circle") == 2 and dom.count('class="window"') == 1
    assert "<script" not in dom and "<img" not in dom
