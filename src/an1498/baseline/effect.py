"""What proposals would have suppressed: the pack's correlations run with and without them over the same events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from an1498.baseline.kept import Kept
from an1498.baseline.knobs import KNOBS
from an1498.baseline.proposals import Proposal, with_accepted
from an1498.model import Alert, Pack

MEASURED = 100
"""Proposals, most events first, whose own effect is measured."""

Alerts = Mapping[str, frozenset[Alert]]


@dataclass(frozen=True, slots=True)
class Effect:
    """Alerts per correlation: without any proposal, with the recommended ones, with all."""

    proposals: tuple[Proposal, ...]
    before: Mapping[str, int]
    recommended: Mapping[str, int]
    all: Mapping[str, int]


def measure(kept: Kept, proposals: Sequence[Proposal], progress: Callable[[str], None]) -> Effect:
    before = alerts(kept, kept.pack, _correlations(kept))
    measured = []
    for number, proposal in enumerate(proposals):
        if number >= MEASURED:
            measured.append(proposal)
            continue
        progress(f"effect of proposal {number + 1} of {min(len(proposals), MEASURED)}")
        touched = [name for name in _touched(kept.pack, proposal) if before.get(name)]
        after = alerts(kept, with_accepted(kept.pack, [proposal]), touched)
        measured.append(
            replace(proposal, suppresses={name: len(before[name] - after[name]) for name in touched if before[name] - after[name]})
        )
    chosen, left = _recommended(kept, measured, before, progress)
    marked = tuple(replace(proposal, recommended=proposal.id in chosen) for proposal in measured)
    return Effect(marked, _counts(before), _counts(left), _counts(_with(kept, proposals, before)))


def _with(kept: Kept, proposals: Sequence[Proposal], before: Alerts) -> Alerts:
    return alerts(kept, with_accepted(kept.pack, proposals), [name for name in before if before[name]])


def _recommended(kept: Kept, proposals: Sequence[Proposal], before: Alerts, progress: Callable[[str], None]) -> tuple[set[str], Alerts]:
    """Normal proposals, each of which suppresses alerts that those before it left. Those that suppress most alone come first, at a tie
    servers' addresses, which are hard to borrow. Where only several together suppress an alert, all normal ones."""
    normal = [proposal for proposal in proposals if not proposal.risks]
    goal = _total(_with(kept, normal, before))
    chosen: list[Proposal] = []
    left = before
    for number, proposal in enumerate(sorted(normal, key=_order)[:MEASURED]):
        if _total(left) <= goal:
            break
        progress(f"choosing proposals: {number + 1} of {min(len(normal), MEASURED)}")
        after = _with(kept, [*chosen, proposal], before)
        if _total(after) < _total(left):
            chosen.append(proposal)
            left = after
    if _total(left) > goal:
        chosen, left = normal, _with(kept, normal, before)
    return {proposal.id for proposal in chosen}, left


def _order(proposal: Proposal) -> tuple[int, bool, str]:
    return (-sum((proposal.suppresses or {}).values()), not proposal.parameter.endswith("_addresses"), proposal.id)


def _total(found: Alerts) -> int:
    return sum(len(one) for one in found.values())


def alerts(kept: Kept, pack: Pack, correlations: Iterable[str]) -> Alerts:
    """The alerts that the correlations of a variant of the pack raise."""
    return {name: frozenset(kept.alerts(pack, name)) for name in correlations}


def _correlations(kept: Kept) -> list[str]:
    return [name for name in kept.pack.correlations if name not in kept.target.options.get("skip", {})]


def _touched(pack: Pack, proposal: Proposal) -> list[str]:
    """The correlations that have a stage which the list narrows."""
    narrowed = set(next(knob for knob in KNOBS if knob.parameter == proposal.parameter).rules(pack))
    return [name for name, correlation in pack.correlations.items() if narrowed & set(correlation.rules)]


def _counts(found: Alerts) -> dict[str, int]:
    return {name: len(alerts) for name, alerts in found.items() if alerts}
