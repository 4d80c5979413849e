"""The pack's Splunk apps, built once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.model import Pack, Search
from an1498.ship.splunk import app_files

ROOT = Path(__file__).parents[3]
TARGETS = ("splunk", "splunk-corelight")


@cache
def whole_pack() -> Pack:
    return load_pack(ROOT)


@cache
def searches_of(target: str) -> tuple[Search, ...]:
    return compile_pack(whole_pack(), (target,)).searches


@cache
def app_of(target: str) -> Mapping[str, bytes]:
    return app_files(whole_pack(), target, searches_of(target))


@pytest.fixture(scope="session")
def pack() -> Pack:
    return whole_pack()


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)
