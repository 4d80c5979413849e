"""The pack of this repository, and archives written into a temporary working directory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from an1498.content import load_pack
from an1498.hunt.engine import Hunt, hunt
from an1498.hunt.hosts import Hosts, host_options
from an1498.model import Pack

# A browser is no Python package: `make test` installs it on a build server and says so where there is none.
collect_ignore = [] if shutil.which("chromium") else ["test_report_in_chromium.py"]

ROOT = Path(__file__).parents[2]
SECURITY = "/System/Library/Frameworks/Security.framework/Versions/A/Security"
SSL_FIELDS = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p version server_name established validation_status cert_chain_fps"
SSL_TYPES = "time string addr port addr port string string bool string vector[string]"

Write = Callable[[str, bytes], Path]


@pytest.fixture(scope="session")
def pack() -> Pack:
    return load_pack(ROOT)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def written(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return Path(name)

    return written


def key_use(second: str = "10:00:01.000000", **more: Any) -> bytes:
    """A unified log line: a program that nobody allows signs."""
    record = {
        "timestamp": f"2026-01-15 {second}+0000",
        "eventType": "activityCreateEvent",
        "eventMessage": "SecKeyCreateSignature",
        "senderImagePath": SECURITY,
        "processImagePath": "/Users/Shared/updaterd",
        "processID": 77,
    }
    return json.dumps(record | more).encode() + b"\n"


def ssl_tsv(*rows: str, fields: str = SSL_FIELDS, types: str = SSL_TYPES) -> bytes:
    """A TSV log; `rows` have blanks between their cells, and `_` for a blank."""
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tssl"]
    head += ["#fields\t" + fields.replace(" ", "\t"), "#types\t" + types.replace(" ", "\t")]
    body = [row.replace(" ", "\t").replace("_", " ") for row in rows]
    return "\n".join([*head, *body]).encode() + b"\n"


SELF_SIGNED = "1768471205.000000 C1 10.20.0.42 50000 203.0.113.9 443 TLSv12 cdn.example.net T self_signed_certificate ab,cd"
"""An ssl.log row four seconds after `key_use`."""


HOSTILE = '"><script>document.title="owned"</script><img src=x onerror=alert(1)>'


@pytest.fixture
def found(pack: Pack, write: Write) -> Hunt:
    """An incident whose every text was written by an attacker."""
    named = HOSTILE.replace(" ", "_")
    row = f"1768471205.000000 C1 10.20.0.42 50000 203.0.113.9 443 TLSv12 {named} T self_signed_certificate ab,cd"
    x509 = "ts fingerprint certificate.subject certificate.not_valid_after"
    write("logs/u.ndjson", key_use(processImagePath=f"/Users/{HOSTILE}\u202e"))
    write("logs/ssl.log", ssl_tsv(row))
    certificate = ssl_tsv(f"1768471205.000000 ab CN={named} 1999999999.0", fields=x509, types="time string string time")
    write("logs/x509.log", certificate.replace(b"#path\tssl", b"#path\tx509"))
    return hunt(pack, "splunk", [Path("logs")], hosts=Hosts(named=host_options(["mac-042=10.20.0.42"])))
