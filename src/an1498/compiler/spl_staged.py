"""SPL: the event search of a staged target, which writes what it matches.

Language rules, from the Splunk Search Reference, "collect" (9.4): with `output_format=hec` every field of a result becomes an indexed
field, `source` is taken from the result, the sourcetype is `stash_hec` (no licence usage) where the result has none, and the options
`source`, `sourcetype`, `host`, `marker`, `addtime` are not allowed; a result's `_raw` is kept. In the older format values become
`key="value"` in a text, where a value could make fields of its own, and times have whole seconds. `_bkt` and `_cd` are the bucket of an
event and its address there (Knowledge Manager Manual, "Use default fields"): together they name one event.

What is written is a risk event in the sense of Enterprise Security (index, `source`, `risk_object`, `risk_score`), but its search needs
no Enterprise Security. Values have "=" before them: an empty text stays a value. `_raw` is a fixed text, so that nothing is extracted
from an attacker's words.
"""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.conditions import EventCondition
from an1498.compiler.spl_conditions import field, string
from an1498.compiler.spl_parts import ORIGINAL_EVENT, ORIGINAL_TIME, TIME_FIELD, selection
from an1498.compiler.staged import SOURCE, written_name
from an1498.model import STAGED_MACRO, LayoutField

_BEGIN = f"\n| eval {ORIGINAL_TIME}="
RAW = "AN1498 staged event"


def writing_search(found: EventCondition, name: str, rows: Sequence[LayoutField], machines: Sequence[str], risk_score: int) -> str:
    """The search of an event rule that writes under `name` (`staged.staged_as`) the fields `rows`, and risk on the machine that the
    first of `machines` names."""
    written = [(written_name(row), f'"=".{field(row.indexed)}') for row in rows]
    constants = [(SOURCE, string(name)), ("search_name", string(name)), ("_raw", string(RAW))]
    columns = [TIME_FIELD, SOURCE, "search_name", ORIGINAL_TIME, ORIGINAL_EVENT, *(column for column, _ in written)]
    for machine in machines[:1]:
        # No machine, no risk: Enterprise Security would put it on "unknown".
        score = f"if(isnotnull({field(machine)}), {risk_score}, 0)"
        constants += [("risk_object", field(machine)), ("risk_object_type", string("system")), ("risk_score", score)]
        columns += ["risk_object", "risk_object_type", "risk_score"]
    assigned = ", ".join(f"{column}={expression}" for column, expression in (*written, *constants))
    return (
        f'{selection(found)}{_BEGIN}strftime({TIME_FIELD}, "%s.%6N"), {ORIGINAL_EVENT}=_bkt.":"._cd\n'
        f"| eval {assigned}\n"
        f"| table {', '.join((*columns, '_raw'))}\n"
        f"| collect `{STAGED_MACRO}` output_format=hec"
    )


def parted(text: str) -> tuple[str, str]:
    """A writing search as its selection and what writes: between them is the place for local filters."""
    place = text.rindex(_BEGIN)
    return text[:place], text[place + 1 :]
