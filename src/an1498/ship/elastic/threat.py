"""`threat` of a rule: tactics and techniques of its tags, with MITRE's own names and addresses from the packaged ATT&CK objects."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from an1498.content.data import MINI_ATTACK, attack_object

FRAMEWORK = "MITRE ATT&CK"

Entry = dict[str, Any]


@cache
def _catalogue() -> dict[str, Any]:
    """Every ATT&CK object that the pack carries by name and id only, by its external id."""
    objects = json.loads(MINI_ATTACK.read_text(encoding="utf-8"))["objects"]
    return {reference["external_id"]: item for item in objects for reference in item.get("external_references", ())[:1]}


@cache
def _tactic_ids() -> dict[str, str]:
    return {item["x_mitre_shortname"]: identifier for identifier, item in _catalogue().items() if "x_mitre_shortname" in item}


def threat(tags: tuple[str, ...]) -> list[Entry]:
    """Kibana's `threat` for Sigma tags such as `attack.t1573.002`: per tactic of each technique, the technique and its subtechniques.
    A tag that names no packaged technique adds nothing."""
    techniques = [name for tag in tags if (name := tag.upper().removeprefix("ATTACK.")) in _catalogue() and name.startswith("T")]
    wanted = _tactics(tags)
    entries: dict[str, Entry] = {}
    for identifier in techniques:
        for phase in _catalogue()[identifier].get("kill_chain_phases", ()):
            tactic_id = _tactic_ids().get(phase["phase_name"])
            if tactic_id is None or (wanted and phase["phase_name"] not in wanted):
                continue
            entry = entries.setdefault(
                tactic_id, {"framework": FRAMEWORK, "tactic": _named(tactic_id, f"tactics/{tactic_id}"), "technique": []}
            )
            _add(entry["technique"], identifier)
    return list(entries.values())


def tactic_names(entries: list[Entry]) -> list[str]:
    return [entry["tactic"]["name"] for entry in entries]


def _tactics(tags: tuple[str, ...]) -> set[str]:
    """Short names of the tactics that the tags name."""
    return {name for tag in tags if (name := tag.lower().removeprefix("attack.")) in _tactic_ids()}


def _add(techniques: list[Entry], identifier: str) -> None:
    parent = identifier.split(".")[0]
    technique = next((item for item in techniques if item["id"] == parent), None)
    if technique is None:
        technique = {**_named(parent, f"techniques/{parent}"), "subtechnique": []}
        techniques.append(technique)
    if identifier != parent:
        technique["subtechnique"].append(_named(identifier, f"techniques/{identifier.replace('.', '/')}"))


def _named(identifier: str, path: str) -> Entry:
    """Id, name and address. elastic/detection-rules demands the slash at the address's end."""
    try:
        item = attack_object(identifier)
    except KeyError:  # a technique above a packaged one: only its name is here
        item = _catalogue()[identifier]
    reference = item["external_references"][0].get("url") or f"https://attack.mitre.org/{path}"
    return {"id": identifier, "name": item["name"], "reference": f"{reference.rstrip('/')}/"}
