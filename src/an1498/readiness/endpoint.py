"""Questions about the Macs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from an1498.readiness import remedies
from an1498.readiness.levels import level_of_share
from an1498.readiness.report import Question
from an1498.readiness.tally import Macs, Source, Tally

_SHOWN = 20


def questions(tally: Tally) -> Iterator[Question]:
    macs, source = tally.macs, tally.sources.get(("macos", "unifiedlog"), Source())
    yield _collected(macs, source)
    yield _activities(macs)
    yield _failures(macs, source)
    yield _attribution(macs)
    yield _launchd(macs, source)
    yield _services(macs)
    yield _trust(macs, source)


def _collected(macs: Macs, source: Source) -> Question:
    types = dict(macs.types.most_common())
    return Question(
        "unified-log",
        "Is the unified log there?",
        4 if source.events else 0,
        f"{source.events:,} records of {len(macs.machines):,} Macs" if source.events else "no record of the unified log",
        {"records": source.events, "macs": len(macs.machines), "types": types, "private_messages": macs.private, "messages": macs.messages},
        () if source.events else (remedies.UNIFIED_LOG,),
        essential=True,
    )


def _activities(macs: Macs) -> Question:
    machines = len(macs.machines)
    collecting = sum(1 for machine in macs.machines.values() if machine.seckey)
    total = sum(machine.seckey for machine in macs.machines.values())
    activities = macs.types["activityCreateEvent"]
    level = level_of_share(collecting, machines) or 0
    if not collecting and activities:
        level, answer = 1, f"{activities:,} activities, none of SecKey: nobody used a key, or a predicate leaves them out"
    elif not collecting:
        answer = "no activity at all: the successes of RSA and public-key routines are invisible"
    else:
        answer = f"{total:,} SecKey activities on {collecting:,} of {machines:,} Macs"
    return Question(
        "seckey-activities",
        "Are SecKey activities there, at what rate?",
        level,
        answer,
        {
            "activities": activities,
            "seckey": total,
            "labels": {key[0]: count for key, count in macs.labels.counts.most_common(_SHOWN)},
            "per_host": _per_host(macs),
            "per_process": _per_process(macs),
        },
        () if level == 4 else (remedies.ACTIVITIES,),
        essential=True,
    )


def _per_host(macs: Macs) -> list[dict[str, Any]]:
    found = sorted(macs.machines.items(), key=lambda item: (-item[1].seckey, item[0]))[:_SHOWN]
    return [{"host": name, "seckey": one.seckey, "per_hour": _rate(one.seckey, one.first_us, one.last_us)} for name, one in found]


def _per_process(macs: Macs) -> list[dict[str, Any]]:
    rows = []
    for (host, process), count in macs.processes.counts.most_common(_SHOWN):
        machine = macs.machines.get(host)
        rate = _rate(count, machine.first_us, machine.last_us) if machine is not None else None
        rows.append({"host": host, "process": process, "seckey": count, "per_hour": rate})
    return rows


def _rate(count: int, first_us: int, last_us: int) -> float | None:
    """Per hour; None where the log spans less than a minute."""
    hours = (last_us - first_us) / 3.6e9
    return round(count / hours, 2) if hours >= 1 / 60 else None


def _failures(macs: Macs, source: Source) -> Question:
    if macs.failures:
        level, answer = 4, f"{macs.failures:,} SecKey errors"
    elif macs.security_messages:
        level, answer = 3, f"no SecKey error, but {macs.security_messages:,} messages of the Security framework: an error would be seen"
    elif macs.messages:
        level, answer = 1, "no message of the Security framework: it may be filtered out"
    else:
        level, answer = 0, "no log message at all"
    wanted = () if level >= 3 else (remedies.SECKEY_ERRORS,)
    evidence = {"failures": macs.failures, "security_messages": macs.security_messages, "records": source.events}
    return Question("seckey-failures", "Are SecKey failures there?", level, answer, evidence, (*wanted, remedies.LEGACY_RSA))


def _attribution(macs: Macs) -> Question:
    level = level_of_share(macs.attributed, macs.key_use)
    return Question(
        "process-attribution",
        "Is each key use tied to a process?",
        level,
        f"{macs.attributed:,} of {macs.key_use:,} key-use records have path and pid"
        if macs.key_use
        else "there is no key-use record to look at",
        {"key_use": macs.key_use, "with_path_and_pid": macs.attributed},
        () if level in (4, None) else (remedies.ATTRIBUTION,),
    )


def _launchd(macs: Macs, source: Source) -> Question:
    with_spawns = sum(1 for machine in macs.machines.values() if machine.spawned)
    records = sum(machine.launchd for machine in macs.machines.values())
    level = level_of_share(with_spawns, len(macs.machines)) or 0
    if records and not with_spawns:
        level = 1
    return Question(
        "launchd-context",
        "Is launchd's context there?",
        level,
        f"{records:,} records of launchd; {with_spawns:,} of {len(macs.machines):,} Macs tell which jobs were started",
        {"launchd_records": records, "macs_with_starts": with_spawns, "records": source.events},
        () if level == 4 else (remedies.LAUNCHD,),
    )


def _services(macs: Macs) -> Question:
    total = sum(macs.jobs.values())
    told = total - macs.jobs["unknown"]
    level = level_of_share(told, total)
    return Question(
        "launchd-services",
        "Are launchd services distinguishable from applications?",
        level,
        f"{told:,} of {total:,} starts name their job" if total else "no start of a job to look at",
        {"starts": total} | dict(sorted(macs.jobs.items())),
        () if level in (4, None) else (remedies.LAUNCHD,),
    )


def _trust(macs: Macs, source: Source) -> Question:
    both = bool(macs.trust_verdicts) + bool(macs.tls_records)
    level = (0, 2, 4)[both]
    return Question(
        "tls-on-host",
        "Are trust verdicts and TLS records on the Mac?",
        level,
        f"{macs.trust_verdicts:,} trust failures, {macs.tls_records:,} TLS records",
        {"trust_failures": macs.trust_verdicts, "tls_records": macs.tls_records, "records": source.events},
        (
            *(() if macs.trust_verdicts else (remedies.TRUST,)),
            *(() if macs.tls_records else (remedies.TLS_HOST,)),
            *((remedies.PRIVATE,) if macs.private else ()),
        ),
    )
