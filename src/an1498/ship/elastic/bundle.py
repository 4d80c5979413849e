"""The bundle's files. Everything comes from the pack and its searches; the same content gives the same bytes.

rules.ndjson                        detection rules, disabled       POST /api/detection_engine/rules/_import
exceptions.ndjson                   exception lists, empty          POST /api/exception_lists/_import
dashboard.ndjson                    data views and a dashboard      POST /api/saved_objects/_import
component_templates/<name>.json     mappings                        PUT  /_component_template/<name>
ingest_pipelines/<name>.json        entity and rank                 PUT  /_ingest/pipeline/<name>
lookup_index/an1498-assets.json     index of the table of assets    PUT  /an1498-assets (entity = "lookup" only)
detection-rules/<rule>.toml         the same rules for elastic/detection-rules
README.md                           in which order to import
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from an1498.model import ELASTIC_ASSETS, Entity, Language, LayoutSource, Pack, Search
from an1498.ship.elastic.dashboard import dashboard
from an1498.ship.elastic.datastreams import custom_names
from an1498.ship.elastic.detection_rules import detection_rules_document
from an1498.ship.elastic.exceptions import exception_lists
from an1498.ship.elastic.fields import target_sources
from an1498.ship.elastic.ingest import assets_index, component_template, ingest_pipeline, layout_of
from an1498.ship.elastic.ndjson import ndjson, pretty
from an1498.ship.elastic.readme import readme
from an1498.ship.elastic.rule import detection_rule, rule_version
from an1498.ship.elastic.selection import select
from an1498.ship.elastic.tomltext import toml


def bundle_files(pack: Pack, target_name: str, searches: Iterable[Search]) -> dict[str, bytes]:
    """Every file of a target's bundle by its path inside the bundle. `searches` are all of that target. Raises ContentError where a
    layout asks our ingest pipeline for something that it cannot compute."""
    target = pack.targets[target_name]
    own = list(searches)
    by_rule: dict[tuple[str, Language], Search] = {}
    for search in own:
        by_rule.setdefault((search.rule, search.language), search)
    selected = select(own)
    rules = [detection_rule(pack, item, by_rule) for item in selected]
    files = {
        "rules.ndjson": ndjson(rules),
        "exceptions.ndjson": ndjson(exception_lists(target_name, selected)),
        "dashboard.ndjson": ndjson(dashboard(target)),
    }
    for item, rule in zip(selected, rules, strict=True):
        document = (pack.rules.get(item.search.rule) or pack.correlations[item.search.rule]).document
        files[f"detection-rules/{item.file_stem}.toml"] = toml(detection_rules_document(rule, document))
    names = custom_names(target_sources(target))
    files |= _elasticsearch(pack, target_name, names)
    if target.entity is Entity.LOOKUP:
        files[f"lookup_index/{ELASTIC_ASSETS}.json"] = pretty(assets_index())
    files["README.md"] = readme(target, names, rules).encode()
    return files


def _elasticsearch(pack: Pack, target_name: str, names: Mapping[str, LayoutSource]) -> dict[str, bytes]:
    target, version = pack.targets[target_name], rule_version(pack.version)
    staged = target.staging is not None
    files: dict[str, bytes] = {}
    for name, source in names.items():
        files[f"component_templates/{name}.json"] = pretty(component_template(source, version, staged=staged))
        files[f"ingest_pipelines/{name}.json"] = pretty(ingest_pipeline(layout_of(target, source), source, version, staged=staged))
    return files
