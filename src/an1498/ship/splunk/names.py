"""Names that a SOC sees and tunes by. They come from a rule's `name`, not its title: a better title must not orphan local settings."""

from __future__ import annotations

from collections.abc import Mapping

from an1498.compiler.staged import saved_search_name
from an1498.model import LayoutSource, Search, Target
from an1498.ship.splunk.conf import MAX_STANZA, Unwritable, stanza_name

APP = "an1498"
PREFIX = "AN1498"
SUFFIX = " - Rule"
"""Enterprise Security lists saved searches with this ending as correlation searches."""

# Native fields that hold a machine, and how Enterprise Security calls such a thing.
MACHINES: Mapping[str, str] = {"host.ip": "system", "host.name": "system", "host.id": "system", "id.orig_h": "system", "entity": "system"}


def saved_search(rule: str) -> str:
    """The saved search of a rule: `an1498_launchd_service` → `AN1498 - launchd service - Rule`. Raises Unwritable."""
    name = saved_search_name(rule)
    if len(name) > MAX_STANZA:
        raise Unwritable(f"a name that makes '{name}', longer than the {MAX_STANZA} characters of a search's name", "shorten the name")
    return stanza_name(name)


def any_saved_search() -> str:
    """What matches the names of all saved searches of the app."""
    return f"{PREFIX} - *{SUFFIX}"


def macro(rule: str, what: str) -> str:
    """A macro of a rule: `filter` (local tuning) or `events` (what a stage matches)."""
    prefixed = rule if rule.startswith(f"{APP}_") else f"{APP}_{rule}"
    return f"{prefixed}_{what}"


def sources(target: Target) -> tuple[LayoutSource, ...]:
    return tuple(source for layout in target.layouts for source in layout.sources)


def ordered(searches: tuple[Search, ...]) -> tuple[Search, ...]:
    """Correlations first, then by rule."""
    return tuple(sorted(searches, key=lambda search: (search.kind != "correlation", search.rule)))
