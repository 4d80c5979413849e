"""A hunt's findings as one HTML page that needs nothing else: no network, no script, every value escaped.

A page is opened by the person who suspects an intrusion, and its values come from the intruder: the page's own policy
(Content-Security-Policy) forbids every load and every script, should an escape ever be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from an1498.hunt.alerts import Evidence, Finding
from an1498.hunt.details import details
from an1498.hunt.engine import Hunt
from an1498.hunt.output import moment, notes, printable, processes, servers
from an1498.hunt.pairs import Pair, pairs
from an1498.hunt.timeline import timeline
from an1498.model import Pack

MOST_FINDINGS = 500
"""Findings that the page describes; the others are counted. The JSON output has them all."""

MOST_PAIRS, MOST_ALIKE = 100, 20
"""Rows of what stands out, and findings of one program and server that are told in full."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --endpoint: #2563eb; --tls: #c2410c; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; } th, td { text-align: left; vertical-align: top; padding: .25rem .6rem;
border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } th { font-weight: 600; }
th, td:first-child { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .8rem; margin: 0; }
dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; }
dd.odd code { color: inherit; } .place { font-size: .85em; opacity: .75; } summary { cursor: pointer; margin: .5rem 0; }
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
        f"Pack {_text(pack.name)} {_text(pack.version)}, ATT&amp;CK {_text(pack.attack_version)}. All times are UTC.</p>",
        "<ul>",
        *(f"<li>{_text(text)}</li>" for text, _ in notes(found)),
        "</ul>",
    ]
    if len(found.findings) > MOST_FINDINGS:
        body.append(
            f"<p>This page describes the first {MOST_FINDINGS} of {len(found.findings)} alerts; <code>--format json</code> has all.</p>"
        )
    if shown:
        body += [*_standing_out(pairs((machine(one), one) for one in shown)), "<h2>Machines</h2>", *_overview(hosts)]
    for name, findings in hosts.items():
        body += _machine(name, findings, pack)
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
            _moment(min(one.first_s for one in findings)),
            _moment(max(one.time_s for one in findings)),
            _some(programs),
            _some(seen),
        ]
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</table>"


def _some(values: Iterable[str]) -> str:
    listed = list(values)
    more = f"<br>… {len(listed) - 5} more" if len(listed) > 5 else ""
    return "<br>".join(f"<code>{_text(value)}</code>" for value in listed[:5]) + more


def _standing_out(found: Sequence[Pair]) -> Iterator[str]:
    """The rarest first: what one machine does once is what an analyst looks at, what every machine does all day is for a baseline."""
    yield "<h2>What stands out</h2>"
    yield "<p>Programs and servers that alerted together, the rarest first. What many machines do all day is a candidate for "
    yield "<code>an1498 baseline</code>.</p>"
    yield "<table><tr><th>Machines</th><th>Alerts</th><th>Program</th><th>Server</th><th>Rule</th><th>First</th><th>Last</th></tr>"
    for pair in found[:MOST_PAIRS]:
        names = list(pair.machines)
        links = "<br>".join(f'<a href="#{_anchor(name)}">{_text(name)}</a>' for name in names[:3])
        more = f"<br>… {len(names) - 3} more" if len(names) > 3 else ""
        first, last = pair.findings[0], pair.findings[-1]
        cells = [
            links + more,
            str(len(pair.findings)),
            f"<code>{_text(pair.program)}</code>" if pair.program else "",
            f"<code>{_text(pair.server)}</code>" if pair.server else "",
            f'<a href="#{_anchor(pair.rule)}">{_text(first.title)}</a>',
            _moment(first.first_s),
            _moment(last.time_s),
        ]
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</table>"
    if len(found) > MOST_PAIRS:
        yield f"<p>… {len(found) - MOST_PAIRS} more</p>"


def _machine(name: str, findings: Sequence[Finding], pack: Pack) -> Iterator[str]:
    yield f'<h2 id="{_anchor(name)}">{_text(name)}</h2>'
    if len(findings) > 1:
        yield f"<p>{len(findings)} alerts, {_moment(findings[0].first_s)} to {_moment(findings[-1].time_s)}</p>"
        yield timeline(findings)
    for pair in pairs((name, one) for one in findings):
        yield from _article(pair, pack)


def _article(pair: Pair, pack: Pack) -> Iterator[str]:
    """The first finding of a program and server in full, the others folded away."""
    first, *others = pair.findings
    level = re.sub(r"\W", "", first.level)
    yield f'<article><h3><span class="level {level}">{_text(first.level)}</span> {_text(first.title)}</h3>'
    yield f'<p>Rule <a href="#{_anchor(pair.rule)}">{_text(pair.rule)}</a>, with what to check and known false positives</p>'
    yield from _finding(first, pack)
    if others:
        yield f"<details><summary>{len(others)} more of the same program and server, until {_moment(others[-1].time_s)}</summary>"
        for one in others[:MOST_ALIKE]:
            yield from _finding(one, pack)
        if len(others) > MOST_ALIKE:
            yield f"<p>… {len(others) - MOST_ALIKE} more; <code>--format json</code> has all</p>"
        yield "</details>"
    yield "</article>"


def _finding(one: Finding, pack: Pack) -> Iterator[str]:
    group = ", ".join(f"{key} {value}" for key, value in one.group)
    more = "".join(f", {name} {value}" for name, value in one.more.items())
    yield f"<p>{_text(group + more)}; {_moment(one.first_s)} to {_moment(one.time_s)} ({one.time_s - one.first_s:.3f} s)</p>"
    yield timeline([one])
    yield "<table><tr><th>Time</th><th>What</th><th>Details</th></tr>"
    for event in one.events:
        titles = (pack.rules[rule].title if rule in pack.rules else rule for rule in event.rules)
        what = "<br>".join(_text(title) for title in titles)
        place = f"{event.file}:{event.line}" if event.line else event.file
        yield f'<tr><td>{_moment(event.time_s)}</td><td>{what}<br><span class="place">{_text(place)}</span></td>'
        yield f"<td>{_details(event, pack)}</td></tr>"
    yield "</table>"


def _moment(seconds: float) -> str:
    """As people read it: 2026-01-15 10:00:07.250; the page says once that times are UTC."""
    return moment(seconds).replace("T", " ").removesuffix("Z")


def _details(event: Evidence, pack: Pack) -> str:
    rows = []
    for one in details(event, pack):
        mark = ' class="odd"' if one.odd else ""
        rows.append(f"<dt>{_text(one.label)}</dt><dd{mark}><code>{_text(one.value)}</code></dd>")
    return f"<dl>{''.join(rows)}</dl>"


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
