"""The Elastic bundle of a build as objects: the same fields that `siem.py` reads back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from an1498.deploy.objects import Body, Key, Wanted, canonical
from an1498.errors import UsageError
from an1498.ship.build import BUNDLE

TEMPLATES = {"component_templates": "component_template", "ingest_pipelines": "ingest_pipeline"}
LOOKUP = re.compile(r"\bLOOKUP JOIN ([A-Za-z0-9_.-]+)")
"""An index that an ES|QL rule reads beside the logs."""

LISTS = ("name", "description", "type", "namespace_type", "os_types", "tags")
"""What the build decides of an exception list; its items are the SOC's."""

NOT_DEPLOYED = ("README.md", "detection-rules/")
"""For people, and for another tool."""


def wanted_objects(files: Mapping[str, bytes]) -> tuple[list[Wanted], list[str]]:
    """The objects of a build's files, and a note for each file of the bundle that is not deployed though it might be. Raises UsageError."""
    if f"{BUNDLE}/rules.ndjson" not in files:
        # An apply of it would delete all rules.
        raise UsageError(f"{BUNDLE}/rules.ndjson: is not in the build; build it again")
    objects: list[Wanted] = []
    notes: list[str] = []
    for path, data in sorted(files.items()):
        inside = path.removeprefix(f"{BUNDLE}/")
        if inside == path or inside.startswith(NOT_DEPLOYED):
            continue
        try:
            objects += _objects(inside, data, notes)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: is not as an1498 writes it ({type(error).__name__}: {error}); build it again") from error
    return objects, notes


def _objects(path: str, data: bytes, notes: list[str]) -> Iterator[Wanted]:
    directory, _, name = path.rpartition("/")
    if path == "rules.ndjson":
        for index in sorted(set(LOOKUP.findall(data.decode()))):
            notes.append(f"{BUNDLE}/{path}: rules look up index '{index}', which is not deployed: make and fill it (docs/telemetry.md)")
        yield from (Wanted(Key("rule", rule["rule_id"]), rule["name"], rule_body(rule)) for rule in _lines(data))
    elif path == "exceptions.ndjson":
        yield from (Wanted(Key("exception_list", item["list_id"]), item["name"], list_body(item)) for item in _lines(data))
    elif path == "dashboard.ndjson":
        for item in _lines(data):
            title = item["attributes"].get("name") or item["attributes"]["title"]
            yield Wanted(Key("saved_object", f"{item['type']}:{item['id']}"), title, saved_body(item))
    elif directory in TEMPLATES:
        name = name.removesuffix(".json")
        yield Wanted(Key(TEMPLATES[directory], name), name, json.loads(data))
    else:
        notes.append(f"{BUNDLE}/{path}: not deployed by an1498; install it by hand")


def _lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line.strip()]


def rule_body(rule: Mapping[str, Any]) -> Body:
    """A rule without its key. References to exception lists are by `list_id`: the `id` is Kibana's own."""
    body = {field: value for field, value in rule.items() if field not in ("rule_id", "id")}
    lists = [{field: value for field, value in item.items() if field != "id"} for item in rule.get("exceptions_list") or ()]
    return {**body, "exceptions_list": sorted(lists, key=canonical), "response_actions": rule.get("response_actions") or []}


def list_body(item: Mapping[str, Any]) -> Body:
    return {field: item.get(field) for field in LISTS}


def saved_body(item: Mapping[str, Any]) -> Body:
    """A saved object, field by field; attributes that hold JSON text are read, so that spelling does not count."""
    attributes = {f"attributes.{name}": _parsed(name, value) for name, value in item["attributes"].items()}
    references = sorted(item.get("references") or (), key=canonical)
    return {**attributes, "references": references}


def _parsed(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _parsed(key, inner) for key, inner in value.items()}
    if name.endswith("JSON") and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def unparsed(name: str, value: Any) -> Any:
    """The attribute as Kibana takes it."""
    if name.endswith("JSON") and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return {key: unparsed(key, inner) for key, inner in value.items()}
    return value
