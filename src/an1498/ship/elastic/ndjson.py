"""Lines of JSON as Kibana imports them. Everything outside ASCII is escaped: whatever a value holds, a line stays a line for
every reader, also for one that takes U+2028 or U+0085 for a line's end."""

from __future__ import annotations

import json
from collections.abc import Iterable


def ndjson(objects: Iterable[object]) -> bytes:
    return "".join(f"{json.dumps(item, ensure_ascii=True, allow_nan=False)}\n" for item in objects).encode("ascii")


def pretty(value: object) -> bytes:
    return f"{json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False)}\n".encode("ascii")
