"""Searches that ask a live Splunk or Elastic the questions of the readiness check, in the names of a target's layouts.

They are written from tables, one text per language and question; field names come from the layouts. Native names stand in braces:
`{processID}`; `{=macro}` and `{=index}` are the source's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from an1498.model import Language, LayoutSource, Target

_MAC, _SSL, _X509 = ("macos", "unifiedlog"), ("zeek", "ssl"), ("zeek", "x509")
_SECKEY_SPL = '{=macro} {eventType}="activityCreateEvent" {eventMessage}="SecKey*"'
_SECKEY_ESQL = 'FROM {=index}\n| WHERE {=dataset} AND {eventType} == "activityCreateEvent" AND STARTS_WITH({eventMessage}, "SecKey")'

_SHARES_SPL = """{=macro}
| eval certificate=if(isnotnull('{cert_chain_fps}') OR isnotnull('{cert_chain_fuids}'), 1, 0)
| eval validated=if(certificate=1 AND isnotnull('{validation_status}'), 1, 0), named=if(isnotnull('{server_name}'), 1, 0)
| eval history=if(isnotnull('{ssl_history}'), 1, 0), checked=if(isnotnull('{sni_matches_cert}'), 1, 0)
| eval tls13=if('{version}'="TLSv13", 1, 0), resumed=if('{resumed}'="true", 1, 0)
| eval blind=if(certificate=0 AND (tls13=1 OR resumed=1), 1, 0)
| stats count as sessions, sum(certificate) as certificates, sum(validated) as validated, sum(named) as named, sum(history) as history, """
_SHARES_SPL += "sum(checked) as name_checks, sum(tls13) as tls13, sum(resumed) as resumed, sum(blind) as blind"

_SHARES_ESQL = """FROM {=index}
| WHERE {=dataset}
| EVAL certificate = CASE({cert_chain_fps} IS NOT NULL OR {cert_chain_fuids} IS NOT NULL, 1, 0)
| EVAL validated = CASE(certificate == 1 AND {validation_status} IS NOT NULL, 1, 0), named = CASE({server_name} IS NOT NULL, 1, 0)
| EVAL history = CASE({ssl_history} IS NOT NULL, 1, 0), checked = CASE({sni_matches_cert} IS NOT NULL, 1, 0)
| EVAL tls13 = CASE({version} == "TLSv13", 1, 0), resumed = CASE({resumed} == true, 1, 0)
| EVAL blind = CASE(certificate == 0 AND (tls13 == 1 OR resumed == 1), 1, 0)
| STATS sessions = COUNT(*), certificates = SUM(certificate), validated = SUM(validated), named = SUM(named), history = SUM(history), """
_SHARES_ESQL += "name_checks = SUM(checked), tls13 = SUM(tls13), resumed = SUM(resumed), blind = SUM(blind)"

_JOBS_SPL = """{=macro} {processImagePath}="/sbin/launchd" {eventMessage}="Successfully spawned *"
| eval job=case(match('{subsystem}', "^(system|gui/\\d+|user/\\d+)/application\\."), "application", \
match('{subsystem}', "^(system|gui/\\d+|user/\\d+)/."), "service", match('{subsystem}', "^pid/\\d+/."), "XPC service", true(), "unknown")
| stats count as starts by job"""
_JOBS_ESQL = """FROM {=index}
| WHERE {=dataset} AND {processImagePath} == "/sbin/launchd" AND STARTS_WITH({eventMessage}, "Successfully spawned ")
| EVAL job = CASE({subsystem} RLIKE "(system|gui/[0-9]+|user/[0-9]+)/application[.].*", "application", \
{subsystem} RLIKE "(system|gui/[0-9]+|user/[0-9]+)/.+", "service", {subsystem} RLIKE "pid/[0-9]+/.+", "XPC service", "unknown")
| STATS starts = COUNT(*) BY job"""

_TEXTS: tuple[tuple[str, str, tuple[str, str], str, str], ...] = (
    (
        "unified-log",
        "Records of each Mac, and how many carry its address",
        _MAC,
        "{=macro}\n| stats count as records, count({=entity}) as records_with_address by {host.name}",
        "FROM {=index}\n| WHERE {=dataset}\n| STATS records = COUNT(*), records_with_address = COUNT({=entity}) BY {host.name}",
    ),
    (
        "seckey-activities",
        "SecKey activities per Mac and process",
        _MAC,
        _SECKEY_SPL + "\n| stats count as seckey by {host.name}, {processImagePath}",
        _SECKEY_ESQL + "\n| STATS seckey = COUNT(*) BY {host.name}, {processImagePath}",
    ),
    (
        "seckey-failures",
        "SecKey errors per Mac",
        _MAC,
        '{=macro} {subsystem}="com.apple.security" {category}="seckey" {messageType}="Error"\n| stats count as failures by {host.name}',
        'FROM {=index}\n| WHERE {=dataset} AND {subsystem} == "com.apple.security" AND {category} == "seckey"'
        ' AND {messageType} == "Error"\n'
        "| STATS failures = COUNT(*) BY {host.name}",
    ),
    (
        "process-attribution",
        "SecKey activities that have path and pid",
        _MAC,
        _SECKEY_SPL + "\n| eval attributed=if(isnotnull('{processImagePath}') AND isnotnull('{processID}'), 1, 0)"
        "\n| stats count as key_use, sum(attributed) as with_path_and_pid",
        _SECKEY_ESQL + "\n| EVAL attributed = CASE({processImagePath} IS NOT NULL AND {processID} IS NOT NULL, 1, 0)"
        "\n| STATS key_use = COUNT(*), with_path_and_pid = SUM(attributed)",
    ),
    (
        "launchd-context",
        "Records of launchd per Mac",
        _MAC,
        '{=macro} {processImagePath}="/sbin/launchd"\n| stats count as launchd_records by {host.name}',
        'FROM {=index}\n| WHERE {=dataset} AND {processImagePath} == "/sbin/launchd"\n| STATS launchd_records = COUNT(*) BY {host.name}',
    ),
    ("launchd-services", "Jobs that launchd started: services and applications", _MAC, _JOBS_SPL, _JOBS_ESQL),
    (
        "tls-on-host",
        "Trust failures per Mac",
        _MAC,
        '{=macro} {subsystem}="com.apple.sec*" {eventMessage}="Trust evaluate failure*"\n| stats count as trust_failures by {host.name}',
        'FROM {=index}\n| WHERE {=dataset} AND STARTS_WITH({subsystem}, "com.apple.sec") AND '
        'STARTS_WITH({eventMessage}, "Trust evaluate failure")\n| STATS trust_failures = COUNT(*) BY {host.name}',
    ),
    ("validation-status", "What ssl.log carries, and its blind share", _SSL, _SHARES_SPL, _SHARES_ESQL),
    (
        "certificates",
        "Certificates in x509.log",
        _X509,
        "{=macro}\n| stats count as records, dc({fingerprint}) as fingerprints",
        "FROM {=index}\n| WHERE {=dataset}\n| STATS records = COUNT(*), fingerprints = COUNT_DISTINCT({fingerprint})",
    ),
    (
        "retention-unified-log",
        "First and last record of the unified log",
        _MAC,
        "{=macro}\n| stats count as records, min({=time}) as first_seen, max({=time}) as last_seen",
        "FROM {=index}\n| WHERE {=dataset}\n| STATS records = COUNT(*), first_seen = MIN({=time}), last_seen = MAX({=time})",
    ),
    (
        "retention-ssl",
        "First and last record of ssl.log",
        _SSL,
        "{=macro}\n| stats count as records, min({=time}) as first_seen, max({=time}) as last_seen",
        "FROM {=index}\n| WHERE {=dataset}\n| STATS records = COUNT(*), first_seen = MIN({=time}), last_seen = MAX({=time})",
    ),
)

_NAME = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Query:
    """`question` is the code of the question that it asks."""

    question: str
    title: str
    target: str
    language: Language
    text: str


def queries(target: Target) -> Iterator[Query]:
    """The searches for a target, those that its layouts have the fields for."""
    splunk = target.backend == "splunk"
    language = Language.SPL if splunk else Language.ESQL
    sources = {(source.product, source.service): source for layout in target.layouts for source in layout.sources}
    for question, title, key, spl, esql in _TEXTS:
        text = _filled(spl if splunk else esql, sources.get(key))
        if text is not None:
            yield Query(question, title, target.name, language, text)
    mac, ssl = sources.get(_MAC), sources.get(_SSL)
    if mac is not None and ssl is not None and mac.entity_field and ssl.entity_field:
        text = _joinable_spl(mac, ssl) if splunk else _joinable_esql(mac, ssl)
        yield Query("host-address", "Addresses that both sensors know", target.name, language, text)


def _filled(template: str, source: LayoutSource | None) -> str | None:
    """The text with the source's names; None where it lacks a field."""
    if source is None:
        return None
    own: Mapping[str, str] = {
        "=macro": f"`{source.macro}`",
        "=index": source.index,
        "=dataset": _dataset(source),
        "=entity": source.entity_field,
        "=time": source.time_field,
    }
    names = dict.fromkeys(_NAME.findall(template))
    found: dict[str, str] = {}
    for name in names:
        row = source.by_native(name)
        if name in own:
            found[name] = own[name]
        elif row is not None:
            found[name] = row.indexed
        else:
            return None
    return _NAME.sub(lambda match: found[match[1]], template)


def _dataset(source: LayoutSource) -> str:
    """The condition that tells the source's events from others in the same index."""
    value = source.constants.get("event.dataset")
    return f'event.dataset == "{value}"' if value is not None else f"{source.time_field} IS NOT NULL"


def _joinable_spl(mac: LayoutSource, ssl: LayoutSource) -> str:
    return (
        f"`{mac.macro}` OR `{ssl.macro}`\n"
        f"| eval an1498_address=coalesce('{mac.entity_field}', '{ssl.entity_field}'), "
        f'an1498_sensor=if(isnotnull(\'{mac.entity_field}\'), "mac", "zeek")\n'
        "| where isnotnull(an1498_address)\n"
        "| stats dc(an1498_sensor) as sensors by an1498_address\n"
        "| where sensors=2\n"
        "| stats count as joinable"
    )


def _joinable_esql(mac: LayoutSource, ssl: LayoutSource) -> str:
    return (
        f"FROM {mac.index}, {ssl.index}\n"
        f"| EVAL an1498_address = COALESCE({mac.entity_field}, {ssl.entity_field}), "
        # Both sensors' events may carry the machine's address under one name, so the dataset says whose event it is.
        f'an1498_sensor = CASE({_dataset(mac)}, "mac", "zeek")\n'
        f"| WHERE an1498_address IS NOT NULL AND ({_dataset(mac)} OR {_dataset(ssl)})\n"
        "| STATS sensors = COUNT_DISTINCT(an1498_sensor) BY an1498_address\n"
        "| WHERE sensors == 2\n"
        "| STATS joinable = COUNT(*)"
    )
