"""The Elastic bundle of a target: rules, exception lists, ingest pipelines, component templates, dashboard, detection-rules TOML."""

from an1498.ship.elastic.bundle import bundle_files

__all__ = ["bundle_files"]
