"""Copies of others' data: Sigma's JSON schemas (public domain) and MITRE ATT&CK objects (licence beside them; see NOTICE)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent

ATTACK = _HERE / "attack"
"""ATT&CK objects as MITRE publishes them (STIX 2.1), with LICENSE.txt."""

MINI_ATTACK = ATTACK / "mini-attack-19.1.json"
"""Names and ids of ATT&CK 19.1: what pySigma needs to check tags without the network."""


@cache
def sigma_schema(kind: str) -> Any:
    """The JSON schema of `detection-rule`, `correlation-rules` or `filters`."""
    return json.loads((_HERE / "schemas" / f"sigma-{kind}-schema.json").read_text(encoding="utf-8"))


@cache
def attack_object(external_id: str) -> Any:
    """The packaged ATT&CK object with this id, such as AN1498, DET0543, T1573.002 or TA0011. Raises KeyError."""
    # T1573 is not T1573.002: the name is id, type and ending.
    found = [path for path in ATTACK.glob("*.json") if path.stem.rpartition(".")[0] == external_id]
    if not found:
        raise KeyError(external_id)
    return json.loads(found[0].read_text(encoding="utf-8"))
