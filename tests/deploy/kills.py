"""Kills: the process ends at a request, and a rerun must end where an apply ends that was not killed."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from tests.deploy.conftest import Bench
from tests.deploy.siem import Killed, writes


class Cut(httpx.BaseTransport):
    """Ends the process at request `number`, before or after the SIEM carried it out."""

    def __init__(self, inner: httpx.BaseTransport, number: int, *, after: bool) -> None:
        self.inner, self.left, self.after = inner, number, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        response = self.inner.handle_request(request)
        if self.left == 0:
            raise Killed
        return response


def killed_at_every_request(new: Callable[[str], Bench], prepare: Callable[[Bench], None]) -> int:
    """Kill an apply at each of its requests, before and after it is carried out; a rerun must end where an apply that was not
    killed ends, with the same objects in the lock file. Returns the number of kills."""
    straight = new("straight")
    prepare(straight)
    straight.model.log.clear()
    straight.apply()
    requests = len(straight.model.log)
    last = max(number for number, request in enumerate(straight.model.log, 1) if writes(request))
    first = min(number for number, request in enumerate(straight.model.log, 1) if writes(request))
    wanted = straight.model.everything()
    objects = {key: (entry["sent"], entry["version"]) for key, entry in straight.lock()["objects"].items()}
    kills = 0
    for number in [1, *range(first - 1, last + 2)]:
        for after in (False, True) if number < requests and writes(straight.model.log[number - 1]) else (False,):
            bench = new(f"kill-{number}-{after}")
            prepare(bench)
            with pytest.raises(Killed):
                bench.apply(transport=Cut(bench.model.transport, number, after=after))
            assert bench.apply().refused == {}
            assert bench.model.everything() == wanted, (number, after)
            assert {key: (entry["sent"], entry["version"]) for key, entry in bench.lock()["objects"].items()} == objects, (number, after)
            assert bench.apply().written == 0
            assert not (bench.state / "journal.json").exists()
            assert bench.model.violations == []
            kills += 1
    return kills
