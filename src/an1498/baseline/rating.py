"""Why a value that looks normal may not be. What is risky is proposed with its reasons, and never accepted unless a reviewer says so."""

from __future__ import annotations

from collections.abc import Iterator

from an1498.baseline.learn import Observed
from an1498.model import Pack

_SCRIPTABLE = frozenset(
    [
        "bash",
        "curl",
        "dash",
        "java",
        "ksh",
        "nc",
        "ncat",
        "node",
        "npm",
        "openssl",
        "osascript",
        "perl",
        "php",
        "pwsh",
        "python",
        "python2",
        "python3",
        "ruby",
        "sh",
        "ssh",
        "tclsh",
        "wget",
        "zsh",
    ]
)
_SHORT_S = 3600


def reasons(pack: Pack, seen: Observed) -> Iterator[str]:
    """One sentence each; none for a value that is rated normal."""
    match seen.knob.parameter:
        case "allowed_processes":
            yield from _process(pack, seen)
        case "allowed_launchd_labels":
            if seen.value.lower().startswith("com.apple."):
                yield "malware likes labels that look like Apple's"
            if seen.value.startswith("application."):
                yield "the label is an application's, not a service's"
        case "trusted_endpoint_addresses":
            yield from _server(seen)
        case "trusted_issuers":
            yield from _issuer(seen)
        case _:
            yield "the client chooses the server name: an implant that sends it goes unseen"
    if len(seen.hosts) <= 1 and seen.last_s - seen.first_s < _SHORT_S:
        yield "seen on one machine only, within one hour"


def _process(pack: Pack, seen: Observed) -> Iterator[str]:
    path = seen.value.lower()
    parameter = pack.parameters.get("user_writable_paths")
    writable = parameter.value if parameter is not None and isinstance(parameter.value, tuple) else ()
    place = next((str(start) for start in writable if path.startswith(str(start).lower())), None)
    if place is not None:
        yield f"a user can write below {place}: anybody may put another program there"
    if "/../" in path or not path.startswith("/") or "//" in path:
        yield "not a plain absolute path"
    name = path.rsplit("/", 1)[-1]
    if name in _SCRIPTABLE or name.rstrip("0123456789.") in _SCRIPTABLE:
        yield "runs what anybody tells it to: allowing it allows every script"


def _server(seen: Observed) -> Iterator[str]:
    if len(seen.hosts) > 1:
        return
    if any(_self_signed(status) for status in seen.details.get("validation_status", ())):
        yield "a self-signed server that one machine only talks to: that is what a command-and-control server looks like"
    else:
        yield "one machine only talks to this server"


def _issuer(seen: Observed) -> Iterator[str]:
    if any(_self_signed(status) for status in seen.details.get("validation_status", ())):
        yield "certificates with this issuer are self-signed: anybody can write the name"
    if len(seen.all_of("id.resp_h")) == 1:
        yield "one server only has certificates of this issuer: list its address instead"
    if len(seen.hosts) <= 1:
        yield "one machine only meets this issuer"


def _self_signed(status: str | None) -> bool:
    return status is not None and status.lower().replace("-", " ") == "self signed certificate"
