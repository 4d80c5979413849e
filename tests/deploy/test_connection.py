"""Where the SIEM is, and what may not be said: credentials in files, clear text over a network."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from tests.deploy.conftest import ROOT, Bench

from an1498.content import load_pack
from an1498.deploy import Drift, find_drift, open_session, plan_build
from an1498.deploy.connection import connection
from an1498.errors import ContentError, ExternalError, UsageError
from an1498.model import Target

TLS = Path(__file__).parent / "tls"
KEY = {"AN1498_ELASTIC_API_KEY": "k"}


def elastic(targets: Mapping[str, Target], **deploy: object) -> Target:
    return replace(targets["elastic"], options={"deploy": {"url": "https://kibana.example.org", **deploy}})


@pytest.mark.parametrize(
    ("environment", "deploy", "match"),
    [
        (KEY, {"url": ""}, "no URL of Kibana; set AN1498_ELASTIC_URL"),
        ({}, {}, "no credentials; set AN1498_ELASTIC_API_KEY, or AN1498_ELASTIC_USER and AN1498_ELASTIC_PASSWORD"),
        ({"AN1498_ELASTIC_USER": "me"}, {}, "no credentials"),
        (KEY, {"url": "http://kibana.example.org"}, "unencrypted to kibana.example.org"),
        (KEY, {"elasticsearch_url": "http://10.0.0.1:9200"}, "unencrypted to 10.0.0.1"),
        (KEY, {"url": "https://me:hunter2@kibana.example.org"}, "the URL holds credentials"),
        (KEY, {"url": "kibana.example.org"}, "is no URL such as"),
        (KEY, {"url": "ftp://kibana.example.org"}, "is no URL such as"),
        (KEY, {"url": "https://[::1"}, "is no URL"),
        (KEY, {"url": "https://kibana.example.org:port"}, "is no URL"),
        (KEY, {"url": "https://kibana.example.org/?x=1"}, "is no URL such as"),
        (KEY, {"space": "../default"}, "is no name of a space"),
        ({"AN1498_ELASTIC_API_KEY": "kéy"}, {}, "outside ASCII"),
        ({"AN1498_ELASTIC_API_KEY": "k\nHost: x"}, {}, "AN1498_ELASTIC_API_KEY: holds a line break"),
    ],
)
def test_refused(targets: Mapping[str, Target], environment: Mapping[str, str], deploy: Mapping[str, str], match: str) -> None:
    with pytest.raises(UsageError, match=match) as caught:
        connection(elastic(targets, **deploy), environment)
    assert "hunter2" not in str(caught.value)


def test_accepted(targets: Mapping[str, Target], tmp_path: Path) -> None:
    assert connection(elastic(targets, url="http://localhost:5601"), KEY).authorization == "ApiKey k"
    assert connection(elastic(targets, url="http://[::1]:5601/base/"), KEY).url == "http://[::1]:5601/base"
    assert connection(elastic(targets, url="http://kibana.example.org", allow_http=True), KEY).url.startswith("http:")
    found = connection(elastic(targets), KEY | {"AN1498_ELASTIC_URL": "https://other", "AN1498_ELASTIC_SPACE": "soc"})
    assert (found.url, found.place) == ("https://other", "soc")
    splunk = replace(targets["splunk-corelight"], options={"deploy": {"url": "https://s:8089"}})
    for word, scheme in (("TOKEN", "Bearer x"), ("SESSION_KEY", "Splunk x")):
        assert connection(splunk, {f"AN1498_SPLUNK_CORELIGHT_{word}": "x"}).authorization == scheme
    assert connection(splunk, {"AN1498_SPLUNK_CORELIGHT_USER": "a", "AN1498_SPLUNK_CORELIGHT_PASSWORD": "b"}).authorization == "Basic YTpi"
    for file in (tmp_path / "missing.pem", Path(__file__)):
        with pytest.raises(UsageError, match="is not a readable PEM file"):
            connection(elastic(targets, ca_file=str(file)), KEY).tls()
    context = connection(elastic(targets), KEY).tls()
    assert context.check_hostname and context.verify_mode.name == "CERT_REQUIRED"


def test_a_keyring_is_asked_where_there_is_one(targets: Mapping[str, Target], monkeypatch: pytest.MonkeyPatch) -> None:
    class KeyringError(Exception):
        pass

    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    vars(errors)["KeyringError"] = KeyringError
    vars(keyring)["get_password"] = lambda service, user: "from-keyring" if (service, user) == ("an1498", "elastic/api_key") else None
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert connection(elastic(targets), {}).authorization == "ApiKey from-keyring"
    assert connection(elastic(targets), KEY).authorization == "ApiKey k"

    def locked(service: str, user: str) -> str:
        raise KeyringError(service, user)

    vars(keyring)["get_password"] = locked
    with pytest.raises(UsageError, match="no credentials"):
        connection(elastic(targets), {})


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('api_key = "x"', r"site.toml:2:\d+: 'api_key' in 'deploy': credentials never stand in files"),
        ('urll = "https://x"', "did you mean 'url'"),
        ('app = "x"', "unknown key 'app' in 'deploy'"),
        ("url = 5", "not text"),
        ('allow_http = "yes"', "not true or false"),
    ],
)
def test_the_table_in_an_overlay(tmp_path: Path, line: str, match: str) -> None:
    overlay = tmp_path / "site.toml"
    overlay.write_text(f"[targets.elastic.deploy]\n{line}\n", encoding="utf-8")
    with pytest.raises(ContentError, match=match):
        load_pack(ROOT, (overlay,))


def test_certificates_are_verified(elastic: Bench) -> None:
    """A server whose certificate nobody signed: refused, unless that certificate is given as authority. Its name counts too."""
    with elastic.model.serving(TLS / "server.pem") as url:

        def drift(address: str, **options: str) -> tuple[Drift, ...]:
            deploy = {"url": address, "elasticsearch_url": address, "space": "soc", **options}
            target = replace(elastic.target, options={"deploy": deploy})
            with open_session(target, elastic.directory / "state", elastic.environment, clock=elastic.clock) as opened:
                plan_build(opened, elastic.directory / "dist")
                return find_drift(opened.siem, opened.store, opened.lock)

        with pytest.raises(ExternalError, match=r"CERTIFICATE_VERIFY_FAILED.*give the authority's certificate as ca_file"):
            drift(url)
        assert elastic.model.log == [] and elastic.waits == [], "no credential was sent, and nothing was tried again"
        assert drift(url, ca_file=str(TLS / "cert.pem")) == ()
        with pytest.raises(ExternalError, match="certificate is not valid for 'localhost'"):
            drift(url.replace("127.0.0.1", "localhost"), ca_file=str(TLS / "cert.pem"))
