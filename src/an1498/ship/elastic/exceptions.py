"""Exception lists for local tuning: one for all rules of a target, one per alerting rule. They start empty and live in Kibana, so that an
update of the rules never touches what a SOC put into them. What the pack itself excuses (parameters) is in the queries already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid5

from an1498.ship.elastic.selection import NAMESPACE, Selected

Item = dict[str, Any]


def references(selected: Selected) -> list[Item]:
    """`exceptions_list` of a rule: the target's list, and the rule's own where it alerts."""
    target, rule = selected.search.target, selected.search.rule
    names = [shared_list_id(target)] + ([rule_list_id(target, rule)] if selected.search.kind == "correlation" else [])
    return [{"id": _object_id(name), "list_id": name, "type": "detection", "namespace_type": "single"} for name in names]


def exception_lists(target: str, selected: Iterable[Selected]) -> list[Item]:
    """Lines of the exception lists' import, sorted. Import them before the rules."""
    titles = {rule_list_id(target, item.search.rule): item.search.title for item in selected if item.search.kind == "correlation"}
    shared = _list(shared_list_id(target), "AN1498: all rules", f"Exceptions of every AN1498 rule of target {target}.")
    return [shared, *(_list(name, f"AN1498: {title}", "Exceptions of this rule only.") for name, title in sorted(titles.items()))]


def shared_list_id(target: str) -> str:
    return f"an1498-{target}"


def rule_list_id(target: str, rule: str) -> str:
    """The same for every language of a rule: an excuse holds whichever of them is enabled."""
    return f"an1498-{target}-{rule}"


def _list(list_id: str, name: str, description: str) -> Item:
    return {
        "id": _object_id(list_id),
        "list_id": list_id,
        "name": name,
        "description": description,
        "type": "detection",
        "namespace_type": "single",
        "os_types": [],
        "tags": ["AN1498"],
        "version": 1,
    }


def _object_id(list_id: str) -> str:
    return str(uuid5(NAMESPACE, f"exception-list/{list_id}"))
