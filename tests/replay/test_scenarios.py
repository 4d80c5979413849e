"""Scenarios through built searches: what passes, what fails and why, and how the report says it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from an1498.compiler import Compilation, compile_pack
from an1498.content import load_pack
from an1498.errors import ContentError, TelemetryError, UsageError
from an1498.model import Alert, Language, Pack, Search
from an1498.replay.lost import diagnosed
from an1498.replay.report import lines, matrix, to_json, to_junit
from an1498.replay.scenarios import Report, load_scenarios, run_scenarios

ROOT = Path(__file__).parents[2]
PAIR = "an1498_public_key_use_then_unrecognised_certificate"
T0 = "2026-01-15T10:00:00"
SECURITY = "/System/Library/Frameworks/Security.framework/Versions/A/Security"


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT)


@pytest.fixture(scope="module")
def compilation(pack: Pack) -> Compilation:
    return compile_pack(pack, ("elastic", "splunk"))


def key_use(second: float, process: str = "/Users/bob/agent") -> str:
    record = {
        "timestamp": f"2026-01-15 10:{int(second) // 60:02d}:{second % 60:09.6f}+0000",
        "eventType": "activityCreateEvent",
        "eventMessage": "SecKeyCreateSignature",
        "processImagePath": process,
        "processID": 501,
        "senderImagePath": SECURITY,
    }
    return json.dumps(record)


def tls(second: float, source: str = "10.20.0.42", status: str = "self signed certificate") -> str:
    session = {
        "_path": "ssl",
        "ts": 1768471200 + second,
        "uid": f"C{second}",
        "id.orig_h": source,
        "id.orig_p": 50000,
        "id.resp_h": "203.0.113.9",
        "id.resp_p": 443,
        "version": "TLSv12",
        "server_name": "c2.example",
        "established": True,
        "validation_status": status,
    }
    return json.dumps(session)


def scenario(
    directory: Path, mac: list[str], zeek: list[str], expect: str, *, name: str = "one", host: str = "ip: 10.20.0.42", more: str = ""
) -> Path:
    home = directory / name
    home.mkdir(parents=True)
    (home / "unifiedlog.ndjson").write_text("".join(f"{line}\n" for line in mac))
    (home / "ssl.log").write_text("".join(f"{line}\n" for line in zeek))
    (home / "scenario.yml").write_text(
        f"title: {name}\nsources:\n  - {{file: unifiedlog.ndjson, format: unifiedlog, host: {{name: mac-042, {host}}}}}\n"
        f"  - {{file: ssl.log, format: zeek}}\nexpect: {expect}\n{more}"
    )
    return directory


def fires(time: str, rule: str = PAIR, group: str = "{entity: 10.20.0.42}") -> str:
    return f'[{{rule: {rule}, alerts: [{{time: "{time}", group: {group}}}]}}]'


def replayed(samples: Path, pack: Pack, compilation: Compilation, searches: tuple[Search, ...] = ()) -> Report:
    scenarios = load_scenarios(samples, pack)
    used = searches or compilation.searches
    return diagnosed(run_scenarios(pack, used, compilation.macros, scenarios), pack, used, compilation.macros, scenarios)


def only(compilation: Compilation, rule: str, *more: str) -> tuple[Search, ...]:
    return tuple(search for search in compilation.searches if search.rule in (rule, *more))


def test_a_pair_fires_in_every_language(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [key_use(1.25)], [tls(7.25)], fires(f"{T0[:-2]}07.250Z"))
    report = replayed(tmp_path, pack, compilation)
    assert report.failures == ()
    found = {(o.search.target, str(o.search.language)): o.actual for o in report.outcomes if o.search.rule == PAIR}
    alert = (Alert(1768471207250, (("entity", "10.20.0.42"),)),)
    assert found == {("elastic", "eql"): alert, ("elastic", "esql"): alert, ("splunk", "spl"): alert}
    assert {o.search.kind for o in report.outcomes} == {"correlation"}


def test_many_scenarios_do_not_meet(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    for number in range(40):
        # Each has one half only: together they would pair.
        halves = ([key_use(number)], []) if number % 2 else ([], [tls(number + 1)])
        scenario(tmp_path, *halves, "[]", name=f"half-{number}")
    report = replayed(tmp_path, pack, compilation)
    assert (report.scenarios, report.failures) == (40, ())


def test_times_are_floored_to_milliseconds(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [key_use(1)], [tls(7.250999)], fires(f"{T0[:-2]}07.250Z"))
    assert replayed(tmp_path, pack, compilation).failures == ()


def test_event_rules_count_only_where_named(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [key_use(1)], [], f'[{{rule: macos_public_key_use, alerts: [{{time: "{T0}.000Z"}}]}}]')
    report = replayed(tmp_path, pack, compilation)
    assert {o.search.rule for o in report.failures} == {"macos_public_key_use"}
    assert {str(o.search.language) for o in report.failures} == {"spl", "eql", "esql", "lucene"}
    (failure,) = (o for o in report.failures if o.search.language is Language.LUCENE)
    assert failure.detail[0] == "the search matched 1 event"
    assert "unifiedlog.ndjson:1" in failure.detail[1]


def test_a_correlation_that_is_not_named_must_stay_quiet(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [key_use(1)], [tls(7)], "[]")
    report = replayed(tmp_path, pack, compilation, only(compilation, PAIR))
    assert {(o.status, len(o.actual)) for o in report.outcomes} == {("fail", 1)}


def test_targets_restrict_a_scenario(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [key_use(1)], [tls(7)], fires(f"{T0[:-2]}07Z"), more="targets: [splunk]\nreason: a test\n")
    scenario(tmp_path, [], [], "[]", name="two")
    report = replayed(tmp_path, pack, compilation, only(compilation, PAIR))
    assert report.failures == ()
    assert [(o.scenario, o.search.target) for o in report.outcomes] == [
        ("one", "splunk"), ("two", "elastic"), ("two", "elastic"), ("two", "splunk")
    ]  # fmt: skip


def test_group_by_target(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    override = "group_by_target:\n  elastic: {entity: mac-042}\n"
    scenario(tmp_path, [key_use(1)], [tls(7)], fires(f"{T0[:-2]}07Z"), more=override)
    report = replayed(tmp_path, pack, compilation, only(compilation, PAIR))
    assert {(o.search.target, o.status) for o in report.outcomes} == {("elastic", "fail"), ("splunk", "pass")}


@pytest.mark.parametrize(("tls_at", "fires_at"), [(8, "08.000"), (7.001, "07.001"), (7, ""), (9, "09.000"), (12, "12.000")])
def test_a_clock_skew_is_bridged_in_every_language(tmp_path: Path, tls_at: float, fires_at: str) -> None:
    (tmp_path / "site.toml").write_text('[parameters]\nclock_skew = "2s"\n')
    skewed = load_pack(ROOT, [tmp_path / "site.toml"])
    compilation = compile_pack(skewed, ("elastic", "splunk"))
    expect = fires(f"{T0[:-2]}{fires_at}Z") if fires_at else "[]"
    scenario(tmp_path / "samples", [key_use(9)], [tls(tls_at)], expect)
    searches = only(compilation, PAIR)
    assert [str(search.language) for search in searches] == ["eql", "eql", "esql", "spl"]
    report = replayed(tmp_path / "samples", skewed, compilation, searches)
    assert [(str(o.search.language), o.status) for o in report.outcomes] == [("eql", "pass"), ("esql", "pass"), ("spl", "pass")]


LOST = {
    "order": ([key_use(9)], [tls(7)], "ip: 10.20.0.42", "order: stage 1 (macos_public_key_use) happened only later: "),
    "same time": ([key_use(7)], [tls(7)], "ip: 10.20.0.42", "order: stage 1 (macos_public_key_use) happened only at the same time: "),
    "window": ([key_use(1)], [tls(301.001)], "ip: 10.20.0.42", "window: first to last are 300.001s apart, more than 300s"),
    "host": ([key_use(1)], [tls(7)], "ip: 10.20.0.43", "stage 1 (macos_public_key_use) has no event with entity=10.20.0.42"),
    "address": ([key_use(1)], [tls(7)], "id: x", "stage 1 (macos_public_key_use) has no event with entity=10.20.0.42"),
    "network": ([key_use(1)], [tls(7, status="ok")], "ip: 10.20.0.42", "no event of the last stage (zeek_tls_unrecognised_certificate)"),
    "other machine": ([key_use(1)], [tls(7, "10.20.0.9")], "ip: 10.20.0.42", "the last stage's event has entity=10.20.0.9, not"),
}


@pytest.mark.parametrize("case", LOST)
def test_a_failure_says_where_the_event_was_lost(tmp_path: Path, pack: Pack, compilation: Compilation, case: str) -> None:
    mac, zeek, host, reason = LOST[case]
    time = "10:05:01.001Z" if case == "window" else "10:00:07.000Z"
    scenario(tmp_path, mac, zeek, fires(f"2026-01-15T{time}"), host=host)
    used = only(compilation, PAIR, "macos_public_key_use", "zeek_tls_unrecognised_certificate")
    report = replayed(tmp_path, pack, compilation, used)
    assert {(o.search.language, o.status) for o in report.outcomes} == {("spl", "fail"), ("eql", "fail"), ("esql", "fail")}
    for outcome in report.outcomes:
        assert outcome.detail[0] == f"stage 1 macos_public_key_use [{outcome.search.language}]: 1 event"
        assert outcome.detail[1].startswith(f"  {tmp_path}/one/unifiedlog.ndjson:1  2026-01-15T10:00:0")
        assert any(line.startswith("missing ") and reason in line for line in outcome.detail), outcome.detail


def test_an_error_is_told_once_per_scenario(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [key_use(1)], [tls(7)], fires(f"{T0[:-2]}07Z"))
    broken = tuple(replace(s, text=s.text + " |") for s in only(compilation, PAIR) if s.language is Language.EQL)
    report = replayed(tmp_path, pack, compilation, broken)
    (outcome,) = report.outcomes
    assert (outcome.status, outcome.actual, len(outcome.expected)) == ("error", (), 1)
    assert f"{PAIR}:" in outcome.detail[0]


def test_an_event_search_that_cannot_run_is_an_error_even_if_unnamed(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [], [], "[]")
    scenario(tmp_path, [], [], "[]", name="two")
    (search,) = (s for s in only(compilation, "macos_public_key_use") if s.language is Language.SPL)
    report = replayed(tmp_path, pack, compilation, (replace(search, text="| unknowncommand"),))
    assert [(o.scenario, o.status) for o in report.outcomes] == [("one", "error")]


def test_the_text_decides(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [key_use(1)], [tls(302)], "[]")
    searches = only(compilation, PAIR)
    assert replayed(tmp_path, pack, compilation, searches).failures == ()
    wider = tuple(replace(s, text=s.text.replace("maxspan=5m", "maxspan=6m").replace("<=300", "<=360")) for s in searches)
    assert {str(o.search.language) for o in replayed(tmp_path, pack, compilation, wider).failures} >= {"eql", "spl"}


def test_a_rule_without_a_search_is_no_silent_pass(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [], [], fires(f"{T0}Z", "macos_seckey_failure", "{}"))
    with pytest.raises(
        UsageError, match=r"scenario\.yml:5:\d+: the build has no search for rule 'macos_seckey_failure' on target 'elastic'"
    ):
        replayed(tmp_path, pack, compilation, only(compilation, PAIR))


def test_a_skipped_rule_is_a_note(tmp_path: Path, pack: Pack, compilation: Compilation) -> None:
    scenario(tmp_path, [], [], "[{rule: zeek_x509_poshc2_default_certificate, alerts: []}]")
    report = replayed(tmp_path, pack, compilation)
    assert len(report.skipped) == 1
    assert report.skipped[0].startswith("zeek_x509_poshc2_default_certificate is not built for target elastic: ")


def test_loading_names_what_is_wrong(tmp_path: Path, pack: Pack) -> None:
    with pytest.raises(ContentError, match="is not there"):
        load_scenarios(tmp_path / "absent", pack)
    with pytest.raises(UsageError, match=r"there is no scenario\.yml"):
        load_scenarios(tmp_path, pack)
    scenario(tmp_path, ["{"], [], "[]")
    with pytest.raises(TelemetryError, match=r"unifiedlog\.ndjson:1"):
        load_scenarios(tmp_path, pack)


def test_one_scenario_s_directory_is_enough_and_equal_names_stay_apart(tmp_path: Path, pack: Pack) -> None:
    scenario(tmp_path / "a", [], [], "[]")
    assert [found.scenario.name for found in load_scenarios(tmp_path / "a/one", pack)] == ["one"]
    scenario(tmp_path / "b", [], [], "[]")
    assert [found.scenario.name for found in load_scenarios(tmp_path, pack)] == ["a/one", "b/one"]


# --- the report --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path, pack: Pack, compilation: Compilation) -> Iterator[Report]:
    scenario(tmp_path, [key_use(1)], [tls(7)], fires(f"{T0[:-2]}07Z"), name="good")
    scenario(tmp_path, [key_use(1)], [tls(7)], "[]", name="surprise")
    scenario(tmp_path, [], [], "[]", name="zplunk", more="targets: [splunk]\nreason: a test\n")
    eql, esql, spl = only(compilation, PAIR)
    yield replayed(tmp_path, pack, compilation, (eql, replace(esql, text="FROM x | NONSENSE"), spl))


def test_json(mixed: Report) -> None:
    value = json.loads(to_json(mixed))
    assert list(value) == ["scenarios", "searches", "passed", "failed", "results"]
    assert (value["scenarios"], value["searches"], value["passed"], value["failed"]) == (3, 3, 3, 4)
    first = value["results"][0]
    alert = {"time": "2026-01-15T10:00:07.000Z", "group": {"entity": "10.20.0.42"}}
    assert first == {
        "scenario": "good", "rule": PAIR, "target": "elastic", "language": "eql", "status": "pass", "expected": [alert], "actual": [alert]
    }  # fmt: skip
    assert [(r["scenario"], r["language"], r["status"]) for r in value["results"]] == [
        ("good", "eql", "pass"), ("good", "esql", "error"), ("good", "spl", "pass"),
        ("surprise", "eql", "fail"), ("surprise", "esql", "error"), ("surprise", "spl", "fail"), ("zplunk", "spl", "pass"),
    ]  # fmt: skip
    assert value["results"][3]["detail"]


def test_text_has_a_line_per_scenario_and_target(mixed: Report) -> None:
    text = [line for _, line in lines(mixed)]
    heads = [line.split()[:3] for line in text if not line.startswith(" ")][:-1]
    assert heads == [
        ["error", "good", "elastic"], ["pass", "good", "splunk"], ["error", "surprise", "elastic"], ["fail", "surprise", "splunk"],
        ["pass", "zplunk", "splunk"],
    ]  # fmt: skip
    assert "        expected: no alert" in text
    assert "        actual:   2026-01-15T10:00:07.000Z entity=10.20.0.42" in text
    assert text[-1] == "3 scenarios, 3 searches, 7 comparisons: 4 wrong"


def test_matrix(mixed: Report) -> None:
    rows = [line.split() for line in matrix(mixed) if line.startswith(PAIR)]
    assert [row[1:] for row in rows] == [
        ["elastic", "eql", "1", "1!", "-"],
        ["elastic", "esql", "E", "E", "-"],
        ["splunk", "spl", "1", "1!", "."],
    ]


def test_junit(mixed: Report) -> None:
    suites = ElementTree.fromstring(to_junit(mixed))
    counts = {suite.get("name"): (suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in suites}
    assert counts == {"elastic": ("4", "1", "2"), "splunk": ("3", "1", "0")}
    failure = suites.find(".//testcase[@classname='splunk.surprise']/failure")
    assert failure is not None
    assert failure.get("message") == "expected no alert; got 2026-01-15T10:00:07.000Z entity=10.20.0.42"


def test_junit_replaces_what_xml_cannot_hold(mixed: Report) -> None:
    odd = replace(mixed.outcomes[3], detail=("a\x00b\x1bc",))
    text = to_junit(replace(mixed, outcomes=(odd,)))
    assert ElementTree.fromstring(text).find(".//failure") is not None
