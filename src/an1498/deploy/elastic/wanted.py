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
LOOKUP_JOIN = re.compile(r"\bLOOKUP JOIN ([A-Za-z0-9_.-]+)")
"""An index that an ES|QL rule reads beside the logs."""

LOOKUP_INDEX = "lookup_index"
INDEX_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,200}")
"""No wildcard, list or `_all`: a request is about one index."""

SETTINGS, MAPPINGS, PROPERTIES = "settings.", "mappings.", "mappings.properties."
SET_BY_THE_SERVER = re.compile(r"index\.(creation_date|uuid|provided_name|version\.|routing\.|history\.|verified_before_close).*")
"""Settings that are no one's decision."""

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
    joined = set(LOOKUP_JOIN.findall(files[f"{BUNDLE}/rules.ndjson"].decode(errors="replace")))
    for name in sorted(joined - {path.rpartition("/")[2].removesuffix(".json") for path in files if f"/{LOOKUP_INDEX}/" in path}):
        notes.append(
            f"{BUNDLE}/rules.ndjson: rules look up index '{name}', which the build does not have: make and fill it (docs/telemetry.md)"
        )
    for path, data in sorted(files.items()):
        inside = path.removeprefix(f"{BUNDLE}/")
        if inside == path or inside.startswith(NOT_DEPLOYED):
            continue
        try:
            objects += _objects(inside, data, notes)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path}: is not as an1498 writes it ({type(error).__name__}: {error}); build it again") from error
    return objects, notes


def _objects(path: str, data: bytes, notes: list[str]) -> Iterator[Wanted]:
    directory, _, name = path.rpartition("/")
    if path == "rules.ndjson":
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
    elif directory == LOOKUP_INDEX:
        name = name.removesuffix(".json")
        if not INDEX_NAME.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is no name of an index")
        yield Wanted(Key(LOOKUP_INDEX, name), name, index_body(json.loads(data)))
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


def index_body(index: Mapping[str, Any]) -> Body:
    """An index as `PUT <index>` takes it or `GET <index>` shows it, setting by setting and field by field, so that a new field is an
    addition. Elasticsearch shows settings as texts."""
    mappings = index.get("mappings") or {}
    settings = {f"{SETTINGS}{name}": _text(value) for name, value in _flat(index["settings"]) if not SET_BY_THE_SERVER.fullmatch(name)}
    others = {f"{MAPPINGS}{name}": _text(value) for name, value in mappings.items() if name != "properties"}
    fields = {f"{PROPERTIES}{name}": dict(field) for name, field in (mappings.get("properties") or {}).items()}
    return {**settings, **others, **fields}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, dict | list) else str(value)


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
