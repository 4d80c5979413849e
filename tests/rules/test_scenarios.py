"""What the scenarios expect is what design.md section 4 says: the alerts are derived again, by the brute-force reference.

Neither the compiler nor replay takes part: pySigma's parse tree says which native events match, and the reference correlates.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Any

import pytest
from tests.rules.conftest import Matcher, events_of, scenarios

from an1498.content.scenarios import Scenario
from an1498.model import Correlation, NativeEvent, Pack
from an1498.proof.reference import Observation, Spec, firings


def usable_address(addresses: list[str]) -> str | None:
    """The machine's one address; none where there are several that the network could see."""
    usable = [text for text in addresses if not (ipaddress.ip_address(text).is_loopback or ipaddress.ip_address(text).is_link_local)]
    return usable[0] if len(usable) == 1 else None


def key_part(correlation: Correlation, rule: str, name: str, event: NativeEvent) -> str | None:
    native = correlation.aliases.get(name, {}).get(rule, name)
    value: Any = event.fields.get(native)
    if native == "host.ip":
        return usable_address(value or [])
    return None if value is None else str(value)


def group(correlation: Correlation, rule: str, event: NativeEvent) -> tuple[str, ...] | None:
    parts = [key_part(correlation, rule, name, event) for name in correlation.group_by]
    return None if None in parts else tuple(str(part) for part in parts)


def derived(
    correlation: Correlation, pack: Pack, events: tuple[NativeEvent, ...], hit: Matcher
) -> Counter[tuple[int, tuple[tuple[str, str], ...]]]:
    observations = []
    for event in events:
        groups = {
            rule: group(correlation, rule, event)
            for rule in correlation.rules
            if (pack.rules[rule].product, pack.rules[rule].service) == (event.product, event.service) and hit(rule, event.fields)
        }
        if groups:
            observations.append(
                Observation(event.time_us // 1000, groups, {name: event.fields.get(name) for name in correlation.condition.fields})
            )
    spec = Spec(correlation.type, correlation.rules, correlation.timespan_s * 1000, correlation.condition)
    found = firings(spec, observations)
    return Counter((time, tuple(sorted(zip(correlation.group_by, key, strict=True)))) for key, time in found)


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_expected_alerts_follow_from_the_design(scenario: Scenario, pack: Pack, hit: Matcher) -> None:
    events = events_of(scenario)
    expected = {
        expectation.rule: Counter((alert.alert.time_ms, alert.alert.group) for alert in expectation.alerts)
        for expectation in scenario.expect
    }
    for name, correlation in pack.correlations.items():
        assert derived(correlation, pack, events, hit) == expected.get(name, Counter()), name
    for name, wanted in expected.items():
        if (rule := pack.rules.get(name)) is not None:
            found = Counter(
                (event.time_us // 1000, ())
                for event in events
                if (rule.product, rule.service) == (event.product, event.service) and hit(name, event.fields)
            )
            assert found == wanted, name


def test_every_rule_fires_and_stays_quiet_somewhere(pack: Pack) -> None:
    fired = {expectation.rule for scenario in scenarios() for expectation in scenario.expect if expectation.alerts}
    quiet = {expectation.rule for scenario in scenarios() for expectation in scenario.expect if not expectation.alerts}
    names = {*pack.rules, *pack.correlations}
    assert (names - fired, names - quiet) == (set(), set())


def test_logs_come_in_every_shape() -> None:
    """TSV, JSON with epoch and with ISO 8601 times, the trailer of `log show`, escaped slashes, several offsets, events out of order."""
    texts = {source.file: source.file.read_text() for scenario in scenarios() for source in scenario.sources}
    zeek = [text for file, text in texts.items() if file.suffix == ".log"]
    unified = [text for file, text in texts.items() if file.suffix == ".ndjson"]
    assert any(text.startswith("#separator") for text in zeek)
    assert any(text.startswith('{"ts":1') for text in zeek)
    assert any(text.startswith('{"ts":"2026-') for text in zeek)
    assert any('{"count":' in text for text in unified)
    assert any("\\/" in text for text in unified)
    for offset in ("-0500", "-0800", "+0000", "+0100"):
        assert any(f'{offset}"' in text for text in unified), offset
    assert any(
        [event.time_us for event in events] != sorted(event.time_us for event in events)
        for events in (events_of(item) for item in scenarios())
    )
