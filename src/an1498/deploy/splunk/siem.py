"""Splunk as a SIEM: knowledge objects of one app, over the management port.

Source: Splunk Enterprise REST API Reference Manual 9.4: "saved/searches", "configs/conf-{file}", "data/ui/views", "apps/local", and "Access
Control List" of the REST API User Manual. What is written lands in the app's local/ directory. There is no optimistic concurrency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from an1498.deploy.connection import Connection
from an1498.deploy.http import Answer, Client, Clock, as_described
from an1498.deploy.objects import Body, Key, Live, Write, same
from an1498.deploy.splunk.wanted import APP, GLOBAL, SHARING, live_body, stanzas
from an1498.errors import UsageError

ENDPOINTS = {"macro": "configs/conf-macros", "saved_search": "saved/searches", "view": "data/ui/views"}
"""By kind, in the order of writing: searches use macros, dashboards use both."""

TUNABLE = ("disabled", "is_scheduled", "cron_schedule", "schedule_window", "action.notable", "action.risk")
JSON = {"output_mode": "json"}


class Splunk:
    """The SIEM of a target with backend splunk."""

    order: Sequence[str] = tuple(ENDPOINTS)

    def __init__(self, connection: Connection, clock: Clock, *, transport: httpx.BaseTransport | None = None) -> None:
        self.management = Client("Splunk", connection.url, connection, clock, headers={"Accept": "application/json"}, transport=transport)
        self._connection = connection
        self._base = f"/servicesNS/nobody/{connection.place}/"

    @property
    def identity(self) -> str:
        return f"app '{self._connection.place}' of {self._connection.url}"

    def batch(self, kind: str) -> int:  # noqa: ARG002 - the protocol's signature
        return 1

    def tunable(self, key: Key, field: str) -> bool:
        if key.kind == "macro":
            # Filters, and where the logs and alerts are. The events of a stage are the rule's own.
            return field == "definition" and not key.name.endswith("_events")
        return key.kind == "saved_search" and field in TUNABLE

    def kept(self, key: Key, field: str, wanted: Any, live: Any) -> Any:  # noqa: ARG002 - the protocol's signature
        return live

    def occupied(self, live: Live) -> str:  # noqa: ARG002 - the protocol's signature
        return ""

    def irreplaceable(self, live: Live) -> str:  # noqa: ARG002 - the protocol's signature
        return ""

    def check(self, live: Live, wanted: Body) -> None:
        """Splunk can change every setting in place."""

    def ready(self, files: Mapping[str, bytes]) -> list[str]:
        """Raises UsageError where the app is not installed: its frame comes with the package."""
        app = self._connection.place
        answer = self.management.get(f"/services/apps/local/{quote(app, safe='')}", params=JSON)
        if answer.status == 404:
            raise UsageError(
                f"{self.identity}: the app is not installed; install the package of the build once "
                f"(an1498/…, {app}-<version>.tar.gz; docs/deploy.md), then plan again"
            )
        with as_described("Splunk"):
            installed = str(answer.data["entry"][0]["content"].get("version") or "none")
        name = f"{APP}/default/app.conf"
        built = stanzas(files[name], name).get("launcher", {}).get("version", "") if name in files else ""
        if built and built != installed:
            return [
                f"the installed package is version {installed}, the build {built}: install its package for props, lookups and navigation"
            ]
        return []

    def read(self, keys: Sequence[Key]) -> dict[Key, Live]:
        found: dict[Key, Live] = {}
        for kind in sorted({key.kind for key in keys} & set(ENDPOINTS)):
            wanted = {key for key in keys if key.kind == kind}
            # One object: asked for alone. Many: the list of the app.
            one = next(iter(wanted)) if len(wanted) == 1 else None
            path = self._path(one) if one else self._base + ENDPOINTS[kind]
            answer = self.management.get(path, params=JSON if one else {**JSON, "count": "0"})
            if answer.status == 404:
                continue
            with as_described("Splunk"):
                for entry in answer.data["entry"]:
                    key = Key(kind, str(entry["name"]))
                    # Objects that other apps share are listed too.
                    if key in wanted and entry["acl"]["app"] == self._connection.place:
                        found[key] = Live(key, live_body(kind, entry["content"], entry["acl"]))
        return found

    def write(self, writes: Sequence[Write]) -> dict[Key, str]:
        refused = {}
        for item in writes:
            problem = self._write(item)
            if problem:
                refused[item.key] = self.management.clean(problem)
        return refused

    def delete(self, live: Live) -> str:
        answer = self.management.send("DELETE", self._path(live.key), params=JSON, allowed=(400, 403, 404, 409))
        if answer.status in (400, 403, 409):
            return f"{self.management.clean(answer.said)} (what the package brought can only be removed with a package)"
        return ""

    def close(self) -> None:
        self.management.close()

    def _write(self, item: Write) -> str:
        fields = {name: str(value) for name, value in item.body.items() if name != SHARING}
        if item.live is None:
            path, form = self._base + ENDPOINTS[item.key.kind], {"name": item.key.name, **fields}
        else:
            path, form = self._path(item.key), {n: v for n, v in fields.items() if not same(item.live.body.get(n), v)}
        answer: Answer | None = None
        if form:
            answer = self.management.send("POST", path, params=JSON, data=form, allowed=(400, 409))
        # An object begins with sharing `app`; the rest of the app's searches, and Enterprise Security, need to see it.
        wanted = item.body.get(SHARING)
        if wanted and (answer is None or answer.status < 400) and (item.live is None or item.live.body.get(SHARING) != wanted):
            acl = {"owner": "nobody", "sharing": GLOBAL}
            answer = self.management.send("POST", f"{self._path(item.key)}/acl", params=JSON, data=acl, allowed=(400, 409))
        return answer.said if answer is not None and answer.status >= 400 else ""

    def _path(self, key: Key) -> str:
        return f"{self._base}{ENDPOINTS[key.kind]}/{quote(key.name, safe='')}"
