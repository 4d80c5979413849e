"""A literal differs from the parameter that replaces it.

**Why.** The rule must mean the same with plain sigma-cli, which does not know the pack's parameters and takes the literal.

**Bad** — `time_window = "5m"` in an1498.toml

    parameters: {timespan: time_window}
    correlation:
      timespan: 10m

**Good**

    parameters: {timespan: time_window}
    correlation:
      timespan: 5m
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from an1498.content.bindings import bindings, section
from an1498.content.durations import seconds
from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject
from an1498.content.yamldoc import read_yaml


def find(subject: Subject) -> Iterator[Problem]:
    for rule in subject.alerting:
        if not rule.document.get("parameters"):
            continue
        written = read_yaml(Path(rule.location.file)).root
        for path, binding in bindings(written).items():
            literal = written.require(section(written))
            for key in path:
                literal = literal.require(key)
            default = subject.settings.defaults[binding.value]
            if not _same(literal.value, default.value):
                yield Problem(
                    literal.location,
                    f"'{'.'.join(path)}' is {literal.value}, but parameter '{default.name}' is {default.value} ({default.location})",
                    f"write {default.value}",
                )


def _same(literal: object, default: object) -> bool:
    if isinstance(literal, str) and isinstance(default, str):
        return seconds(literal) == seconds(default)
    return literal == default


LINT = Lint("AN110", "parameter-literal", Severity.ERROR, __doc__ or "", find)
