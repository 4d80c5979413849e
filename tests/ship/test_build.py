"""What a build writes, and what it must never destroy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from an1498.compiler import Compilation
from an1498.errors import ExternalError, Location, UsageError
from an1498.model import Deviation, Language, Search
from an1498.ship import build_files, read_build, write_build

SPL = Search(
    rule="an1498_pair",
    id="6b2d0b0e-0000-4000-8000-000000000001",
    title="Pair – ordered",
    target="splunk",
    language=Language.SPL,
    kind="correlation",
    text='search `an1498_logd` eventMessage="a\\"b"\n| where x>1',
    timespan_s=300,
    interval_s=300,
    lookback_s=720,
    entity_fields=("host_ip", "id.orig_h"),
    required_fields=("eventMessage",),
    level="high",
    risk_score=73,
    deviations=(Deviation("spl-streamstats-limit", "A limit."),),
    group_by=("entity",),
    time_field="_time",
    stages=(("first", 'eventMessage="a"'), ("second", "x>1")),
    tiebreaker="",
    location=Location("rules/pair.yml", 1, 1),
)
EQL = replace(
    SPL, target="elastic", language=Language.EQL, text="sequence by a [any where true] [any where true]", tiebreaker="an1498.rank"
)
MACROS = {"splunk": {"an1498_logd": '(index=mac sourcetype="logd")', "an1498_zeek_ssl": "(index=zeek)"}}


def compiled(*searches: Search) -> Compilation:
    return Compilation(searches or (EQL, SPL), (), MACROS)


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_files_of_a_build(tmp_path: Path) -> None:
    directories = write_build(compiled(), tmp_path / "dist")
    assert [path.name for path in directories] == ["elastic", "splunk"]
    assert set(tree(tmp_path / "dist")) == {
        "elastic/manifest.json",
        "elastic/searches.json",
        "elastic/searches/an1498_pair.eql",
        "splunk/macros.conf",
        "splunk/manifest.json",
        "splunk/searches.json",
        "splunk/searches/an1498_pair.spl",
    }
    assert (tmp_path / "dist/splunk/searches/an1498_pair.spl").read_text() == SPL.text + "\n"
    assert (tmp_path / "dist/splunk/macros.conf").read_text() == (
        '[an1498_logd]\ndefinition = (index=mac sourcetype="logd")\niseval = 0\n\n'
        "[an1498_zeek_ssl]\ndefinition = (index=zeek)\niseval = 0\n"
    )


def test_searches_json_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    write_build(compiled(), tmp_path)
    (entry,) = json.loads((tmp_path / "splunk/searches.json").read_text(encoding="utf-8"))
    contract = (
        "rule id title target language kind text timespan_s interval_s lookback_s entity_fields required_fields level risk_score deviations"
    )
    assert list(entry) == [*contract.split(), "group_by", "time_field", "tiebreaker", "stages"]
    assert entry["text"] == SPL.text
    assert entry["deviations"] == [{"code": "spl-streamstats-limit", "text": "A limit."}]
    assert entry["stages"][0] == {"rule": "first", "condition": 'eventMessage="a"'}


def test_a_build_reads_back_as_it_was(tmp_path: Path) -> None:
    write_build(compiled(), tmp_path)
    build = read_build(tmp_path)
    assert [replace(search, location=SPL.location) for search in build.searches] == [EQL, SPL]
    assert build.macros == MACROS
    assert [search.target for search in read_build(tmp_path, ("splunk",)).searches] == ["splunk"]


def test_the_same_content_gives_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    second = replace(SPL, rule="another", text="search x")
    write_build(compiled(SPL, second, EQL), tmp_path / "a")
    write_build(compiled(EQL, second, SPL), tmp_path / "b")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert [e["rule"] for e in json.loads((tmp_path / "a/splunk/searches.json").read_bytes())] == ["an1498_pair", "another"]


def test_a_new_build_removes_what_an_earlier_one_wrote_and_keeps_the_rest(tmp_path: Path) -> None:
    write_build(compiled(SPL, replace(SPL, rule="gone")), tmp_path)
    (tmp_path / "splunk/notes.txt").write_text("mine")
    (tmp_path / "splunk/local").mkdir()
    (tmp_path / "splunk/local/macros.conf").write_text("[mine]")
    (tmp_path / "unrelated").mkdir()
    write_build(compiled(SPL), tmp_path, prune=True)
    names = set(tree(tmp_path))
    assert "splunk/searches/gone.spl" not in names
    assert {"splunk/notes.txt", "splunk/local/macros.conf", "splunk/searches/an1498_pair.spl"} <= names
    assert (tmp_path / "unrelated").is_dir()


def test_prune_removes_the_directories_of_targets_that_are_gone(tmp_path: Path) -> None:
    write_build(compiled(), tmp_path)
    write_build(compiled(SPL), tmp_path)
    assert (tmp_path / "elastic").is_dir()
    write_build(compiled(SPL), tmp_path, prune=True)
    assert not (tmp_path / "elastic").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("kind", ["directory", "file", "symlink"])
def test_what_no_build_wrote_is_not_touched(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    if kind == "file":
        (out / "splunk").write_text("mine")
    else:
        home = out / "splunk" if kind == "directory" else tmp_path / "home"
        home.mkdir()
        (home / "precious.txt").write_text("mine")
        if kind == "symlink":
            (out / "splunk").symlink_to(home)
    before = tree(tmp_path)
    with pytest.raises(UsageError, match=r"dist/splunk: is in the way and was not written by an1498 build"):
        write_build(compiled(), out)
    assert tree(tmp_path) == before
    assert not (out / "elastic").exists()


def test_an_out_path_below_a_file_is_a_failure_outside(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExternalError, match="cannot write the build"):
        write_build(compiled(), tmp_path / "file" / "dist")


def test_a_disk_that_fills_up_leaves_the_earlier_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_build(compiled(), tmp_path)
    before = tree(tmp_path)
    written: list[Path] = []
    original = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        written.append(self)
        if len(written) == 4:
            raise OSError(28, "No space left on device", str(self))
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExternalError, match="No space left on device"):
        write_build(compiled(replace(SPL, text="changed"), EQL), tmp_path)
    assert tree(tmp_path) == before


def test_a_rename_that_fails_puts_the_earlier_build_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_build(compiled(SPL), tmp_path)
    before = tree(tmp_path)
    original = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if target == tmp_path / "splunk" and self.name == "splunk":
            raise PermissionError(13, "Permission denied", str(target))
        return original(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ExternalError, match="Permission denied"):
        write_build(compiled(replace(SPL, text="changed")), tmp_path)
    assert tree(tmp_path) == before


def test_a_second_search_of_a_rule_has_a_file_of_its_own() -> None:
    companion = replace(EQL, id="6b2d0b0e-0000-4000-8000-000000000002", text="sequence reversed")
    files = build_files(Compilation((EQL, companion), (), {}))["elastic"]
    assert files["searches/an1498_pair.eql"] == EQL.text.encode() + b"\n"
    assert files["searches/an1498_pair.2.eql"] == b"sequence reversed\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"searches\.json: is not JSON"),
        ("{}", r"searches\.json: is not a list of searches"),
        ("[1]", r"searches\.json: search 0 is not as an1498 writes it"),
        ('[{"rule": "x"}]', r"searches\.json: search 0 is not as an1498 writes it \(KeyError: 'id'\)"),
    ],
)
def test_a_damaged_build_is_one_clear_error(tmp_path: Path, content: str, message: str) -> None:
    write_build(compiled(), tmp_path)
    (tmp_path / "splunk/searches.json").write_text(content)
    with pytest.raises(UsageError, match=message):
        read_build(tmp_path)


def test_no_build_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no build here.*an1498 build --out"):
        read_build(tmp_path)
    with pytest.raises(UsageError, match="an1498 build --target splunk"):
        read_build(tmp_path, ("splunk",))
