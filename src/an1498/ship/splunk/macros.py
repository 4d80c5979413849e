"""macros.conf: where the logs are, one filter per search, the events of each stage, and what the dashboard counts as alerts.

An app's update replaces default/ and leaves local/ alone (Splunk Admin Manual, "Configuration file precedence"), so a macro that a SOC
defines in local/macros.conf, or in the web interface, survives every update of the app.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from an1498.model import STAGED_MACRO, Search
from an1498.ship.splunk.conf import Stanza
from an1498.ship.splunk.names import APP, any_saved_search, macro

ALERTS, RISK = f"{APP}_alerts", f"{APP}_risk"
KEEP_ALL = "search *"
"""A filter that keeps every result."""


def macro_stanzas(layout: Mapping[str, str], searches: Iterable[Search], events: Mapping[str, str]) -> list[Stanza]:
    """`layout` are the macros that searches begin with, `events` those of the stages."""
    definitions = dict(layout)
    definitions |= {macro(search.rule, "filter"): KEEP_ALL for search in searches}
    definitions |= events
    # Notable and risk events carry the search's name as their source.
    definitions[ALERTS] = f'(index=notable source="{any_saved_search()}")'
    risk = " OR ".join(dict.fromkeys(["index=risk", *([layout[STAGED_MACRO]] if STAGED_MACRO in layout else [])]))
    definitions[RISK] = f'({f"({risk})" if " OR " in risk else risk} source="{any_saved_search()}")'
    return [Stanza(name, {"definition": text, "iseval": "0"}) for name, text in sorted(definitions.items())]
