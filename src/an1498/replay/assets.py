"""The table of assets as searches find it in a SIEM: Splunk's time-based lookup, Elasticsearch's index in lookup mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from an1498.errors import UsageError
from an1498.model import ELASTIC_ASSET_TYPES, ELASTIC_ASSETS, SPLUNK_ASSET_COLUMNS, SPLUNK_ASSETS, Entity, Target
from an1498.replay.lookup import Lookup
from an1498.telemetry.assets import Asset, AssetTable

Cells = tuple[str | None, ...]


def asset_lookups(target: Target, tables: Sequence[AssetTable]) -> dict[str, Lookup]:
    """The lookups of a target's searches, with one table for each stream; none for a target that looks nothing up."""
    if target.entity is not Entity.LOOKUP:
        return {}
    streams = tuple(tuple(map(_splunk if target.backend == "splunk" else _elastic, table.rows)) for table in tables)
    if target.backend == "splunk":
        return {SPLUNK_ASSETS: Lookup(SPLUNK_ASSETS, SPLUNK_ASSET_COLUMNS, (), time_column="start", case_sensitive=False, streams=streams)}
    return {ELASTIC_ASSETS: Lookup(ELASTIC_ASSETS, tuple(ELASTIC_ASSET_TYPES), (), types=ELASTIC_ASSET_TYPES, streams=streams)}


def as_assets(lookup: Lookup) -> Lookup:
    """A CSV file that `an1498 assets build` wrote, under one of the table's names: time-based for Splunk, typed for Elasticsearch. Any
    other lookup as it is. Raises UsageError for a table with other times than whole seconds."""
    if lookup.name not in (SPLUNK_ASSETS, ELASTIC_ASSETS) or lookup.columns != SPLUNK_ASSET_COLUMNS:
        return lookup
    if lookup.name == SPLUNK_ASSETS:
        return replace(lookup, time_column="start", case_sensitive=False)
    try:
        rows = [
            Asset(ip or "", int(start or ""), int(end or ""), host or "", mac or "", by or "")
            for start, end, ip, host, mac, by in lookup.rows
        ]
    except ValueError:
        raise UsageError(f"the lookup '{lookup.name}' has a start or an end that is no whole number of seconds") from None
    return Lookup(lookup.name, tuple(ELASTIC_ASSET_TYPES), tuple(map(_elastic, rows)), types=ELASTIC_ASSET_TYPES)


def _splunk(row: Asset) -> Cells:
    return (str(row.start_s), str(row.end_s), row.ip, row.host, row.mac or None, row.source or None)


def _elastic(row: Asset) -> Cells:
    return (row.ip, str(row.start_s * 1000), str(row.end_s * 1000), row.host, row.mac or None, row.source or None)
