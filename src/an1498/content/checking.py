"""`check`: load everything, collect every loader's error, then run the lints on what loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from an1498.content.findings import Finding, malformed
from an1498.content.layouts import layout_names, parse_layout
from an1498.content.lints import all_lints
from an1498.content.node import Document
from an1498.content.pack import Content, load_content
from an1498.content.report import Report, reporting
from an1498.content.rules import rule_files
from an1498.content.scenarios import FILE_NAME as SCENARIO
from an1498.content.scenarios import Scenario, load_scenario, scenario_files
from an1498.content.settings import FILE_NAME as SETTINGS
from an1498.content.settings import load_settings
from an1498.content.subject import Subject
from an1498.content.text import label
from an1498.content.yamldoc import read_yaml
from an1498.errors import ContentError, UsageError
from an1498.model import Layout

_RULE = re.compile(r"\brule '([^']+)'")


def check(root: Path, overlays: Sequence[Path] = (), paths: Sequence[Path] = ()) -> tuple[Finding, ...]:
    """All findings of a content root, sorted by place. `paths` limits them to files and directories; YAML files outside the root
    are checked as additions to it (a rule of the same name takes the place of the root's own).

    Content that cannot be loaded gives findings with `malformed` set; the lints then do not run, because they would report what
    follows from it. Raises UsageError for a path that does not exist."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or directory")
    errors: list[ContentError] = []
    outside = [file for path in paths if not _within(path, root) for file in _yaml_files(path)]
    scenarios_outside = [file for file in outside if file.name == SCENARIO]
    pipelines_outside = [file for file in outside if file.parent.parent.name == "pipelines"]
    rules_outside = [file for file in outside if file not in scenarios_outside and file not in pipelines_outside]
    findings: list[Finding] = []
    content: Content | None = None
    with reporting(errors.append):
        content = load_content(root, overlays, errors.append, rules_outside)
        layouts, documents = _layouts(content.pipelines, pipelines_outside, errors.append)
        scenarios = _scenarios(content, scenarios_outside, errors.append)
        if not errors:
            findings = _lint(Subject(content.pack, content.settings, layouts, documents, scenarios))
    for path in paths if content is not None else ():
        if path.suffix == ".toml" and path.resolve() != (root / SETTINGS).resolve():
            with reporting(errors.append):
                load_settings(root, [path], content.pipelines, errors.append)
    findings += [malformed(error) for error in _causes(errors)]
    return tuple(sorted(finding for finding in findings if _selected(finding, paths, root)))


def _causes(errors: Sequence[ContentError]) -> list[ContentError]:
    """Each error once, without "no such rule" for a rule that is there but could not be loaded."""
    broken = {Path(error.location.file).stem for error in errors}
    distinct = {str(error): error for error in errors}.values()
    return [error for error in distinct if error.code != "unknown-reference" or broken.isdisjoint(_RULE.findall(error.problem))]


def _lint(subject: Subject) -> list[Finding]:
    return [
        Finding(problem.location, lint.code, lint.name, problem.severity or lint.severity, problem.text, problem.remedy)
        for lint in all_lints()
        for problem in lint.find(subject)
    ]


def _layouts(pipelines: Path, outside: Sequence[Path], report: Report) -> tuple[dict[str, Layout], dict[str, Document]]:
    layouts: dict[str, Layout] = {}
    documents: dict[str, Document] = {}
    files = {name: pipelines / f"{name}.yml" for name in layout_names(pipelines)}
    files.update({f"{file.parent.name}/{file.stem}": file for file in outside})
    for name, file in files.items():
        with reporting(report):
            document = read_yaml(file)
            layouts[name] = parse_layout(name, file, document)
            documents[name] = document
    return layouts, documents


def _scenarios(content: Content, outside: Sequence[Path], report: Report) -> tuple[Scenario, ...]:
    samples = content.pack.root / "samples"
    scenarios = []
    for file in [*(scenario_files(samples) if samples.is_dir() else ()), *outside]:
        with reporting(report):
            scenarios.append(load_scenario(file, content.pack))
    return tuple(scenarios)


def _within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _yaml_files(path: Path) -> list[Path]:
    if path.is_dir():
        return list(rule_files(path))
    return [path] if path.suffix != ".toml" else []


def _selected(finding: Finding, paths: Sequence[Path], root: Path) -> bool:
    """Findings of the settings that keep everything else from loading are always shown."""
    if not paths or (finding.malformed and finding.location.file == label(root / SETTINGS)):
        return True
    file = Path(finding.location.file).resolve()
    return any(file.is_relative_to(path.resolve()) for path in paths)
