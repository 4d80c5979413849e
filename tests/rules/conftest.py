"""The pack's rules as pySigma parses them, with filters and parameters in place, and the events of the samples."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sigma.filters import SigmaFilter
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from an1498.content import load_pack
from an1498.content.scenarios import Scenario, load_scenario, scenario_files
from an1498.model import NativeEvent, Pack
from an1498.proof.sigma_match import matcher
from an1498.telemetry import read_log

ROOT = Path(__file__).parents[2]

Matcher = Callable[[str, Mapping[str, Any]], bool]


@cache
def whole_pack() -> Pack:
    return load_pack(ROOT)


@cache
def scenarios() -> tuple[Scenario, ...]:
    return tuple(load_scenario(file, whole_pack()) for file in scenario_files(ROOT / "samples"))


@cache
def _events() -> Mapping[str, tuple[NativeEvent, ...]]:
    return {
        scenario.name: tuple(event for source in scenario.sources for event in read_log(source.file, source.format, source.host))
        for scenario in scenarios()
    }


def events_of(scenario: Scenario) -> tuple[NativeEvent, ...]:
    return _events()[scenario.name]


@cache
def rule_matcher(name: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an event matches the rule with every filter whose parameters are not empty, placeholders replaced."""
    pack = whole_pack()
    rule = SigmaRule.from_dict(copy.deepcopy(dict(pack.rules[name].document)))
    lists = {key: list(value) if isinstance(value := parameter.value, tuple) else [value] for key, parameter in pack.parameters.items()}
    for item in pack.filters.values():
        text = str(item.document["filter"])
        if not any(f"%{key}%" in text for key, values in lists.items() if not values):
            SigmaFilter.from_dict(copy.deepcopy(dict(item.document))).apply_on_rule(rule)
    ProcessingPipeline.from_dict(
        {"name": "parameters", "priority": 10, "vars": lists, "transformations": [{"type": "value_placeholders"}]}
    ).apply(rule)
    return matcher(rule)


@pytest.fixture(scope="session")
def pack() -> Pack:
    return whole_pack()


@pytest.fixture(scope="session")
def hit() -> Matcher:
    """Whether the rule of a name matches an event, by the reference matcher."""

    return lambda name, event: rule_matcher(name)(event)
