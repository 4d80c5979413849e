"""pySigma's own parser and validators over the pack, offline.

pySigma's tag validators download MITRE's data when they meet the first tag. `offline_attack` gives them the packaged copy of ATT&CK
19.1 instead, with a cache directory of its own, and puts everything back afterwards: nothing is written to the user's cache.
"""

from __future__ import annotations

import copy
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from an1498.content.data import MINI_ATTACK
from an1498.content.findings import Severity
from an1498.errors import Location
from an1498.model import Correlation, EventRule, Filter

if TYPE_CHECKING:
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRuleBase
    from sigma.validators.base import SigmaValidationIssue

Rule = EventRule | Filter | Correlation

# pySigma keeps the choice of data in module variables, so that two runs in one process must follow each other.
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class SigmaMessage:
    """What pySigma says about a rule: an error of its parser, or a validator's issue with its name."""

    rule: Rule
    location: Location
    validator: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class SigmaResult:
    errors: tuple[SigmaMessage, ...]
    issues: tuple[SigmaMessage, ...]


@contextmanager
def offline_attack() -> Iterator[None]:
    """Inside the block pySigma reads ATT&CK from the packaged file."""
    from sigma.data import mitre_attack

    with _LOCK, tempfile.TemporaryDirectory(prefix="an1498-attack-") as directory:
        # The module offers setters but no way back, hence its variables: whoever uses pySigma in this process later must
        # find it as it was, and not a cache in a directory that is gone.
        names = ("_cache", "_custom_url", "_custom_cache_dir")
        before = {name: getattr(mitre_attack, name) for name in names}
        # Its own cache stays open, which set_cache_dir would close.
        mitre_attack._cache = None
        try:
            mitre_attack.set_cache_dir(directory)
            mitre_attack.set_url(str(MINI_ATTACK))
            yield
        finally:
            if mitre_attack._cache is not None:
                mitre_attack._cache.close()
            for name, value in before.items():
                setattr(mitre_attack, name, value)


def run_sigma(documents: Sequence[tuple[Rule, Mapping[str, Any]]]) -> SigmaResult:
    """Parse every document with pySigma, resolve correlations, apply filters, run all validators."""
    from sigma.collection import SigmaCollection
    from sigma.correlations import SigmaCorrelationRule
    from sigma.exceptions import SigmaError, SigmaRuleLocation
    from sigma.filters import SigmaFilter
    from sigma.rule import SigmaRule

    errors: list[SigmaMessage] = []
    parsed: list[SigmaRule | SigmaCorrelationRule | SigmaFilter] = []
    origin: dict[int, Rule] = {}
    classes: dict[type, Any] = {EventRule: SigmaRule, Correlation: SigmaCorrelationRule, Filter: SigmaFilter}
    for rule, document in documents:
        source = SigmaRuleLocation(Path(rule.location.file))
        try:
            item = classes[type(rule)].from_dict(copy.deepcopy(dict(document)), source=source)
            if isinstance(item, SigmaRule):
                for condition in item.detection.parsed_condition:
                    _ = condition.parsed
        except SigmaError as error:
            errors.append(SigmaMessage(rule, rule.location, "", Severity.ERROR, _one_line(error)))
            continue
        parsed.append(item)
        origin[id(item)] = rule
    if errors:
        return SigmaResult(tuple(errors), ())
    rules: list[Any] = [item for item in parsed if not isinstance(item, SigmaFilter)]
    try:
        SigmaCollection(list(rules))
    except SigmaError as error:
        first = documents[0][0]
        return SigmaResult((SigmaMessage(first, Location(first.location.file), "", Severity.ERROR, _one_line(error)),), ())
    with offline_attack():
        issues = _validate(rules, origin)
    return SigmaResult(_filter_errors(parsed, origin), issues)


def _validate(rules: Sequence[Any], origin: Mapping[int, Rule]) -> tuple[SigmaMessage, ...]:
    from sigma.validation import SigmaValidator
    from sigma.validators.core import validators
    from sigma.validators.core.tags import D3FENDTagValidator

    # This validator downloads MITRE D3FEND at the first tag, whatever its namespace; the pack has no d3fend tags.
    chosen = [validator for validator in validators.values() if validator is not D3FENDTagValidator]
    messages = [_issue(issue, rule, origin) for issue in SigmaValidator(chosen).validate_rules(iter(rules)) for rule in issue.rules]
    return tuple(sorted(messages, key=lambda message: (message.location, message.validator, message.text)))


def _issue(issue: SigmaValidationIssue, rule: SigmaRuleBase, origin: Mapping[int, Rule]) -> SigmaMessage:
    from sigma.rule import SigmaRuleTag

    severities = {"LOW": Severity.NOTE, "MEDIUM": Severity.WARNING, "HIGH": Severity.ERROR}
    ours = origin[id(rule)]
    location, details = ours.location, []
    for field in fields(issue):
        value = getattr(issue, field.name)
        if field.name in ("rules", "severity", "description") or not isinstance(value, str | int | float | SigmaRuleTag):
            continue
        details.append(f"{field.name} {value}")
        tags = list(ours.document.get("tags", []))
        for path in (("tags", tags.index(str(value)) if str(value) in tags else -1), ("detection", str(value))):
            location = ours.key_locations.get(path, location)
    text = issue.description + (f" ({', '.join(details)})" if details else "")
    return SigmaMessage(ours, location, type(issue).__name__.removesuffix("Issue"), severities[issue.severity.name], text)


def _filter_errors(parsed: Sequence[Any], origin: Mapping[int, Rule]) -> tuple[SigmaMessage, ...]:
    """Errors of conditions after pySigma has joined each filter with its rules."""
    from sigma.exceptions import SigmaError
    from sigma.filters import SigmaFilter
    from sigma.rule import SigmaRule

    messages = []
    for item in parsed:
        if isinstance(item, SigmaFilter):
            for rule in parsed:
                if isinstance(rule, SigmaRule):
                    try:
                        joined: Any = item.apply_on_rule(copy.deepcopy(rule))
                        for condition in joined.detection.parsed_condition:
                            _ = condition.parsed
                    except SigmaError as error:
                        ours = origin[id(item)]
                        text = f"with rule '{rule.name}': {_one_line(error)}"
                        messages.append(SigmaMessage(ours, ours.location, "Filter", Severity.ERROR, text))
    return tuple(messages)


def _one_line(error: SigmaError) -> str:
    said = str(error.args[0]) if error.args else str(error)  # without pySigma's own " in <file>"
    return " ".join(said.split())
