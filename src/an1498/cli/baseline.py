"""`an1498 baseline`: learn what is normal from logs, propose exact values, write an overlay of what was accepted."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from an1498.cli.console import console
from an1498.cli.progress import telling
from an1498.cli.settings import Settings
from an1498.cli.whole_file import write_whole
from an1498.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from an1498.baseline.effect import Effect
    from an1498.baseline.proposals import Draft, Proposal
    from an1498.model import Pack

EPILOG = """\b
Examples:
  an1498 baseline logs/ --out site --host mac-042=10.20.0.42   write site/proposals.yml
  an1498 baseline --accept site/proposals.yml                  write site/overlay.toml and site/filters/ of what was accepted
  an1498 --env site/overlay.toml build

\b
Nothing is normal until a reviewer says so: answer the questions on a terminal, or set `accepted: true` in the file.
Exit codes: 0 good, 2 bad input or usage.
"""
PROPOSALS, OVERLAY, FILTERS = "proposals.yml", "overlay.toml", "filters"
_FILE = click.Path(path_type=Path)


@click.command(epilog=EPILOG, short_help="Learn what is normal, propose filters, write an overlay.")
@click.argument("logs", metavar="[LOGS]...", nargs=-1, type=_FILE)
@click.option("--out", metavar="DIR", type=_FILE, help="Where proposals go; with --accept, the overlay.  [default there: beside FILE]")
@click.option("--accept", "accept_file", metavar="FILE", type=_FILE, help="Write the overlay of a reviewed file of proposals.")
@click.option("--min-count", metavar="N", type=click.IntRange(1), default=5, show_default=True, help="Events that make a value normal.")
@click.option("--expires", metavar="SPAN", default="90d", show_default=True, help="How long an accepted value holds.")
@click.option("--host", "host_options", metavar="NAME=ADDRESS", multiple=True, help="Whose unified log it is; may be repeated.")
@click.option("--host-map", metavar="FILE", type=_FILE, help="The same as CSV with path,name,ip.")
@click.option("--timezone", metavar="ZONE", default="", help="Of text logs without an offset: UTC, +02:00, Europe/Berlin.  [default: UTC]")
@click.option("--target", metavar="T", help="Environment whose SPL is run.  [default: the first for Splunk]")
@click.option("--no-review", is_flag=True, help="Ask nothing on a terminal.")
@click.pass_context
def baseline(
    ctx: click.Context,
    logs: tuple[Path, ...],
    out: Path | None,
    accept_file: Path | None,
    min_count: int,
    expires: str,
    host_options: tuple[str, ...],
    host_map: Path | None,
    timezone: str,
    target: str | None,
    no_review: bool,
) -> None:
    """Propose values for the pack's lists (processes, labels, servers, issuers) from logs, with evidence and what each would suppress."""
    settings: Settings = ctx.obj
    pack = settings.load_direct_pack()
    today = datetime.now(UTC).date()
    if accept_file is not None:
        if logs:
            raise UsageError("--accept writes the overlay of a file that exists: give no LOGS with it")
        _accept(settings, pack, accept_file, out or accept_file.parent, today)
        return
    if not logs or out is None:
        raise UsageError("give LOGS and --out DIR, or --accept FILE")
    from an1498.baseline.document import to_yaml
    from an1498.baseline.effect import measure
    from an1498.baseline.kept import opened_archive, splunk_target
    from an1498.baseline.learn import observe
    from an1498.baseline.proposals import draft
    from an1498.hunt.hosts import find_hosts

    chosen = splunk_target(pack, target)
    days = _days(expires)
    hosts = find_hosts(logs, host_map, host_options, timezone)
    with telling() as progress, opened_archive(pack, chosen, logs, hosts, progress) as kept:
        found = draft(pack, observe(kept), min_count=min_count, today=today, days=days)
        effect = measure(kept, found.proposals, progress)
    for note in kept.skipped:
        console.message(f"note: {note}")
    if kept.rejects:
        console.message(f"note: {kept.rejects:,} lines cannot be read")
    _show(effect, found)
    if sys.stdin.isatty() and sys.stdout.isatty() and not no_review:
        effect = replace(effect, proposals=tuple(_asked(effect.proposals)))
    file = out / PROPOSALS
    write_whole(file, to_yaml(effect, target=chosen.name, files=kept.files, events=kept.events))
    console.message(f"wrote {file}: review it, then run an1498 baseline --accept {file}")


def _days(text: str) -> int:
    if text.endswith("d") and text[:-1].isascii() and text[:-1].isdecimal() and 1 <= int(text[:-1]) <= 3650:
        return int(text[:-1])
    raise UsageError(f"--expires {text}: write days, 1d to 3650d, for instance 90d")


def _show(effect: Effect, found: Draft) -> None:
    for proposal in effect.proposals:
        for line in _lines(proposal):
            console.data(line)
    before, recommended, everything = (sum(counts.values()) for counts in (effect.before, effect.recommended, effect.all))
    console.data(f"alerts on these logs: {before:,}; with the recommended ones {recommended:,}; with all proposals {everything:,}")
    if found.rare:
        console.message(f"note: {found.rare:,} values occur too rarely to be proposed (--min-count)")
    for (parameter, problem), count in sorted(found.unfit.items()):
        console.message(f"note: {count:,} values for {parameter} are never proposed: {problem}")


def _lines(proposal: Proposal) -> list[str]:
    effect = "not measured" if proposal.suppresses is None else f"{sum(proposal.suppresses.values()):,} alerts"
    advice = "recommended" if proposal.recommended else proposal.rating
    first = f"{proposal.id} {advice:<11} {proposal.parameter}: {proposal.value}"
    second = (
        f"      {proposal.events:,} events on {proposal.hosts:,} machines, {proposal.first} to {proposal.last}; alone suppresses {effect}"
    )
    return [first, second, *(f"      risk: {risk}" for risk in proposal.risks)]


def _asked(proposals: Sequence[Proposal]) -> list[Proposal]:
    """A reviewer's answers; just Enter accepts only what is recommended, which nothing risky is."""
    answered = []
    for proposal in proposals:
        question = f"{proposal.id} {proposal.rating}: accept {proposal.value} for {proposal.parameter}?"
        answered.append(replace(proposal, accepted=click.confirm(question, default=proposal.recommended)))
    return answered


def _accept(settings: Settings, pack: Pack, file: Path, out: Path, today: date) -> None:
    from an1498.baseline.document import read_proposals
    from an1498.baseline.overlay import filters, overlay_toml
    from an1498.content import load_pack

    chosen = [proposal for proposal in read_proposals(file) if proposal.accepted]
    valid = [proposal for proposal in chosen if proposal.expires >= today]
    for proposal in chosen:
        if proposal.expires < today:
            console.message(f"note: {proposal.id} expired on {proposal.expires.isoformat()} and is left out; learn again")
    overlay = out / OVERLAY
    write_whole(overlay, overlay_toml(pack, valid))
    load_pack(settings.find_root(), (*settings.overlays, overlay))
    folder = out / FILTERS
    folder.mkdir(exist_ok=True)
    for old in folder.glob("baseline_*.yml"):
        old.unlink()
    for name, text in filters(pack, valid, today).items():
        write_whole(folder / name, text)
    risky = sum(1 for proposal in valid if proposal.risks)
    console.data(f"{overlay}: {len(valid):,} values accepted, {risky:,} of them risky; use it with an1498 --env {overlay} build")
