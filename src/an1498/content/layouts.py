"""pipelines/<backend>/<layout>.yml → Layout: the table under `vars.layout` that says how a SIEM stores each log source.

The rest of the file is a pySigma pipeline; the compiler gives it to pySigma, and here only its outline is checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from an1498.content.node import Document, Node, suggestion
from an1498.content.yamldoc import read_yaml
from an1498.errors import ContentError
from an1498.model import Derivation, DerivedField, FieldType, Layout, LayoutField, LayoutSource, RankCase, Scalar

PIPELINE_KEYS = ("name", "priority", "allowed_backends", "vars", "transformations", "postprocessing", "finalizers")
SOURCE_KEYS = (
    "product",
    "service",
    "index",
    "macro",
    "macro_definition",
    "constants",
    "entity",
    "time",
    "fields",
    "types",
    "arrays",
    "unmapped",
    "derived",
    "rank",
)
CONDITION_KEYS = ("rule_conditions", "detection_item_conditions", "field_name_conditions")
TIME_FIELD = {"splunk": "_time", "elastic": "@timestamp"}


def layout_names(pipelines: Path) -> tuple[str, ...]:
    """Names such as `elastic/zeek` of the layouts below a pipelines directory, sorted."""
    return tuple(sorted(path.relative_to(pipelines).with_suffix("").as_posix() for path in pipelines.glob("*/*.yml")))


def load_layout(name: str, pipelines: Path) -> Layout:
    """The layout of a pipeline file. Raises ContentError."""
    return parse_layout(name, pipelines / f"{name}.yml", read_yaml(pipelines / f"{name}.yml"))


def parse_layout(name: str, path: Path, document: Document) -> Layout:
    backend = name.split("/")[0]
    root = document.root
    entries = root.keys(PIPELINE_KEYS, required=("name", "priority", "vars"))
    entries["name"].text()
    entries["priority"].integer(low=0, high=1000)
    table = entries["vars"].require("layout")
    sources: list[LayoutSource] = []
    for node in table.items():
        source = _source(node, backend)
        if any((source.product, source.service) == (other.product, other.service) for other in sources):
            raise node.error(f"log source {source.product}/{source.service} stands twice in 'layout'", "merge the two entries", "duplicate")
        sources.append(source)
    if not sources:
        raise table.error("'vars.layout' is an empty list", "describe at least one log source")
    for list_key in ("transformations", "postprocessing", "finalizers"):
        for item in entries[list_key].items() if list_key in entries else []:
            _pipeline_item(item)
    return Layout(name, backend, path, table.location, tuple(sources))


def _pipeline_item(node: Node) -> None:
    """The outline of a transformation; its parameters are pySigma's to check."""
    kind = node.require("type").text()
    for key in CONDITION_KEYS:
        conditions = node.get(key)
        if conditions is not None:
            listed = conditions.entries().values() if isinstance(conditions.value, dict) else conditions.items()
            for condition in listed:
                condition.require("type").text()
    if kind == "field_name_mapping":
        for value in node.require("mapping").entries().values():
            if isinstance(value.value, list):
                value.texts()
            else:
                value.text()


def _source(node: Node, backend: str) -> LayoutSource:
    entries = node.keys(SOURCE_KEYS, required=("product", "service", "fields"))
    texts = {
        key: entries[key].text(longest=1000)
        for key in ("product", "service", "index", "macro", "macro_definition", "entity", "time")
        if key in entries
    }
    constants = {key: _scalar(value) for key, value in entries["constants"].entries().items()} if "constants" in entries else {}
    mapping = {native: value.text() for native, value in entries["fields"].entries().items()}
    computed = entries["derived"].entries() if "derived" in entries else {}
    indexed = {*mapping.values(), *constants, *computed, *(texts[key] for key in ("entity", "time") if key in texts)}
    types = {}
    for name, value in entries["types"].entries().items() if "types" in entries else ():
        _known(value, name, indexed)
        types[name] = FieldType(value.one_of(kind.value for kind in FieldType))
    marks = {
        key: frozenset(_known(item, item.text(), indexed) for item in entries[key].items())
        for key in ("arrays", "unmapped")
        if key in entries
    }
    fields = tuple(
        LayoutField(
            native,
            name,
            types.get(name, FieldType.KEYWORD),
            array=name in marks.get("arrays", ()),
            mapped=name not in marks.get("unmapped", ()),
        )
        for native, name in mapping.items()
    )
    if not fields:
        raise entries["fields"].error("'fields' is empty", "list each native field and the name under which it is stored")
    rank, cases = _rank(entries["rank"]) if "rank" in entries else (1, ())
    return LayoutSource(
        product=texts["product"],
        service=texts["service"],
        fields=fields,
        constants=constants,
        entity_field=texts.get("entity", ""),
        index=texts.get("index", ""),
        macro=texts.get("macro", ""),
        macro_definition=texts.get("macro_definition", ""),
        time_field=texts.get("time", TIME_FIELD.get(backend, "@timestamp")),
        rank=rank,
        rank_cases=cases,
        derived=tuple(_derived(name, node, types) for name, node in computed.items()),
    )


def _derived(indexed: str, node: Node, types: Mapping[str, FieldType]) -> DerivedField:
    entries = node.keys(("from", "as"), required=("from", "as"))
    derivation = Derivation(entries["as"].one_of(kind.value for kind in Derivation))
    return DerivedField(indexed, entries["from"].text(), derivation, types.get(indexed, FieldType.KEYWORD))


def _scalar(node: Node) -> Scalar:
    if isinstance(node.value, str | int | float | bool):
        value: Scalar = node.value
        return value
    raise node.wrong_type("text, a number, true or false")


def _known(node: Node, name: str, indexed: Iterable[str]) -> str:
    if name not in indexed:
        raise node.error(f"'{name}' is not a stored field of this log source", suggestion(name, indexed), "unknown-reference")
    return name


def _rank(node: Node) -> tuple[int, tuple[RankCase, ...]]:
    entries = node.keys(("default", "cases"), required=("default",))
    default = entries["default"].integer(low=0, high=1000)
    return default, tuple(_rank_case(item) for item in entries["cases"].items()) if "cases" in entries else ()


def _rank_case(node: Node) -> RankCase:
    entries = node.keys(("field", "equals", "in", "rank"), required=("field", "rank"))
    if ("equals" in entries) == ("in" in entries):
        raise node.error("a rank case needs either 'equals' or 'in'", "keep exactly one of them")
    values = [entries["equals"]] if "equals" in entries else entries["in"].items()
    return RankCase(entries["field"].text(), tuple(_scalar(value) for value in values), entries["rank"].integer(low=0, high=1000))


def override(layout: Layout, indexes: Mapping[str, Node], macros: Mapping[str, Node], use: Callable[[Node], None]) -> Layout:
    """The layout with a target's own indexes (by `product/service`) and macro definitions (by macro name). Calls `use` for each
    entry that applied, so that the caller can report the ones that did not."""

    def changed(source: LayoutSource) -> LayoutSource:
        index, definition = indexes.get(f"{source.product}/{source.service}"), macros.get(source.macro)
        for node in (index, definition):
            if node is not None:
                use(node)
        return dataclasses.replace(
            source,
            index=index.text(longest=1000) if index else source.index,
            macro_definition=definition.text(longest=1000) if definition else source.macro_definition,
        )

    return dataclasses.replace(layout, sources=tuple(changed(source) for source in layout.sources))


def unknown_layout(node: Node, name: str, pipelines: Path) -> ContentError:
    return node.error(
        f"layout '{name}' is unknown: there is no {name}.yml among the pipelines",
        suggestion(name, layout_names(pipelines)),
        "unknown-reference",
    )
