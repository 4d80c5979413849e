"""The collectors' configurations: a logging profile for the Macs, Splunk's logd input, Elastic's unifiedlogs input.

Sources: os_log(5) and Apple, "SystemLogging" (device management); inputs.conf.spec of Splunk's logd input; Elastic, "Unified Logs input"
(Filebeat) and the integration "Custom macOS Unified Logs".
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import yaml

from an1498.model import Pack
from an1498.ship.collectors.predicate import predicate

KEPT = ("com.apple.CFNetwork", "com.apple.boringssl", "com.apple.network", "com.apple.security", "com.apple.securityd")
"""Subsystems whose records the endpoint rules read."""

_NAMESPACE = UUID("5e4bbd84-4d2c-5c4c-9bde-0c3f7a0f3c5d")


def config_files(pack: Pack) -> Mapping[str, bytes]:
    """Every file by its path."""
    text = predicate(pack)
    one_line = text.replace("\n", " ")
    return {
        "an1498.mobileconfig": _profile(pack),
        "elastic/filebeat.yml": _yaml(FILEBEAT, {"filebeat.inputs": [_unifiedlogs(text)]}),
        "elastic/unifiedlogs.yml": _yaml(AGENT, {"inputs": [_agent_input(text)]}),
        "predicate.txt": f"{text}\n".encode(),
        "splunk/inputs.conf": INPUTS.format(predicate=one_line).encode(),
    }


def _profile(pack: Pack) -> bytes:
    """Default-level records of these subsystems are enabled and kept; nothing is made more talkative, private data stay private."""
    level = {"Level": {"Enable": "Default", "Persist": "Default"}}
    payload = {
        "PayloadType": "com.apple.system.logging",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{pack.name}.logging",
        "PayloadUUID": str(uuid5(_NAMESPACE, "payload")).upper(),
        "PayloadDisplayName": "Unified log for AN1498",
        "Subsystems": {subsystem: {"DEFAULT-OPTIONS": level} for subsystem in KEPT},
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": pack.name,
        "PayloadUUID": str(uuid5(_NAMESPACE, "profile")).upper(),
        "PayloadDisplayName": "AN1498: keep what its rules read",
        "PayloadScope": "System",
        "PayloadContent": [payload],
    }
    return plistlib.dumps(profile, sort_keys=True)


def _unifiedlogs(text: str) -> dict[str, Any]:
    return {"type": "unifiedlogs", "id": "an1498", "enabled": True, "predicate": [" ".join(text.split("\n"))]}


def _agent_input(text: str) -> dict[str, Any]:
    stream = _unifiedlogs(text) | {"id": "an1498-stream", "data_stream": {"dataset": "unifiedlogs.log", "type": "logs"}}
    del stream["type"], stream["enabled"]
    return {"type": "unifiedlogs", "id": "an1498", "data_stream": {"namespace": "default"}, "streams": [stream]}


def _yaml(head: str, document: Mapping[str, Any]) -> bytes:
    return (head + yaml.safe_dump(document, sort_keys=False, width=10_000)).encode()


INPUTS = """\
# Splunk Universal Forwarder on each Mac, input logd. Written by an1498.ship.collectors from the endpoint rules.
# host_ip must be this Mac's own address as the Zeek sensor sees it: set it when the file is deployed, renew it when it changes.
[logd://an1498]
index = macos
sourcetype = logd
_meta = host_ip::CHANGE-ME
logd-info = false
logd-debug = false
logd-backtrace = false
logd-interval = 30
logd-predicate = {predicate}
"""
AGENT = """\
# Standalone Elastic Agent: the input that the integration unifiedlogs makes. Under Fleet, paste the predicate into its policy.
# Written by an1498.ship.collectors from the endpoint rules.
"""
FILEBEAT = """\
# Filebeat's input unifiedlogs. Send it to the data stream logs-unifiedlogs.log-default, whose ingest pipeline names the fields.
# Written by an1498.ship.collectors from the endpoint rules.
"""
