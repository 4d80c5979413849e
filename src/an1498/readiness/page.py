"""A readiness check as one self-contained HTML page: no script, no network. Every text that is not written here is escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable

from an1498.readiness.levels import level_text
from an1498.readiness.report import Assessment, Question, RuleState

_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #8886}
code,pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.level{display:inline-block;min-width:5rem;padding:.1rem .5rem;border-radius:.3rem;color:#fff;text-align:center}
.l0{background:#b3261e}.l1{background:#b35900}.l2{background:#8a6d00}.l3{background:#2e7d32}.l4{background:#1b5e20}.lx{background:#666}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def to_html(assessment: Assessment) -> str:
    notes = [f"{assessment.rejects:,} lines could not be read"] if assessment.rejects else []
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>AN1498 readiness</title><style>{_STYLE}</style></head><body>",
            f"<h1>AN1498 readiness: {_badge(assessment.level)}</h1>",
            f"<p>{assessment.files:,} files, {assessment.events:,} events. The level is the lowest among the essential questions (★).</p>",
            _list([*notes, *assessment.rejected, *assessment.skipped]),
            "<h2>Questions</h2><table><thead><tr><th>Level<th>Question<th>Answer<th>Switch on</tr></thead><tbody>",
            *(_question(question) for question in assessment.questions),
            "</tbody></table><h2>Rules and correlations</h2>",
            "<table><thead><tr><th>State<th>Rule<th>Matched<th>What is missing</tr></thead><tbody>",
            *(_rule(state) for state in assessment.rules),
            "</tbody></table></body></html>\n",
        ]
    )


def _question(question: Question) -> str:
    star = " ★" if question.essential else ""
    evidence = html.escape(json.dumps(question.evidence, indent=1, ensure_ascii=False))
    return (
        f'<tr id="{html.escape(question.code)}"><td>{_badge(question.level)}<td>{html.escape(question.title)}{star}'
        f"<td>{html.escape(question.answer)}<details><summary>Evidence</summary><pre>{evidence}</pre></details>"
        f"<td>{_list(question.remedies)}</tr>"
    )


def _rule(state: RuleState) -> str:
    cells = (state.state, f"{state.rule} ({state.kind})", f"{state.matched:,}", state.why)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells) + "</tr>"


def _badge(level: int | None) -> str:
    return f'<span class="level l{"x" if level is None else level}">{"" if level is None else level} {level_text(level)}</span>'


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li><code>{html.escape(text)}</code></li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""
