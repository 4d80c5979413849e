"""What a SIEM's settings limit, a hunt on disk does not; what replay refuses stops one search and not the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hunt.conftest import SELF_SIGNED, key_use, ssl_tsv

from an1498.errors import UsageError
from an1498.hunt import alerts
from an1498.hunt.engine import hunt
from an1498.hunt.hosts import Hosts, host_options
from an1498.hunt.output import notes
from an1498.model import Pack

Write = Callable[[str, bytes], Path]
RULE = "an1498_public_key_use_then_unrecognised_certificate"
HOSTS = Hosts(named=host_options(["mac-042=10.20.0.42"]))


def test_one_machine_with_more_results_than_splunk_keeps(pack: Pack, write: Write) -> None:
    # 10,500 uses of a key, one after the other, then the session: the last of them is what it follows.
    uses = b"".join(key_use(f"09:{n // 60 % 60:02d}:{n % 60:02d}.{n // 3600:06d}") for n in range(10_500))
    write("logs/u.ndjson", uses + key_use())
    write("logs/ssl.log", ssl_tsv(SELF_SIGNED))
    found = hunt(pack, "splunk", [Path("logs")], hosts=HOSTS, rules=[RULE])
    assert [(one.rule, one.time_s - one.first_s) for one in found.findings] == [(RULE, 4.0)]
    assert found.not_run == []


def test_a_search_that_cannot_be_executed_stops_no_other(pack: Pack, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("logs/u.ndjson", key_use())
    write("logs/ssl.log", ssl_tsv(SELF_SIGNED))
    run = alerts._found

    def refusing(*given: object) -> object:
        if getattr(given[2], "rule", "") == "an1498_untrusted_tls_fan_out":
            raise UsageError("too much")
        return run(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(alerts, "_found", refusing)
    found = hunt(pack, "splunk", [Path("logs")], hosts=HOSTS)
    assert [one.rule for one in found.findings] == [RULE]
    assert [one.rule for one in found.not_run] == ["an1498_untrusted_tls_fan_out"]
    assert ("error: an1498_untrusted_tls_fan_out was not executed: too much", "red") in list(notes(found))
