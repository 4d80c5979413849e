"""Which searches of a target become rules of the bundle, and which of them a SOC should enable.

An event rule is said in up to three languages; three building blocks of one event help nobody, so the first language of
`EVENT_LANGUAGES` is shipped. A correlation is shipped in every language that says it: EQL names the events behind an alert,
ES|QL also counts; one of them is enough, and the others say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from an1498.model import EVENT_LANGUAGES, Language, Search

CORRELATION_LANGUAGES = (Language.EQL, Language.ESQL)
NAMESPACE = UUID("8f0c2f0e-5a8a-5d0f-9a35-6d1c9b1c8a49")

LANGUAGE_NAMES = {Language.EQL: "EQL", Language.ESQL: "ES|QL", Language.LUCENE: "Lucene"}


@dataclass(frozen=True, slots=True)
class Selected:
    """A search that becomes a rule. `instead_of` is the language whose rule detects the same and is to be preferred; `companion`
    marks the second search of a rule in one language (EQL under a clock skew), which is enabled together with the first."""

    search: Search
    instead_of: Language | None
    companion: bool

    @property
    def rule_id(self) -> str:
        return rule_id(self.search)

    @property
    def file_stem(self) -> str:
        return f"{self.search.rule}{'.2' if self.companion else ''}.{self.search.language}"


def rule_id(search: Search) -> str:
    """Stable as long as the Sigma rule's id, the language and the target's name are. What a staged target's correlations read has an
    id without the language, since it is in their queries."""
    return search.staged_as or str(uuid5(NAMESPACE, f"{search.id}/{search.language}/{search.target}"))


def select(searches: Iterable[Search]) -> tuple[Selected, ...]:
    """The rules of one target, sorted by rule, then preferred language first."""
    by_rule: dict[str, list[Search]] = {}
    for search in searches:
        by_rule.setdefault(search.rule, []).append(search)
    return tuple(selected for _, group in sorted(by_rule.items()) for selected in _of_rule(group))


def _of_rule(group: Sequence[Search]) -> Iterable[Selected]:
    correlation = group[0].kind == "correlation"
    order = CORRELATION_LANGUAGES if correlation else EVENT_LANGUAGES
    said = [language for language in order if any(search.language is language for search in group)]
    for language in said if correlation else said[:1]:
        own = [search for search in group if search.language is language]
        for number, search in enumerate(own):
            yield Selected(search, said[0] if language is not said[0] else None, number > 0)
