"""What a proof run found, as data: the page and the JSON are written from it alone."""

from __future__ import annotations

from dataclasses import dataclass

from an1498.proof.oracles import Verdict


@dataclass(frozen=True, slots=True)
class TypeEvidence:
    """One correlation type in one language: random streams executed on the embedded evaluator against the reference.

    `declared` streams differ as a declared deviation says; `refused` counts the shapes that the language cannot say."""

    type: str
    language: str
    shapes: int
    refused: int
    refusals: tuple[str, ...]
    streams: int
    alerts: int
    declared: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchEvidence:
    """One emitted search. `streams`, `alerts`, `declared`, `differences` are of the pack's own raw events (correlations only)."""

    target: str
    rule: str
    language: str
    kind: str
    streams: int
    alerts: int
    declared: int
    differences: tuple[str, ...]
    mutants: int
    killed: int
    equivalent: tuple[str, ...]
    survived: tuple[str, ...]
    contradicted: tuple[str, ...]
    accepted_by: tuple[str, ...]
    deviations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The whole run. `engines` names what executed the texts, with versions; `absent` the oracles that were not there, with the reason."""

    pack: str
    budget: str
    engines: tuple[str, ...]
    types: tuple[TypeEvidence, ...]
    searches: tuple[SearchEvidence, ...]
    oracles: tuple[Verdict, ...]
    absent: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the run fails, one line each: undeclared differences, surviving mutants, oracles that compared nothing or disagree."""
        found = [f"{one.type} in {one.language}: {difference}" for one in self.types for difference in one.differences]
        for search in self.searches:
            name = f"{search.target}/{search.rule} in {search.language}"
            found += [f"{name}: {difference}" for difference in search.differences]
            found += [f"surviving mutant: {survivor}" for survivor in search.survived]
            found += [f"mutant declared to mean the same, but killed: {mutant}" for mutant in search.contradicted]
        for verdict in self.oracles:
            name = f"{verdict.oracle} {verdict.version} on {verdict.subject}"
            if not verdict.comparisons:
                found.append(f"{name}: compared nothing")
            elif verdict.agreed < verdict.comparisons:
                shown = "; ".join(verdict.differences[:1])
                found.append(f"{name}: {verdict.comparisons - verdict.agreed} of {verdict.comparisons} comparisons differ: {shown}")
        if not any(one.streams for one in self.types):
            found.append("the differential tests compared nothing")
        return tuple(found)
