"""Each lint on its cases: YAML files beside this one, named like the lint's module. A case changes the small pack once (`also`: more);
`pass` cases must not raise the lint, `fail` cases must raise exactly `findings`."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from an1498.content import check
from an1498.content.findings import MALFORMED, Finding
from an1498.content.lints import Lint, all_lints, reference

CASES = Path(__file__).parent / "lints"
# The small pack's own: nothing makes its second correlation fire.
ACCEPTED = "no scenario makes correlation 'self_signed_burst' fire"


def module_of(lint: Lint) -> str:
    return lint.find.__module__.rsplit(".", 1)[1]


def cases(kind: str) -> list[Any]:
    found = []
    for lint in all_lints():
        data = yaml.safe_load((CASES / f"{module_of(lint)}.yml").read_text(encoding="utf-8"))
        found += [pytest.param(lint, case, id=f"{lint.name}-{case['name']}") for case in data[kind]]
    return found


def findings(root: Path, lint: Lint, case: dict[str, Any]) -> list[Finding]:
    for change in (case, *case.get("also", [])):
        file = root / change["file"]
        before = file.read_text(encoding="utf-8")
        assert change["old"] in before
        file.write_text(before.replace(change["old"], change["new"], 1), encoding="utf-8")
    found = check(root)
    assert not [str(finding) for finding in found if finding.malformed]
    return [finding for finding in found if finding.code == lint.code and finding.problem != ACCEPTED]


@pytest.mark.parametrize(("lint", "case"), cases("pass"))
def test_accepts(root: Path, lint: Lint, case: dict[str, Any]) -> None:
    assert findings(root, lint, case) == []


@pytest.mark.parametrize(("lint", "case"), cases("fail"))
def test_finds(root: Path, lint: Lint, case: dict[str, Any]) -> None:
    found = findings(root, lint, case)
    assert [(str(item.location), item.severity.value, item.problem) for item in found] == [
        (wanted["at"], wanted["severity"], wanted["problem"]) for wanted in case["findings"]
    ]
    assert all(item.remedy for item in found)


def test_the_untouched_pack_has_no_other_findings(root: Path) -> None:
    assert [finding.problem for finding in check(root)] == [ACCEPTED]


def test_codes_and_names_are_stable_unique_and_apart_from_the_loaders() -> None:
    lints = all_lints()
    assert [lint.code for lint in lints] == [f"AN{101 + number}" for number in range(len(lints))]
    assert len({lint.name for lint in lints}) == len(lints)
    assert not {code for code, _ in MALFORMED.values()} & {lint.code for lint in lints}
    assert all(lint.name == lint.name.lower() and " " not in lint.name for lint in lints)


@pytest.mark.parametrize("lint", all_lints(), ids=lambda lint: lint.name)
def test_every_lint_has_a_page_and_a_failing_case(lint: Lint) -> None:
    assert re.fullmatch(r"[^\n]+\.\n\n\*\*Why\.\*\* .+\n\n\*\*Bad\*\*.+\*\*Good\*\*.+", lint.page.strip(), re.DOTALL)
    assert lint.page == importlib.import_module(lint.find.__module__).__doc__
    assert yaml.safe_load((CASES / f"{module_of(lint)}.yml").read_text(encoding="utf-8"))["fail"]


def test_there_are_no_cases_without_a_lint() -> None:
    assert {path.stem for path in CASES.glob("*.yml")} == {module_of(lint) for lint in all_lints()}


def test_the_reference_page_has_every_code() -> None:
    page = reference()
    for code in [*(code for code, _ in MALFORMED.values()), *(lint.code for lint in all_lints())]:
        assert page.count(f"| {code} |") + page.count(f"### {code} ") == 1
