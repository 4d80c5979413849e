"""The pack of this repository, and archives written into a temporary working directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from an1498.content import load_pack
from an1498.model import Pack

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
