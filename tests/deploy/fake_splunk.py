"""Splunk's management port as far as we use it, written from the REST API Reference Manual 9.4."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from tests.deploy.published import Operation, Request, checked, no_body
from tests.deploy.siem import Model, Reply, reply

from an1498.model import Language
from an1498.replay import replay_text

MANUAL = "Splunk Enterprise REST API Reference Manual 9.4"
BASE = "/servicesNS/{owner}/{app}/"
GET = frozenset({"output_mode", "count", "offset"})
JSON = frozenset({"output_mode"})

# saved/searches, POST: the documented parameters, and those of alert actions by prefix.
SEARCH = re.compile(
    r"name|search|description|disabled|is_scheduled|is_visible|cron_schedule|schedule_window|schedule_priority|realtime_schedule"
    r"|dispatch\.\w+|request\.ui_dispatch_(app|view)|alert_(type|comparator|threshold|condition)"
    r"|alert\.(digest_mode|expires|severity|track|suppress|suppress\.(fields|period|group_name))|actions|action\.[a-z_]+(\..+)?"
)
TRUTHS = {"disabled", "is_scheduled", "realtime_schedule", "alert.digest_mode", "alert.suppress", "action.notable", "action.risk"}


def search_form(request: Request) -> None:
    form = request.form()
    unknown = [name for name in form if not SEARCH.fullmatch(name)]
    assert not unknown, unknown
    creating = request.path.endswith("/saved/searches")
    assert ("name" in form) == creating and ("search" in form or not creating), sorted(form)


def conf_form(request: Request) -> None:
    form = request.form()
    assert ("name" in form) == request.path.endswith("/configs/conf-macros"), sorted(form)


def view_form(request: Request) -> None:
    form = request.form()
    assert set(form) == ({"name", "eai:data"} if request.path.endswith("/data/ui/views") else {"eai:data"}), sorted(form)
    assert form["eai:data"].lstrip().startswith("<")


def acl_form(request: Request) -> None:
    form = request.form()
    assert {"owner", "sharing"} <= set(form) <= {"owner", "sharing", "perms.read", "perms.write"}
    assert form["sharing"] in ("user", "app", "global")


def export_form(request: Request) -> None:
    form = request.form()
    assert {"search", "output_mode"} <= set(form) <= {"search", "output_mode", "preview", "earliest_time", "latest_time", "exec_mode"}
    assert form["search"].lstrip().startswith(("search ", "|")), form["search"][:50]


def collector_events(request: Request) -> None:
    for line in request.body.decode().split("\n"):
        event = json.loads(line)
        assert {"event"} <= set(event) <= {"time", "host", "source", "sourcetype", "index", "event", "fields"}, sorted(event)
        assert re.fullmatch(r"\d+\.\d{6}", event["time"])


KINDS = {"saved/searches": search_form, "configs/conf-macros": conf_form, "data/ui/views": view_form}
TABLE = (
    Operation("POST", "/services/search/v2/jobs/export", frozenset(), export_form, f"{MANUAL}: search/v2/jobs/export"),
    Operation("POST", "/services/collector/event", frozenset(), collector_events, f"{MANUAL}: services/collector/event"),
    Operation("GET", "/services/apps/local/{name}", JSON, no_body, f"{MANUAL}: apps/local/{{name}}"),
    *(
        Operation(method, BASE + path + tail, query, body, f"{MANUAL}: {path}{tail}")
        for path, form in KINDS.items()
        for method, tail, query, body in (
            ("GET", "", GET, no_body),
            ("POST", "", JSON, form),
            ("GET", "/{name}", JSON, no_body),
            ("POST", "/{name}", JSON, form),
            ("DELETE", "/{name}", JSON, no_body),
            ("POST", "/{name}/acl", JSON, acl_form),
        )
    ),
)


class FakeSplunk(Model):
    """One search head. `store` is by endpoint, then name: {"app", "sharing", "settings", "default"}."""

    authorization = "Bearer eyJtoken"

    def __init__(self) -> None:
        super().__init__()
        self.installed = True
        self.events: list[dict[str, Any]] = []
        self.late = 0
        self.store: dict[str, dict[str, dict[str, Any]]] = {path: {} for path in KINDS}

    def everything(self) -> dict[str, Any]:
        found = json.loads(json.dumps(self.store, sort_keys=True))
        assert isinstance(found, dict)
        return found

    def settings(self, name: str) -> dict[str, str]:
        """The settings of a saved search or macro."""
        for objects in self.store.values():
            if name in objects:
                found = objects[name]["settings"]
                assert isinstance(found, dict)
                return found
        raise KeyError(name)

    def carry_out(self, request: Request) -> Reply:
        self.clock += 1
        operation, parameters = checked(TABLE, request)
        if operation.path.endswith("/event"):
            return self._collect(request)
        if operation.path.endswith("/export"):
            return self._export(request.form())
        assert request.query.get("output_mode") == "json"
        if operation.path.startswith("/services/apps"):
            found = {"name": "an1498", "content": {"label": "AN1498", "version": "0.1.0"}, "acl": {"app": "an1498"}}
            return reply(200, {"entry": [found]}) if self.installed else message(404, "Could not find object id=an1498")
        owner, app, *rest = parameters
        assert owner == "nobody"
        if not self.installed or app != "an1498":
            return message(404, f"Application does not exist: {app}")
        path = next(path for path in KINDS if f"/{path}" in unquote(request.path))
        objects = self.store[path]
        if not rest:
            return self._create(path, request.form()) if request.method == "POST" else self._list(path, request)
        (name,) = rest
        found_object = objects.get(name)
        if found_object is None:
            return message(404, f"Could not find object id={name}")
        if request.method == "GET":
            return reply(200, {"entry": [self._entry(path, name)]})
        if request.method == "DELETE":
            if found_object["default"]:
                return message(403, f"Object id={name} cannot be deleted in app={app}")
            del objects[name]
            return self._list(path, request)
        form = request.form()
        if operation.path.endswith("/acl"):
            found_object["sharing"] = form["sharing"]
        else:
            found_object["settings"].update(form)
        return reply(200, {"entry": [self._entry(path, name)]})

    def _create(self, path: str, form: dict[str, str]) -> Reply:
        name = form.pop("name")
        if name.lower() in {known.lower() for known in self.store[path]}:
            return message(409, f"Unable to create object with name={name}. An object with name={name} already exists")
        self.store[path][name] = {"app": "an1498", "sharing": "app", "settings": form, "default": False}
        return 201, {"content-type": "application/json"}, json.dumps({"entry": [self._entry(path, name)]}).encode()

    def _list(self, path: str, request: Request) -> Reply:
        entries = [self._entry(path, name) for name in self.store[path]]
        foreign = {"name": "Errors in the last 24 hours", "acl": {"app": "search", "sharing": "global"}, "content": {"search": "error"}}
        assert request.method == "DELETE" or request.query.get("count") == "0"
        return reply(200, {"entry": [*entries, foreign], "paging": {"total": len(entries) + 1, "perPage": 0, "offset": 0}})

    def _entry(self, path: str, name: str) -> dict[str, Any]:
        """As Splunk shows it: truth values for some settings, and much that nobody set."""
        kept = self.store[path][name]
        content: dict[str, Any] = {
            "eai:acl": None,
            "next_scheduled_time": str(self.clock),
            "alert.severity": 3,
            "disabled": False,
            "updated": "x",
        }
        content |= {key: value == "1" if key in TRUTHS else value for key, value in kept["settings"].items()}
        return {"name": name, "acl": {"app": kept["app"], "sharing": kept["sharing"], "owner": "nobody"}, "content": content}

    # Data: searches are executed by the embedded evaluator over what was collected.

    def handle(self, request: Request) -> Reply:
        if request.path == "/services/collector/event":
            assert request.headers["authorization"] == "Splunk hec-token"
            request = Request(
                request.method, request.path, request.query, {**request.headers, "authorization": self.authorization}, request.body
            )
        return super().handle(request)

    def _collect(self, request: Request) -> Reply:
        for line in request.body.decode().split("\n"):
            about = json.loads(line)
            event = about.pop("event")
            self.events.append({**event, **{k: v for k, v in about.items() if k != "time"}, "_time": float(about["time"])})
        return reply(200, {"text": "Success", "code": 0})

    def _export(self, form: dict[str, str]) -> Reply:
        text = form["search"]
        if text.endswith("| delete"):
            (source,) = re.findall(r'source="([^"]+)"', text)
            self.events = [event for event in self.events if event["source"] != source]
            return reply(200, {"preview": False, "lastrow": True})
        first, last = float(form["earliest_time"]), float(form["latest_time"].replace("now", "inf"))
        events = [event for event in self.events if first <= event["_time"] < last]
        if "stats count" in text and self.late:
            self.late -= 1
            events = events[:-1]
        rows = replay_text(Language.SPL, text, events)
        content = "\n".join(json.dumps({"preview": False, "result": {k: v for k, v in row.items() if v is not None}}) for row in rows)
        return 200, {"content-type": "application/json; charset=utf-8"}, content.encode()


def message(status: int, text: str) -> Reply:
    return reply(status, {"messages": [{"type": "ERROR", "text": text}]})
