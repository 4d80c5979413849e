"""Accepted proposals → an overlay over an1498.toml, and Sigma filters that say the same more narrowly."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import yaml

from an1498.baseline.escaping import sigma_literal, toml_string
from an1498.baseline.knobs import KNOBS
from an1498.baseline.proposals import Proposal, known_values
from an1498.model import Pack

_NAMESPACE = UUID("7f0c51a4-5b0e-5d5c-9a8e-3b1f0e6f1498")
_NUMBERS = frozenset({"id.resp_p"})


def overlay_toml(pack: Pack, accepted: Sequence[Proposal]) -> str:
    """The lists with their values of now and the accepted ones. Comments hold only what we write ourselves."""
    expected: dict[str, list[str]] = {}
    lines = [
        "# Written by `an1498 baseline --accept`. Use it with: an1498 --env THIS-FILE build",
        "# An overlay replaces a list, so the values that the list had are here too. Run the command again to drop what has expired.",
        "",
        "[parameters]",
    ]
    for parameter in dict.fromkeys(proposal.parameter for proposal in accepted):
        lines.append(f"{parameter} = [")
        for value in known_values(pack, parameter):
            lines.append(f"    {toml_string(value)},")
            expected.setdefault(parameter, []).append(value)
        for proposal in accepted:
            value = sigma_literal(proposal.value)
            if proposal.parameter == parameter and value not in expected.get(parameter, []):
                lines.append(f"    {toml_string(value)}, # expires {proposal.expires.isoformat()}")
                expected.setdefault(parameter, []).append(value)
        lines.append("]")
    text = "\n".join(lines) + "\n"
    # What is read back must be what was meant, whatever a log held.
    assert tomllib.loads(text) == {"parameters": expected}, "the overlay does not read back"
    return text


def filters(pack: Pack, accepted: Iterable[Proposal], today: date) -> dict[str, str]:
    """File name → Sigma filter, one per accepted proposal: the value and, as well, what all its events had in common, and only for the
    rules that matched. For sites that keep filters instead of lists; the overlay does not need them."""
    return {f"{name}.yml": text for name, text in (_filter(pack, proposal, today) for proposal in accepted)}


def _filter(pack: Pack, proposal: Proposal, today: date) -> tuple[str, str]:
    knob = next(knob for knob in KNOBS if knob.parameter == proposal.parameter)
    identifier = uuid5(_NAMESPACE, f"{proposal.parameter}\0{proposal.value}")
    name = f"baseline_{proposal.parameter}_{identifier.hex[:12]}"
    selection: dict[str, Any] = {}
    if proposal.parameter == "allowed_launchd_labels":
        selection["subsystem|contains"] = f"/{sigma_literal(proposal.value)} ["
    else:
        selection[knob.field] = sigma_literal(proposal.value)
    for field, values in proposal.also.items():
        if field in knob.narrower:
            selection[field] = [_narrow(field, value) for value in values]
    document = {
        "title": f"Baseline: {proposal.parameter} {identifier.hex[:12]}",
        "id": str(identifier),
        "name": name,
        "status": "experimental",
        "description": f"Normal on this site by `an1498 baseline`; accepted until {proposal.expires.isoformat()}, then review it again.",
        "references": ["https://attack.mitre.org/detectionstrategies/DET0543"],
        "author": "an1498 baseline",
        "date": today.isoformat(),
        "license": "DRL-1.1",
        "logsource": {"product": knob.product, "service": knob.service},
        "filter": {
            "rules": [rule for rule in knob.rules(pack) if rule in proposal.matched],
            "selection": selection,
            "condition": "not selection",
        },
    }
    return name, yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=140)


def _narrow(field: str, value: str) -> str | int:
    return int(value) if field in _NUMBERS and value.isdecimal() else sigma_literal(value)
