"""SPL: the pieces that every correlation's pipeline is made of.

Language rules, from the Splunk Search Reference: events come newest first ("search"), so order is always made by `sort 0` (without 0,
sort keeps 10,000); `multisearch` needs streaming subsearches, two or more, and has no subsearch limits; `streamstats` without window
looks at all earlier results of its `by` group, `current=f` leaves out the present one, `last` skips null; rows with a null by-field are
left out of stats, hence the `where isnotnull` before; a macro in backticks stands first, outside any OR.
`_time` has microseconds: times are rounded to six decimals wherever they are compared, because binary fractions are not exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from an1498.compiler.conditions import EventCondition, any_of
from an1498.compiler.correlation import OPERATORS, Plan, Stage
from an1498.compiler.entity import FIRST_LABEL, HostField, by_address
from an1498.compiler.spl_conditions import condition, field
from an1498.model import SPLUNK_ASSETS, LayoutField

TIME_FIELD = "_time"
# Fields of a staged event (`spl_staged.py`).
ORIGINAL_TIME = "an1498_orig_time"
ORIGINAL_EVENT = "an1498_orig_event"
# No value holds a line feed as it is (`spl_conditions.py`), so this stands only where it was put.
_DEFERRED = "\n| where "
MINE = "an1498_mine"
"""In a chain, the number of the stage that a row belongs to while an inner correlation is at work."""
TIMES = "an1498_times"
"""In a chain, for how many events a row stands."""
COMPARISONS = {**OPERATORS, "eq": "="}


def selection(found: EventCondition) -> str:
    """The macro first, where nothing can OR it away, then the terms, then the deferred condition on a line of its own."""
    return found.text("spl", _render)


def _render(found: EventCondition) -> str:
    parts = condition(found.source, found.tree)
    macro = f"`{found.source.macro}`" if found.source.macro else ""
    terms = f"({parts.search})" if parts.search else ""
    text = " ".join(filter(None, (macro, terms))) or "*"
    return text + (f"{_DEFERRED}{parts.where}" if parts.where else "")


def branch(stage: Stage, found: EventCondition, assignments: Sequence[str]) -> str:
    """The stage's events. A staged event has its source event's time as a text, because what Splunk makes of `_time` is not certain."""
    first = [f"_time=tonumber({ORIGINAL_TIME})"] if stage.staged else []
    lookup = host_lookup(stage, first)
    steps = [*lookup, f"eval {', '.join(assignments if lookup else [*first, *assignments])}"]
    return f"    [ search {selection(found).replace(_DEFERRED, ' | where ')} | {' | '.join(steps)} ]"


def stored_value(stage: Stage, row: LayoutField) -> str:
    """A field of the stage's events in an eval expression."""
    return f"substr({row.indexed}, 2)" if stage.staged else field(row.indexed)


def key_assignments(plan: Plan, stage: Stage) -> list[str]:
    return [f"{column}={_key(stage, key)}" for column, key in zip(plan.keys, stage.keys, strict=True)]


def host_lookup(stage: Stage, first: Sequence[str] = ()) -> list[str]:
    """The host that had an event's address, and until when. The lookup is time-based: it gives the row that began last before the
    event ("lookup"; transforms.conf, `time_field`), whether it has ended or not. Streaming, hence allowed in multisearch. `first` is
    assigned before."""
    key = by_address(stage.keys)
    if key is None:
        return []
    address = f'an1498_ip=replace(lower({stored_value(stage, key)}), "^::ffff:([0-9.]+)", "\\1")'
    return [
        f"eval {', '.join((*first, address))}",
        f"lookup {SPLUNK_ASSETS} ip AS an1498_ip OUTPUT host AS an1498_host, end AS an1498_end",
    ]


# No regular expression here ends in a dollar sign: between two of them Splunk may look for a token's name.
def _key(stage: Stage, key: LayoutField) -> str:
    if not isinstance(key, HostField):
        return stored_value(stage, key)
    if key.by_address:
        return "if(_time<tonumber(an1498_end), an1498_host, null())"
    return f'replace(lower({stored_value(stage, key)}), "^({FIRST_LABEL})[.].*", "\\1")'


def keyed(plan: Plan, *columns: str, keys: Sequence[str] = ()) -> list[str]:
    """Events without a key go. An event that two runs of its rule have written, or two rules of one branch, counts once; `columns` tell
    the rows of one event apart."""
    lines = ["| where " + " AND ".join(f"isnotnull({column})" for column in keys or plan.keys)]
    if plan.staged:
        lines.append(f"| dedup {', '.join((ORIGINAL_EVENT, *columns))} keepempty=true")
    return lines


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that a correlation looks at. The outermost has the pipeline for itself; an inner one (`spl_chains.py`) shares it with
    the events of others, which its commands must leave as they are: they have another number in the column MINE. `columns` and
    `carried` are what tells these apart from each other."""

    plan: Plan
    columns: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()

    @property
    def inner(self) -> bool:
        return self.plan.number > 0

    def by(self, *more: str) -> str:
        """The group of a `streamstats`."""
        return "by " + ", ".join((*self.columns, MINE, *more) if self.inner else (*self.plan.keys, *more))

    def grouped(self, *more: str) -> str:
        """The end of a `stats`, which keeps nothing but its group and what it adds up."""
        return f", sum({TIMES}) as {TIMES} {self.by(*self.carried, *more)}" if self.inner else f" {self.by(*more)}"

    def where(self, condition_text: str) -> str:
        return f"| where {MINE}!={self.plan.number} OR ({condition_text})" if self.inner else f"| where {condition_text}"

    def shifted(self, time: str) -> str:
        """An event leaves just after t + W: at that very time it is still inside."""
        leaves = f"{MINE}={self.plan.number} AND an1498_edge=1" if self.inner else "an1498_edge=1"
        return f"an1498_time=round({time}+if({leaves}, {self.plan.window_s}, 0), 6)"


def output(plan: Plan, *columns: str) -> list[str]:
    renames = ", ".join(f"{column} as {_name(group)}" for column, group in zip(plan.keys, plan.groups, strict=True))
    return [f"| rename {renames}", "| table " + ", ".join((TIME_FIELD, *map(_name, plan.groups), *columns))]


def _name(group: str) -> str:
    return group if group.replace("_", "a").isalnum() else f'"{group}"'


def edges(plan: Plan, value_of: Callable[[Stage], str] | None = None) -> list[str]:
    """Every event twice: entering the window (edge 0) and, W later, leaving it (edge 1). `value_of` gives the column `an1498_value`."""
    lines = ["| multisearch"]
    for edge in (0, 1):
        for source in plan.branches():
            assigned = [f"an1498_edge={edge}", *key_assignments(plan, source.first)]
            if value_of is not None:
                assigned.append(f"an1498_value={value_of(source.first)}")
            lines.append(branch(source.first, any_of([stage.condition for stage in source.stages]), assigned))
    columns = (TIME_FIELD, "an1498_edge", *(["an1498_value"] if value_of is not None else []), *plan.keys)
    return [*lines, *keyed(plan, "an1498_edge"), "| fields " + ", ".join(columns)]


def staged_edges(plan: Plan) -> list[str]:
    """The same per stage: an event of two stages is two rows of each edge."""
    lines = ["| multisearch"]
    for edge in (0, 1):
        for stage in plan.events:
            assigned = [f"an1498_edge={edge}", f"an1498_stage={stage.number}", *key_assignments(plan, stage)]
            lines.append(branch(stage, stage.condition, assigned))
    return [
        *lines,
        *keyed(plan, "an1498_edge", "an1498_stage"),
        "| fields " + ", ".join((TIME_FIELD, "an1498_edge", "an1498_stage", *plan.keys)),
    ]


def both_edges() -> list[str]:
    """Every row twice, as `edges` gives events."""
    return ['| eval an1498_edge=mvappend("0", "1")', "| mvexpand an1498_edge", "| eval an1498_edge=tonumber(an1498_edge)"]


def leaving(scope: Scope) -> str:
    return f"| eval {scope.shifted('_time')}"


def rising(scope: Scope, condition_text: str) -> list[str]:
    """Rows where the condition holds and did not at the group's event time before."""
    return [
        f"| eval an1498_hit=if({condition_text}, 1, 0)",
        f"| streamstats current=f last(an1498_hit) as an1498_was {scope.by()}",
        scope.where("an1498_hit=1 AND coalesce(an1498_was, 0)=0"),
    ]


def rising_edge(plan: Plan, *columns: str) -> list[str]:
    """One alert at each of them."""
    return [f"| eval _time=an1498_time, first_time=round(an1498_time-{plan.window_s}, 6)", *output(plan, "first_time", *columns)]
