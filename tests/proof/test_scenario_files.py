"""Random raw-log scenarios through `an1498 test --samples`, as an outside test runs them."""

from __future__ import annotations

import json
import random
from pathlib import Path

from click.testing import CliRunner

from an1498.cli.program import cli
from an1498.content import find_root, load_pack
from an1498.proof.palette import KINDS, draw
from an1498.proof.scenario_files import write

SCENARIOS = 60


def test_random_scenarios_pass_on_every_target(tmp_path: Path) -> None:
    root = find_root(None)
    pack = load_pack(root)
    rng = random.Random(1498)
    for number in range(SCENARIOS):
        write(pack, draw(rng, KINDS, (300, 600), 30), tmp_path / f"random-{number:03}", rng)
    done = CliRunner().invoke(cli, ["--root", str(root), "test", "--samples", str(tmp_path), "--format", "json"])
    report = json.loads(done.stdout)
    assert [result for result in report["results"] if result["status"] != "pass"] == []
    assert done.exit_code == 0
    assert report["scenarios"] == SCENARIOS
    assert sum(len(result["expected"]) for result in report["results"]) > 100
