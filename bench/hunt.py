"""Measures `an1498 hunt`: `.venv/bin/python bench/hunt.py [EVENTS] [DIRECTORY]`; prints wall time, events per second and peak memory.

Generates EVENTS (default 1,000,000) unified log records and as many Zeek ssl.log rows of 50 Macs in one day, with a known number of
incidents in them, and checks that hunt finds exactly those. Files in DIRECTORY are kept, and used again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOSTS = 50
INCIDENTS = 40
START = datetime(2026, 1, 15, tzinfo=UTC)
DAY_S = 86_400
SECURITY = "/System/Library/Frameworks/Security.framework/Versions/A/Security"
NETWORK = "/System/Library/Frameworks/CFNetwork.framework/Versions/A/CFNetwork"
PROCESSES = (
    "/usr/libexec/trustd",
    "/usr/libexec/nsurlsessiond",
    "/Applications/Safari.app/Contents/MacOS/Safari",
    "/Applications/Mail.app/Contents/MacOS/Mail",
    *(f"/usr/libexec/daemon{number}" for number in range(40)),
)
SUBSYSTEMS = ("com.apple.network", "com.apple.xpc", "com.apple.runningboard", "com.apple.CFNetwork", "com.apple.securityd")
FIELDS = [
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "version",
    "cipher",
    "curve",
    "server_name",
    "resumed",
    "last_alert",
    "next_protocol",
    "established",
    "ssl_history",
    "cert_chain_fps",
    "client_cert_chain_fps",
    "sni_matches_cert",
    "validation_status",
]
TYPES = [
    "time",
    "string",
    "addr",
    "port",
    "addr",
    "port",
    "string",
    "string",
    "string",
    "string",
    "bool",
    "string",
    "string",
    "bool",
    "string",
    "vector[string]",
    "vector[string]",
    "bool",
    "string",
]


def address(host: int) -> str:
    return f"10.20.{host // 200}.{host % 200 + 1}"


def incidents() -> dict[int, list[float]]:
    """Host → seconds of the day at which it uses a key and, 20 s later, meets a self-signed server."""
    found: dict[int, list[float]] = {}
    for number in range(INCIDENTS):
        found.setdefault(number % HOSTS, []).append(1000.0 + number * 2000.0)
    return found


def record(second: float, chance: random.Random) -> dict[str, object]:
    moment = START + timedelta(seconds=second)
    return {
        "timezoneName": "",
        "messageType": "Default",
        "eventType": "logEvent",
        "source": None,
        "formatString": "%{public}s [%d] state %{public}@ changed from %d to %d",
        "userID": 501,
        "activityIdentifier": chance.randrange(10**6),
        "subsystem": chance.choice(SUBSYSTEMS),
        "category": "default",
        "threadID": chance.randrange(10**6),
        "senderImageUUID": "C1E0C1D4-6E0B-3E5B-9D4C-0D0E8C6E8C31",
        "backtrace": {"frames": [{"imageOffset": chance.randrange(10**6), "imageUUID": "C1E0C1D4-6E0B-3E5B-9D4C-0D0E8C6E8C31"}]},
        "bootUUID": "7B3C5A3E-4C6C-4B54-8D6D-4F2A0B7F6A11",
        "processImagePath": chance.choice(PROCESSES),
        "senderImagePath": NETWORK,
        "timestamp": moment.strftime("%Y-%m-%d %H:%M:%S.%f+0000"),
        "machTimestamp": int(second * 1e9),
        "eventMessage": f"Task <{chance.randrange(2**32):08X}>.<{chance.randrange(99)}> finished in {chance.randrange(10**4)} ms, state",
        "processImageUUID": "D1E0C1D4-6E0B-3E5B-9D4C-0D0E8C6E8C31",
        "traceID": chance.randrange(2**64),
        "processID": chance.randrange(100, 2000),
        "senderProgramCounter": chance.randrange(10**6),
        "parentActivityIdentifier": 0,
    }


def activity(second: float, label: str, process: str, chance: random.Random) -> dict[str, object]:
    found = record(second, chance) | {"eventType": "activityCreateEvent", "eventMessage": label, "senderImagePath": SECURITY}
    found["processImagePath"] = process
    del found["messageType"], found["subsystem"]
    return found


def write_unifiedlogs(folder: Path, events: int) -> None:
    """One file per Mac, in the order of time. One record in 50 is an activity, mostly of an allowed daemon."""
    chance = random.Random(1)
    for host in range(HOSTS):
        keys = sorted(incidents().get(host, []))
        count = events // HOSTS
        with (folder / f"mac-{host:03d}.ndjson").open("w") as stream:
            for number in range(count - len(keys)):
                second = number * DAY_S / count
                while keys and keys[0] <= second:
                    stream.write(line(activity(keys.pop(0), "SecKeyCreateSignature", "/Users/Shared/.cache/updaterd", chance)))
                if chance.random() < 0.02:
                    # Other programs verify signatures too, but 10 minutes away from any odd session of their Mac.
                    label = chance.choice(("SecTrustEvaluateIfNecessary", "SecItemCopyMatching", "SecKeyVerifySignature"))
                    stream.write(line(activity(second, label, "/usr/libexec/trustd", chance)))
                else:
                    stream.write(line(record(second, chance)))


def line(found: dict[str, object]) -> str:
    return json.dumps(found, separators=(",", ":")).replace("/", "\\/") + "\n"


def write_ssl(folder: Path, events: int) -> None:
    """Sessions of all Macs; one in 200 has an odd certificate, at Macs and times that no key use precedes within 5 minutes."""
    chance = random.Random(2)
    due = sorted((second + 20.0, host) for host, seconds in incidents().items() for second in seconds)
    with (folder / "ssl.log").open("w") as stream:
        stream.write(
            "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssl\n#open\t2026-01-15-00-00-00\n"
        )
        stream.write("#fields\t" + "\t".join(FIELDS) + "\n#types\t" + "\t".join(TYPES) + "\n")
        for number in range(events - len(due)):
            second = number * DAY_S / events
            while due and due[0][0] <= second:
                at, host = due.pop(0)
                stream.write(session(at, address(host), "203.0.113.66", "self signed certificate", chance))
            quiet = chance.randrange(HOSTS, HOSTS + 2000)
            verdict = "unable to get local issuer certificate" if chance.random() < 0.005 else "ok"
            machine = address(quiet if verdict != "ok" else chance.randrange(HOSTS))
            stream.write(session(second, machine, f"93.184.{chance.randrange(200)}.{chance.randrange(1, 250)}", verdict, chance))
        stream.write("#close\t2026-01-16-00-00-00\n")


def session(second: float, client: str, server: str, verdict: str, chance: random.Random) -> str:
    name = f"host{chance.randrange(5000)}.cdn{chance.randrange(300)}.example.com"
    prints = f"{chance.getrandbits(256):064x},{chance.getrandbits(256):064x}"
    cells = f"{START.timestamp() + second:.6f} C{chance.getrandbits(80):x} {client} {chance.randrange(49152, 65535)} {server} 443"
    rest = f"TLSv12 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 secp256r1 {name} F - h2 T CsxknGIi {prints} - T"
    return "\t".join([*cells.split(" "), *rest.split(" "), verdict]) + "\n"


def generate(folder: Path, events: int) -> None:
    (folder / "unifiedlog").mkdir(parents=True, exist_ok=True)
    (folder / "zeek").mkdir(exist_ok=True)
    write_unifiedlogs(folder / "unifiedlog", events)
    write_ssl(folder / "zeek", events)
    rows = [f"unifiedlog/mac-{host:03d}.ndjson,mac-{host:03d},{address(host)}" for host in range(HOSTS)]
    (folder / "hosts.csv").write_text("\n".join(["path,name,ip", *rows]) + "\n")


def measure(folder: Path) -> tuple[float, float, int]:
    """(seconds of the whole process, its peak memory in MiB, alerts of the ordered correlation)."""
    command = [sys.executable, "-m", "an1498", "hunt", str(folder), "--host-map", str(folder / "hosts.csv"), "--format", "json"]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    rule = "an1498_public_key_use_then_unrecognised_certificate"
    return seconds, usage.ru_maxrss / 1024, sum(json.loads(row)["rule"] == rule for row in output.splitlines())


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[2] if len(sys.argv) > 2 else temporary) / f"hunt-{events}"
        if not (folder / "hosts.csv").exists():
            generate(folder, events)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        seconds, memory, alerts = measure(folder)
        seconds = min(seconds, measure(folder)[0])
        rate, load = 2 * events / seconds, os.getloadavg()[0]
        print(f"hunt, {events:,} unified log + {events:,} ssl.log ({size / 2**20:,.0f} MiB): {seconds:.2f} s, {rate:,.0f} events/s")
        print(f"peak memory {memory:,.0f} MiB; {alerts} of {INCIDENTS} incidents; load average {load:.1f} on {os.cpu_count()} cores")
        if alerts != INCIDENTS:
            sys.exit("bench: hunt found other incidents than were generated")


if __name__ == "__main__":
    main()
