"""The rules are plain Sigma: sigma-cli, with nothing of this package, checks and converts them, without a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sigma.cli.check import check
from sigma.cli.convert import convert
from sigma.data import mitre_attack, mitre_d3fend
from tests.rules.conftest import ROOT, whole_pack

from an1498.content import data

ATTACK = Path(str(data.__file__)).parent / "attack" / "mini-attack-19.1.json"
SEARCHES = [
    ("splunk", "splunk/logd", "endpoint"),
    ("splunk", "splunk/zeek", "network"),
    ("splunk", "splunk/corelight", "network"),
    *(
        (language, layout, folder)
        for language in ("lucene", "eql", "esql")
        for layout, folder in (("elastic/unifiedlogs", "endpoint"), ("elastic/zeek", "network"), ("elastic/corelight", "network"))
    ),
]


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pySigma's validators read ATT&CK from the copy in the package and an empty D3FEND, instead of fetching both."""
    d3fend = tmp_path / "d3fend.json"
    d3fend.write_text('{"@graph": []}')

    def refused(*_arguments: object, **_options: object) -> None:
        raise AssertionError("pySigma went to the network")

    for module, source in ((mitre_attack, ATTACK), (mitre_d3fend, d3fend)):
        monkeypatch.setattr(module, "_custom_url", str(source))
        monkeypatch.setattr(module, "_custom_cache_dir", tmp_path / module.__name__)
        monkeypatch.setattr(module, "_cache", None)
        monkeypatch.setattr(module, "urlopen", refused)


@pytest.mark.usefixtures("offline")
def test_sigma_check_has_nothing_to_say() -> None:
    result = CliRunner().invoke(check, ["--fail-on-error", "--fail-on-issues", str(ROOT / "rules")])
    assert "Found 0 errors, 0 condition errors and 0 issues." in result.output
    assert result.exit_code == 0


@pytest.mark.usefixtures("offline")
def test_sigma_check_would_have_something_to_say(tmp_path: Path) -> None:
    rule = (ROOT / "rules/endpoint/macos_key_import.yml").read_text()
    (tmp_path / "rule.yml").write_text(rule.replace("attack.t1573.002", "attack.t0000"))
    result = CliRunner().invoke(check, ["--fail-on-error", "--fail-on-issues", str(tmp_path / "rule.yml")])
    assert result.exit_code == 1


@pytest.mark.parametrize(("language", "layout", "folder"), SEARCHES)
def test_sigma_convert_converts_every_event_rule(language: str, layout: str, folder: str) -> None:
    rules = sorted((ROOT / "rules" / folder).glob("*.yml"))
    pipeline = ROOT / "pipelines" / f"{layout}.yml"
    result = CliRunner().invoke(convert, ["--target", language, "--pipeline", str(pipeline), *map(str, rules)])
    assert result.exit_code == 0, result.output
    searches = [text for text in result.stdout.split("\n\n") if text.strip() and not text.startswith("Parsing Sigma rules")]
    assert len(searches) == len(rules)
    assert not re.search(r"%\w+%", result.stdout), "a placeholder is left"


def test_every_event_rule_is_in_a_folder_that_is_converted() -> None:
    folders = {Path(rule.location.file).parent.name for rule in whole_pack().rules.values()}
    assert folders == {folder for _, _, folder in SEARCHES}
