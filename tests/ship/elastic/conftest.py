"""The pack's Elastic bundles, built once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from tests.ship.pack import searches_of, whole_pack

from an1498.model import Pack
from an1498.ship.elastic import bundle_files

TARGETS = ("elastic", "elastic-corelight")


@cache
def bundle_of(target: str) -> Mapping[str, bytes]:
    return bundle_files(whole_pack(), target, searches_of(target))


def lines(content: bytes) -> list[dict[str, Any]]:
    """Objects of an NDJSON file, read as Kibana reads it: one per line feed."""
    return [json.loads(line) for line in content.decode().split("\n") if line]


def rules_of(target: str) -> list[dict[str, Any]]:
    return lines(bundle_of(target)["rules.ndjson"])


@pytest.fixture(scope="session")
def pack() -> Pack:
    return whole_pack()


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)
