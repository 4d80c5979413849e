"""Build the Splunk apps and ask Splunk AppInspect about them: no failure, no warning. `make test` runs this; it prints the counts.

    python tests/ship/splunk/appinspect.py PATH/TO/splunk-appinspect

Exit code 0 where every app is clean, 1 where one is not. Where AppInspect cannot run at all (it needs the C library libmagic) it says so
in words on stderr: the apps are then unchecked, which on a build server (environment variable CI) counts as a failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
# Everything, then what Splunk Cloud asks of a customer's private app.
RUNS: dict[str, list[str]] = {
    "precert": ["--mode", "precert"],
    "cloud": ["--mode", "precert", "--included-tags", "cloud"],
    "private_app": ["--mode", "precert", "--included-tags", "private_app"],
}
TARGETS = ("splunk", "splunk-corelight", "splunk-staged")
BAD = ("failure", "error", "warning", "future_failure")


def main(program: Path) -> int:
    found = subprocess.run([program, "list", "version"], capture_output=True, text=True, check=False) if program.is_file() else None
    if found is None or found.returncode:
        why = "it is not installed" if found is None else (found.stderr.strip().splitlines() or ["it ends at once"])[-1]
        sys.stderr.write(f"appinspect: NOT RUN, the Splunk apps are unchecked: {program}: {why}\n")
        return 1 if os.environ.get("CI") else 0
    sys.stdout.write(f"{found.stdout.strip()}\n")
    with tempfile.TemporaryDirectory(prefix="an1498-appinspect-") as directory:
        out = Path(directory)
        command: list[str | Path] = [Path(sys.executable).parent / "an1498", "--root", ROOT, "--env", ROOT / "environments" / "staged.toml"]
        command += ["build", "--out", out, *(argument for target in TARGETS for argument in ("--target", target))]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        apps = sorted(out.glob("*/an1498-*.tar.gz"))
        clean = [inspect(program, app, run, out / "report.json") for app in apps for run in RUNS]
    return 0 if clean and all(clean) else 1


def inspect(program: Path, app: Path, run: str, report_file: Path) -> bool:
    command: list[str | Path] = [program, "inspect", app, *RUNS[run], "--output-file", report_file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not report_file.is_file():
        sys.stdout.write(f"{app.parent.name} {run}: AppInspect ended with {done.returncode}\n{done.stdout}{done.stderr}\n")
        return False
    report = json.loads(report_file.read_text(encoding="utf-8"))
    report_file.unlink()
    summary: dict[str, int] = report["summary"]
    counts = ", ".join(f"{count} {name}" for name, count in summary.items())
    sys.stdout.write(f"{app.parent.name} {run}: {counts}\n")
    for line in problems(report):
        sys.stdout.write(f"  {line}\n")
    return summary["success"] > 0 and not any(summary.get(name) for name in BAD)


def problems(report: dict[str, Any]) -> Iterator[str]:
    for app in report["reports"]:
        for group in app["groups"]:
            for check in group["checks"]:
                if check["result"] in BAD:
                    yield from (f"{check['result']}: {check['name']}: {message['message']}" for message in check["messages"])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
