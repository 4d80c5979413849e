"""The pack's own correlations over random raw events: each target, each language, thresholds low and clocks apart in some runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from an1498.content import find_root
from an1498.proof.pack_streams import SETTINGS, compare_pack, overlaid

STREAMS = 60
ROOT = find_root(Path(__file__).parents[2])


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("target", ["elastic", "elastic-corelight", "splunk", "splunk-corelight"])
def test_searches_alert_as_the_reference(target: str, setting: str, record_property: Callable[[str, object], None]) -> None:
    with overlaid(ROOT, SETTINGS[setting]) as pack:
        compared = compare_pack(pack, target, seed=len(setting), streams=STREAMS, longest=24)
    assert [(one.rule, one.language, one.differences[0]) for one in compared if one.differences] == []
    alerts = Counter({one.rule: one.alerts for one in compared})
    assert set(alerts) == set(pack.correlations)
    record_property("evidence", f"{target}, {setting}: {sum(one.streams for one in compared):,} streams, alerts {dict(alerts)}")
    if setting != "as shipped":
        assert all(alerts.values()), f"these correlations never fired: {[rule for rule, count in alerts.items() if not count]}"
