"""Splunk's data side for `verify`: an index that is named for tests, filled through the HTTP event collector.

Sources: Splunk Enterprise REST API Reference Manual 9.4: "services/collector/event", "search/v2/jobs/export"; Search Reference, "delete".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from an1498.deploy.http import Client, Clock, as_described
from an1498.deploy.verify import SECOND, Found, Sample, checked_name
from an1498.errors import ExternalError, UsageError
from an1498.model import Search, Target
from an1498.telemetry.assets import AssetTable

BULK = 500
WAIT_S = 120
SOURCETYPE = re.compile(r'sourcetype="?([^"\s()]+)"?')
DEFAULT_FIELDS = ("_time", "_raw", "index", "host", "source", "sourcetype")


class SplunkData:
    """Events with a `source` of this run in the test index: what an earlier run left does not count."""

    def __init__(self, management: Client, collector: Client, target: Target, index: str, macros: Mapping[str, str], clock: Clock) -> None:
        self.index = checked_name(index, "an1498_test")
        self._management, self._collector, self._clock = management, collector, clock
        self._source = f"an1498-verify-{int(clock.now())}"
        self._sourcetypes: dict[str, str] = {}
        self._macros: dict[str, str] = {}
        for source in (source for layout in target.layouts for source in layout.sources):
            match = SOURCETYPE.search(macros.get(source.macro, source.macro_definition))
            if match is None:
                raise UsageError(
                    f"target '{target.name}': macro {source.macro} names no sourcetype; `verify` cannot tell what to load as which"
                )
            self._sourcetypes[f"{source.product}/{source.service}"] = match[1]
            self._macros[source.macro] = f'(index={self.index} sourcetype="{match[1]}" source="{self._source}")'

    def clean(self) -> None:
        """Needs the capability `delete_by_keyword` (role can_delete)."""
        self._search(f'search index={self.index} source="{self._source}" | delete', 0, 0)

    def load(self, samples: Sequence[Sample], assets: AssetTable) -> None:  # noqa: ARG002 - refused before
        for start in range(0, len(samples), BULK):
            content = "\n".join(json.dumps(self._event(sample)) for sample in samples[start : start + BULK])
            self._collector.send(
                "POST", "/services/collector/event", content=content.encode(), headers={"content-type": "application/json"}
            )
        waited = 0
        while self._count() < len(samples):
            if waited >= WAIT_S:
                raise ExternalError(
                    f"Splunk: only {self._count()} of {len(samples)} samples can be searched after {WAIT_S} s in index {self.index}"
                )
            self._clock.sleep(2.0)
            waited += 2

    def run(self, search: Search, first_us: int, last_us: int) -> list[Found]:
        text = search.text
        for name, definition in self._macros.items():
            text = text.replace(f"`{name}`", definition)
        if not text.lstrip().startswith("|"):
            text = f"search {text}"
        return [Found(row) for row in self._search(text, first_us // SECOND, last_us // SECOND + 1)]

    def _event(self, sample: Sample) -> dict[str, object]:
        event = {name: value for name, value in sample.document.items() if name not in DEFAULT_FIELDS}
        seconds, rest = divmod(sample.time_us, SECOND)
        about = {"index": self.index, "source": self._source, "sourcetype": self._sourcetypes[sample.service]}
        host = {"host": sample.document["host"]} if "host" in sample.document else {}
        return {"time": f"{seconds}.{rest:06d}", **host, **about, "event": event}

    def _count(self) -> int:
        rows = self._search(f'search index={self.index} source="{self._source}" | stats count', 0, 0)
        return int(str(rows[-1].get("count", 0))) if rows else 0

    def _search(self, text: str, first_s: int, last_s: int) -> list[Mapping[str, object]]:
        """`last_s` 0: all time."""
        form = {
            "search": text,
            "output_mode": "json",
            "preview": "false",
            "earliest_time": str(first_s),
            "latest_time": str(last_s) if last_s else "now",
        }
        answer = self._management.query("/services/search/v2/jobs/export", data=form, lines=True)
        with as_described("Splunk"):
            problems = [m["text"] for line in answer.data for m in line.get("messages", ()) if m.get("type") in ("ERROR", "FATAL")]
            if problems:
                raise ExternalError(self._management.clean(f"Splunk: {problems[0]}"))
            return [line["result"] for line in answer.data if "result" in line]
