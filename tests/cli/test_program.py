"""The group: help, usage errors, exit codes, streams that close, signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import click
import pytest
from tests.cli.conftest import ROOT, Command

from an1498 import __version__
from an1498.cli import program
from an1498.errors import ExternalError, Location, TelemetryError, Unsupported, UsageError

AN1498 = [sys.executable, "-m", "an1498"]


def test_help_teaches(an1498: Command) -> None:
    done = an1498("--help")
    assert (done.code, done.err) == (0, "")
    assert all(re.search(rf"^  {name}\s", done.out, re.MULTILINE) for name in program.COMMANDS)
    assert "Examples:" in done.out
    assert "Exit codes:" in done.out


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_command_has_help_with_examples(an1498: Command, name: str) -> None:
    done = an1498(name, "--help")
    assert done.code == 0
    assert "Examples:" in done.out
    assert f"an1498 {name}" in done.out


def test_version(an1498: Command) -> None:
    assert an1498("--version").out == f"an1498, version {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from an1498.cli.program import run; run(['--help']); "
        "print([n for n in ('duckdb', 'lark', 'sigma', 'yaml', 'rich', 'jsonschema') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["buidl"], "an1498: there is no command 'buidl'; did you mean 'build'?; see: an1498 --help"),
        (["--rot", "x"], "an1498: No such option '--rot'"),
        (["show"], "an1498: Missing argument 'RULE'; see: an1498 show --help"),
        (["build", "--out"], "an1498: Option '--out' requires an argument"),
        (["test", "--format", "yaml"], "an1498: Invalid value for '--format': 'yaml' is not one of"),
        (["replay", "--language", "kql"], "an1498: Invalid value for '--language': 'kql' is not one of"),
        (["--root", "/nonexistent", "build"], "an1498: /nonexistent: has no an1498.toml"),
        (["--env", "/nonexistent.toml", "build"], "an1498: /nonexistent.toml: cannot be read"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(an1498: Command, arguments: list[str], message: str) -> None:
    done = an1498(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.error.startswith(message)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("a"), 2, "an1498: a"),
        (TelemetryError(Location("f", 3), "is bad", "repair it"), 2, "an1498: f:3: is bad; repair it"),
        (ExternalError("the disk is full"), 3, "an1498: the disk is full"),
        (PermissionError(13, "Permission denied", "/x"), 3, "an1498: /x: Permission denied"),
        (OSError("strange"), 3, "an1498: strange"),
        (KeyboardInterrupt(), 130, "an1498: interrupted"),
        (click.Abort(), 130, "an1498: interrupted"),
        (
            KeyError("k"),
            3,
            "an1498: a fault in an1498 itself: KeyError: 'k'; run again with --debug and report what it prints",
        ),
        (
            Unsupported(rule="r", location=Location("r.yml", 2), target="t", language="eql", construct="x", remedy="do y"),
            1,
            "an1498: r.yml:2: rule 'r' cannot be said in eql for target 't': x; do y",
        ),
    ],
)
def test_what_a_command_raises(an1498: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str) -> None:
    @click.command
    def failing() -> None:
        raise error

    monkeypatch.setattr(program.LazyGroup, "get_command", lambda *_: failing)
    done = an1498("build")
    assert (done.code, done.out, done.error) == (code, "", line)


def test_debug_shows_the_traceback(an1498: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command
    def failing() -> None:
        raise KeyError("k")

    monkeypatch.setattr(program.LazyGroup, "get_command", lambda *_: failing)
    with pytest.raises(KeyError):
        an1498("--debug", "build")


# --- whole processes -----------------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"{sys.executable} -m an1498 explain an1498_launchd_service_key_use_then_tls | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    # Fast machines write all before head is gone.
    assert done.returncode in (0, 141)


def test_a_closed_pipe_is_silent() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*AN1498, "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_under_stdout_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*AN1498, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "an1498: No space left on device\n")


def test_ctrl_c_is_one_line_and_130(tmp_path: Path) -> None:
    fifo = tmp_path / "events.ndjson"
    os.mkfifo(fifo)
    search = tmp_path / "s.eql"
    search.write_text("any where true")
    command = [*AN1498, "replay", "--language", "eql", "--search", str(search), "--events", str(fifo)]
    # A job that a shell put in the background inherits an ignored SIGINT; a person's command does not.
    attend = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=attend)
    with fifo.open("w") as events:
        # More than a pipe holds: when this is written, the command is reading, and waits for the rest.
        events.write('{"a": 1}\n' * 20_000)
        events.flush()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "an1498: interrupted\n")


def test_the_console_script_and_the_module_are_the_same() -> None:
    script = subprocess.run([Path(sys.executable).parent / "an1498", "--version"], capture_output=True, text=True, check=True)
    module = subprocess.run([*AN1498, "--version"], capture_output=True, text=True, check=True)
    assert script.stdout == module.stdout


def test_there_is_no_colour_where_nobody_sees_it() -> None:
    done = subprocess.run(
        [*AN1498, "test", "--target", "splunk"], cwd=ROOT, capture_output=True, check=False, env={**os.environ, "TERM": "xterm"}
    )
    assert b"\x1b" not in done.stdout + done.stderr
