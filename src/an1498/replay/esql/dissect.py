"""DISSECT (Elasticsearch reference, "DISSECT" and "Process data with DISSECT and GROK"): keys between literal delimiters.

Each key takes the text up to the first occurrence of the delimiter after it, the last key takes the rest; text that does not have all
delimiters gives nulls. A lazy expression finds the same, since a later occurrence never leaves more room for the rest.
"""

from __future__ import annotations

import re

from an1498.replay.algebra import Case, Lit, call
from an1498.replay.esql import tree
from an1498.replay.esql.expressions import lower
from an1498.replay.esql.pipeline import Pipeline
from an1498.replay.esql.values import STRINGS, Type, Value, single

_KEY = re.compile(r"%\{([^}]*)\}")
_NAME = re.compile(r"\w[\w.@-]*", re.ASCII)


def dissect(pipeline: Pipeline, command: tree.Dissect) -> None:
    """Keys become keyword columns, replacing those of the same name; `%{}` and `%{?name}` skip."""
    source = pipeline.source
    value = lower(command.expression, pipeline.context)
    if value.type not in STRINGS:
        raise source.wrong(command.expression.at, f"Dissect only supports KEYWORD or TEXT values, found expression of type [{value.type}]")
    delimiters = [_literal(part) for part in _KEY.split(command.pattern)[::2]]
    names = _KEY.findall(command.pattern)
    if not names:
        raise source.wrong(command.at, f"Invalid pattern for dissect: [{command.pattern}]")
    keys = [name for name in names if name and not name.startswith("?")]
    if not all(_NAME.fullmatch(name) for name in keys) or len(set(keys)) < len(keys):
        raise source.unsupported(command.at, "DISSECT with modifiers other than ?, or with a key twice")
    if delimiters[-1] or not all(delimiters[1:-1]):
        raise source.unsupported(command.at, "DISSECT with text after its last key, or with keys that touch")
    parts = [delimiters[0]]
    for place, name in enumerate(names):
        body = ".*" if place == len(names) - 1 else ".*?"
        parts.append((f"({body})" if name in keys else body) + delimiters[place + 1])
    regex = Lit("".join(parts))
    text = pipeline.extend(Value(single(value), Type.KEYWORD)).expr
    found = pipeline.extend(Value(call("coalesce", call("regex_full", text, regex), Lit(False)), Type.BOOLEAN)).expr
    for number, name in enumerate(keys, 1):
        refused = call("fail", Lit(f"an1498-refused: DISSECT whose key '{name}' is empty"))
        group = call("regex_group", text, regex, Lit(number))
        checked = Case(((call("eq", group, Lit("")), refused),), group)
        column = pipeline.extend(Value(Case(((found, checked),), Lit(None, "VARCHAR")), Type.KEYWORD))
        pipeline.scope.pop(name, None)
        pipeline.scope[name] = column


def _literal(text: str) -> str:
    return re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", text)
