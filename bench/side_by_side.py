"""Our hunt and other tools on the same generated events, one after the other: `.venv/bin/python bench/side_by_side.py [--zircolite DIR]`.

Prints seconds (wall and processor), events per second, peak memory, what was found, and our rate divided by theirs. A tool that is not
there is named with the reason. Zircolite is no package: give the path of a checkout of its repository (GitHub, wagga40/Zircolite); its
requirements are installed into an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from an1498.hunt.hosts import read_map

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from bench import hunt as generator  # noqa: E402
from bench import rivals  # noqa: E402

ZIRCOLITE_VENV = ROOT / ".venv-zircolite"


@dataclass(frozen=True)
class Run:
    """One process: wall and processor seconds, peak memory of its largest process in MiB, what it printed."""

    name: str
    events: int
    wall: float
    cpu: float
    memory: float
    found: str

    @property
    def rate(self) -> float:
        return self.events / self.wall


def measured(name: str, events: int, command: Sequence[str], allowed: Sequence[int] = (0,), *, cwd: Path = ROOT) -> Run:
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode not in allowed:
        sys.exit(f"bench: {name} ended with {process.returncode}: {' '.join(command)}")
    return Run(name, events, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def ours(name: str, folder: Path, events: int, overlay: Path, rules: Sequence[str]) -> tuple[Run, dict[str, int]]:
    command = [sys.executable, "-m", "an1498", "--env", str(overlay), "hunt", str(folder / "unifiedlog"), str(folder / "zeek")]
    command += ["--host-map", str(folder / "hosts.csv"), "--format", "json", *(part for rule in rules for part in ("--rules", rule))]
    run = measured(name, events, command, (0, 1))
    counts: dict[str, int] = {}
    for line in run.found.splitlines():
        rule = json.loads(line)["rule"]
        counts[rule] = counts.get(rule, 0) + 1
    return run, counts


def sqlite(
    name: str, events_file: Path, events: int, work: Path, searches: Mapping[str, str], columns: Sequence[str]
) -> tuple[Run, dict[str, int]]:
    task = work / "searches.json"
    task.write_text(json.dumps({"columns": list(columns), "searches": dict(searches)}), encoding="utf-8")
    run = measured(name, events, [sys.executable, str(HERE / "rival_sqlite.py"), str(events_file), str(task)])
    return run, json.loads(run.found)


def zircolite(checkout: Path, events_file: Path, events: int, work: Path, ruleset: str) -> tuple[Run, dict[str, int]]:
    python = ZIRCOLITE_VENV / "bin" / "python"
    if not python.exists():
        venv.create(ZIRCOLITE_VENV, with_pip=True)
        subprocess.run([python, "-m", "pip", "-q", "install", "-r", checkout / "requirements.txt"], check=True, capture_output=True)
    rules, out = work / "ruleset.json", work / "zircolite.json"
    rules.write_text(ruleset, encoding="utf-8")
    command = [str(python), "zircolite.py", "-e", str(events_file), "-j", "-r", str(rules), "--no-event-filter", "-q"]
    command += ["-o", str(out), "-l", str(work / "zircolite.log")]
    run = measured(f"Zircolite {zircolite_version(checkout)}, event rules", events, command, cwd=checkout)
    found = json.loads(out.read_text(encoding="utf-8"))
    return run, {one["title"]: one["count"] for one in found}


def zircolite_version(checkout: Path) -> str:
    text = (checkout / "zircolite.py").read_text(encoding="utf-8")
    return text.partition('version = "')[2].partition('"')[0] or "unknown"


def show(run: Run) -> None:
    print(f"{run.name:<46} {run.events:>10,} {run.wall:>8.2f} {run.cpu:>8.2f} {run.rate:>11,.0f} {run.memory:>8,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="unified log records, and as many ssl.log rows")
    parser.add_argument("--zircolite", type=Path, metavar="DIR", help="a checkout of Zircolite's repository")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where generated events are kept, and used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="an1498-bench-") as temporary:
        work = Path(temporary)
        bench(options.events, options.zircolite, options.data or work, work)


def bench(events: int, checkout: Path | None, data: Path, work: Path) -> None:
    overlay = work / "site.toml"
    overlay.write_text(rivals.OVERLAY, encoding="utf-8")
    pack = rivals.pack(overlay)
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    print(f"{'':<46} {'events':>10} {'wall s':>8} {'cpu s':>8} {'events/s':>11} {'MiB':>8}")
    folder, tenth = generated(data, events), generated(data, events // 10)
    wrong: list[str] = []
    part, counts = ours("an1498 hunt, all correlations", tenth, events // 10 * 2, overlay, [])
    show(part)
    check(counts.get(rivals.ORDERED, 0), "an1498 hunt", wrong)
    whole, counts = ours("an1498 hunt, all correlations", folder, 2 * events, overlay, [])
    show(whole)
    check(counts.get(rivals.ORDERED, 0), "an1498 hunt", wrong)
    rules, expected = ours(f"an1498 hunt, {len(rivals.RULES)} event rules", folder, 2 * events, overlay, rivals.RULES)
    show(rules)

    hosts = {Path(path).name: host for path, host in read_map(folder / "hosts.csv")}
    lines = work / "events.json"
    with lines.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in chain(rivals.events(folder, hosts), [rivals.every_field(pack)]))
    ratios: list[str] = []

    def compare(run: Run, own: Run) -> None:
        show(run)
        ratios.append(f"an1498 / {run.name}: {own.rate / run.rate:.1f} × the events per second")

    if checkout is None:
        print("Zircolite is not measured: it is no package; clone wagga40/Zircolite from GitHub and give --zircolite DIR")
    else:
        run, counts = zircolite(checkout, lines, 2 * events, work, rivals.ruleset(pack))
        compare(run, rules)
        same(counts, expected, "Zircolite", wrong)
    columns = rivals.columns(pack)
    if find_spec("sigma.backends.sqlite") is None:
        print("pysigma-backend-sqlite is not measured: it is not installed; install an1498[test]")
    else:
        name = f"pysigma-backend-sqlite {version('pysigma-backend-sqlite')}"
        run, counts = sqlite(f"{name}, event rules", lines, 2 * events, work, rivals.sql(pack), columns)
        compare(run, rules)
        same(counts, expected, "sqlite", wrong)
        run, counts = sqlite(f"{name}, ordered", lines, 2 * events, work, {rivals.ORDERED: rivals.ordered_sql(pack)}, columns)
        compare(run, whole)
        check(counts[rivals.ORDERED], "sqlite", wrong)
    try:
        name = f"PyPI eql {version('eql')}, ordered"
    except PackageNotFoundError:
        print("PyPI eql is not measured: it is not installed; install an1498[test]")
    else:
        query = work / "query.eql"
        query.write_text(rivals.eql_text(pack), encoding="utf-8")
        run = measured(name, 2 * events, [sys.executable, str(HERE / "rival_eql.py"), str(lines), str(query)])
        compare(run, whole)
        check(json.loads(run.found)["sequences"], "eql", wrong)
    print("", *ratios, sep="\n")
    print(f"an1498, 10 × the events: {whole.wall / part.wall:.1f} × the time")
    if wrong:
        sys.exit("bench: " + "; ".join(wrong))


def generated(data: Path, events: int) -> Path:
    folder = data / f"hunt-{events}"
    if not (folder / "hosts.csv").exists():
        generator.generate(folder, events)
    return folder


def check(found: int, who: str, wrong: list[str]) -> None:
    if found != generator.INCIDENTS:
        wrong.append(f"{who} found {found} of {generator.INCIDENTS} incidents")


def same(counts: dict[str, int], expected: dict[str, int], who: str, wrong: list[str]) -> None:
    found = {name: count for name, count in counts.items() if count}
    if found != expected:
        wrong.append(f"{who} matched {found}, an1498 {expected}")


if __name__ == "__main__":
    main()
