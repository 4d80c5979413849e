"""The page: what it shows, and that no text of a log becomes markup (test_report_in_chromium.py opens it)."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from tests.readiness.archives import IMPLANT, IMPLANT_SERVER, incident, quiet_day

from an1498.hunt.engine import Hunt, hunt
from an1498.hunt.hosts import find_hosts
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


def test_a_hidden_incident_stands_out(pack: Pack, tmp_path: Path) -> None:
    logs = incident(quiet_day()).write(tmp_path / "logs")
    found = hunt(pack, "splunk", [logs], hosts=find_hosts([logs], None, ()))
    assert len(found.findings) == 65
    text = page(found, pack)
    outstanding = text.split("<h2>What stands out</h2>")[1].split("</table>")[0]
    assert [row.count("<td>") for row in outstanding.split("<tr>")[2:]] == [7, 7, 7]
    first = outstanding.split("<tr>")[2]
    assert IMPLANT in first and IMPLANT_SERVER in first and "<td>1</td>" in first
    # The machine's own story begins with it, and its noise is folded away.
    machine = re.split(r'<h2 id="[^"]*">mac-000 ', text)[1].split("<h2")[0]
    assert machine.index(IMPLANT) < machine.index("Example Backup")
    assert machine.count("<article>") == 3 and machine.count("<details>") == 2
    assert f'class="odd"><code>{IMPLANT}' in machine and 'class="odd"><code>self signed certificate' in machine
    assert machine.count('class="window"') == 17 + len(
        {(one.first_s, one.time_s) for one in found.findings if dict(one.group)["entity"] == "10.20.0.10"}
    )
