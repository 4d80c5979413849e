"""A Sigma YAML file → EventRule, Filter or Correlation, each checked in itself; `references` checks them against each other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from an1498.content.bindings import with_parameters
from an1498.content.correlations import load_correlation
from an1498.content.detections import check_detection
from an1498.content.metadata import log_source, read_metadata
from an1498.content.node import Document, Node
from an1498.content.text import label
from an1498.content.yamldoc import read_yaml
from an1498.errors import ContentError, Location
from an1498.model import Correlation, EventRule, Filter, Parameter

FILTER_KEYS = ("condition", "rules")


def rule_files(directory: Path) -> tuple[Path, ...]:
    """The YAML files below a directory, sorted by path. Raises ContentError where a directory cannot be listed: a rule that is
    silently left out would be a detection that nobody misses."""

    def refuse(error: OSError) -> None:
        shown = label(Path(error.filename))
        raise ContentError(Location(shown), f"cannot be listed: {error.strerror}", "check the path and its permissions", "unreadable-file")

    found = []
    for folder, folders, files in os.walk(directory, onerror=refuse):
        found += [Path(folder, name) for name in (*files, *folders) if name.endswith((".yml", ".yaml"))]
    return tuple(sorted(found))


def load_rule(path: Path, parameters: Mapping[str, Parameter]) -> EventRule | Filter | Correlation:
    """The rule of a file, with its parameters applied. Raises ContentError."""
    return parse_rule(path, read_yaml(path), parameters)


def parse_rule(path: Path, document: Document, parameters: Mapping[str, Parameter]) -> EventRule | Filter | Correlation:
    root = document.root
    kinds = [key for key in ("detection", "filter", "correlation") if key in root.entries()]
    if len(kinds) != 1:
        problem = f"has both '{kinds[0]}' and '{kinds[1]}'" if kinds else "has none of 'detection', 'filter', 'correlation'"
        raise root.error(problem, "write exactly one of them; each file holds one rule", "missing-key")
    match kinds[0]:
        case "detection":
            return _event_rule(path, root, parameters)
        case "filter":
            return _filter(path, root)
        case _:
            return load_correlation(path, root, parameters)


def _event_rule(path: Path, root: Node, parameters: Mapping[str, Parameter]) -> EventRule:
    metadata = read_metadata(root, path, ("logsource", "detection", "rank", "parameters"))
    product, service = log_source(root.require("logsource"))
    rank = root.get("rank")
    if rank is not None:
        rank.integer(low=0, high=1000)
    check_detection(root.require("detection"))
    root = with_parameters(root, parameters)
    check_detection(root.require("detection"))
    return EventRule(
        metadata.name,
        metadata.id,
        metadata.title,
        metadata.level,
        product,
        service,
        root.value,
        root.require("title").location,
        root.document.locations,
    )


def _filter(path: Path, root: Node) -> Filter:
    metadata = read_metadata(root, path, ("logsource", "filter"))
    log_source(root.require("logsource"))
    body = root.require("filter")
    check_detection(body, FILTER_KEYS)
    rules = body.require("rules")
    if isinstance(rules.value, list):
        rules.texts()
    elif rules.text().lower() != "any":
        raise rules.wrong_type("a list of rule names", "write a list of rule names or ids")
    return Filter(metadata.name, metadata.id, metadata.title, root.value, root.require("title").location, root.document.locations)
