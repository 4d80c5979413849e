"""How to reach a target's SIEM: where it is from an1498.toml or the environment, credentials from the environment or a keyring only.

    AN1498_<TARGET>_URL, …_ELASTICSEARCH_URL, …_HEC_URL, …_CA_FILE, …_SPACE, …_APP          over [targets.<name>.deploy]
    Elastic   AN1498_<TARGET>_API_KEY, or …_USER and …_PASSWORD
    Splunk    AN1498_<TARGET>_TOKEN (bearer), or …_SESSION_KEY, or …_USER and …_PASSWORD; …_HEC_TOKEN for `verify`

<TARGET> is the target's name in upper case with `_` for `-`. Where a variable is not set and the package `keyring` is installed, it
is asked for service `an1498`, user name `<target>/<api_key|token|…>`.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from an1498.errors import UsageError
from an1498.model import Target

SECRETS = {"elastic": ("API_KEY", "USER", "PASSWORD"), "splunk": ("TOKEN", "SESSION_KEY", "USER", "PASSWORD", "HEC_TOKEN")}
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
"""Spaces of Kibana and apps of Splunk: what may stand in a path without encoding."""


@dataclass(frozen=True, slots=True)
class Connection:
    """`url` is Kibana's or splunkd's management port, `second_url` Elasticsearch's or the HTTP event collector's, empty where not given;
    `place` the space or app. Secrets never show in `repr`."""

    target: str
    backend: str
    url: str
    second_url: str
    place: str
    authorization: str = field(repr=False)
    hec_token: str = field(repr=False, default="")
    ca_file: Path | None = None
    test_store: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may hold: each credential as given and as sent."""
        words = [word for word in (self.hec_token, self.authorization, self.authorization.partition(" ")[2]) if word]
        if self.authorization.startswith("Basic "):
            decoded = base64.b64decode(words[-1]).decode("utf-8", "replace")
            words += [decoded, decoded.partition(":")[2]]
        return tuple(sorted((word for word in set(words) if word), key=len, reverse=True))

    def tls(self) -> ssl.SSLContext:
        """Verification is always on; `ca_file` replaces the system's authorities. Raises UsageError."""
        if self.ca_file is None:
            return ssl.create_default_context()
        try:
            return ssl.create_default_context(cafile=str(self.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{self.ca_file}: is not a readable PEM file of certificate authorities ({_why(error)})") from error


def connection(target: Target, environment: Mapping[str, str]) -> Connection:
    """The connection of a target. Raises UsageError with the variable or key to set."""
    prefix = variable_prefix(target.name)
    options: Mapping[str, str | bool] = target.options.get("deploy", {})

    def setting(name: str) -> str:
        return environment.get(prefix + name.upper(), "").strip() or str(options.get(name, "")).strip()

    insecure = options.get("allow_http") is True or environment.get(f"{prefix}ALLOW_HTTP") == "1"
    elastic = target.backend == "elastic"
    url = setting("url")
    if not url:
        what = "Kibana" if elastic else "Splunk's management port, for instance https://splunk.example.org:8089"
        raise UsageError(f"target '{target.name}' has no URL of {what}; set {prefix}URL, or url in [targets.{target.name}.deploy]")
    second = setting("elasticsearch_url" if elastic else "hec_url")
    for place, given in ((f"{prefix}URL", url), (f"{prefix}{'ELASTICSEARCH' if elastic else 'HEC'}_URL", second)):
        if given:
            check_url(given, place, insecure=insecure)
    name = setting("space" if elastic else "app") or ("default" if elastic else "an1498")
    if not NAME.fullmatch(name):
        raise UsageError(
            f"target '{target.name}': {name[:40]!r} is no name of a {'space' if elastic else 'Splunk app'}; use letters, digits, _ and -"
        )
    secrets = {word: _secret(target.name, prefix, word, environment) for word in SECRETS[target.backend]}
    ca_file = setting("ca_file")
    return Connection(
        target=target.name,
        backend=target.backend,
        url=url.rstrip("/"),
        second_url=second.rstrip("/"),
        place=name,
        authorization=_authorization(target, prefix, secrets),
        hec_token=secrets.get("HEC_TOKEN", ""),
        ca_file=Path(ca_file) if ca_file else None,
        test_store=setting("test_namespace" if elastic else "test_index"),
    )


def variable_prefix(target: str) -> str:
    """The beginning of a target's environment variables."""
    return f"AN1498_{target.upper().replace('-', '_')}_"


def check_url(url: str, place: str, *, insecure: bool) -> None:
    """Raises UsageError for what is no URL of a server, names credentials, or would send them in clear text over a network."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{place}: is no URL ({error})") from error
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{place}: the URL holds credentials; take them out, they come from the environment")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError(f"{place}: {url[:80]!r} is no URL such as https://siem.example.org:5601")
    if parts.scheme == "http" and not insecure and not _loopback(host):
        raise UsageError(
            f"{place}: http:// would send credentials unencrypted to {host}; use https://, or set allow_http = true if you must"
        )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secret(target: str, prefix: str, word: str, environment: Mapping[str, str]) -> str:
    found = environment.get(prefix + word) or _from_keyring(f"{target}/{word.lower()}")
    if any(ord(character) < 32 or ord(character) == 127 for character in found):
        raise UsageError(f"{prefix}{word}: holds a line break or control character; set it without")
    if word not in ("USER", "PASSWORD") and not found.isascii():
        raise UsageError(f"{prefix}{word}: holds a character outside ASCII, which no key or token has; copy it again")
    return found


def _from_keyring(user: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return str(keyring.get_password("an1498", user) or "")
    except KeyringError:
        # A machine without a keyring service: the same as an empty one.
        return ""


def _authorization(target: Target, prefix: str, secrets: Mapping[str, str]) -> str:
    """The header's value (Elastic: "Token-based authentication services"; Splunk: REST API User Manual, "Authentication")."""
    schemes = {"API_KEY": "ApiKey", "TOKEN": "Bearer", "SESSION_KEY": "Splunk"}
    for word, scheme in schemes.items():
        if secrets.get(word):
            return f"{scheme} {secrets[word]}"
    if secrets["USER"] and secrets["PASSWORD"]:
        return "Basic " + base64.b64encode(f"{secrets['USER']}:{secrets['PASSWORD']}".encode()).decode()
    first = next(word for word in schemes if word in secrets)
    raise UsageError(
        f"target '{target.name}' has no credentials; set {prefix}{first}, or {prefix}USER and {prefix}PASSWORD, in the environment"
    )


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
