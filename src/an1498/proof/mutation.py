"""Mutation control: every mutant of every search must give other rows than the search, or be refused, over the streams made for it.

The search itself is the judge here; that its rows are the right ones is what scenarios, differential tests and oracles say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from an1498.errors import An1498Error
from an1498.model import Language, NativeEvent, Pack, Search
from an1498.proof.equivalents import Equivalents
from an1498.proof.mutants import Mutant, mutants
from an1498.proof.sharing import Shared
from an1498.proof.tables import Tables
from an1498.replay.prepare import Prepared, prepare

PROVED = "Proved, by cases over the values of the fields: it decides about every single event as the search does."
_LONGEST_STEP = 300
"""A line of a search longer than this holds a rule's condition; a step of the correlation is shorter."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no stream told from its search; `reason` says why it means the same, empty where nobody declared it."""

    search: Search
    mutant: Mutant
    reason: str = ""

    def __str__(self) -> str:
        where = f"{self.search.target}/{self.search.rule} {self.search.language}:{self.mutant.line}"
        return f"{where}: {self.mutant.operator}: '{_short(self.mutant.before)}' → '{_short(self.mutant.after)}'"


@dataclass(frozen=True, slots=True)
class Control:
    """What became of the mutants of one search. `refused` of the `killed` ones were not executed, because replay does not accept them;
    `contradicted` ones were killed although they are declared to mean the same."""

    search: Search
    tried: int
    killed: int
    refused: int
    equivalent: tuple[Survivor, ...]
    survived: tuple[Survivor, ...]
    contradicted: tuple[Survivor, ...] = ()


def control(
    pack: Pack,
    searches: Sequence[Search],
    equivalents: Equivalents,
    *,
    one_in: int = 1,
    choose: Callable[[Mutant], bool] = lambda _mutant: True,
    samples: Sequence[Sequence[NativeEvent]] = (),
) -> Iterator[Control]:
    """Try the mutants of searches of one rule: those that `choose` admits, one in `one_in` of them, chosen by their text. `samples` are
    scenarios' raw events.

    A search that has the text and the stored events of an earlier one (a rule of a layout that two targets share) has its outcome."""
    tables = Tables(pack, searches, samples)
    known: dict[object, Control] = {}
    for search in searches:
        chosen = [mutant for mutant in mutants(search) if choose(mutant) and not crc32(mutant.text.encode()) % one_in]
        if not chosen:
            yield Control(search, 0, 0, 0, (), ())
            continue
        same = (search.language, search.text, search.tiebreaker, tables.digest(search.target))
        if same not in known:
            known[same] = _control(_Trial(pack, search, tables), equivalents, chosen)
        yield _of(known[same], search)


def _control(trial: _Trial, equivalents: Equivalents, chosen: Sequence[Mutant]) -> Control:
    outcomes: Counter[str] = Counter()
    equivalent: list[Survivor] = []
    survived: list[Survivor] = []
    contradicted: list[Survivor] = []
    for mutant in chosen:
        outcome = trial.outcome(mutant)
        outcomes[outcome] += 1
        if outcome == "survived":
            reason = PROVED if trial.proved_same(mutant) else equivalents.reason(trial.search, mutant)
            (equivalent if reason else survived).append(Survivor(trial.search, mutant, reason))
        elif reason := equivalents.reason(trial.search, mutant):
            contradicted.append(Survivor(trial.search, mutant, reason))
    killed = outcomes["killed"] + outcomes["refused"]
    refused = outcomes["refused"]
    return Control(trial.search, outcomes.total(), killed, refused, tuple(equivalent), tuple(survived), tuple(contradicted))


def _of(outcome: Control, search: Search) -> Control:
    """The same outcome under another search's name."""

    def renamed(survivors: Iterable[Survivor]) -> tuple[Survivor, ...]:
        return tuple(replace(survivor, search=search) for survivor in survivors)

    return replace(
        outcome,
        search=search,
        equivalent=renamed(outcome.equivalent),
        survived=renamed(outcome.survived),
        contradicted=renamed(outcome.contradicted),
    )


class _Trial:
    """One search over the tables of its rule, each when it is first needed."""

    def __init__(self, pack: Pack, search: Search, tables: Tables) -> None:
        self.search = search
        self._macros = pack.targets[search.target].macros
        self._tables = tables
        self._shared: dict[str, Shared] = {}

    def outcome(self, mutant: Mutant) -> str:
        try:
            prepared = self._prepared(mutant.text)
            if any(self._over(name).differs(prepared) for name in self._grounds(mutant)):
                return "killed"
        except An1498Error:
            return "refused"
        return "survived"

    def proved_same(self, mutant: Mutant) -> bool:
        try:
            return self._over("deciding").same_for_every_event(self._prepared(mutant.text))
        except An1498Error:
            return False

    def _over(self, name: str) -> Shared:
        if name not in self._shared:
            self._shared[name] = Shared(self._prepared(self.search.text), self._tables.table(self.search.target, name))
        return self._shared[name]

    def _prepared(self, text: str) -> Prepared:
        search = self.search
        return prepare(search.language, text, name=search.rule, macros=self._macros, tiebreaker=search.tiebreaker)

    def _grounds(self, mutant: Mutant) -> Iterable[str]:
        """Where the mutant most likely shows first: a changed condition over the events that decide it, a changed step over edges."""
        changed = self.search.text.splitlines()[mutant.line - 1] if mutant.line else ""
        if self.search.kind == "event":
            yield "deciding"
        elif len(changed) > _LONGEST_STEP:
            yield from ("deciding", "edges", "random")
            if self.search.language is Language.ESQL:  # the stages stand beside each other in one condition
                yield "disguised"
        else:
            yield from ("edges", "random", "deciding")
        if mutant.operator == "sort without 0":
            yield "long"
        elif mutant.before.startswith("| LIMIT"):
            yield "many"
        elif mutant.operator == "? dropped":
            yield "unmapped"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:28]} … {text[-28:]}"
