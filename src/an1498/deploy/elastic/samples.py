"""Elasticsearch's data side for `verify`: data streams of a namespace that is named for tests, and an index in lookup mode beside them.

Sources: Elasticsearch REST API 8.18 / 9.x: "Bulk index or delete documents", "EQL search", "Run an ES|QL query", "Run a search", "Delete
data streams", "Create an index", "Delete indices".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from an1498.deploy.http import Answer, Client, as_described
from an1498.deploy.verify import Found, Sample, checked_name
from an1498.errors import ExternalError, UsageError
from an1498.model import ELASTIC_ASSETS, Entity, Language, Search, Target
from an1498.ship.assets import asset_documents
from an1498.ship.elastic.ingest import assets_index
from an1498.ship.elastic.ndjson import ndjson
from an1498.telemetry.assets import AssetTable
from an1498.times import time_text

BULK = 1000
MOST = 1000
"""Results of one search that are read."""

STREAM = re.compile(r"logs-([a-z0-9._]+)-\*")
JOIN = re.compile(rf"^(\| LOOKUP JOIN ){re.escape(ELASTIC_ASSETS)}(?= ON )", re.MULTILINE)
"""The command as the compiler writes it: no value of a rule holds a line feed."""


class ElasticData:
    """The data streams `logs-<dataset>-<namespace>` of a target's logs."""

    def __init__(self, client: Client, target: Target, namespace: str) -> None:
        self.namespace = checked_name(namespace, "an1498test")
        self._client = client
        self._assets = f"{self.namespace}-assets" if target.entity is Entity.LOOKUP else ""
        self._datasets = {}
        for source in (source for layout in target.layouts for source in layout.sources):
            match = STREAM.fullmatch(source.index)
            if match is None:
                place = f"target '{target.name}' stores {source.product}/{source.service} in {source.index}"
                raise UsageError(f"{place}: only data streams named logs-<dataset>-* can be loaded for a test")
            self._datasets[f"{source.product}/{source.service}"] = match[1]

    @property
    def streams(self) -> list[str]:
        return [f"logs-{dataset}-{self.namespace}" for dataset in sorted(set(self._datasets.values()))]

    def clean(self) -> None:
        for stream in self.streams:
            self._client.send("DELETE", f"/_data_stream/{stream}", allowed=(404,))
        if self._assets:
            self._client.send("DELETE", f"/{self._assets}", allowed=(404,))

    def load(self, samples: Sequence[Sample], assets: AssetTable) -> None:
        self._create(map(self._event, samples))
        if self._assets:
            self._client.send("PUT", f"/{self._assets}", json=assets_index())
            self._create((self._assets, identity, document) for identity, document in asset_documents(assets))

    def _create(self, documents: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Load documents, each with its index and id."""
        pending = [({"create": {"_index": index, "_id": identity}}, document) for index, identity, document in documents]
        for start in range(0, len(pending), BULK):
            lines = ndjson(line for pair in pending[start : start + BULK] for line in pair)
            # Documents are in indexed form already: the integration's pipeline, which reads raw records, must not run.
            params = {"pipeline": "_none", "refresh": "true"}
            headers = {"content-type": "application/x-ndjson"}
            answer = self._client.send("POST", "/_bulk", params=params, content=lines, headers=headers)
            with as_described("Elasticsearch"):
                failed = [item["create"]["error"] for item in answer.data["items"] if "error" in item["create"]]
            if failed:
                raise ExternalError(self._client.clean(f"Elasticsearch: {len(failed)} samples were refused, first: {failed[0]}"))

    def run(self, search: Search, first_us: int, last_us: int) -> list[Found]:
        times = {"gte": time_text(first_us // 1000), "lte": time_text(last_us // 1000), "format": "strict_date_optional_time"}
        only = [{"term": {"data_stream.namespace": self.namespace}}, {"range": {"@timestamp": times}}]
        with as_described("Elasticsearch"):
            if search.language is Language.EQL:
                return self._eql(search, only)
            if search.language is Language.ESQL:
                return self._esql(search, only)
            return self._lucene(search, only)

    def _event(self, sample: Sample) -> tuple[str, str, Mapping[str, Any]]:
        dataset = self._datasets[sample.service]
        stream = {"data_stream.type": "logs", "data_stream.dataset": dataset, "data_stream.namespace": self.namespace}
        return f"logs-{dataset}-{self.namespace}", sample.id, {**sample.document, **stream}

    def _eql(self, search: Search, only: list[Any]) -> list[Found]:
        body = {"query": search.text, "filter": {"bool": {"filter": only}}, "size": MOST, "timestamp_field": search.time_field}
        body |= {"tiebreaker_field": search.tiebreaker} if search.tiebreaker else {}
        answer = self._whole(self._client.query(f"/{','.join(self.streams)}/_eql/search", params={"ignore_unavailable": "true"}, json=body))
        hits = answer.data["hits"]
        sequences = [Found({"join_keys": s["join_keys"]}, tuple(e["_id"] for e in s["events"])) for s in hits.get("sequences") or ()]
        return sequences + [Found({"join_keys": []}, (event["_id"],)) for event in hits.get("events") or ()]

    def _esql(self, search: Search, only: list[Any]) -> list[Found]:
        text = JOIN.sub(rf"\g<1>{self._assets}", search.text) if self._assets else search.text
        body = {"query": text, "filter": {"bool": {"filter": only}}}
        answer = self._whole(self._client.query("/_query", params={"format": "json"}, json=body))
        names = [column["name"] for column in answer.data["columns"]]
        return [Found(dict(zip(names, row, strict=True))) for row in answer.data["values"]]

    def _lucene(self, search: Search, only: list[Any]) -> list[Found]:
        query = {"bool": {"must": [{"query_string": {"query": search.text, "analyze_wildcard": True}}], "filter": only}}
        path = f"/{','.join(self.streams)}/_search"
        answer = self._whole(self._client.query(path, params={"ignore_unavailable": "true"}, json={"query": query, "size": MOST}))
        return [Found(hit["_source"]) for hit in answer.data["hits"]["hits"]]

    def _whole(self, answer: Answer) -> Answer:
        if answer.data.get("timed_out") or answer.data.get("is_partial"):
            raise ExternalError("Elasticsearch: a search ended before it was complete")
        return answer
