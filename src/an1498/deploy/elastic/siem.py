"""Elastic as a SIEM: rules, exception lists and saved objects in a space of Kibana; templates, pipelines, lookup indices in Elasticsearch.

Sources: Kibana's OpenAPI description of the Security and saved objects APIs (API version 2023-10-31), Elasticsearch's REST API (8.18, 9.x).
Kibana's rule API has no optimistic concurrency; exception lists have `_version`, pipelines `if_version`, creation of templates `create`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from an1498.deploy.connection import Connection, variable_prefix
from an1498.deploy.elastic import kibana, lookup_index
from an1498.deploy.elastic.wanted import LOOKUP_INDEX, TEMPLATES, list_body
from an1498.deploy.http import Client, Clock, as_described
from an1498.deploy.objects import VERSION, Body, Key, Live, Write, canonical
from an1498.errors import UsageError

ORDER = ("component_template", "ingest_pipeline", LOOKUP_INDEX, "exception_list", "rule", "saved_object")
"""Fields and tables before what uses them; exception lists before rules, because a rule that names a missing list loses it."""

BATCH = 500
"""Rules per import: what one request should hold at most."""

TUNABLE = {
    "rule": ("enabled", "actions", "response_actions", "exceptions_list"),
    "exception_list": ("items",),
    LOOKUP_INDEX: lookup_index.TUNABLE,
}
STAMPS = ("created_date", "created_date_millis", "modified_date", "modified_date_millis")
"""What Elasticsearch adds to templates and pipelines from 9.1 on."""


class Elastic:
    """The SIEM of a target with backend elastic."""

    order: Sequence[str] = ORDER

    def __init__(self, connection: Connection, clock: Clock, *, transport: httpx.BaseTransport | None = None) -> None:
        space = "" if connection.place == "default" else f"/s/{connection.place}"
        headers = {"kbn-xsrf": "an1498", "Elastic-Api-Version": "2023-10-31", "Accept": "application/json"}
        self.kibana = Client("Kibana", connection.url + space, connection, clock, headers=headers, transport=transport)
        self._search: Client | None = None
        if connection.second_url:
            headers = {"Accept": "application/json"}
            self._search = Client("Elasticsearch", connection.second_url, connection, clock, headers=headers, transport=transport)
        self._connection = connection

    @property
    def identity(self) -> str:
        return f"space '{self._connection.place}' of {self._connection.url}"

    @property
    def search(self) -> Client:
        """Elasticsearch. Raises UsageError where its URL is not known."""
        if self._search is None:
            target = self._connection.target
            where = f"{variable_prefix(target)}ELASTICSEARCH_URL, or elasticsearch_url in [targets.{target}.deploy]"
            raise UsageError(f"target '{target}' has no URL of Elasticsearch, where templates, pipelines and samples go; set {where}")
        return self._search

    def ready(self, files: Mapping[str, bytes]) -> list[str]:  # noqa: ARG002 - the protocol's signature
        return []

    def batch(self, kind: str) -> int:
        return BATCH if kind in ("rule", "saved_object") else 1

    def tunable(self, key: Key, field: str) -> bool:
        return field in TUNABLE.get(key.kind, ())

    def kept(self, key: Key, field: str, wanted: Any, live: Any) -> Any:  # noqa: ARG002 - the protocol's signature
        if field == "exceptions_list":
            # The build's lists and those that analysts added.
            return sorted([*wanted, *(item for item in live or () if item not in wanted)], key=canonical)
        return live

    def occupied(self, live: Live) -> str:
        items = live.body.get("items") or 0
        return f"holds {items} exception items" if live.key.kind == "exception_list" and items else ""

    def irreplaceable(self, live: Live) -> str:
        if live.key.kind != LOOKUP_INDEX:
            return ""
        with as_described("Elasticsearch"):
            return lookup_index.documents(self.search, live.key)

    def check(self, live: Live, wanted: Body) -> None:
        if live.key.kind == LOOKUP_INDEX:
            lookup_index.check_index(live, wanted)

    def read(self, keys: Sequence[Key]) -> dict[Key, Live]:
        found: dict[Key, Live] = {}
        for key in keys:
            if key.kind in READ_ONE:
                with as_described("Kibana" if key.kind == "exception_list" else "Elasticsearch"):
                    live = READ_ONE[key.kind](self, key)
                if live is not None:
                    found[key] = live
        with as_described("Kibana"):
            found |= kibana.read_rules(self.kibana, [key for key in keys if key.kind == "rule"])
            found |= kibana.read_saved(self.kibana, [key for key in keys if key.kind == "saved_object"])
        return found

    def write(self, writes: Sequence[Write]) -> dict[Key, str]:
        kind = writes[0].key.kind
        if kind in ("rule", "saved_object"):
            with as_described("Kibana"):
                return (kibana.import_rules if kind == "rule" else kibana.import_saved)(self.kibana, writes)
        refused: dict[Key, str] = {}
        for item in writes:
            problem = WRITE_ONE[kind](self, item)
            if problem:
                refused[item.key] = self.kibana.clean(problem)
        return refused

    def delete(self, live: Live) -> str:
        kind, name = live.key.kind, live.key.name
        if kind == LOOKUP_INDEX:
            with as_described("Elasticsearch"):
                return self.search.clean(lookup_index.delete_index(self.search, live))
        if kind in TEMPLATES.values():
            answer = self.search.send("DELETE", _template_path(live.key), allowed=(400, 404, 409))
        elif kind == "saved_object":
            object_type, _, object_id = name.partition(":")
            path = f"/api/saved_objects/{quote(object_type, safe='')}/{quote(object_id, safe='')}"
            answer = self.kibana.send("DELETE", path, allowed=(400, 404, 409))
        else:
            path, field = ("/api/detection_engine/rules", "rule_id") if kind == "rule" else ("/api/exception_lists", "list_id")
            params = {field: name} | ({"namespace_type": "single"} if kind == "exception_list" else {})
            answer = self.kibana.send("DELETE", path, params=params, allowed=(400, 404, 409))
        return self.kibana.clean(answer.said) if answer.status in (400, 409) else ""

    def close(self) -> None:
        self.kibana.close()
        if self._search is not None:
            self._search.close()

    def _read_index(self, key: Key) -> Live | None:
        return lookup_index.read_index(self.search, key)

    def _write_index(self, item: Write) -> str:
        return lookup_index.write_index(self.search, item)

    def _read_template(self, key: Key) -> Live | None:
        answer = self.search.get(_template_path(key))
        if answer.status == 404:
            return None
        if key.kind == "ingest_pipeline":
            body = (answer.data or {}).get(key.name)
        else:
            body = next(
                (t["component_template"] for t in (answer.data or {}).get("component_templates", ()) if t["name"] == key.name), None
            )
        if body is None:
            return None
        return Live(key, {field: value for field, value in body.items() if field not in STAMPS})

    def _write_template(self, item: Write) -> str:
        params: dict[str, str] = {}
        version = item.live.body.get(VERSION) if item.live else None
        if item.key.kind == "component_template" and item.live is None:
            params["create"] = "true"
        if item.key.kind == "ingest_pipeline" and isinstance(version, int) and version != item.body.get(VERSION):
            # Elasticsearch refuses a required version that the new pipeline has itself.
            params["if_version"] = str(version)
        answer = self.search.send("PUT", _template_path(item.key), params=params, json=item.body, allowed=(400, 409))
        return answer.said if answer.status in (400, 409) else ""

    def _read_list(self, key: Key) -> Live | None:
        params = {"list_id": key.name, "namespace_type": "single"}
        answer = self.kibana.get("/api/exception_lists", params=params)
        if answer.status == 404:
            return None
        items = self.kibana.get("/api/exception_lists/items/_find", params={**params, "page": "1", "per_page": "1"})
        total = int((items.data or {}).get("total", 0)) if items.status != 404 else 0
        return Live(key, {**list_body(answer.data), "items": total}, str(answer.data.get("_version") or ""), str(answer.data["id"]))

    def _write_list(self, item: Write) -> str:
        body = {field: value for field, value in item.body.items() if field != "items"}
        if item.live is None:
            answer = self.kibana.send(
                "POST", "/api/exception_lists", json={"list_id": item.key.name, **body, "version": 1}, allowed=(400, 409)
            )
        else:
            body |= {"list_id": item.key.name} | ({"_version": item.live.revision} if item.live.revision else {})
            answer = self.kibana.send("PUT", "/api/exception_lists", json=body, allowed=(400, 404, 409))
        return answer.said if answer.status in (400, 404, 409) else ""


def _template_path(key: Key) -> str:
    return ("/_ingest/pipeline/" if key.kind == "ingest_pipeline" else "/_component_template/") + quote(key.name, safe="")


READ_ONE: dict[str, Callable[[Elastic, Key], Live | None]] = {
    "component_template": Elastic._read_template,
    "ingest_pipeline": Elastic._read_template,
    LOOKUP_INDEX: Elastic._read_index,
    "exception_list": Elastic._read_list,
}
WRITE_ONE: dict[str, Callable[[Elastic, Write], str]] = {
    "component_template": Elastic._write_template,
    "ingest_pipeline": Elastic._write_template,
    LOOKUP_INDEX: Elastic._write_index,
    "exception_list": Elastic._write_list,
}
