"""The proposals' file: YAML that a reviewer edits (`accepted: true`). Every text of a log is written by the YAML emitter, never pasted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from an1498.baseline.effect import Effect
from an1498.baseline.escaping import unfit
from an1498.baseline.proposals import PARAMETERS, Proposal
from an1498.content.node import Node
from an1498.content.yamldoc import read_yaml

VERSION = 1
_HEAD = """\
# Proposals of `an1498 baseline`. Nothing here has any effect yet.
# Set `accepted: true` where a value is normal on your site, then run: an1498 baseline --accept THIS-FILE
# A value is compared exactly (without regard to case); `*` and `?` in it are not wildcards. `risky` ones say why.
"""
_KEYS = (
    "id",
    "parameter",
    "value",
    "accepted",
    "rating",
    "recommended",
    "risks",
    "expires",
    "suppresses",
    "events",
    "hosts",
    "host_names",
    "first",
    "last",
    "matched",
    "also",
    "details",
)
_REQUIRED = ("id", "parameter", "value", "accepted", "expires", "matched", "also")


def to_yaml(effect: Effect, *, target: str, files: int, events: int) -> str:
    document = {
        "an1498_baseline": VERSION,
        "target": target,
        "archive": {"files": files, "events": events},
        "alerts": {"before": dict(effect.before), "with_recommended": dict(effect.recommended), "with_all": dict(effect.all)},
        "proposals": [_entry(proposal) for proposal in effect.proposals],
    }
    return _HEAD + yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=140)


def _entry(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "parameter": proposal.parameter,
        "value": proposal.value,
        "accepted": proposal.accepted,
        "rating": proposal.rating,
        "recommended": proposal.recommended,
        "risks": list(proposal.risks),
        "expires": proposal.expires.isoformat(),
        "suppresses": None if proposal.suppresses is None else dict(proposal.suppresses),
        "events": proposal.events,
        "hosts": proposal.hosts,
        "host_names": list(proposal.host_names),
        "first": proposal.first,
        "last": proposal.last,
        "matched": dict(proposal.matched),
        "also": {name: list(values) for name, values in proposal.also.items()},
        "details": _plain(proposal.details),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def read_proposals(path: Path) -> tuple[Proposal, ...]:
    """The proposals of a file as the reviewer left them. Raises ContentError with file:line."""
    root = read_yaml(path).root
    keys = root.keys(("an1498_baseline", "target", "archive", "alerts", "proposals"), required=("an1498_baseline", "proposals"))
    if keys["an1498_baseline"].value != VERSION:
        raise keys["an1498_baseline"].error(f"is version {keys['an1498_baseline'].value!r}, not {VERSION}", "make the proposals again")
    return tuple(_read(node) for node in keys["proposals"].items())


def _read(node: Node) -> Proposal:
    keys = node.keys(_KEYS, required=_REQUIRED)
    parameter = keys["parameter"].one_of(PARAMETERS)
    value = keys["value"].text()
    problem = unfit(value, address=parameter.endswith("_addresses"))
    if problem:
        raise keys["value"].error(f"the value is {problem}", "set accepted: false, or remove the proposal")
    also = {name: tuple(_fit(item) for item in item_node.items()) for name, item_node in keys["also"].entries().items()}
    return Proposal(
        id=keys["id"].text(),
        parameter=parameter,
        value=value,
        risks=keys["risks"].texts(empty=True) if "risks" in keys else (),
        matched={name: count.integer(low=0, high=2**53) for name, count in keys["matched"].entries().items()},
        hosts=0,
        host_names=(),
        first="",
        last="",
        also=also,
        details={},
        expires=_date(keys["expires"]),
        accepted=keys["accepted"].truth(),
    )


def _fit(node: Node) -> str:
    text = node.text()
    problem = unfit(text)
    if problem:
        raise node.error(f"the value is {problem}", "remove the list that it is in")
    return text


def _date(node: Node) -> date:
    if isinstance(node.value, date):
        return node.value
    try:
        return date.fromisoformat(node.text())
    except ValueError:
        raise node.error(f"'{node.value}' is not a date", "write it as 2026-04-15") from None
