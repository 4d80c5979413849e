"""A readiness check as plain lines for a terminal. Texts from logs lose their control characters there."""

from __future__ import annotations

from collections.abc import Iterator

from an1498.readiness.levels import level_text
from an1498.readiness.report import Assessment


def lines(assessment: Assessment) -> Iterator[tuple[str, int | None]]:
    """(line, level that colours it; None for plain)."""
    yield f"{assessment.files:,} files, {assessment.events:,} events, {assessment.rejects:,} lines that cannot be read", None
    for note in (*assessment.rejected, *assessment.skipped):
        yield f"  {_safe(note)}", None
    yield "", None
    width = max(len(question.title) for question in assessment.questions)
    for question in assessment.questions:
        mark = "*" if question.essential else " "
        level = "-" if question.level is None else str(question.level)
        line = f"{level} {level_text(question.level):<8}{mark} {question.title:<{width}}  {question.answer}"
        yield _safe(line), question.level
    yield "", None
    for state in assessment.rules:
        if state.state == "cannot":
            yield _safe(f"cannot fire: {state.rule} lacks {state.why}"), None
    remedies = list(dict.fromkeys(remedy for question in assessment.questions for remedy in question.remedies))
    if remedies:
        yield "", None
        yield "switch on:", None
        for remedy in remedies:
            yield f"  - {_safe(remedy)}", None
    yield "", None
    yield f"level {assessment.level} {level_text(assessment.level)}: the lowest of the essential questions (*)", assessment.level


def _safe(text: str) -> str:
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
