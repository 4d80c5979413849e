"""`variant = "staged"` in `[targets.<name>]`: event rules write what they match, correlations run over that (docs/staged.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from an1498.content.durations import DAY, duration
from an1498.content.node import Node
from an1498.model import Pack, Staging

VARIANTS = ("direct", "staged")
STAGING_KEYS = ("variant", "staging_lag", "staging_index", "staging_space")
_OF_BACKEND = {"staging_index": "splunk", "staging_space": "elastic"}

LAG_S = 120
INDEX = "risk"
"""Enterprise Security's index of risk events."""
SPACE = "default"

# Splunk, "Create custom indexes": lower-case letters, digits, underscores, hyphens; no leading underscore or hyphen.
_INDEX = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}", re.ASCII)
# Kibana, "Create a space": the URL identifier.
_SPACE = re.compile(r"[a-z0-9_-]{1,80}", re.ASCII)


def load_staging(table: Mapping[str, Node], backend: str) -> Staging | None:
    """What the target's table says, or None where its correlations run over the raw events. Raises ContentError."""
    staged = "variant" in table and table["variant"].one_of(VARIANTS) == "staged"
    for key in STAGING_KEYS[1:]:
        if key not in table:
            continue
        if not staged:
            raise table[key].error(f"'{table[key].name}' without variant = \"staged\"", 'add variant = "staged", or remove the key')
        if _OF_BACKEND.get(key, backend) != backend:
            raise table[key].error(f"'{table[key].name}' is not for backend '{backend}'", "remove it")
    if not staged:
        return None
    return Staging(
        index=_name(table["staging_index"], _INDEX) if "staging_index" in table else INDEX,
        space=_name(table["staging_space"], _SPACE) if "staging_space" in table else SPACE,
        lag_s=duration(table["staging_lag"], low=0, high=DAY) if "staging_lag" in table else LAG_S,
    )


def direct(pack: Pack) -> Pack:
    """The pack with every target's correlations over the raw events: the same alerts, for whoever has raw events only."""
    return replace(pack, targets={name: replace(target, staging=None) for name, target in pack.targets.items()})


def _name(node: Node, form: re.Pattern[str]) -> str:
    text = node.text()
    if not form.fullmatch(text):
        raise node.error(f"'{node.name}' is '{text[:40]}', which is not such a name", "use lower-case letters, digits, - and _")
    return text
