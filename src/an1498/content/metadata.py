"""What rules, filters and correlations have in common: names, ids, levels, tags, texts (Sigma specification 2.1, "Rule")."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from an1498.content.node import Node
from an1498.content.settings import LEVELS

STATUS = ("stable", "test", "experimental", "deprecated", "unsupported")
RELATIONS = ("derived", "obsolete", "merged", "renamed", "similar")

# Top-level keys of every Sigma document, then the pack's own (design.md section 3).
COMMON_KEYS = (
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "mitre",
    "triage",
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_TAG = re.compile(r"[a-z0-9_-]+\.[a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """`name` is the file's name where the document has none, `id` empty and `level` "informational" where they are missing; lints
    ask for all three."""

    name: str
    id: str
    title: str
    level: str


def read_metadata(root: Node, path: Path, own_keys: Collection[str]) -> Metadata:
    """Checks the common keys of a document. `own_keys` are the further keys of its kind. Raises ContentError."""
    entries = root.keys((*COMMON_KEYS, *own_keys), required=("title",))
    title = entries["title"].text()
    name_node = entries.get("name")
    name = name_node.text() if name_node else path.stem
    if not _NAME.fullmatch(name):
        raise (name_node or root).error(
            f"name '{name}' has characters other than letters, digits, _ and -", "rename it; it names files, stanzas and rules in the SIEM"
        )
    for key in ("description", "triage"):
        if key in entries:
            entries[key].text(longest=65_535, lines=True)
    for key in ("taxonomy", "license", "author"):
        if key in entries:
            entries[key].text()
    for key in ("references", "falsepositives", "fields", "scope"):
        for item in entries[key].items() if key in entries else []:
            item.text(longest=4096, lines=True)
    for key in ("date", "modified"):
        if key in entries:
            _date(entries[key])
    for item in entries["tags"].items() if "tags" in entries else []:
        if not _TAG.fullmatch(item.text()):
            raise item.error(f"tag '{item.value}' is not namespace.name in lower case", "write it as attack.t1573.002")
    for item in entries["related"].items() if "related" in entries else []:
        relation = item.keys(("id", "type"), required=("id", "type"))
        _uuid(relation["id"])
        relation["type"].one_of(RELATIONS)
    if "status" in entries:
        entries["status"].one_of(STATUS)
    if "mitre" in entries:
        for node in entries["mitre"].keys(("analytic", "detection_strategy")).values():
            node.text()
    return Metadata(
        name,
        _uuid(entries["id"]) if "id" in entries else "",
        title,
        entries["level"].one_of(LEVELS) if "level" in entries else "informational",
    )


def log_source(node: Node) -> tuple[str, str]:
    """(product, service) of a `logsource`; empty texts where it does not say. Raises ContentError."""
    entries = node.keys(("category", "product", "service", "definition"))
    texts = {key: value.text(longest=4096, lines=key == "definition") for key, value in entries.items()}
    if not texts.keys() - {"definition"}:
        raise node.error("'logsource' is empty", "give product and service, such as zeek and ssl", "missing-key")
    return texts.get("product", ""), texts.get("service", "")


def _uuid(node: Node) -> str:
    text = node.text()
    try:
        canonical = str(UUID(text))
    except ValueError:
        canonical = ""
    if canonical != text.lower():
        raise node.error(f"id '{text}' is not a UUID", "generate one with: python3 -c 'import uuid; print(uuid.uuid4())'")
    return canonical


def _date(node: Node) -> None:
    text = node.text()
    try:
        if len(text) == 10 and date.fromisoformat(text):
            return
    except ValueError:
        pass
    raise node.error(f"'{node.name}' is '{text}', which is not a date", "write YYYY-MM-DD")
