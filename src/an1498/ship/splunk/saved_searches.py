"""savedsearches.conf: one stanza per search, scheduled but disabled.

The search is the compiler's text, byte for byte, with `| `<rule>_filter`` behind it: the place for local tuning, which by default keeps
every result. A search that writes (staged target) has it before what writes.
"""

from __future__ import annotations

from an1498.compiler.correlation import Plan
from an1498.compiler.spl_staged import parted
from an1498.model import Search, Target
from an1498.ship.splunk.alerting import correlation_search, description, notable, risk
from an1498.ship.splunk.conf import Stanza, value
from an1498.ship.splunk.names import APP, macro, saved_search
from an1498.ship.splunk.schedule import schedule, settled, time_range
from an1498.ship.splunk.text import Rule, said_by


def text(search: Search, plan: Plan | None = None) -> str:
    """The search as it is shipped; `plan` is a correlation's."""
    local = f"| `{macro(search.rule, 'filter')}`"
    if search.staged_as:
        selection, writer = parted(search.text)
        return f"{selection}\n{local}\n{writer}"
    return "\n".join(filter(None, (search.text, settled(plan) if plan else "", local)))


def correlation_stanza(search: Search, plan: Plan, target: Target) -> Stanza:
    """A correlation: a notable event and risk per result. The same alert seen by two runs has the same group and first event."""
    rule = plan.correlation
    settings = {
        **_common(search, rule, target, text(search, plan)),
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.digest_mode": "0",
        "alert.track": "0",
        "alert.suppress": "1",
        "alert.suppress.fields": ",".join((*search.group_by, "first_time")),
        "alert.suppress.period": f"{search.lookback_s}s",
        **correlation_search(rule),
        **notable(plan, search, target),
        **risk(rule, search, target),
    }
    return Stanza(_name(rule), settings)


def event_stanza(search: Search, rule: Rule, target: Target) -> Stanza:
    """An event rule: risk for the machine, never an alert. Ranges of consecutive runs meet without overlap, so nothing is to suppress.
    Where the log names no machine (a certificate, for instance) there is nothing to put risk on: the search is for analysts. A search
    that writes risk events itself (staged target) needs no action that does."""
    modifier = {"action.risk": "0"} if search.staged_as else risk(rule, search, target)
    if not modifier:
        return Stanza(_name(rule), {**_common(search, rule, target, text(search), scheduled=False), "alert.track": "0"})
    settings = {
        **_common(search, rule, target, text(search)),
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.digest_mode": "1",
        "alert.track": "0",
        "alert.suppress": "0",
        **correlation_search(rule),
        "action.notable": "0",
        **modifier,
    }
    return Stanza(_name(rule), settings)


def _name(rule: Rule) -> str:
    with said_by(rule, "name", what="it has"):
        return saved_search(rule.name)


def _common(search: Search, rule: Rule, target: Target, search_text: str, *, scheduled: bool = True) -> dict[str, str]:
    if scheduled:
        with said_by(rule, "name", what=f"target '{target.name}' has"):
            when = schedule(search, target)
    else:
        when = {"enableSched": "0", **time_range(search, target)}
    with said_by(rule, "detection", what="its search has"):
        value(search_text)
    return {
        "description": description(rule),
        "disabled": "1",
        **when,
        "request.ui_dispatch_app": APP,
        "request.ui_dispatch_view": "search",
        "search": search_text,
    }
