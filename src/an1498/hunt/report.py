"""A hunt's findings as one HTML page that needs nothing else: no network, no script, every value escaped.

A page is opened by the person who suspects an intrusion, and its values come from the intruder: the page's own policy
(Content-Security-Policy) forbids every load and every script, should an escape ever be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from an1498.hunt.alerts import Evidence, Finding
from an1498.hunt.engine import Hunt
from an1498.hunt.output import moment, notes, printable, processes, servers
from an1498.hunt.timeline import timeline
from an1498.model import Pack

SNI_ENTROPY = 4.14
"""Bits per character that 99 % of server names stay below (telemetry.md: 624 unique names of public logs)."""

MOST_FINDINGS = 500
"""Findings that the page describes; the others are counted. The JSON output has them all."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --endpoint: #2563eb; --tls: #c2410c; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; } th, td { text-align: left; vertical-align: top; padding: .25rem .6rem;
border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } th { font-weight: 600; }
th, td:first-child { white-space: nowrap; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; margin: 1rem 0; }
.level { border-radius: .3rem; padding: .05rem .5rem; background: var(--soft); } .high, .critical { background: #dc2626; color: #fff; }
.medium { background: #d97706; color: #fff; } .odd { color: #dc2626; font-weight: 600; } code { overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
svg .endpoint { fill: var(--endpoint); } svg .tls { fill: var(--tls); } svg .window { fill: var(--soft); stroke: var(--line); }
svg .axis { stroke: var(--line); } svg .link { stroke: currentColor; stroke-dasharray: 3 3; }
@media print { article { break-inside: avoid; } }
"""


def page(found: Hunt, pack: Pack) -> str:
    """The whole page."""
    shown = found.findings[:MOST_FINDINGS]
    hosts: dict[str, list[Finding]] = {}
    for one in shown:
        hosts.setdefault(machine(one), []).append(one)
    body = [
        "<h1>Hunt for AN1498: public-key use, then TLS to an unrecognised server</h1>",
        "<p>MITRE ATT&amp;CK analytic AN1498, detection strategy DET0543, technique T1573.002 (Encrypted Channel: "
        f"Asymmetric Cryptography), tactic Command and Control. "
        f"Pack {_text(pack.name)} {_text(pack.version)}, ATT&amp;CK {_text(pack.attack_version)}.</p>",
        "<ul>",
        *(f"<li>{_text(text)}</li>" for text, _ in notes(found)),
        "</ul>",
    ]
    if len(found.findings) > MOST_FINDINGS:
        body.append(
            f"<p>This page describes the first {MOST_FINDINGS} of {len(found.findings)} alerts; <code>--format json</code> has all.</p>"
        )
    if shown:
        body += ["<h2>Machines</h2>", *_overview(hosts)]
    for name, findings in hosts.items():
        body += [f'<h2 id="{_anchor(name)}">{_text(name)}</h2>', *(line for one in findings for line in _article(one))]
    if shown:
        body += ["<h2>Rules</h2>", *(line for rule in dict.fromkeys(one.rule for one in shown) for line in _rule(pack, rule))]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}"><title>AN1498 hunt</title>'
    head += f"<style>{_STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


def machine(one: Finding) -> str:
    """The machine that a finding is about, as the page groups them."""
    group = dict(one.group)
    names = [event.fields["host.name"] for event in one.events if "host.name" in event.fields]
    address, name = group.get("entity"), group.get("host.name") or (names[0] if names else None)
    if address and name:
        return f"{name} ({address})"
    return name or address or "machine not known"


def _overview(hosts: Mapping[str, list[Finding]]) -> Iterator[str]:
    yield "<table><tr><th>Machine</th><th>Alerts</th><th>First</th><th>Last</th><th>Programs</th><th>Servers</th></tr>"
    for name, findings in hosts.items():
        programs = dict.fromkeys(value for one in findings for value in processes(one))
        seen = dict.fromkeys(value for one in findings for value in servers(one))
        cells = [
            f'<a href="#{_anchor(name)}">{_text(name)}</a>',
            str(len(findings)),
            moment(min(one.first_s for one in findings)),
            moment(max(one.time_s for one in findings)),
            _some(programs),
            _some(seen),
        ]
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</table>"


def _some(values: Iterable[str]) -> str:
    listed = list(values)
    more = f"<br>… {len(listed) - 5} more" if len(listed) > 5 else ""
    return "<br>".join(f"<code>{_text(value)}</code>" for value in listed[:5]) + more


def _article(one: Finding) -> Iterator[str]:
    level = re.sub(r"\W", "", one.level)
    yield f'<article><h3><span class="level {level}">{_text(one.level)}</span> {_text(one.title)}</h3>'
    group = ", ".join(f"{key} {value}" for key, value in one.group)
    more = "".join(f", {name} {value}" for name, value in one.more.items())
    yield f'<p><a href="#{_anchor(one.rule)}">{_text(one.rule)}</a>: {_text(group + more)}; {moment(one.first_s)} to {moment(one.time_s)}'
    yield f" ({one.time_s - one.first_s:.3f} s)</p>"
    yield timeline(one)
    yield "<table><tr><th>Time</th><th>What</th><th>Details</th><th>Where</th></tr>"
    for event in one.events:
        what = "<br>".join(_text(rule) for rule in event.rules)
        place = f"{event.file}:{event.line}" if event.line else event.file
        yield f"<tr><td>{moment(event.time_s)}</td><td>{what}</td><td>{_details(event)}</td><td>{_text(place)}</td></tr>"
    yield "</table></article>"


_ENDPOINT = {
    "processImagePath": "program",
    "processID": "process",
    "userID": "user",
    "eventMessage": "message",
    "senderImagePath": "sender",
    "subsystem": "subsystem",
    "category": "category",
}
_SESSION = {
    "server_name": "server name",
    "id.orig_p": "client port",
    "version": "version",
    "cipher": "cipher",
    "established": "established",
    "validation_status": "verdict",
    "last_alert": "alert",
    "ssl_history": "history",
    "sni_matches_cert": "name matches certificate",
    "resumed": "resumed",
    "ja3": "JA3",
    "ja4": "JA4",
    "uid": "uid",
}
_CERTIFICATE = {
    "certificate.subject": "subject",
    "certificate.issuer": "issuer",
    "certificate.serial": "serial",
    "certificate.not_valid_before": "valid from",
    "certificate.not_valid_after": "valid to",
    "certificate.key_type": "key type",
    "certificate.key_length": "key length",
    "certificate.sig_alg": "signature",
    "san.dns": "names",
    "fingerprint": "fingerprint",
}


def _details(event: Evidence) -> str:
    fields = event.fields
    lines = []
    if "id.resp_h" in fields:
        lines.append(("server", f"{fields['id.resp_h']} port {fields.get('id.resp_p', '?')}"))
    lines += _named(fields, _ENDPOINT if event.product == "macos" else _SESSION)
    if not event.certificate:
        lines += _named(fields, {"subject": "subject", "issuer": "issuer"})
    lines += [(f"certificate {label}", value) for label, value in _named(event.certificate, _CERTIFICATE)]
    rendered = [f"{_text(label)} <code>{_text(value)}</code>" for label, value in lines]
    if event.sni_entropy is not None:
        odd = event.sni_entropy > SNI_ENTROPY
        note = f"entropy of the server name {event.sni_entropy:.2f} bits per character"
        rendered.append(f'<span class="odd">{note}, above {SNI_ENTROPY} (p99)</span>' if odd else note)
    return "<br>".join(rendered)


def _named(fields: Mapping[str, Any], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(label, _value(name, fields[name])) for name, label in labels.items() if fields.get(name) not in (None, "")]


def _value(name: str, value: Any) -> str:
    if name.startswith("certificate.not_valid"):
        try:
            return datetime.fromtimestamp(float(value), UTC).strftime("%Y-%m-%d %H:%M")
        except (ValueError, OverflowError, OSError):
            return str(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rule(pack: Pack, name: str) -> Iterator[str]:
    rule = pack.correlations.get(name) or pack.rules[name]
    document = rule.document
    yield f'<article id="{_anchor(name)}"><h3>{_text(rule.title)}</h3><p><code>{_text(name)}</code> {_text(rule.id)}</p>'
    yield f"<p>{_text(str(document.get('description', '')).strip())}</p>"
    techniques = [tag.removeprefix("attack.") for tag in document.get("tags", []) if str(tag).startswith("attack.")]
    mitre = document.get("mitre", {})
    yield f"<p>ATT&amp;CK: {_text(', '.join([*techniques, *map(str, mitre.values())]))}</p>"
    if document.get("triage"):
        yield "<h3>Triage</h3>"
        yield from _paragraphs(str(document["triage"]))
    if document.get("falsepositives"):
        yield "<h3>Known false positives</h3><ul>"
        yield from (f"<li>{_text(str(text))}</li>" for text in document["falsepositives"])
        yield "</ul>"
    yield "</article>"


def _paragraphs(markdown: str) -> Iterator[str]:
    """Lists and paragraphs of a rule's text; other markup stays as it is written."""
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)", markdown.strip()):
        text = " ".join(block.split())
        item = re.match(r"(?:[-*]|\d+\.)\s+(.*)", text)
        yield f"<p>• {_text(item[1])}</p>" if item else f"<p>{_text(text.lstrip('# '))}</p>"


def _anchor(name: str) -> str:
    return "a-" + "".join(character if character.isalnum() and character.isascii() else f"-{ord(character):x}" for character in name)


def _text(text: str) -> str:
    return escape(printable(text))
