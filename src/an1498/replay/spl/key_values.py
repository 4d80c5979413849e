"""extract, also named kv: fields from pairs of a key and a value in `_raw` (Search Reference, "extract")."""

from __future__ import annotations

import re
from collections.abc import Mapping

from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.materialised import Row, computed
from an1498.replay.spl.values import Kind

_LIMIT, _MAXCHARS = 50, 10_240


def extract(frame: Frame, command: syntax.Plain) -> Frame:
    """`extract pairdelim="<characters>" kvdelim="<characters>"`: each character separates; "if the delimiter appears in the value, that
    value is not extracted". Quotation marks, spaces around a key, keys that Splunk would clean, a key twice, and a field that the event has
    already with another value are refused."""
    source, at, options = frame.context.source, command.at, dict(command.options)
    pairs, keys = options.pop("pairdelim", ""), options.pop("kvdelim", "")
    if options or command.words or not pairs or not keys or set(pairs) & set(keys):
        raise source.unsupported(at, "extract without pairdelim and kvdelim, or with more", 'write extract pairdelim="…" kvdelim="…"')
    if not frame.has("_raw"):
        raise source.unsupported(at, "extract over events without _raw")

    def extracted(kinds: Mapping[str, Kind], rows: list[Row]) -> tuple[Mapping[str, Kind], list[Row]]:
        found: list[Row] = []
        added: dict[str, Kind] = {}
        for row in rows:
            fields = _fields(str(row.get("_raw") or ""), pairs, keys)
            if fields is None:
                raise source.unsupported(at, "extract of this text: quotation marks, spaces, odd keys, a key twice, or too long")
            for name, value in fields.items():
                if row.get(name) not in (None, value):
                    raise source.unsupported(at, f"extract that finds '{name}', which the event has already")
            added.update({name: Kind.TEXT for name in fields if name not in kinds})
            found.append({**row, **{name: value for name, value in fields.items() if row.get(name) is None}})
        return {**kinds, **added}, found

    return computed(frame, None, at, extracted)


def _fields(text: str, pairdelim: str, kvdelim: str) -> dict[str, str] | None:
    """Fields by name; None for a text whose reading is not documented."""
    fields: dict[str, str] = {}
    pieces = [piece for piece in re.split(f"[{re.escape(pairdelim)}]+", text) if piece]
    if len(text) > _MAXCHARS or len(pieces) > _LIMIT or '"' in text:
        return None
    for piece in pieces:
        key, *values = re.split(f"[{re.escape(kvdelim)}]", piece)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key) or not values or key in fields:
            return None
        if len(values) == 1:
            if not values[0] or values[0] != values[0].strip():
                return None
            fields[key] = values[0]
    return fields
