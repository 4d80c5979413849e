"""Values inside the Markdown of investigation and setup guides: whatever they hold, they stay text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&-])")
_TEMPLATE = re.compile(r"\{\{[\w.@-]+\}\}")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def inline(text: str) -> str:
    """Text as one line without Markdown meaning (CommonMark, "Backslash escapes")."""
    escaped = _SPECIAL.sub(r"\\\1", _BLANK.sub(" ", text).strip())
    return re.sub(r"^(\d+)\.", r"\1\\.", escaped, flags=re.ASCII)


def code(text: str) -> str:
    """Text as inline code. Inside it backslashes are literal, so the delimiter is longer than every run of backticks."""
    plain = _BLANK.sub(" ", text).strip()
    ticks = "`" * (_longest_run(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}"


def cell(text: str) -> str:
    """Inline code in a table: a bar would end the cell even inside code (GitHub Flavored Markdown, "Tables")."""
    return code(text).replace("|", "\\|")


def block(text: str) -> str:
    """A fenced block whose fence no line of the text can close."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}\n{text}\n{fence}"


def investigate(label: str, description: str, providers: Sequence[Mapping[str, str]], minutes: int) -> str:
    """`providers`: what holds for a record, field by field, or else what the next mapping says. A value `{{field}}` is the alert's.

    A button of Kibana's investigation guides (Elastic Security, "Launch Timeline from investigation guides").

    Kibana finds the plugin's end by counting braces, also those inside texts; so braces in texts are written as escapes, and only
    `{{field}}` keeps its own."""
    rows = [[_provider(field, value) for field, value in row.items()] for row in providers]
    listed = ", ".join(f"[{', '.join(row)}]" for row in rows)
    return (
        f'!{{investigate{{"label": {_json(label)}, "description": {_json(description)}, "providers": [{listed}], '
        f'"relativeFrom": "now-{minutes}m", "relativeTo": "now"}}}}'
    )


def _provider(field: str, value: str) -> str:
    text = json.dumps(value) if _TEMPLATE.fullmatch(value) else _json(value)
    return f'{{"field": {_json(field)}, "excluded": false, "queryType": "phrase", "value": {text}, "valueType": "string"}}'


def _json(text: str) -> str:
    return json.dumps(text).replace("{", "\\u007b").replace("}", "\\u007d")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
