"""The table of assets as files for both SIEMs.

    an1498_assets.csv      Splunk: the lookup file of the app (transforms.conf makes it time-based)
    an1498-assets.ndjson   Elastic: a body for _bulk, one document a row, for the index an1498-assets in lookup mode

The same table gives the same bytes. A document's id comes from its address and start, and `an1498_asset_table` is the hash of the whole
table, so that loading a new table and then deleting what has another hash leaves exactly the new one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from an1498.errors import ExternalError
from an1498.model import ELASTIC_ASSET_TYPES, ELASTIC_ASSETS, SPLUNK_ASSET_COLUMNS, SPLUNK_ASSETS
from an1498.telemetry.assets import AssetTable
from an1498.times import second_text

TABLE_FIELD = "an1498_asset_table"


def asset_csv(table: AssetTable) -> bytes:
    """Splunk's form: epoch seconds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SPLUNK_ASSET_COLUMNS)
    writer.writerows((row.start_s, row.end_s, row.ip, row.host, row.mac, row.source) for row in table.rows)
    return out.getvalue().encode()


def asset_bulk(table: AssetTable) -> bytes:
    """Elasticsearch's form: pairs of lines, action and document; times are RFC 3339 in UTC."""
    lines = []
    for identity, document in asset_documents(table):
        lines += [json.dumps({"index": {"_index": ELASTIC_ASSETS, "_id": identity}}), json.dumps(document)]
    return "".join(f"{line}\n" for line in lines).encode()


def asset_documents(table: AssetTable) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row's id and document for an index that `ship.elastic.ingest.assets_index` describes."""
    whole = hashlib.sha256(asset_csv(table)).hexdigest()[:16]
    for row in table.rows:
        cells = (
            row.ip,
            second_text(row.start_s * 1_000_000),
            second_text(row.end_s * 1_000_000),
            row.host,
            row.mac,
            row.source,
        )  # in the order of the types
        document = {**dict(zip(ELASTIC_ASSET_TYPES, cells, strict=True)), TABLE_FIELD: whole}
        yield f"{row.ip}@{row.start_s}", {name: cell for name, cell in document.items() if cell}


def asset_files(table: AssetTable) -> dict[str, bytes]:
    return {f"{SPLUNK_ASSETS}.csv": asset_csv(table), f"{ELASTIC_ASSETS}.ndjson": asset_bulk(table)}


def write_files(directory: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Each file is whole or as it was before. Raises ExternalError."""
    written = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                Path(temporary).chmod(0o644)
                Path(temporary).replace(directory / name)
            finally:
                with suppress(FileNotFoundError):
                    Path(temporary).unlink()
            written.append(directory / name)
    except OSError as error:
        raise ExternalError(f"{error.filename or directory}: cannot write the table: {error.strerror or error}") from error
    return tuple(written)
