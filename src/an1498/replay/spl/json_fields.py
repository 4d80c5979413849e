"""spath: fields from JSON text (Search Reference, "spath")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.materialised import Row, computed
from an1498.replay.spl.values import Kind, plain_text


def spath(frame: Frame, command: syntax.Plain) -> Frame:
    """Fields from JSON text: the value at `path`, or without a path every leaf, named by its path with `{}` for an array."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    field, path, output = options.pop("input", "_raw"), options.pop("path", ""), options.pop("output", "")
    words = list(command.words)
    path = path or (words.pop(0) if words else "")
    if options or words or any(part.endswith("}") and not part.endswith("{}") for part in path.split(".")) or (output and not path):
        raise source.unsupported(at, "these arguments of spath")
    if not frame.has(field):
        raise source.unsupported(at, f"spath over events without {field}")

    def extracted(kinds: Mapping[str, Kind], rows: list[Row]) -> tuple[Mapping[str, Kind], list[Row]]:
        found: list[Row] = []
        many = {name for name, kind in kinds.items() if kind is Kind.LIST}
        added: dict[str, None] = {}
        for row in rows:
            leaves = _leaves_of(row.get(field))
            if leaves is None:
                raise source.unsupported(at, "spath of text that is no JSON object")
            if path:
                deeper = any(name.startswith((f"{path}.", f"{path}{{}}")) for name in leaves)
                if deeper and path not in leaves:
                    raise source.unsupported(at, "spath of an object or a whole array")
                leaves = {output or path: leaves[path]} if path in leaves else {}
            for name in leaves:
                if row.get(name) is not None:
                    raise source.unsupported(at, f"spath that finds '{name}', which the event has already")
            added.update(dict.fromkeys(leaves))
            many |= {name for name, values in leaves.items() if len(values) > 1}
            found.append({**row, **leaves})
        written: list[Row] = [{**row, **{name: _stored(row.get(name), name in many) for name in added}} for row in found]
        return {**kinds, **{name: Kind.LIST if name in many else Kind.TEXT for name in added}}, written

    return computed(frame, None if not path else (field,), at, extracted)


def _stored(value: Any, many: bool) -> Any:
    """A leaf's values, or what another event has in a field of that name, as the column holds them."""
    if value is None:
        return None
    listed = value if isinstance(value, list) else [plain_text(value)]
    return listed if many or len(listed) > 1 else listed[0]


def _leaves_of(text: Any) -> dict[str, list[str]] | None:
    if text is None:
        return {}
    try:
        document = json.loads(str(text), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    leaves: dict[str, list[str]] = {}
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict):
            pending += [(f"{name}.{key}" if name else key, item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            pending += [(f"{name}{{}}", item) for item in reversed(value)]
        else:
            written = {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else value
            leaves.setdefault(name, []).append(written)
    return leaves
