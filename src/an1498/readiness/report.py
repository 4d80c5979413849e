"""The result of a readiness check, as values and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from an1498.readiness.levels import level_text


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the analyst. `level` is 0 to 4, None where nothing could be measured; `answer` is one sentence; `evidence` are
    the figures; `remedies` the exact things to switch on. The correlations need every `essential` one."""

    code: str
    title: str
    level: int | None
    answer: str
    evidence: Mapping[str, Any]
    remedies: tuple[str, ...] = ()
    essential: bool = False


@dataclass(frozen=True, slots=True)
class RuleState:
    """Whether a rule can fire on such logs. `state`: "fired" (`matched` events or alerts in these logs), "quiet" (all that it needs is
    there, nothing matched) "cannot" (`why` names what is missing), or "uncounted" (all is
    there, but replay refuses to execute the search over so many events; `why` says so)."""

    rule: str
    kind: str
    state: str
    matched: int
    why: str = ""
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """`level` is the lowest level among the essential questions."""

    files: int
    events: int
    rejects: int
    rejected: tuple[str, ...]
    skipped: tuple[str, ...]
    questions: tuple[Question, ...]
    rules: tuple[RuleState, ...]

    @property
    def level(self) -> int:
        return min((question.level for question in self.questions if question.essential and question.level is not None), default=0)

    def question(self, code: str) -> Question:
        return next(question for question in self.questions if question.code == code)

    def rule(self, name: str) -> RuleState:
        return next(state for state in self.rules if state.rule == name)


def to_json(assessment: Assessment) -> str:
    document = {
        "level": assessment.level,
        "level_name": level_text(assessment.level),
        "files": assessment.files,
        "events": assessment.events,
        "rejects": assessment.rejects,
        "rejected": list(assessment.rejected),
        "skipped": list(assessment.skipped),
        "questions": [
            {
                "code": question.code,
                "title": question.title,
                "level": question.level,
                "level_name": level_text(question.level),
                "essential": question.essential,
                "answer": question.answer,
                "evidence": question.evidence,
                "remedies": list(question.remedies),
            }
            for question in assessment.questions
        ],
        "rules": [
            {
                "rule": state.rule,
                "kind": state.kind,
                "state": state.state,
                "matched": state.matched,
                "why": state.why,
                "remedies": list(state.remedies),
            }
            for state in assessment.rules
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
