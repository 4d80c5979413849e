"""Mutants that mean the same as their search, declared with the reason: `data/equivalent_mutants.yml`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files

import yaml

from an1498.model import Language, Search
from an1498.proof.mutants import Mutant

_FILE = "equivalent_mutants.yml"


@dataclass(frozen=True, slots=True)
class Equivalent:
    """One declaration. `search` is a pattern for rule names (`*` and `?`), `site` a regular expression that must be found in
    "before → after" of the mutant, `context` one for the text around the site, marked «so», `line` one for the whole changed
    line; an empty one admits all."""

    languages: tuple[Language, ...]
    operator: str
    search: str
    site: re.Pattern[str]
    context: re.Pattern[str]
    line: re.Pattern[str]
    reason: str

    def covers(self, search: Search, mutant: Mutant) -> bool:
        lines = search.text.splitlines()
        line = lines[mutant.line - 1] if mutant.line else ""
        return (
            search.language in self.languages
            and fnmatchcase(mutant.operator, self.operator)
            and fnmatchcase(search.rule, self.search)
            and self.site.search(f"{mutant.before} → {mutant.after}") is not None
            and self.context.search(mutant.context) is not None
            and self.line.search(line) is not None
        )


@dataclass(frozen=True, slots=True)
class Equivalents:
    """All declarations; the first that covers a mutant gives the reason."""

    declared: Sequence[Equivalent]

    def reason(self, search: Search, mutant: Mutant) -> str:
        return next((one.reason for one in self.declared if one.covers(search, mutant)), "")


def load_equivalents() -> Equivalents:
    text = files("an1498.proof").joinpath("data", _FILE).read_text(encoding="utf-8")
    return Equivalents([_equivalent(entry) for entry in yaml.safe_load(text) or ()])


def _equivalent(entry: dict[str, str]) -> Equivalent:
    return Equivalent(
        tuple(Language(name) for name in entry["language"].split()),
        entry["operator"],
        entry.get("search", "*"),
        re.compile(entry.get("site", "")),
        re.compile(entry.get("context", "")),
        re.compile(entry.get("line", "")),
        " ".join(entry["reason"].split()),
    )
