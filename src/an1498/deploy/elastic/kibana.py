"""Rules and saved objects: the APIs of Kibana that take many objects in one request and report errors per object inside a 200."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from an1498.deploy.elastic.wanted import rule_body, saved_body, unparsed
from an1498.deploy.http import Answer, Client
from an1498.deploy.objects import Key, Live, Write
from an1498.errors import ExternalError
from an1498.ship.elastic.dashboard import MIGRATIONS
from an1498.ship.elastic.ndjson import ndjson

PAGE = 50
"""Rules per look-up: their ids stand in the URL."""

COMPUTED = (
    "id",
    "rule_id",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "revision",
    "immutable",
    "rule_source",
    "execution_summary",
    "outcome",
    "alias_target_id",
    "alias_purpose",
    "output_index",
    "namespace",
    "meta",
    "throttle",
    "investigation_guide",
)
"""Fields of RuleResponse that Kibana sets itself."""


def read_rules(client: Client, keys: Sequence[Key]) -> dict[Key, Live]:
    """GET rules/_find by rule_id."""
    found: dict[Key, Live] = {}
    for start in range(0, len(keys), PAGE):
        page = keys[start : start + PAGE]
        names = " OR ".join(f'"{_kql(key.name)}"' for key in page)
        params = {"filter": f"alert.attributes.params.ruleId: ({names})", "page": "1", "per_page": str(PAGE)}
        answer = client.get("/api/detection_engine/rules/_find", params=params, missing=False)
        for rule in _list(client, answer, "data"):
            key = Key("rule", str(rule.get("rule_id")))
            if key in page:
                body = {field: value for field, value in rule_body(rule).items() if field not in COMPUTED}
                found[key] = Live(key, body, str(rule.get("revision", "")), str(rule.get("id", "")))
    return found


def import_rules(client: Client, writes: Sequence[Write]) -> dict[Key, str]:
    """POST rules/_import, overwriting. What the API reports per rule is returned per rule."""
    lists = _list_ids(client, writes)
    refused: dict[Key, str] = {}
    lines = []
    for item in writes:
        gone = [
            entry["list_id"]
            for entry in item.body.get("exceptions_list") or ()
            if not lists.get((entry["list_id"], entry["namespace_type"]))
        ]
        if gone:
            refused[item.key] = f"exception list {gone[0]} is not there: Kibana would drop it from the rule"
            continue
        named = [{"id": lists[(e["list_id"], e["namespace_type"])], **e} for e in item.body.get("exceptions_list") or ()]
        body = {field: value for field, value in item.body.items() if field != "response_actions" or value}
        lines.append({"rule_id": item.key.name, **body, "exceptions_list": named})
    if not lines:
        return refused
    answer = _import(client, "/api/detection_engine/rules/_import", lines)
    for error in _list(client, answer, "errors"):
        key = Key("rule", str(error.get("rule_id") or error.get("id")))
        refused[key] = client.clean(str((error.get("error") or {}).get("message", error)))
    return refused


def read_saved(client: Client, keys: Sequence[Key]) -> dict[Key, Live]:
    """POST saved_objects/_export. It refuses the whole request with 400 where one object is missing, and says which."""
    left = list(keys)
    while left:
        objects = [dict(zip(("type", "id"), key.name.split(":", 1), strict=True)) for key in left]
        body = {"objects": objects, "includeReferencesDeep": False, "excludeExportDetails": True}
        answer = client.query("/api/saved_objects/_export", json=body, allowed=(400,))
        if answer.status == 200:
            items = answer.data if isinstance(answer.data, list) else [answer.data]
            return {key: Live(key, saved_body(item), str(item.get("version", ""))) for item in items if (key := _saved_key(item)) in left}
        attributes = answer.data.get("attributes") if isinstance(answer.data, dict) else None
        missing = {_saved_key(item) for item in (attributes or {}).get("objects", ()) if item.get("error", {}).get("statusCode") == 404}
        if not missing & set(left):
            raise ExternalError(client.clean(f"Kibana: POST /api/saved_objects/_export answers 400: {answer.said}"))
        left = [key for key in left if key not in missing]
    return {}


def import_saved(client: Client, writes: Sequence[Write]) -> dict[Key, str]:
    """POST saved_objects/_import, overwriting."""
    lines = []
    for item in writes:
        object_type, _, object_id = item.key.name.partition(":")
        attributes = {field.removeprefix("attributes."): value for field, value in item.body.items() if field.startswith("attributes.")}
        attributes = {name: unparsed(name, value) for name, value in attributes.items()}
        line = {"type": object_type, "id": object_id, "attributes": attributes, "references": item.body["references"]}
        lines.append({**line, **MIGRATIONS.get(object_type, {})})
    answer = _import(client, "/api/saved_objects/_import", lines)
    refused = {_saved_key(error): client.clean(_saved_problem(error)) for error in answer.data.get("errors") or ()}
    for item in answer.data.get("successResults") or ():
        if item.get("destinationId"):
            refused[_saved_key(item)] = f"another space has this object; Kibana made a copy {item['destinationId']}: remove it"
    return refused


def _import(client: Client, path: str, lines: Sequence[Mapping[str, Any]]) -> Answer:
    content = ndjson(lines)
    files = {"file": ("an1498.ndjson", content, "application/ndjson")}
    answer = client.send("POST", path, params={"overwrite": "true"}, files=files)
    if not isinstance(answer.data, dict):
        raise ExternalError(f"Kibana: POST {path} answers with something else than a report")
    return answer


def _list_ids(client: Client, writes: Sequence[Write]) -> dict[tuple[str, str], str]:
    """Kibana's ids of the exception lists that rules name; empty for a list that is not there."""
    wanted = {(entry["list_id"], entry["namespace_type"]) for item in writes for entry in item.body.get("exceptions_list") or ()}
    found = {}
    for list_id, namespace in sorted(wanted):
        answer = client.get("/api/exception_lists", params={"list_id": list_id, "namespace_type": namespace})
        found[(list_id, namespace)] = str(answer.data["id"]) if answer.status == 200 else ""
    return found


def _list(client: Client, answer: Answer, field: str) -> list[dict[str, Any]]:
    data = answer.data.get(field) if isinstance(answer.data, dict) else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise ExternalError(client.clean(f"Kibana: answers without '{field}': {answer.text[:200]}"))
    return data


def _saved_key(item: Mapping[str, Any]) -> Key:
    return Key("saved_object", f"{item.get('type')}:{item.get('id')}")


def _saved_problem(error: Mapping[str, Any]) -> str:
    detail = error.get("error")
    if not isinstance(detail, dict):
        return str(error)
    missing = ", ".join(f"{item.get('type')}:{item.get('id')}" for item in detail.get("references") or () if isinstance(item, dict))
    return str(detail.get("message") or detail.get("type")) + (f": {missing}" if missing else "")


def _kql(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
