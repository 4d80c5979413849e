"""What to switch on: exact commands, settings and profiles, by what is missing.

Sources: log(1) and the com.apple.system.logging payload (Apple), Zeek's script reference, Splunk's inputs.conf, Elastic's `@custom`
pipelines; what of it is inferred is said in telemetry.md.
"""

from __future__ import annotations

from collections.abc import Mapping

STREAM = "log stream --style ndjson --type activity --type log"
UNIFIED_LOG = f"collect the unified log of each Mac: {STREAM}  (Splunk: [logd://…], Elastic: integration unifiedlogs)"
ACTIVITIES = f"collect activities, where SecKey calls show: {STREAM}  (no predicate that demands a subsystem)"
SECKEY_ERRORS = (
    'let errors of the Security framework through: --predicate \'… OR (subsystem == "com.apple.security" AND category == "seckey")\''
)
LEGACY_RSA = (
    "to see legacy CSSM RSA code as well, at a cost in volume: "
    "sudo log config --subsystem com.apple.securityd --mode level:debug,persist:debug"
)
LAUNCHD = "let launchd's records through: --predicate '… OR processImagePath == \"/sbin/launchd\"'"
ATTRIBUTION = "keep processImagePath and processID in the forwarder (Splunk: no SEDCMD or props that drop them; Elastic: no drop_fields)"
TRUST = 'let trust verdicts through: --predicate \'… OR (subsystem == "com.apple.securityd" AND category == "SecError")\''
TLS_HOST = (
    "keep TLS records of the Mac: sudo log config --subsystem com.apple.network --mode level:default,persist:default; "
    '--predicate \'… OR subsystem == "com.apple.network" OR subsystem == "com.apple.boringssl" OR subsystem == "com.apple.CFNetwork"\''
)
PRIVATE = (
    "to see private data, install a com.apple.system.logging profile with Subsystems → com.apple.network → "
    "Enable-Private-Data: true (MDM only)"
)
ZEEK_SSL = "give the sensor a mirror of the Macs' traffic before address translation; ssl.log is on by default (base/protocols/ssl)"
VALIDATE = "load certificate validation: echo '@load policy/protocols/ssl/validate-certs' >> local.zeek && zeekctl deploy"
X509 = "keep x509.log beside ssl.log (base/files/x509) and archive both for the same time; a certificate is logged once a day"
NEWER_ZEEK = "update Zeek to 4.1 or later, which adds ssl_history, cert_chain_fps and sni_matches_cert to ssl.log"
SCRIPT = "add the Zeek scripts of this pack (zeek/), which compute an1498_* fields"
JA = "for fingerprints that TLS 1.3 does not hide: zkg install ja3 && zkg install foxio/ja4"
BLIND = (
    "nothing to switch on: a passive sensor cannot see these certificates; rely on the Mac's own trust verdicts, "
    "alerts (unknown_ca) and JA4"
)
ADDRESS_SPLUNK = "stamp each Mac's address, Splunk inputs.conf: _meta = host_ip::10.20.0.42"
ADDRESS_ELASTIC = "Elastic: load the ingest pipeline logs-unifiedlogs.log@custom, which sets an1498.entity from host.ip"
ADDRESS_FILE = "for this archive: --host NAME=ADDRESS, or a file hosts.csv beside the logs with the columns path,name,ip"
SAME_ADDRESS = "mirror traffic where Macs have their own addresses (before NAT, VPN or proxy), or resolve addresses with dhcp.log"
CLOCK = (
    "synchronise both: sudo sntp -sS time.apple.com on Macs, chrony or ntpd on the sensor; then set clock_skew to the largest skew + bound"
)
CLOCK_EVIDENCE = "to measure it, keep TLS records of the Mac and its address: " + TLS_HOST
RETENTION = "keep both sources for at least 30 days; find out what stopped in the gaps"

_BY_NEED: Mapping[str, tuple[str, ...]] = {
    "macos/unifiedlog records": (UNIFIED_LOG,),
    "eventType=activityCreateEvent": (ACTIVITIES,),
    "processImagePath=/sbin/launchd": (LAUNCHD,),
    "host.ip": (ADDRESS_SPLUNK, ADDRESS_ELASTIC, ADDRESS_FILE),
    "host.name": (ADDRESS_FILE,),
    "an address in both sensors": (SAME_ADDRESS,),
    "zeek/ssl records": (ZEEK_SSL,),
    "zeek/x509 records": (X509,),
    "zeek/conn records": ("conn.log is on by default (base/protocols/conn); archive it beside ssl.log",),
    "validation_status": (VALIDATE,),
    "sni_matches_cert": (NEWER_ZEEK,),
    "ssl_history": (NEWER_ZEEK,),
    "cert_chain_fps": (NEWER_ZEEK,),
    "an1498_": (SCRIPT,),
    "certificate.": (X509,),
    "processID": (ATTRIBUTION,),
    "processImagePath": (ATTRIBUTION,),
    "subsystem": (UNIFIED_LOG,),
}


def for_needs(why: str) -> tuple[str, ...]:
    """What to switch on for the needs that a rule's `why` names."""
    found = [remedy for need, remedies in _BY_NEED.items() if need in why for remedy in remedies]
    return tuple(dict.fromkeys(found))
