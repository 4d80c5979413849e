"""The commands as people run them, over a socket."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from tests.deploy.conftest import ROOT, Bench, Files
from tests.deploy.siem import Killed, reply
from tests.deploy.test_elastic import BURST, edited, model

from an1498.cli.program import run
from an1498.content import load_pack
from an1498.replay.alerts import field_types


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, and the content is read once."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr("an1498.content.load_pack", cache(load_pack))


class Shell:
    """Runs commands in a directory with an overlay that points at the model."""

    def __init__(self, bench: Bench, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys, self.directory = capsys, bench.directory
        self.overlay = bench.directory / "site.toml"
        text = f'[targets.elastic.deploy]\nurl = "{url}"\nelasticsearch_url = "{url}"\nspace = "soc"\n'
        self.overlay.write_text(text, encoding="utf-8")

    def __call__(self, command: str, *options: str) -> tuple[int, str, str]:
        state = ["--state", str(self.directory / "state")]
        build = ["--build", str(self.directory / "dist")] if command in ("plan", "apply") else []
        code = run(["--root", str(ROOT), "--env", str(self.overlay), command, "--target", "elastic", *state, *build, *options])
        found = self.capsys.readouterr()
        return code, found.out, found.err


def test_plan_apply_drift_rollback(
    elastic: Bench, small_elastic: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in elastic.environment.items():
        monkeypatch.setenv(name, value)
    with elastic.model.serving() as url:
        shell = Shell(elastic, url, capsys)
        code, out, _ = shell("plan")
        assert code == 0 and f"+ create rule/{BURST}" in out and "12 create, 0 update, 0 delete, 0 locally-modified, 0 unchanged" in out
        code, _, err = shell("apply")
        assert code == 2 and "nobody is here to ask" in err
        assert shell("apply", "--yes")[0] == 0
        code, out, _ = shell("drift")
        assert (code, out) == (0, "12 objects deployed, 0 drifted\n")
        code, out, err = shell("apply", "--yes")
        assert (code, err) == (0, "nothing to write\n")

        elastic.build(edited(small_elastic, BURST, name="New"))
        planned = tmp_path / "plan.json"
        code, out, _ = shell("plan", "--out", str(planned), "--format", "json")
        assert code == 0 and json.loads(out) == json.loads(planned.read_bytes()) and json.loads(out)["summary"]["update"] == 1
        model(elastic).rules[BURST] |= {"enabled": True, "revision": 8}
        code, _, err = shell("apply", "--plan", str(planned))
        assert code == 1 and f"rule/{BURST}: changed in the SIEM since the plan" in err and "nothing is written, plan again" in err
        assert shell("plan", "--out", str(planned))[0] == 0
        assert shell("apply", "--plan", str(planned))[:2] == (0, f"apply 2: 1 objects written; commit {elastic.state}\n")
        code, out, _ = shell("drift", "--format", "json")
        assert code == 0 and [item["kind"] for item in json.loads(out)] == ["tuned"]
        model(elastic).rules[BURST]["query"] = "x"
        code, out, _ = shell("drift")
        assert code == 1 and f"changed rule/{BURST} (New): query" in out and "+x" in out
        code, out, _ = shell("rollback", "--yes")
        assert code == 0 and f"! locally-modified rule/{BURST}" in out
        assert shell("rollback", "--yes", "--to", "1", "--overwrite-local", BURST)[0] == 0
        assert model(elastic).rules[BURST]["name"] != "New"

        for broken in ("", "[]", '{"format": 2}', "{}"):
            planned.write_text(broken, encoding="utf-8")
            code, _, err = shell("apply", "--plan", str(planned))
            assert code == 2 and err.startswith(f"an1498: {planned}: ") and err.count("\n") == 1
        assert shell("apply", "--plan", str(planned), "--overwrite-local", "x")[0] == 2
        elastic.model.fault = lambda _: reply(403, {"message": "no"})
        code, _, err = shell("drift")
        assert code == 3 and err.startswith("an1498: ") and err.count("\n") == 1
    code, _, err = shell("drift")
    assert code == 3 and "cannot connect" in err
    assert elastic.model.violations == []


def test_a_connection_that_breaks_at_a_write(elastic: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Over a real socket: the server carries the import out and hangs up without an answer."""
    for name, value in elastic.environment.items():
        monkeypatch.setenv(name, value)
    cut = [True]

    def hang_up(request: object) -> None:
        if str(getattr(request, "path", "")).endswith("rules/_import") and cut[0]:
            cut[0] = False
            raise Killed

    elastic.model.after = hang_up
    with elastic.model.serving() as url:
        shell = Shell(elastic, url, capsys)
        assert shell("apply", "--yes")[0] == 0
    imports = [request for request in elastic.model.log if request.path.endswith("rules/_import")]
    assert len(imports) == 1 and not cut[0], "what was done is not sent again"


def test_a_state_directory_that_cannot_be_written(
    elastic: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], targets: Mapping[str, object]
) -> None:
    del targets
    for name, value in elastic.environment.items():
        monkeypatch.setenv(name, value)
    shutil.rmtree(elastic.directory / "state", ignore_errors=True)
    (elastic.directory / "state").write_text("a file", encoding="utf-8")
    with elastic.model.serving() as url:
        code, _, err = Shell(elastic, url, capsys)("apply", "--yes")
    assert code in (2, 3) and "state" in err and err.rstrip().count("\n") <= 20
    assert model(elastic).rules == {}, "nothing is written that cannot be recorded"


def test_verify_asks_to_be_sure(
    elastic: Bench,
    small_elastic: Files,
    pack_files: Mapping[str, Files],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in elastic.environment.items():
        monkeypatch.setenv(name, value)
    searches = json.loads(pack_files["elastic"]["searches.json"])
    one = [item for item in searches if item["rule"] == "an1498_handshake_failure_burst"]
    elastic.build({**small_elastic, "searches.json": json.dumps(one).encode()})
    model(elastic).types = {name: column.type for name, column in field_types(elastic.target).items()}
    with elastic.model.serving() as url:
        shell = Shell(elastic, url, capsys)
        options = [
            "--root",
            str(ROOT),
            "--env",
            str(shell.overlay),
            "verify",
            "--target",
            "elastic",
            "--build",
            str(elastic.directory / "dist"),
        ]
        assert run(options) == 2
        assert "say --live" in capsys.readouterr().err and elastic.model.log == []
        options += ["--live", "--samples", str(ROOT / "samples" / "handshake_failure_burst"), "--format", "json"]
        assert run(options) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["passed"], report["failed"]) == (1, 0) and report["results"][0]["actual"] == report["results"][0]["expected"] != []
