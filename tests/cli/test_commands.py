"""build, show, explain, test and replay, as formats.md promises them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import ROOT, Command

PAIR = "an1498_public_key_use_then_unrecognised_certificate"
BURST = "an1498_handshake_failure_burst"


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


# --- build -------------------------------------------------------------------------------------------------------------------


def test_build_writes_every_target_twice_the_same(an1498: Command, tmp_path: Path) -> None:
    first = an1498("build", "--out", tmp_path / "a")
    assert first.code == 0
    assert [line.split(":")[0] for line in first.out.splitlines()] == [
        f"{tmp_path}/a/{target}/searches.json" for target in ("elastic", "elastic-corelight", "splunk", "splunk-corelight")
    ]
    assert all(line.startswith("note: ") for line in first.err.splitlines())
    assert an1498("build", "--out", tmp_path / "b").code == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_build_of_one_target(an1498: Command, tmp_path: Path) -> None:
    assert an1498("build", "--target", "splunk", "--out", tmp_path).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["splunk"]
    entries = json.loads((tmp_path / "splunk/searches.json").read_text(encoding="utf-8"))
    assert {entry["target"] for entry in entries} == {"splunk"}
    keys = [(entry["rule"], entry["language"]) for entry in entries]
    assert keys == sorted(keys)


def test_build_from_elsewhere_gives_the_same_bytes(an1498: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    an1498("build", "--target", "elastic", "--out", tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    assert an1498("--root", ROOT, "build", "--target", "elastic", "--out", "b").code == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_an_unknown_target_is_a_usage_error(an1498: Command, tmp_path: Path) -> None:
    done = an1498("build", "--target", "elastik", "--out", tmp_path / "dist")
    assert (done.code, done.error) == (2, "an1498: target 'elastik' is not in an1498.toml; did you mean 'elastic'?")
    assert not (tmp_path / "dist").exists()


def test_an_out_directory_that_cannot_be_written_is_exit_3(an1498: Command) -> None:
    done = an1498("build", "--target", "splunk", "--out", "/proc/an1498")
    assert done.code == 3
    assert done.err.splitlines()[-1].startswith("an1498: /proc/an1498: cannot write the build: ")


def test_somebody_else_s_directory_is_left_alone(an1498: Command, tmp_path: Path) -> None:
    (tmp_path / "splunk").mkdir()
    (tmp_path / "splunk/precious").write_text("mine")
    done = an1498("build", "--target", "splunk", "--out", tmp_path)
    assert done.code == 2
    assert done.error.endswith("was not written by an1498 build; remove it, or choose another --out")
    assert tree(tmp_path) == {"splunk/precious": b"mine"}


def content(tmp_path: Path) -> Path:
    root = tmp_path / "content"
    for name in ("rules", "pipelines"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "an1498.toml", root)
    return root


def test_a_rule_that_nothing_can_say_fails_the_build(an1498: Command, tmp_path: Path) -> None:
    root = content(tmp_path)
    overlay = tmp_path / "eql.toml"
    overlay.write_text('[targets.elastic]\nlanguages = ["eql"]\n')
    done = an1498("--root", root, "--env", overlay, "build", "--out", tmp_path / "dist")
    assert done.code == 1
    assert f"rule '{BURST}' cannot be said in eql for target 'elastic'" in done.err
    assert "nothing is written" in done.err
    assert not (tmp_path / "dist").exists()
    overlay.write_text(
        '[targets.elastic]\nlanguages = ["eql"]\n[targets.elastic.skip]\n'
        f'{BURST} = "EQL cannot count"\nan1498_untrusted_tls_fan_out = "EQL cannot count"\n'
    )
    assert an1498("--root", root, "--env", overlay, "build", "--out", tmp_path / "dist").code == 0


def test_a_malformed_rule_is_one_located_line_and_nothing_is_written(an1498: Command, tmp_path: Path) -> None:
    root = content(tmp_path)
    rule = root / "rules/correlation" / f"{PAIR}.yml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("temporal_ordered", "temporal_odered"), encoding="utf-8")
    done = an1498("--root", root, "build", "--out", tmp_path / "dist")
    assert done.code == 2
    assert f"{PAIR}.yml:" in done.error
    assert not (tmp_path / "dist").exists()


# --- show --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "language"), [("splunk", "spl"), ("elastic", "eql"), ("elastic", "esql")])
def test_show_prints_what_build_writes(an1498: Command, tmp_path: Path, target: str, language: str) -> None:
    an1498("build", "--target", target, "--out", tmp_path)
    done = an1498("show", PAIR, "--target", target, "--language", language)
    assert (done.code, done.err) == (0, "")
    assert done.out == (tmp_path / target / "searches" / f"{PAIR}.{language}").read_text(encoding="utf-8")


def test_show_takes_the_first_language_that_can_say_it(an1498: Command) -> None:
    assert an1498("show", BURST, "--target", "elastic").out.startswith("FROM ")
    assert an1498("show", PAIR, "--target", "elastic").out.startswith("sequence ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([PAIR[:-1]], f"an1498: there is no rule '{PAIR[:-1]}'; did you mean '{PAIR}'?"),
        ([PAIR, "--target", "splank"], "an1498: target 'splank' is not in an1498.toml; did you mean 'splunk'?"),
        ([PAIR, "--target", "splunk", "--language", "eql"], "an1498: target 'splunk' has no language 'eql'; use one of: spl"),
    ],
)
def test_show_of_an_unknown_name(an1498: Command, arguments: list[str], message: str) -> None:
    done = an1498("show", *arguments)
    assert (done.code, done.out, done.error) == (2, "", message)


def test_show_of_a_refused_rule(an1498: Command) -> None:
    done = an1498("show", BURST, "--target", "elastic", "--language", "eql")
    assert (done.code, done.out) == (1, "")
    assert f"{BURST}.yml:" in done.error
    assert "use ES|QL" in done.error


# --- explain -----------------------------------------------------------------------------------------------------------------


def test_explain_of_an_ordered_correlation(an1498: Command) -> None:
    done = an1498("explain", PAIR, "--target", "splunk")
    assert (done.code, done.err) == (0, "")
    assert "in this order, within 5m from the first to the last event" in done.out
    assert "  window 300s + interval 300s + ingest lag 120s + clock skew 0s = 720s" in done.out
    assert "splunk/zeek, zeek/ssl" in done.out
    assert "spl-streamstats-limit" in done.out


def test_explain_of_a_count(an1498: Command) -> None:
    done = an1498("explain", BURST, "--target", "elastic")
    assert "at least 10 events within a sliding window of 5m" in done.out
    assert "2 × window (the state before the first new event) 600s + interval 300s" in done.out
    assert "eql: cannot say it: " in done.out


def test_explain_of_an_event_rule(an1498: Command) -> None:
    done = an1498("explain", "macos_public_key_use", "--target", "elastic")
    assert done.code == 0
    assert "interval 300s + ingest lag 120s = 420s" in done.out
    assert "process.executable" in done.out


def test_explain_follows_the_overlay(an1498: Command, tmp_path: Path) -> None:
    overlay = tmp_path / "site.toml"
    overlay.write_text('[parameters]\nclock_skew = "2s"\ntime_window = "10m"\n')
    done = an1498("--env", overlay, "explain", PAIR, "--target", "elastic")
    assert "within 10m" in done.out
    assert "window 600s + interval 300s + ingest lag 120s + clock skew 2s = 1022s" in done.out
    assert "eql-clock-skew-reversed" in done.out


# --- test --------------------------------------------------------------------------------------------------------------------


def test_test_of_the_samples_passes(an1498: Command) -> None:
    done = an1498("test", "--target", "splunk", "--samples", "samples/implant_self_signed_server")
    assert done.code == 0
    assert done.out.splitlines()[-1].endswith("all alerts as expected")


def test_test_fails_where_alerts_differ(an1498: Command, tmp_path: Path) -> None:
    home = tmp_path / "implant"
    shutil.copytree(ROOT / "samples/implant_self_signed_server", home)
    file = home / "scenario.yml"
    head = file.read_text(encoding="utf-8").split("expect:")[0]
    file.write_text(f"{head}expect: []\n", encoding="utf-8")
    done = an1498("test", "--target", "splunk", "--samples", tmp_path, "--format", "json")
    assert done.code == 1
    value = json.loads(done.out)
    assert value["failed"] >= 1
    failed = [result for result in value["results"] if result["status"] == "fail"]
    assert {result["expected"] == [] for result in failed} == {True}


def test_test_of_a_build_reads_its_text(an1498: Command, tmp_path: Path) -> None:
    an1498("build", "--target", "splunk", "--out", tmp_path)
    arguments = ("test", "--target", "splunk", "--build", tmp_path, "--samples", "samples/implant_self_signed_server")
    assert an1498(*arguments).code == 0
    file = tmp_path / "splunk/searches.json"
    file.write_text(file.read_text(encoding="utf-8").replace("<=300", "<=1"), encoding="utf-8")
    assert an1498(*arguments).code == 1
    conf = tmp_path / "splunk/macros.conf"
    an1498("build", "--target", "splunk", "--out", tmp_path)
    conf.write_text(conf.read_text(encoding="utf-8").replace("index=", "index=other"), encoding="utf-8")
    assert an1498(*arguments).code == 1


@pytest.mark.parametrize("what", ["samples", "build"])
def test_test_of_what_is_not_there(an1498: Command, tmp_path: Path, what: str) -> None:
    done = an1498("test", f"--{what}", tmp_path / "absent")
    assert done.code == 2
    assert "absent" in done.error


def test_junit_and_matrix(an1498: Command) -> None:
    samples = "samples/implant_self_signed_server"
    assert an1498("test", "--target", "splunk", "--samples", samples, "--format", "junit").out.startswith("<?xml")
    assert f"\n{PAIR} " in an1498("test", "--target", "splunk", "--samples", samples, "--matrix").out


# --- replay ------------------------------------------------------------------------------------------------------------------

EVENTS = [
    {"@timestamp": "2026-01-15T10:00:00.000Z", "host": {"name": "a"}, "n": 1, "_id": "first"},
    {"@timestamp": 1768471201, "host.name": "a", "n": 2},
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    return tmp_path


def replay(an1498: Command, files: Path, language: str, text: str, *more: str | Path) -> list[object]:
    (files / "search").write_text(text)
    done = an1498("replay", "--language", language, "--search", files / "search", "--events", files / "events.ndjson", *more)
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def test_replay_eql(an1498: Command, files: Path) -> None:
    text = "sequence by host.name [any where n == 1] [any where n == 2]"
    assert replay(an1498, files, "eql", text) == [{"events": ["first", 1], "join_keys": ["a"]}]


def test_replay_esql(an1498: Command, files: Path) -> None:
    rows = replay(an1498, files, "esql", "FROM x | WHERE n > 1 | KEEP @timestamp, n")
    assert rows == [{"@timestamp": "2026-01-15T10:00:01.000Z", "n": 2}]


def test_replay_spl_with_lookup_and_macros(an1498: Command, files: Path) -> None:
    (files / "events.ndjson").write_text('{"_time": 1, "host": "a"}\n')
    (files / "assets.csv").write_text("host,owner\na,bob\n")
    (files / "macros.conf").write_text("[mine]\ndefinition = host=a\n")
    more = ("--lookup", f"assets={files / 'assets.csv'}", "--macros", files / "macros.conf")
    assert replay(an1498, files, "spl", "`mine` | lookup assets host OUTPUT owner | table owner", *more) == [{"owner": "bob"}]


def test_replay_takes_macros_from_the_content(an1498: Command, files: Path) -> None:
    (files / "events.ndjson").write_text('{"_time": 1, "index": "macos", "sourcetype": "logd", "x": "1"}\n{"_time": 2, "x": "2"}\n')
    assert replay(an1498, files, "spl", "`an1498_macos_unifiedlog` | table x") == [{"x": "1"}]


def test_replay_lucene_with_a_mapping(an1498: Command, files: Path) -> None:
    (files / "events.ndjson").write_text('{"@timestamp": 1, "a": "10.0.0.7"}\n')
    (files / "mapping.json").write_text('{"a": "ip"}')
    assert len(replay(an1498, files, "lucene", 'a:"10.0.0.0/8"', "--mapping", files / "mapping.json")) == 1


def test_replay_eql_with_other_fields(an1498: Command, files: Path) -> None:
    (files / "events.ndjson").write_text('{"ts": 5, "kind": "process", "n": 1}\n{"ts": 4, "kind": "file", "n": 2}\n')
    more = ("--timestamp-field", "ts", "--event-category-field", "kind", "--tiebreaker-field", "n")
    assert replay(an1498, files, "eql", "process where true", *more) == [{"events": [0], "join_keys": []}]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ('{"a": 1}\n{"a": }\n', "events.ndjson:2:7: is not JSON: Expecting value; write one JSON object a line"),
        ('{"a": 1}\n\n[1]\n', "events.ndjson:3: is not a JSON object; write one JSON object a line"),
        ('{"a": NaN}\n', "events.ndjson:1: is not JSON: NaN is not a JSON number; write one JSON object a line"),
        ('{"a": 1}\n{"a"', "events.ndjson:2:5: is not JSON"),
        ("[" * 100_000, "events.ndjson:1: is nested too deeply"),
    ],
)
def test_malformed_events_name_the_line(an1498: Command, files: Path, events: str, message: str) -> None:
    (files / "search").write_text("any where true")
    (files / "events.ndjson").write_text(events)
    done = an1498("replay", "--language", "eql", "--search", files / "search", "--events", files / "events.ndjson")
    assert (done.code, done.out) == (2, "")
    assert message in done.error


@pytest.mark.parametrize(
    ("language", "text", "message"),
    [
        ("spl", "search x | frobnicate", "search:1:"),
        ("eql", "any where", "search:1:"),
        ("esql", "FROM x | WHERE", "search:1:"),
        ("lucene", 'a:"', "search:1:"),
        ("spl", "`unknown_macro`", "unknown_macro"),
    ],
)
def test_a_search_outside_the_grammar_is_refused(an1498: Command, files: Path, language: str, text: str, message: str) -> None:
    (files / "search").write_text(text)
    done = an1498("replay", "--language", language, "--search", files / "search", "--events", files / "events.ndjson")
    assert (done.code, done.out) == (2, "")
    assert message in done.error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lookup", "assets"], "--lookup assets: write NAME=FILE.csv"),
        (["--lookup", "a=/nonexistent.csv"], "/nonexistent.csv: cannot read the lookup"),
        (["--macros", "/nonexistent.conf"], "/nonexistent.conf: cannot read the macros"),
        (["--mapping", "search"], "a mapping is a JSON object of field: type"),
    ],
)
def test_bad_side_files(an1498: Command, files: Path, arguments: list[str], message: str) -> None:
    (files / "search").write_text("host=a")
    arguments = [str(files / "search") if word == "search" else word for word in arguments]
    done = an1498("replay", "--language", "spl", "--search", files / "search", "--events", files / "events.ndjson", *arguments)
    assert done.code == 2
    assert message in done.error
