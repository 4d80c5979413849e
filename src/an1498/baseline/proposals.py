"""Proposals: one exact value for one list, its evidence, its rating, its expiry, and whether a reviewer accepted it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from an1498.baseline.escaping import sigma_literal, unfit
from an1498.baseline.knobs import KNOBS
from an1498.baseline.learn import Observed
from an1498.baseline.rating import reasons
from an1498.model import Pack
from an1498.times import second_text

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Proposal:
    """`value` is the text of the logs, unescaped. `matched` are events per rule; `also` are fields that all these events had, with
    their values. `suppresses` are the alerts per correlation that it alone would have suppressed, None where that was not measured.
    The `recommended` ones are normal, and few that together suppress what all normal ones would."""

    id: str
    parameter: str
    value: str
    risks: tuple[str, ...]
    matched: Mapping[str, int]
    hosts: int
    host_names: tuple[str, ...]
    first: str
    last: str
    also: Mapping[str, tuple[str, ...]]
    details: Mapping[str, Any]
    expires: date
    suppresses: Mapping[str, int] | None = None
    recommended: bool = False
    accepted: bool = False

    @property
    def rating(self) -> str:
        return "risky" if self.risks else "normal"

    @property
    def events(self) -> int:
        return max(self.matched.values(), default=0)


@dataclass(frozen=True, slots=True)
class Draft:
    """`unfit` counts values that no list can hold, per list and reason; `rare` those with fewer events than asked for."""

    proposals: tuple[Proposal, ...]
    unfit: Mapping[tuple[str, str], int]
    rare: int


def draft(pack: Pack, seen: Iterable[Observed], *, min_count: int, today: date, days: int) -> Draft:
    """Proposals for values that occur at least `min_count` times and that the lists do not have yet."""
    proposals: list[Proposal] = []
    refused: dict[tuple[str, str], int] = {}
    rare = 0
    for one in seen:
        parameter = one.knob.parameter
        if parameter not in pack.parameters:
            continue
        problem = unfit(one.value, address=parameter.endswith("_addresses"))
        if problem:
            refused[(parameter, problem)] = refused.get((parameter, problem), 0) + 1
        elif one.events < min_count:
            rare += 1
        elif sigma_literal(one.value) not in known_values(pack, parameter):
            proposals.append(_proposal(pack, one, f"P{len(proposals) + 1:04d}", today + timedelta(days=days)))
    return Draft(tuple(proposals), refused, rare)


def known_values(pack: Pack, parameter: str) -> tuple[str, ...]:
    """The list's values now, as Sigma values."""
    value = pack.parameters[parameter].value
    return tuple(str(item) for item in value) if isinstance(value, tuple) else ()


def with_accepted(pack: Pack, proposals: Iterable[Proposal]) -> Pack:
    """The pack whose lists have these values too."""
    parameters = dict(pack.parameters)
    for proposal in proposals:
        known = parameters[proposal.parameter]
        assert isinstance(known.value, tuple)
        parameters[proposal.parameter] = replace(known, value=(*known.value, sigma_literal(proposal.value)))
    return replace(pack, parameters=parameters)


def _proposal(pack: Pack, seen: Observed, identifier: str, expires: date) -> Proposal:
    also = {name: values for name in seen.knob.narrower if (values := tuple(v for v in seen.all_of(name) if not unfit(v)))}
    complete = {name: values for name, values in also.items() if len(values) == len(seen.all_of(name))}
    return Proposal(
        id=identifier,
        parameter=seen.knob.parameter,
        value=seen.value,
        risks=tuple(reasons(pack, seen)),
        matched=dict(sorted(seen.rules.items())),
        hosts=len(seen.hosts),
        host_names=tuple(shown(name) for name in sorted(seen.hosts)[:_SHOWN]),
        first=second_text(round(seen.first_s * 1_000_000)),
        last=second_text(round(seen.last_s * 1_000_000)),
        also=complete,
        details=dict(_details(seen)),
        expires=expires,
    )


def _details(seen: Observed) -> Iterator[tuple[str, Any]]:
    if seen.labels:
        yield "launchd_labels", {shown(label): count for label, count in seen.labels.most_common(_SHOWN)}
    for name, counts in sorted(seen.details.items()):
        yield name, {"-" if text is None else shown(text): count for text, count in counts.most_common(_SHOWN)}


def shown(text: str) -> str:
    """A text from a log as evidence: printable, not too long."""
    safe = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
    return safe if len(safe) <= 200 else safe[:197] + "..."


PARAMETERS = tuple(knob.parameter for knob in KNOBS)
