"""Prints how long the commands take: `make bench`, or `.venv/bin/python bench/measure.py`. Nothing fails on a slow machine.

Wall time of whole processes, the median of several runs after one that warms the disk cache.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AN1498 = [sys.executable, "-m", "an1498"]
COPIES = 20


def wall(command: Sequence[str], runs: int) -> float:
    """Median seconds of a command that must succeed."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def show(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:<44} {seconds:7.2f} s  {more}".rstrip())


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        show("an1498 --help", wall([*AN1498, "--help"], 5), "budget 0.3 s")
        build = wall([*AN1498, "build", "--out", str(work / "dist")], 5)
        show("an1498 build (all targets)", build, "budget 2 s")
        replay = wall([*AN1498, "test", "--build", str(work / "dist"), "--matrix"], 3)
        show("make demo after set-up (build + test)", build + replay, "budget 20 s")
        show("an1498 check", wall([*AN1498, "check"], 3))
        scenarios = sorted((ROOT / "samples").iterdir())
        for copy in range(COPIES):
            for scenario in scenarios:
                shutil.copytree(scenario, work / "samples" / f"{scenario.name}-{copy}")
        many = wall([*AN1498, "test", "--samples", str(work / "samples")], 1)
        number = COPIES * len(scenarios)
        show(f"an1498 test, {number} scenarios", many, f"{number / many:.0f} scenarios/s")


if __name__ == "__main__":
    main()
