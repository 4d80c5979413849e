"""Which unified log records the endpoint rules need, as a predicate of log(1).

It lets through every record that an endpoint rule can match. What a predicate cannot say (a record's type, which versions of log(1)
spell differently; numbers; regular expressions) is left out of it, so that it lets more through, never less. Parts of texts are compared
without regard to case, as the rules do, whole texts as Apple writes them.

Sources: log(1), "Predicate-based filtering"; Apple, "Predicate Format String Syntax".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import SigmaString

from an1498.compiler.conditions import Context
from an1498.compiler.logic import Leaf, alternatives, negation_normal
from an1498.compiler.patterns import MANY, Pattern, pattern
from an1498.model import Pack

FIELDS = frozenset({"category", "eventMessage", "processImagePath", "senderImagePath", "subsystem"})
"""Keys of log(1)'s predicates that are spelled as the native fields are."""

_PRODUCT, _SERVICE = "macos", "unifiedlog"


@dataclass(frozen=True, slots=True, order=True)
class Comparison:
    """One of `values` compares with the field by `operator`; `negated`: none does."""

    field: str
    operator: str
    values: tuple[str, ...]
    negated: bool = False

    def within(self, other: Comparison) -> bool:
        """Whether what passes this test passes the other one."""
        if (self.field, self.operator, self.negated) != (other.field, other.operator, other.negated):
            return False
        mine, others = set(self.values), set(other.values)
        return others <= mine if self.negated else mine <= others

    def __str__(self) -> str:
        if self.operator == "==" and len(self.values) > 1:
            text = f"{self.field} IN {{{', '.join(map(_quoted, self.values))}}}"
        else:
            text = " OR ".join(f"{self.field} {self.operator} {_quoted(value)}" for value in self.values)
        if self.negated:
            return f"NOT ({text})"
        return f"({text})" if " OR " in text else text


Term = frozenset[Comparison]
_EVERYTHING: Term = frozenset()


def predicate(pack: Pack) -> str:
    """The predicate for a pack's endpoint rules, one alternative a line."""
    return "\nOR ".join(f"({' AND '.join(map(str, sorted(term)))})" for term in alternatives_of(pack))


def alternatives_of(pack: Pack) -> tuple[Term, ...]:
    """The alternatives of the predicate; in each, every test must pass. Filters do not count: they are tuned after collection."""
    bare = replace(pack, filters={})
    target = next(target for name, target in sorted(pack.targets.items()) if target.backend == "splunk")  # native field names
    context = Context(bare, target)
    rules = [rule for rule in pack.rules.values() if (rule.product, rule.service) == (_PRODUCT, _SERVICE)]
    terms = {term for rule in rules for term in _terms(negation_normal(context.condition(rule).tree))}
    return tuple(sorted((term for term in terms if not any(_narrower(term, other) for other in terms)), key=sorted))


def _narrower(term: Term, other: Term) -> bool:
    return term != other and all(any(mine.within(test) for mine in term) for test in other)


def _terms(node: Any) -> Iterator[Term]:
    """The alternatives of a condition in negation normal form; an empty one lets everything through."""
    listed = alternatives(node)
    if listed is not None:
        yield from _tests(*listed)
    elif isinstance(node, Leaf):
        yield from _tests(node.field, [node.value])
    elif isinstance(node, ConditionOR):
        for argument in node.args:
            yield from _terms(argument)
    elif isinstance(node, ConditionAND):
        for chosen in product(*(list(_terms(argument)) for argument in node.args)):
            yield _EVERYTHING.union(*chosen)
    elif isinstance(node, ConditionNOT):
        refused = list(_terms(node.args[0]))
        sayable = all(len(term) == 1 for term in refused)
        yield frozenset(replace(test, negated=True) for term in refused for test in term) if sayable else _EVERYTHING
    else:
        yield _EVERYTHING


def _tests(field: str, values: Iterable[Any]) -> Iterator[Term]:
    """One test for each operator that the values of a field need."""
    by_operator: dict[str, list[str]] = {}
    for value in values:
        said = _operator(pattern(value)) if field in FIELDS and isinstance(value, SigmaString) else None
        if said is None:
            yield _EVERYTHING
        else:
            by_operator.setdefault(said[0], []).append(said[1])
    for operator, texts in by_operator.items():
        yield frozenset({Comparison(field, operator, tuple(sorted(texts)))})


def _operator(found: Pattern) -> tuple[str, str] | None:
    parts = found.parts
    if not found.wild:
        return "==", found.text
    if found.text and parts.count(MANY) == len(parts) - 1:
        if len(parts) == 2:
            return ("BEGINSWITH[c]" if parts[1] is MANY else "ENDSWITH[c]"), found.text
        if len(parts) == 3 and parts[0] is parts[2] is MANY:
            return "CONTAINS[c]", found.text
    if any(character in found.text for character in "*?\\"):
        return None  # LIKE would read them as wildcards
    return "LIKE[c]", "".join(part if isinstance(part, str) else ("*" if part is MANY else "?") for part in parts)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
