"""Kibana's and Elasticsearch's management, as far as we use it, written from the published descriptions."""

from __future__ import annotations

import copy
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from tests.deploy.published import Operation, Request, checked, no_body
from tests.deploy.siem import Model, Reply, reply

from an1498.model import FieldType, Language
from an1498.replay import EqlFields, replay_text
from an1498.replay.lookup import Lookup

RULES = "Kibana OpenAPI, Security detections API, version 2023-10-31 (import_rules_route, find_rules_route, delete_rule_route .schema.yaml)"
LISTS = "Kibana OpenAPI, Security exceptions API, version 2023-10-31"
SAVED = "Kibana OpenAPI, saved objects API, version 2023-10-31"
ES = "Elasticsearch REST API, elasticsearch-specification 8.18 / 9.1"
SCHEMA = Path(__file__).parents[1] / "ship" / "elastic" / "rule_import.schema.json"
XSRF = frozenset({"kbn-xsrf"})


@cache
def rule_schema() -> jsonschema.protocols.Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line.strip()]


def rule_lines(request: Request) -> None:
    for rule in lines(request.upload()):
        # The schema is of what a build writes, which has no actions; people add them in Kibana.
        assert all({"id", "params", "action_type_id"} <= set(action) for action in rule.get("actions", []))
        problems = [error.message[:300] for error in rule_schema().iter_errors({**rule, "actions": []})]
        assert not problems, problems


def saved_lines(request: Request) -> None:
    for item in lines(request.upload()):
        assert {"type", "id", "attributes", "references"} <= set(item), item
        assert isinstance(item["attributes"].get("panelsJSON", ""), str)


def export_body(request: Request) -> None:
    body = json.loads(request.body)
    assert set(body) <= {"objects", "includeReferencesDeep", "excludeExportDetails", "type", "search", "hasReference"}, body
    assert all(set(item) == {"type", "id"} for item in body["objects"])


def list_fields(body: dict[str, Any], required: set[str], allowed: set[str]) -> None:
    assert required <= set(body) <= required | allowed, sorted(body)
    assert body["type"] in ("detection", "rule_default", "endpoint"), body
    assert body.get("namespace_type") in ("single", "agnostic", None)


def create_list(request: Request) -> None:
    allowed = {"list_id", "namespace_type", "os_types", "tags", "meta", "version"}
    list_fields(json.loads(request.body), {"name", "description", "type"}, allowed)


def update_list(request: Request) -> None:
    allowed = {"list_id", "id", "namespace_type", "os_types", "tags", "meta", "version", "_version"}
    list_fields(json.loads(request.body), {"name", "description", "type"}, allowed)


def template(request: Request) -> None:
    body = json.loads(request.body)
    assert "template" in body and set(body) <= {"template", "version", "_meta", "deprecated"}, sorted(body)
    assert set(body["template"]) <= {"mappings", "settings", "aliases", "lifecycle"}


def pipeline(request: Request) -> None:
    body = json.loads(request.body)
    assert set(body) <= {"description", "version", "processors", "on_failure", "_meta", "deprecated"}, sorted(body)
    assert all(isinstance(item, dict) and len(item) == 1 for item in body["processors"])


def mapping(body: dict[str, Any]) -> None:
    """TypeMapping, as far as an index in lookup mode needs it."""
    assert set(body) <= {"dynamic", "_meta", "properties"}, sorted(body)
    assert body.get("dynamic", "false") in ("true", "false", "strict", "runtime", True, False), body
    for field in body["properties"].values():
        assert field["type"] in ("keyword", "ip", "date", "long", "double", "boolean", "text"), field


def flat_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Elasticsearch takes settings nested below `index` and with dots."""
    nested = {f"index.{name}": value for name, value in settings.get("index", {}).items()}
    return nested | {name: value for name, value in settings.items() if name != "index"}


def new_index(request: Request) -> None:
    body = json.loads(request.body)
    assert set(body) <= {"aliases", "mappings", "settings"}, sorted(body)
    settings = flat_settings(body["settings"])
    assert set(settings) <= {"index.mode"} and settings["index.mode"] in ("standard", "lookup", "logsdb", "time_series")
    mapping(body["mappings"])


def new_fields(request: Request) -> None:
    mapping(json.loads(request.body))


def bulk(request: Request) -> None:
    assert request.headers["content-type"] == "application/x-ndjson"
    found = lines(request.body)
    assert all(set(action) == {"create"} and set(action["create"]) == {"_index", "_id"} for action in found[::2])


def eql_search(request: Request) -> None:
    body = json.loads(request.body)
    assert (
        {"query"} <= set(body) <= {"query", "filter", "size", "timestamp_field", "tiebreaker_field", "event_category_field", "fetch_size"}
    )


def esql_query(request: Request) -> None:
    body = json.loads(request.body)
    assert {"query"} <= set(body) <= {"query", "filter", "columnar", "params", "locale"}


def search(request: Request) -> None:
    assert set(json.loads(request.body)) <= {"query", "size", "_source", "sort", "from"}


NONE: frozenset[str] = frozenset()
KIBANA = (
    Operation("GET", "/api/detection_engine/rules/_find", frozenset({"filter", "page", "per_page"}), no_body, RULES, XSRF),
    Operation("POST", "/api/detection_engine/rules/_import", frozenset({"overwrite"}), rule_lines, RULES, XSRF),
    Operation("DELETE", "/api/detection_engine/rules", frozenset({"rule_id"}), no_body, RULES, XSRF),
    Operation("GET", "/api/exception_lists", frozenset({"list_id", "namespace_type"}), no_body, LISTS, XSRF),
    Operation("POST", "/api/exception_lists", NONE, create_list, LISTS, XSRF),
    Operation("PUT", "/api/exception_lists", NONE, update_list, LISTS, XSRF),
    Operation("DELETE", "/api/exception_lists", frozenset({"list_id", "namespace_type"}), no_body, LISTS, XSRF),
    Operation(
        "GET", "/api/exception_lists/items/_find", frozenset({"list_id", "namespace_type", "page", "per_page"}), no_body, LISTS, XSRF
    ),
    Operation("POST", "/api/saved_objects/_export", NONE, export_body, SAVED, XSRF),
    Operation("POST", "/api/saved_objects/_import", frozenset({"overwrite"}), saved_lines, SAVED, XSRF),
    Operation("DELETE", "/api/saved_objects/{type}/{id}", NONE, no_body, SAVED, XSRF),
)
ELASTICSEARCH = (
    Operation("GET", "/_component_template/{name}", NONE, no_body, ES),
    Operation("PUT", "/_component_template/{name}", frozenset({"create"}), template, ES),
    Operation("DELETE", "/_component_template/{name}", NONE, no_body, ES),
    Operation("GET", "/_ingest/pipeline/{id}", NONE, no_body, ES),
    Operation("PUT", "/_ingest/pipeline/{id}", frozenset({"if_version"}), pipeline, ES),
    Operation("DELETE", "/_ingest/pipeline/{id}", NONE, no_body, ES),
)
INDICES = (
    Operation("GET", "/{index}", frozenset({"flat_settings"}), no_body, f"{ES}: indices.get"),
    Operation("PUT", "/{index}", NONE, new_index, f"{ES}: indices.create"),
    Operation("PUT", "/{index}/_mapping", NONE, new_fields, f"{ES}: indices.put_mapping"),
    Operation("GET", "/{index}/_count", NONE, no_body, f"{ES}: count"),
    Operation("DELETE", "/{index}", NONE, no_body, f"{ES}: indices.delete"),
)
DATA = (
    Operation("POST", "/_bulk", frozenset({"pipeline", "refresh"}), bulk, f"{ES}: bulk"),
    Operation("DELETE", "/_data_stream/{name}", NONE, no_body, f"{ES}: indices.delete_data_stream"),
    Operation("POST", "/{index}/_eql/search", frozenset({"ignore_unavailable"}), eql_search, f"{ES}: eql.search"),
    Operation("POST", "/_query", frozenset({"format"}), esql_query, f"{ES}: esql.query"),
    Operation("POST", "/{index}/_search", frozenset({"ignore_unavailable"}), search, f"{ES}: search"),
)


def wrong(reason: str, kind: str = "illegal_argument_exception") -> Reply:
    return reply(400, {"error": {"type": kind, "reason": reason}, "status": 400})


def as_shown(body: dict[str, Any]) -> dict[str, Any]:
    """A mapping as Elasticsearch shows it: truth values are texts."""
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in body.items()}


def cell(value: str | None, kind: FieldType) -> str | None:
    if value is None or kind is not FieldType.DATE:
        return value
    return str(int(datetime.fromisoformat(value).timestamp()) * 1000)


class FakeElastic(Model):
    """Kibana's space `space` and Elasticsearch behind one address: their paths do not meet."""

    authorization = "ApiKey c2VjcmV0OmtleQ=="

    def __init__(self, space: str = "soc") -> None:
        super().__init__()
        self.prefix = f"/s/{space}"
        self.templates: dict[str, dict[str, Any]] = {}
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.lists: dict[str, dict[str, Any]] = {}
        self.items: dict[str, int] = {}
        self.saved: dict[tuple[str, str], dict[str, Any]] = {}
        self.refuse_rules: dict[str, str] = {}
        self.indices: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, int] = {}
        self.streams: dict[str, dict[str, dict[str, Any]]] = {}
        self.types: dict[str, FieldType] = {}

    def everything(self) -> dict[str, Any]:
        """What people can see, without counters and times."""
        rules = {
            name: {k: v for k, v in rule.items() if k not in ("id", "revision", "created_at", "updated_at")}
            for name, rule in self.rules.items()
        }
        lists = {name: {k: v for k, v in item.items() if k not in ("id", "_version", "updated_at")} for name, item in self.lists.items()}
        saved = {str(key): item["attributes"] for key, item in self.saved.items()}
        for rule in rules.values():
            rule["exceptions_list"] = sorted((entry["list_id"] for entry in rule["exceptions_list"]), key=str)
        indices = {name: {"mappings": i["mappings"], "mode": i["settings"].get("index.mode")} for name, i in self.indices.items()}
        return copy.deepcopy(
            {"i": indices, "d": self.documents, "t": self.templates, "p": self.pipelines, "r": rules, "l": lists, "s": saved}
        )

    def carry_out(self, request: Request) -> Reply:
        self.clock += 1
        if request.path.startswith(("/_bulk", "/_data_stream", "/_query", "/logs-")):
            return self._data(request)
        if request.path.startswith("/_"):
            operation, names = checked(ELASTICSEARCH, request)
            store = self.templates if "component" in request.path else self.pipelines
            return self._elasticsearch(operation, names[0], store, request)
        if not request.path.startswith("/s/"):
            operation, names = checked(INDICES, request)
            return self._index(operation, names[0], request)
        assert request.path.startswith(f"{self.prefix}/"), f"{request.path}: wrong space"
        inside = Request(request.method, request.path.removeprefix(self.prefix), request.query, request.headers, request.body)
        operation, names = checked(KIBANA, inside)
        name = re.sub("[^a-z]+", "_", operation.path.partition("{")[0].removeprefix("/api/")).strip("_")
        done: Reply = getattr(self, f"_{operation.method.lower()}_{name}")(inside, *names)
        return done

    def _elasticsearch(self, operation: Operation, name: str, store: dict[str, dict[str, Any]], request: Request) -> Reply:
        missing = reply(404, {"error": {"type": "resource_not_found_exception", "reason": f"[{name}] missing"}, "status": 404})
        if operation.method == "GET":
            if name not in store:
                return missing if store is self.templates else reply(404, {})
            stamped = {**store[name], "modified_date_millis": self.clock}
            wrapped = (
                {"component_templates": [{"name": name, "component_template": stamped}]} if store is self.templates else {name: stamped}
            )
            return reply(200, wrapped)
        if operation.method == "DELETE":
            return reply(200, {"acknowledged": True}) if store.pop(name, None) else missing
        body = json.loads(request.body)
        conflict = None
        if request.query.get("create") == "true" and name in store:
            conflict = f"component template [{name}] already exists"
        if "if_version" in request.query:
            required, current = int(request.query["if_version"]), store.get(name, {}).get("version")
            if current != required:
                conflict = f"version conflict, required version [{required}] for pipeline [{name}] but current version is [{current}]"
            elif body.get("version") == required:
                conflict = f"cannot update pipeline [{name}] with the same version [{required}]"
        if conflict:
            return wrong(conflict)
        store[name] = body
        return reply(200, {"acknowledged": True})

    def _index(self, operation: Operation, name: str, request: Request) -> Reply:
        """As Elasticsearch's own REST tests have it (indices.create/10_basic.yml, "Create lookup index"; MapperService's merge)."""
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name), f"{name}: more than one index"
        found = self.indices.get(name)
        if operation.method == "PUT" and not operation.path.endswith("_mapping"):
            if found:
                return wrong(f"index [{name}/uuid] already exists", "resource_already_exists_exception")
            body = json.loads(request.body)
            rest = {"index.uuid": "uuid", "index.creation_date": str(self.clock), "index.number_of_replicas": "1"}
            settings = {
                **flat_settings(body["settings"]),
                **rest,
                "index.number_of_shards": "1",
                "index.provided_name": name,
                "index.version.created": "9",
            }
            self.indices[name] = {"aliases": {}, "mappings": as_shown(body["mappings"]), "settings": settings}
            return reply(200, {"acknowledged": True, "shards_acknowledged": True, "index": name})
        if found is None:
            return reply(404, {"error": {"type": "index_not_found_exception", "reason": f"no such index [{name}]"}, "status": 404})
        if operation.method == "DELETE":
            assert not self.documents.get(name), "documents are lost"
            del self.indices[name]
            self.streams.pop(name, None)
            return reply(200, {"acknowledged": True})
        if operation.path.endswith("_count"):
            return reply(200, {"count": self.documents.get(name, 0), "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0}})
        if operation.method == "GET":
            assert request.query["flat_settings"] == "true"
            return reply(200, {name: found})
        new = as_shown(json.loads(request.body))
        for field, value in new.pop("properties").items():
            old = found["mappings"]["properties"].get(field, value)
            if old["type"] != value["type"]:
                return wrong(f"mapper [{field}] cannot be changed from type [{old['type']}] to [{value['type']}]")
            found["mappings"]["properties"][field] = value
        found["mappings"] |= new
        return reply(200, {"acknowledged": True})

    def _get_detection_engine_rules_find(self, request: Request) -> Reply:
        ids = re.findall(r'"((?:[^"\\]|\\.)*)"', request.query["filter"])
        assert request.query["filter"].startswith("alert.attributes.params.ruleId: (")
        found = [self.rules[name] for name in ids if name in self.rules]
        assert len(found) <= int(request.query["per_page"])
        return reply(200, {"page": 1, "perPage": int(request.query["per_page"]), "total": len(found), "data": found})

    def _post_detection_engine_rules_import(self, request: Request) -> Reply:
        errors = []
        rules = lines(request.upload())
        assert len(rules) <= 500
        for rule in rules:
            name = rule["rule_id"]
            old = self.rules.get(name)
            if name in self.refuse_rules:
                errors.append({"rule_id": name, "error": {"status_code": 400, "message": self.refuse_rules[name]}})
                continue
            if old and request.query.get("overwrite") != "true":
                errors.append({"rule_id": name, "error": {"status_code": 409, "message": f'rule_id: "{name}" already exists'}})
                continue
            known = [entry for entry in rule["exceptions_list"] if self.lists.get(entry["list_id"], {}).get("id") == entry["id"]]
            for entry in rule["threat"]:
                for technique in entry["technique"]:
                    # Kibana fills in what is optional, also inside a field.
                    technique.setdefault("subtechnique", [])
            self.rules[name] = {
                "author": [],
                "filters": [],
                **rule,
                "exceptions_list": known,
                "id": old["id"] if old else f"so-{name}",
                "revision": old["revision"] + 1 if old else 0,
                "immutable": False,
                "rule_source": {"type": "internal"},
                "output_index": "",
                "created_at": old["created_at"] if old else self.clock,
                "updated_at": self.clock,
            }
        report = {"success": not errors, "success_count": len(rules) - len(errors), "rules_count": len(rules), "errors": errors}
        rest = {"exceptions_success": True, "exceptions_success_count": 0, "exceptions_errors": []}
        actions = {
            "action_connectors_errors": [],
            "action_connectors_warnings": [],
            "action_connectors_success": True,
            "action_connectors_success_count": 0,
        }
        return reply(200, report | rest | actions)

    def _delete_detection_engine_rules(self, request: Request) -> Reply:
        name = request.query["rule_id"]
        rule = self.rules.pop(name, None)
        return reply(200, rule) if rule else reply(404, {"message": f'rule_id: "{name}" not found', "status_code": 404})

    def _get_exception_lists(self, request: Request) -> Reply:
        found = self.lists.get(request.query["list_id"])
        return reply(200, found) if found else reply(404, {"message": "exception list does not exist", "status_code": 404})

    def _post_exception_lists(self, request: Request) -> Reply:
        body = json.loads(request.body)
        if body["list_id"] in self.lists:
            return reply(409, {"message": f'exception list id: "{body["list_id"]}" already exists', "status_code": 409})
        return self._keep_list({"os_types": [], "tags": [], "namespace_type": "single", **body})

    def _put_exception_lists(self, request: Request) -> Reply:
        body = json.loads(request.body)
        old = self.lists.get(body["list_id"])
        if old is None:
            return reply(404, {"message": "exception list does not exist", "status_code": 404})
        if body.pop("_version", old["_version"]) != old["_version"]:
            return reply(409, {"message": "version conflict", "status_code": 409})
        return self._keep_list({**old, **body})

    def _keep_list(self, body: dict[str, Any]) -> Reply:
        self.lists[body["list_id"]] = {**body, "id": f"list-{body['list_id']}", "_version": f"V{self.clock}", "updated_at": self.clock}
        return reply(200, self.lists[body["list_id"]])

    def _delete_exception_lists(self, request: Request) -> Reply:
        found = self.lists.pop(request.query["list_id"], None)
        return reply(200, found) if found else reply(404, {"message": "exception list does not exist", "status_code": 404})

    def _get_exception_lists_items_find(self, request: Request) -> Reply:
        total = self.items.get(request.query["list_id"], 0)
        return reply(200, {"data": [{"item_id": "x"}] * min(total, 1), "page": 1, "per_page": 1, "total": total})

    def _post_saved_objects_export(self, request: Request) -> Reply:
        keys = [(item["type"], item["id"]) for item in json.loads(request.body)["objects"]]
        gone = [{"id": i, "type": t, "error": {"statusCode": 404, "error": "Not Found"}} for t, i in keys if (t, i) not in self.saved]
        if gone:
            return reply(
                400,
                {"statusCode": 400, "error": "Bad Request", "message": "Error fetching objects to export", "attributes": {"objects": gone}},
            )
        body = "\n".join(json.dumps(self.saved[key]) for key in keys)
        return 200, {"content-type": "application/ndjson"}, body.encode()

    def _post_saved_objects_import(self, request: Request) -> Reply:
        items = lines(request.upload())
        incoming = {(item["type"], item["id"]) for item in items}
        errors, done = [], []
        for item in items:
            lost = [r for r in item["references"] if (r["type"], r["id"]) not in incoming | set(self.saved)]
            identity = {"type": item["type"], "id": item["id"]}
            if lost:
                errors.append({**identity, "error": {"type": "missing_references", "references": lost}})
                continue
            self.saved[(item["type"], item["id"])] = {**item, "version": f"W{self.clock}", "managed": False}
            done.append({**identity, "overwrite": True})
        return reply(200, {"success": not errors, "successCount": len(done), "errors": errors, "successResults": done})

    def _delete_saved_objects(self, request: Request, object_type: str, object_id: str) -> Reply:
        del request
        return reply(200, {}) if self.saved.pop((object_type, object_id), None) else reply(404, {"statusCode": 404, "message": "Not found"})

    # Data: searches are executed by the embedded evaluator over what was loaded.

    def _data(self, request: Request) -> Reply:
        operation, names = checked(DATA, request)
        if operation.path == "/_bulk":
            assert request.query["pipeline"] == "_none"
            found = lines(request.body)
            for action, document in zip(found[::2], found[1::2], strict=True):
                self.streams.setdefault(action["create"]["_index"], {})[action["create"]["_id"]] = document
            return reply(200, {"errors": False, "items": [{"create": {"status": 201}} for _ in found[::2]]})
        if operation.method == "DELETE":
            return reply(200 if self.streams.pop(names[0], None) else 404, {"acknowledged": True})
        body = json.loads(request.body)
        if operation.path == "/_query":
            documents = self._documents(body["filter"], [name for name in self.streams if name not in self.indices])
            rows = replay_text(Language.ESQL, body["query"], documents, mapping=self.types, lookups=self._lookups())
            columns = [{"name": name, "type": "keyword"} for name in rows[0]] if rows else []
            return reply(200, {"columns": columns, "values": [list(row.values()) for row in rows]})
        streams = names[0].split(",")
        if operation.path.endswith("/_eql/search"):
            fields = EqlFields(timestamp=body["timestamp_field"], tiebreaker=body.get("tiebreaker_field", ""))
            documents = self._documents(body["filter"], streams)
            rows = replay_text(Language.EQL, body["query"], documents, mapping=self.types, eql_fields=fields)
            assert len(rows) <= body["size"]
            hits = [{"join_keys": row["join_keys"], "events": [{"_id": identity} for identity in row["events"]]} for row in rows]
            kind = "sequences" if body["query"].lstrip().startswith("sequence") else "events"
            return reply(200, {"timed_out": False, "hits": {kind: hits if kind == "sequences" else [hit["events"][0] for hit in hits]}})
        clauses = body["query"]["bool"]
        text = clauses["must"][0]["query_string"]["query"]
        rows = replay_text(Language.LUCENE, text, self._documents({"bool": {"filter": clauses["filter"]}}, streams), mapping=self.types)
        return reply(200, {"timed_out": False, "hits": {"hits": [{"_source": row} for row in rows]}})

    def _lookups(self) -> dict[str, Lookup]:
        """The indices in lookup mode as they were loaded: what the mapping does not have, a search does not see."""
        found = {}
        for name, index in self.indices.items():
            assert index["settings"]["index.mode"] == "lookup"
            types = {field: FieldType(mapped["type"]) for field, mapped in index["mappings"]["properties"].items()}
            rows = [
                tuple(cell(document.get(field), kind) for field, kind in types.items()) for document in self.streams.get(name, {}).values()
            ]
            found[name] = Lookup(name, tuple(types), tuple(rows), types=types)
        return found

    def _documents(self, query: dict[str, Any], streams: list[str]) -> list[dict[str, Any]]:
        term, times = query["bool"]["filter"]
        (namespace,) = term["term"].values()
        span = times["range"]["@timestamp"]
        return [
            {**document, "_id": identity}
            for name in streams
            for identity, document in self.streams.get(name, {}).items()
            if document["data_stream.namespace"] == namespace and span["gte"] <= document["@timestamp"] <= span["lte"]
        ]
