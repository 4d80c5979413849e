"""Indices in lookup mode, which ES|QL rules join: made, extended, read; never deleted while they hold documents, which are the SOC's.

Sources: Elasticsearch REST API 8.18 / 9.x: "Create an index" (there alone `index.mode` can be set), "Update field mappings" (fields are
added, never removed; a field's type never changes), "Get index information", "Count search results", "Delete indices".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from an1498.deploy.elastic.wanted import INDEX_NAME, MAPPINGS, PROPERTIES, SETTINGS, index_body
from an1498.deploy.http import Client
from an1498.deploy.objects import Body, Key, Live, Write, same
from an1498.errors import UsageError

MODE = f"{SETTINGS}index.mode"
TUNABLE = tuple(f"{SETTINGS}index.{name}" for name in ("number_of_replicas", "auto_expand_replicas", "refresh_interval"))
"""How the cluster serves the table, not what it is."""


def read_index(client: Client, key: Key) -> Live | None:
    answer = client.get(_path(key), params={"flat_settings": "true"})
    # An alias answers under the name of what it stands for.
    found = (answer.data or {}).get(key.name) if answer.status != 404 else None
    return Live(key, index_body(found)) if found is not None else None


def write_index(client: Client, item: Write) -> str:
    """Create, or add what is missing. Returns Elasticsearch's refusal, else an empty text."""
    live = item.live.body if item.live else {}
    changed = {field: value for field, value in item.body.items() if not same(live.get(field), value)}
    mappings: dict[str, Any] = {"properties": {}}
    for field, value in changed.items():
        if field.startswith(PROPERTIES):
            mappings["properties"][field.removeprefix(PROPERTIES)] = value
        elif not field.startswith(SETTINGS):
            mappings[field.removeprefix(MAPPINGS)] = value
    if item.live is None:
        settings = {field.removeprefix(SETTINGS): value for field, value in changed.items() if field.startswith(SETTINGS)}
        answer = client.send("PUT", _path(item.key), json={"settings": settings, "mappings": mappings}, allowed=(400, 409))
    else:
        answer = client.send("PUT", f"{_path(item.key)}/_mapping", json=mappings, allowed=(400, 404, 409))
    return answer.said if answer.status >= 400 else ""


def delete_index(client: Client, live: Live) -> str:
    """Delete an empty index. Elasticsearch has no deletion on a condition, so that documents are counted right before."""
    held = documents(client, live.key)
    if held:
        return f"{held}: it is not deleted"
    answer = client.send("DELETE", _path(live.key), allowed=(400, 404, 409))
    return answer.said if answer.status in (400, 409) else ""


def documents(client: Client, key: Key) -> str:
    """What an index holds, in words; empty where it holds nothing."""
    answer = client.get(f"{_path(key)}/_count")
    count = int(answer.data["count"]) if answer.status != 404 else 0
    return f"holds {count} documents" if count else ""


def check_index(live: Live, wanted: Body) -> None:
    """Raises UsageError where an index that is there can only be made anew: other settings, or a field of another type."""
    for field, value in wanted.items():
        there = live.body.get(field)
        if field.startswith(SETTINGS) and not same(there, value):
            default = "standard" if field == MODE else "not set"
            problem = f"is there with {field.removeprefix(SETTINGS)} {there or default}, the build has {value}"
        elif field.startswith(PROPERTIES) and there is not None and _type(there) != _type(value):
            problem = f"maps {field.removeprefix(PROPERTIES)} as {_type(there)}, the build as {_type(value)}"
        else:
            continue
        raise UsageError(
            f"index '{live.key.name}' {problem}, which Elasticsearch cannot change: delete the index, then apply and fill it again "
            f"(bundle/README.md)"
        )


def _type(field: Mapping[str, Any]) -> str:
    return str(field.get("type", "object"))


def _path(key: Key) -> str:
    if not INDEX_NAME.fullmatch(key.name):
        raise UsageError(f"{str(key)[:80]!r}: is no name of one index; restore the lock file from version control")
    return f"/{quote(key.name, safe='')}"
