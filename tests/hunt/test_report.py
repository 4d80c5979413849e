"""The page: what it shows, and that nothing in a log can act in it; opened in a real Chromium."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.hunt.conftest import key_use, ssl_tsv

from an1498.hunt.engine import Hunt, hunt
from an1498.hunt.hosts import Hosts, host_options
from an1498.hunt.report import page
from an1498.model import Pack

Write = Callable[[str, bytes], Path]

HOSTILE = '"><script>document.title="owned"</script><img src=x onerror=alert(1)>'
CHROMIUM = [
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000"),
]


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


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_no_text_of_a_log_becomes_markup_and_nothing_is_loaded(found: Hunt, pack: Pack) -> None:
    parser = Tags()
    text = page(found, pack)
    parser.feed(text)
    assert len(found.findings) == 1
    assert {tag for tag, _ in parser.found}.isdisjoint({"script", "img", "link", "iframe", "object", "form"})
    assert not any(name.startswith("on") or name == "src" for _, attributes in parser.found for name in attributes)
    assert all((attributes.get("href") or "#").startswith("#") for _, attributes in parser.found)
    assert "\u202e" not in text


def test_the_page_explains_the_incident(found: Hunt, pack: Pack) -> None:
    text = re.sub(r"<[^>]+>", " ", page(found, pack))
    for expected in (
        "mac-042 (10.20.0.42)",
        "SecKeyCreateSignature",
        "self signed certificate",
        "203.0.113.9",
        "DET0543",
        "Triage",
        "4.000 s",
    ):
        assert expected in text
    assert "certificate subject" in text and "certificate valid to" in text and "2033-05-18" in text
    assert "entropy of the server name" in text


def test_chromium_shows_the_page_and_runs_nothing_in_it(found: Hunt, pack: Pack, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(found, pack), encoding="utf-8")
    command = [*CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "<title>AN1498 hunt</title>" in dom
    assert dom.count("<circle") == 2 and dom.count('class="window"') == 1
    assert "<script" not in dom and "<img" not in dom
