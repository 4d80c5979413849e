"""osmem-server, an in-memory server that speaks OpenSearch's HTTP interface, asked with every Lucene text over the same documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from an1498.errors import ExternalError
from an1498.model import FieldType, Language, Search
from an1498.proof.oracles import Verdict
from an1498.replay.alerts import Indexed, field_types
from an1498.replay.prepare import prepare

_INDEX = "events"


def compare(searches: Iterable[Search], indexed: Indexed) -> Verdict:
    """Which documents each Lucene search finds, there and in replay; one comparison per search."""
    from osmem_server import OsmemServer

    own = [search for search in searches if search.language is Language.LUCENE and search.target == indexed.target.name]
    agreed = 0
    differences: list[str] = []
    with OsmemServer.start(japanese=False) as server:
        _fill(server.url, indexed)
        for search in own:
            theirs = _found_there(server.url, search.text)
            ours = {f"{row.stream}:{row.values['_id']}" for row in prepare(search.language, search.text).execute(indexed.table)}
            if theirs == ours:
                agreed += 1
            else:
                differences.append(f"{search.rule}: only there {sorted(theirs - ours)}, only in replay {sorted(ours - theirs)}")
    return Verdict("osmem-server", version("osmem-server"), f"Lucene, target {indexed.target.name}", len(own), agreed, tuple(differences))


def _fill(url: str, indexed: Indexed) -> None:
    properties: dict[str, Any] = {}
    for name, column in field_types(indexed.target).items():
        *parents, leaf = name.split(".")
        level = properties
        for parent in parents:
            level = level.setdefault(parent, {"properties": {}})["properties"]
        level[leaf] = _mapping(column.type)
    _request("PUT", f"{url}/{_INDEX}", {"mappings": {"properties": properties}})
    lines = [
        line
        for stream, events in enumerate(indexed.streams)
        for row, (_, document) in enumerate(events)
        for line in (json.dumps({"index": {"_id": f"{stream}:{row}"}}), json.dumps(document))
    ]
    answer = _request("POST", f"{url}/{_INDEX}/_bulk?refresh=true", "\n".join([*lines, ""]))
    if answer["errors"]:
        failed = next(item["index"]["error"] for item in answer["items"] if "error" in item["index"])
        raise ExternalError(f"osmem-server did not store a document: {failed}")


def _mapping(kind: FieldType) -> dict[str, Any]:
    if kind is FieldType.TEXT:
        return {"type": "text", "fields": {"keyword": {"type": "keyword"}}}
    return {"type": str(kind)}


def _found_there(url: str, text: str) -> set[str]:
    body = {"size": 10_000, "_source": False, "query": {"query_string": {"query": text}}}
    return {hit["_id"] for hit in _request("POST", f"{url}/{_INDEX}/_search", body)["hits"]["hits"]}


def _request(method: str, url: str, body: Mapping[str, Any] | str) -> Any:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=30) as response:
            return json.loads(response.read())
    except HTTPError as error:
        raise ExternalError(f"osmem-server: {method} {url}: {error.code} {error.read().decode(errors='replace')[:300]}") from None
