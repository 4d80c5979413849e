"""Questions about Zeek's logs."""

from __future__ import annotations

from collections.abc import Iterator

from an1498.readiness import remedies
from an1498.readiness.levels import level_of_share
from an1498.readiness.report import Question
from an1498.readiness.tally import Sessions, Tally


def questions(tally: Tally) -> Iterator[Question]:
    tls = tally.tls
    yield Question(
        "zeek-ssl",
        "Is Zeek's ssl.log there?",
        4 if tls.sessions else 0,
        f"{tls.sessions:,} sessions of {len(tls.clients.counts):,} clients" if tls.sessions else "no TLS session",
        {"sessions": tls.sessions, "clients": len(tls.clients.counts), "versions": dict(tls.versions.most_common())},
        () if tls.sessions else (remedies.ZEEK_SSL,),
        essential=True,
    )
    yield _share(
        "validation-status",
        "Does Zeek validate certificates?",
        tls.validated,
        tls.certificates,
        "sessions with a certificate have validation_status",
        (remedies.VALIDATE,),
        {"verdicts": dict(tls.verdicts.most_common())},
        essential=True,
    )
    joined, leaves = tls.joined()
    yield _share(
        "certificates",
        "Do sessions join their certificates in x509.log?",
        joined,
        leaves,
        "leaf certificates of sessions are in x509.log, by fingerprint or fuid",
        (remedies.X509,),
        {"certificates_known": len(tls.known), "sessions_not_counted": tls.leaves.other},
    )
    yield _share("sni", "Do sessions have a server name (SNI)?", tls.named, tls.sessions, "sessions have server_name", (remedies.ZEEK_SSL,))
    yield _share(
        "ssl-history", "Does Zeek log ssl_history?", tls.history, tls.sessions, "sessions have ssl_history", (remedies.NEWER_ZEEK,)
    )
    yield _share(
        "sni-matches-cert",
        "Does Zeek compare the name with the certificate?",
        tls.name_checks,
        tls.nameable,
        "sessions with name and certificate have sni_matches_cert",
        (remedies.NEWER_ZEEK,),
    )
    yield _visible(tls)


def _visible(tls: Sessions) -> Question:
    """The level is that of the share that is not blind: TLS 1.3 hides certificates, a resumed session has none."""
    level = level_of_share(tls.sessions - tls.blind, tls.sessions)
    share = f"{tls.blind / tls.sessions:.0%}" if tls.sessions else ""
    return Question(
        "blind-share",
        "Of how many sessions can the sensor see the certificate?",
        level,
        f"{share} of {tls.sessions:,} sessions are blind: {tls.tls13:,} TLS 1.3, {tls.resumed:,} resumed" if share else "no TLS session",
        {"sessions": tls.sessions, "blind": tls.blind, "tls13": tls.tls13, "resumed": tls.resumed, "with_ja3_or_ja4": tls.fingerprinted},
        () if level in (4, None) else (remedies.BLIND, *(() if tls.fingerprinted else (remedies.JA,))),
    )


def _share(
    code: str,
    title: str,
    part: int,
    whole: int,
    of_what: str,
    wanted: tuple[str, ...],
    more: dict[str, object] | None = None,
    *,
    essential: bool = False,
) -> Question:
    level = level_of_share(part, whole)
    return Question(
        code,
        title,
        level,
        f"{part:,} of {whole:,} {of_what} ({part / whole:.0%})" if whole else "nothing to take a share of",
        {"part": part, "whole": whole} | (more or {}),
        () if level in (4, None) else wanted,
        essential=essential,
    )
