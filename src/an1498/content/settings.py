"""an1498.toml and its overlays: the pack's name, its parameters, its targets (formats.md).

An overlay (`--env FILE.toml`) is merged key by key over the file, and later overlays over earlier ones; each value keeps the place
where it was written, so that messages name the right file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from an1498.content.durations import DAY, duration
from an1498.content.layouts import layout_names, load_layout, override, unknown_layout
from an1498.content.node import Node, suggestion
from an1498.content.parameters import load_parameter
from an1498.content.report import Report, reporting
from an1498.content.staging import STAGING_KEYS, load_staging
from an1498.content.tomldoc import read_toml
from an1498.model import Entity, Language, Layout, Parameter, Target

FILE_NAME = "an1498.toml"
LEVELS = ("informational", "low", "medium", "high", "critical")

Table = dict[str, Node]

# What a target gets where it says nothing. Risk: Elastic's own scores per severity, "Create a detection rule"; Splunk takes the same.
RISK_SCORES = {"informational": 1, "low": 21, "medium": 47, "high": 73, "critical": 99}
SEVERITY = {
    "splunk": {level: level for level in LEVELS},
    "elastic": {level: "low" if level == "informational" else level for level in LEVELS},
}
LANGUAGES: Mapping[str, tuple[Language, ...]] = {
    "splunk": (Language.SPL,),
    "elastic": (Language.EQL, Language.ESQL, Language.LUCENE),
}
SEVERITIES = {"splunk": LEVELS, "elastic": LEVELS[1:]}
INTERVAL_S = 300
INGEST_LAG_S = 120

TARGET_KEYS = (
    "backend",
    "languages",
    "layouts",
    "entity",
    "interval",
    "ingest_lag",
    "skip",
    "severity",
    "risk_scores",
    "indexes",
    "macros",
    *STAGING_KEYS,
    "deploy",
)
TABLES = ("skip", "severity", "risk_scores", "indexes", "macros", "deploy")

# Where a target's SIEM is (docs/deploy.md). No key holds a credential: those come from the environment or a keyring.
DEPLOY_KEYS = {
    "elastic": ("url", "elasticsearch_url", "space", "ca_file", "allow_http", "test_namespace"),
    "splunk": ("url", "app", "ca_file", "allow_http", "hec_url", "test_index"),
}
CREDENTIALS = ("password", "token", "key", "secret", "user", "auth")


@dataclass(frozen=True, slots=True)
class Settings:
    """`defaults` are the parameters of an1498.toml itself, before overlays: what the literals in rules must equal. `skips` has, per
    target, the place of each entry of its `skip` table."""

    name: str
    version: str
    attack_version: str
    parameters: Mapping[str, Parameter]
    defaults: Mapping[str, Parameter]
    targets: Mapping[str, Target]
    skips: Mapping[str, Mapping[str, Node]]


def load_settings(root: Path, overlays: Sequence[Path], pipelines: Path, report: Report) -> Settings:
    """The settings of a content root. Each problem is one ContentError, given to `report`; a file that cannot be read at all is raised."""
    base = read_toml(root / FILE_NAME).root
    top = base.keys(("pack", "parameters", "targets"), required=("pack", "parameters", "targets"))
    pack = top["pack"].keys(("name", "version", "attack_version"), required=("name", "version", "attack_version"))
    defaults: dict[str, Parameter] = {}
    for name, node in top["parameters"].entries().items():
        with reporting(report):
            defaults[name] = load_parameter(name, node)
    nodes = top["targets"].entries()
    tables: dict[str, Table] = {}
    for name, node in nodes.items():
        with reporting(report):
            tables[name] = _merged({}, node)
    parameters = dict(defaults)
    for path in overlays:
        with reporting(report):
            _overlay(read_toml(path).root, parameters, defaults, tables, nodes, report)
    targets: dict[str, Target] = {}
    layouts: dict[str, Layout] = {}
    for name, table in tables.items():
        with reporting(report):
            targets[name] = _target(name, nodes[name], table, pipelines, layouts)
    if not nodes:
        report(top["targets"].error("there is no target", "add a table [targets.<name>]", "missing-key"))
    return Settings(
        pack["name"].text(),
        pack["version"].text(),
        pack["attack_version"].text(),
        dict(sorted(parameters.items())),
        defaults,
        dict(sorted(targets.items())),
        {name: _inner(tables[name], "skip") for name in sorted(targets)},
    )


def _overlay(
    root: Node, parameters: dict[str, Parameter], defaults: Mapping[str, Parameter], tables: dict[str, Table], nodes: Table, report: Report
) -> None:
    top = root.keys(("parameters", "targets"))
    for name, node in top["parameters"].entries().items() if "parameters" in top else ():
        with reporting(report):
            if name not in defaults:
                raise node.error(f"unknown parameter '{name}'", suggestion(name, defaults), "unknown-key")
            parameters[name] = load_parameter(name, node, defaults[name])
    for name, node in top["targets"].entries().items() if "targets" in top else ():
        with reporting(report):
            if name not in tables and "backend" not in node.entries():
                raise node.error(f"unknown target '{name}'", suggestion(name, tables), "unknown-key")
            tables[name] = _merged(tables.get(name, {}), node)
            nodes.setdefault(name, node)


def _merged(table: Table, node: Node) -> Table:
    """A target's table with the keys of `node` laid over it; keys of its tables are `table.key`."""
    result = dict(table)
    for key, value in node.keys(TARGET_KEYS).items():
        if key in TABLES:
            result.update({f"{key}.{name}": item for name, item in value.entries().items()})
        else:
            result[key] = value
    return result


def _inner(table: Table, key: str) -> Table:
    return {name.removeprefix(f"{key}."): node for name, node in table.items() if name.startswith(f"{key}.")}


def _target(name: str, node: Node, table: Table, pipelines: Path, loaded: dict[str, Layout]) -> Target:
    if not name.replace("-", "a").replace("_", "a").isalnum() or not name.isascii():
        raise node.error(f"target name '{name}' has characters other than letters, digits, _ and -", "rename it; it names a directory")
    for key in ("backend", "layouts"):
        if key not in table:
            raise node.missing(key)
    backend = table["backend"].one_of(LANGUAGES)
    return Target(
        name=name,
        backend=backend,
        languages=_languages(table.get("languages"), backend),
        layouts=_layouts(table, backend, pipelines, loaded),
        entity=Entity(table["entity"].one_of(entity.value for entity in Entity)) if "entity" in table else Entity.IP,
        interval_s=duration(table["interval"], low=60, high=DAY) if "interval" in table else INTERVAL_S,
        ingest_lag_s=duration(table["ingest_lag"], low=0, high=DAY) if "ingest_lag" in table else INGEST_LAG_S,
        options=_options(table, backend),
        location=node.location,
        staging=load_staging(table, backend),
    )


def _languages(node: Node | None, backend: str) -> tuple[Language, ...]:
    known = LANGUAGES[backend]
    if node is None:
        return known
    node.texts()
    return tuple(Language(item.one_of(known)) for item in node.items())


def _layouts(table: Table, backend: str, pipelines: Path, loaded: dict[str, Layout]) -> tuple[Layout, ...]:
    known = layout_names(pipelines)
    used: set[int] = set()
    indexes, macros = _inner(table, "indexes"), _inner(table, "macros")
    layouts: list[Layout] = []
    seen: dict[tuple[str, str], str] = {}
    table["layouts"].texts()
    for item in table["layouts"].items():
        if item.value not in known:
            raise unknown_layout(item, item.value, pipelines)
        if item.value.split("/")[0] != backend:
            raise item.error(
                f"layout '{item.value}' is not one of backend '{backend}'",
                suggestion(item.value, [n for n in known if n.startswith(f"{backend}/")]),
            )
        if item.value not in loaded:
            loaded[item.value] = load_layout(item.value, pipelines)
        layout = override(loaded[item.value], indexes, macros, lambda node: used.add(id(node)))
        for source in layout.sources:
            other = seen.setdefault((source.product, source.service), layout.name)
            if other != layout.name:
                raise item.error(
                    f"layouts '{other}' and '{layout.name}' both store {source.product}/{source.service}",
                    "keep one of them in this target",
                    "duplicate",
                )
        layouts.append(layout)
    sources = [source for layout in layouts for source in layout.sources]
    for key, choices in (("indexes", {f"{s.product}/{s.service}" for s in sources}), ("macros", {s.macro for s in sources if s.macro})):
        for entry, value in _inner(table, key).items():
            if id(value) not in used:
                raise value.error(f"unknown key '{entry}' in '{key}'", suggestion(entry, choices), "unknown-key")
    return tuple(layouts)


def _options(table: Table, backend: str) -> dict[str, dict[str, str] | dict[str, int] | dict[str, str | bool]]:
    """`skip` {rule: reason}, `severity` {level: the backend's word}, `risk_scores` {level: 0 … 100}, `deploy` {key: value}."""
    severity = dict(SEVERITY[backend])
    for level, node in _inner(table, "severity").items():
        _level(node, level, "severity")
        severity[level] = node.one_of(SEVERITIES[backend])
    risk = dict(RISK_SCORES)
    for level, node in _inner(table, "risk_scores").items():
        _level(node, level, "risk_scores")
        risk[level] = node.integer(low=0, high=100)
    return {
        "skip": {rule: node.text(longest=1000) for rule, node in sorted(_inner(table, "skip").items())},
        "severity": severity,
        "risk_scores": risk,
        "deploy": _deploy(_inner(table, "deploy"), backend),
    }


def _deploy(table: Table, backend: str) -> dict[str, str | bool]:
    """Where the target's SIEM is. A key that looks like a credential is refused with a remedy, not as an unknown key."""
    found: dict[str, str | bool] = {}
    for key, node in sorted(table.items()):
        if any(word in key.lower() for word in CREDENTIALS):
            raise node.error(f"'{key}' in 'deploy': credentials never stand in files", "set them in the environment (docs/deploy.md)")
        if key not in DEPLOY_KEYS[backend]:
            raise node.error(f"unknown key '{key}' in 'deploy'", suggestion(key, DEPLOY_KEYS[backend]), "unknown-key")
        found[key] = node.truth() if key == "allow_http" else node.text(longest=1000)
    return found


def _level(node: Node, level: str, table: str) -> None:
    if level not in LEVELS:
        raise node.error(f"unknown level '{level}' in '{table}'", suggestion(level, LEVELS), "unknown-key")
