"""An archive → an assessment: one pass that counts, and the pack's own searches for what fires."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from an1498.baseline.kept import Kept, opened_archive
from an1498.errors import SearchSyntaxError, Unsupported
from an1498.hunt.hosts import Hosts
from an1498.model import Pack, Target
from an1498.readiness import endpoint, joining, network, remedies
from an1498.readiness.archive import Intake, events
from an1498.readiness.firing import Domain, why_not, why_not_correlation
from an1498.readiness.levels import level_of_share
from an1498.readiness.report import Assessment, Question, RuleState
from an1498.readiness.tally import Tally

# A session has an alert only when something failed: where ssl.log has its usual fields, that none is there says nothing about the log.
_SOMETIMES = frozenset({"last_alert"})
_ALWAYS = {("zeek", "ssl"): frozenset({"version", "cipher", "established"})}


def assess(pack: Pack, target: Target, paths: Sequence[Path], hosts: Hosts, progress: Callable[[str], None]) -> Assessment:
    """`target` is one for Splunk, whose searches are run. Raises UsageError, TelemetryError."""
    intake, tally = Intake(), Tally()
    for event in events(pack, paths, hosts, intake, lambda count: progress(f"{count:,} events read")):
        tally.add(event)
    with opened_archive(pack, target, paths, hosts, progress, all_rules=True) as kept:
        rules = tuple(_rules(pack, kept, tally))
    questions = (*endpoint.questions(tally), *network.questions(tally), *joining.questions(tally), *_coverage(rules))
    return Assessment(intake.files, intake.events, intake.rejects, tuple(intake.rejected), tuple(intake.skipped), questions, rules)


def domains(tally: Tally) -> dict[tuple[str, str], Domain]:
    """What each source ever had. A Mac's address counts only where it is a usable one."""
    found = {}
    for key, source in tally.sources.items():
        fields, values = set(source.fields), {}
        if key == ("macos", "unifiedlog"):
            if not any(machine.addresses for machine in tally.macs.machines.values()):
                fields.discard("host.ip")
            values["eventType"] = {name.lower() for name in tally.macs.types}
            launchd = any(machine.launchd for machine in tally.macs.machines.values())
            found[key] = Domain(fields, values, frozenset() if launchd else frozenset({("processImagePath", "/sbin/launchd")}))
        else:
            if _ALWAYS.get(key, frozenset()) & fields:
                fields |= _SOMETIMES
            found[key] = Domain(fields, values)
    return found


def _rules(pack: Pack, kept: Kept, tally: Tally) -> Iterator[RuleState]:
    known = domains(tally)
    shared = bool(tally.joinable()[1])
    skip = kept.target.options.get("skip", {})
    for name, rule in pack.rules.items():
        why = f"target {kept.target.name}: {skip[name]}" if name in skip else why_not(pack, rule, known)
        yield _state(name, "event", why, partial(kept.count, name))
    for name, correlation in pack.correlations.items():
        why = why_not_correlation(pack, correlation, known, shared_address=shared)
        why = f"target {kept.target.name}: {skip[name]}" if name in skip else why
        yield _state(name, "correlation", why, partial(_alerts, kept, name))


def _alerts(kept: Kept, name: str) -> int:
    return len(kept.alerts(kept.pack, name))


def _state(name: str, kind: str, why: str, matched: Callable[[], int]) -> RuleState:
    if why:
        return RuleState(name, kind, "cannot", 0, why, remedies.for_needs(why))
    try:
        number = matched()
    except Unsupported as error:
        return RuleState(name, kind, "cannot", 0, str(error))
    except SearchSyntaxError as error:
        return RuleState(name, kind, "uncounted", 0, str(error))
    return RuleState(name, kind, "fired" if number else "quiet", number)


def _coverage(rules: Sequence[RuleState]) -> Iterator[Question]:
    for kind, code, essential in (("event", "rules", False), ("correlation", "correlations", True)):
        chosen = [state for state in rules if state.kind == kind]
        able = [state for state in chosen if state.state != "cannot"]
        wanted = dict.fromkeys(remedy for state in chosen for remedy in state.remedies)
        yield Question(
            code,
            f"Which {'rules' if kind == 'event' else 'correlations'} can fire?",
            level_of_share(len(able), len(chosen)),
            f"{len(able)} of {len(chosen)} can fire, {sum(state.state == 'fired' for state in able)} did",
            {
                "fired": {state.rule: state.matched for state in able if state.matched},
                "quiet": [state.rule for state in able if state.state == "quiet"],
                "uncounted": {state.rule: state.why for state in able if state.state == "uncounted"},
                "cannot": {state.rule: state.why for state in chosen if state.state == "cannot"},
            },
            tuple(wanted),
            essential=essential,
        )
