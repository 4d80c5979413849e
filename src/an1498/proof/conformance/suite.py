"""Every case through every backend: the table of who passes what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from an1498.model import Language
from an1498.proof.conformance import official, ours, sqlite
from an1498.proof.conformance.cases import ConformanceCase
from an1498.proof.conformance.judge import Status, Verdict, exact
from an1498.proof.conformance.reference import reference_firings


def _reference(case: ConformanceCase) -> Verdict:
    return exact(case.expected, reference_firings(case), "")


BACKENDS: Mapping[str, Callable[[ConformanceCase], Verdict]] = {
    "reference": _reference,
    "an1498-spl": partial(ours.verdict, language=Language.SPL),
    "an1498-esql": partial(ours.verdict, language=Language.ESQL),
    "an1498-eql": partial(ours.verdict, language=Language.EQL),
    "pysigma-splunk": partial(official.verdict, language=Language.SPL),
    "pysigma-esql": partial(official.verdict, language=Language.ESQL),
    "pysigma-eql": partial(official.verdict, language=Language.EQL),
    "sqlite": sqlite.verdict,
}
OURS = tuple(name for name in BACKENDS if name == "reference" or name.startswith("an1498-"))


@dataclass(frozen=True, slots=True)
class Result:
    """The verdicts on one case, by backend."""

    case: ConformanceCase
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True)
class Suite:
    """All results, in order of case name."""

    backends: tuple[str, ...]
    results: tuple[Result, ...]

    def count(self, backend: str, topic: str = "") -> dict[Status, int]:
        """How many cases (of a topic) ended how; only statuses that occur."""
        found = [one.verdicts[backend].status for one in self.results if not topic or topic in one.case.topics]
        return {status: found.count(status) for status in Status if status in found}

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(sorted({topic for one in self.results for topic in one.case.topics}))

    @property
    def failed(self) -> bool:
        """Whether the reference or one of this pack's languages gives a wrong answer, or none where it should."""
        wrong = (Status.FAIL, Status.INVALID, Status.ERROR)
        return any(one.verdicts[name].status in wrong for one in self.results for name in self.backends if name in OURS)


def run(cases: Iterable[ConformanceCase], backends: Sequence[str] = ()) -> Suite:
    """Run the cases through the backends (default: all)."""
    names = tuple(backends) or tuple(BACKENDS)
    return Suite(names, tuple(Result(case, {name: BACKENDS[name](case) for name in names}) for case in cases))
