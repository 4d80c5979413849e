"""The page: what it shows, and that no text of a log becomes markup (test_report_in_chromium.py opens it)."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from an1498.hunt.engine import Hunt
from an1498.hunt.report import page
from an1498.model import Pack


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
