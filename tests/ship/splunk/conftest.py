"""The pack's Splunk apps, built once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest
from tests.ship.pack import searches_of, whole_pack

from an1498.model import Pack
from an1498.ship.splunk import app_files

TARGETS = ("splunk", "splunk-corelight")


@cache
def app_of(target: str) -> Mapping[str, bytes]:
    return app_files(whole_pack(), target, searches_of(target))


@pytest.fixture(scope="session")
def pack() -> Pack:
    return whole_pack()


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)
