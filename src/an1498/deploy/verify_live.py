"""`an1498 verify --live`: which side of which SIEM samples are loaded into, and with which credentials."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import httpx

from an1498.deploy.connection import connection, variable_prefix
from an1498.deploy.elastic.samples import ElasticData
from an1498.deploy.elastic.siem import Elastic
from an1498.deploy.http import Client, Clock
from an1498.deploy.session import CLOCK
from an1498.deploy.splunk.samples import SplunkData
from an1498.deploy.splunk.siem import Splunk
from an1498.deploy.verify import verify
from an1498.errors import UsageError
from an1498.model import Search, Target
from an1498.replay.scenarios import Replayed, Report


def verify_live(
    target: Target,
    environment: Mapping[str, str],
    searches: Sequence[Search],
    macros: Mapping[str, str],
    scenarios: Sequence[Replayed],
    *,
    keep: bool = False,
    clock: Clock = CLOCK,
    transport: httpx.BaseTransport | None = None,
) -> Report:
    """Load scenarios into the target's SIEM, run the searches there, compare, clean up. Raises UsageError, ExternalError."""
    access = connection(target, environment)
    if access.backend == "elastic":
        with contextlib.closing(Elastic(access, clock, transport=transport)) as elastic:
            data = ElasticData(elastic.search, target, access.test_store)
            return verify(target, searches, scenarios, data, now_s=clock.now(), keep=keep)
    with contextlib.closing(Splunk(access, clock, transport=transport)) as splunk:
        if not access.second_url or not access.hec_token:
            names = " and ".join(f"{variable_prefix(target.name)}{name}" for name in ("HEC_URL", "HEC_TOKEN"))
            raise UsageError(f"target '{target.name}' has no HTTP event collector to load samples through; set {names}")
        authorization = f"Splunk {access.hec_token}"
        collector = Client("Splunk HEC", access.second_url, access, clock, headers={}, authorization=authorization, transport=transport)
        with contextlib.closing(collector):
            index = SplunkData(splunk.management, collector, target, access.test_store, macros, clock)
            return verify(target, searches, scenarios, index, now_s=clock.now(), keep=keep)
