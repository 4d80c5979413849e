"""Names that the user types: targets, rules, languages. An unknown one is a UsageError with the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from an1498.errors import UsageError

if TYPE_CHECKING:
    from an1498.model import Correlation, EventRule, Pack, Target


def known_targets(pack: Pack, names: Iterable[str]) -> tuple[str, ...]:
    """The names, sorted and each once; all targets of the pack where there are none."""
    for name in names:
        if name not in pack.targets:
            raise UsageError(f"target '{name}' is not in an1498.toml; {_suggestion(name, pack.targets)}")
    return tuple(sorted(set(names))) or tuple(pack.targets)


def known_target(pack: Pack, name: str | None) -> Target:
    """The target; the pack's first where none is named."""
    return pack.targets[known_targets(pack, [name])[0] if name else next(iter(pack.targets))]


def known_rule(pack: Pack, name: str) -> EventRule | Correlation:
    """The event rule or correlation of this name or id."""
    rules: dict[str, EventRule | Correlation] = {**pack.rules, **pack.correlations}
    found = rules.get(name) or next((rule for rule in rules.values() if rule.id == name), None)
    if found is None:
        raise UsageError(f"there is no rule '{name}'; {_suggestion(name, rules)}")
    return found


def _suggestion(name: str, known: Iterable[str]) -> str:
    from an1498.content.node import suggestion  # with YAML behind it, which `--help` must not import

    return suggestion(name, known)
