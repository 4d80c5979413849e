"""pySigma runs offline and leaves no trace."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest

from an1498.content import Finding, check
from an1498.content.data import ATTACK, attack_object, sigma_schema
from an1498.content.sigma import offline_attack


def test_check_opens_no_network_connection_and_touches_no_cache(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sigma.data import mitre_attack, mitre_d3fend

    def refused(*_arguments: object, **_options: object) -> None:
        raise AssertionError("pySigma went to the network")

    for module in (mitre_attack, mitre_d3fend):
        monkeypatch.setattr(module, "urlopen", refused)
        monkeypatch.setattr(module, "_DEFAULT_CACHE_DIR", tmp_path / "home" / module.__name__)
        monkeypatch.setattr(module, "_cache", None)
    before = (mitre_attack._cache, mitre_attack._custom_url, mitre_attack._custom_cache_dir)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert len(check(root)) == 1
    assert (mitre_attack._cache, mitre_attack._custom_url, mitre_attack._custom_cache_dir) == before
    assert not (tmp_path / "home").exists()
    assert list(temporary.iterdir()) == []


def test_the_users_own_choice_of_data_survives_a_failure() -> None:
    from sigma.data import mitre_attack

    before = (mitre_attack._cache, mitre_attack._custom_url, mitre_attack._custom_cache_dir)
    with pytest.raises(ZeroDivisionError), offline_attack():
        assert "T1573.002" in mitre_attack.mitre_attack_techniques
        assert mitre_attack.mitre_attack_version == "19.1"
        raise ZeroDivisionError
    assert (mitre_attack._cache, mitre_attack._custom_url, mitre_attack._custom_cache_dir) == before


def test_two_threads_may_check_at_once(root: Path) -> None:
    results: list[tuple[Finding, ...]] = []
    threads = [threading.Thread(target=lambda: results.append(check(root))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(set(results)) == 1


def test_the_copies_are_mitres_and_sigmas_and_keep_the_licence() -> None:
    analytic, strategy = attack_object("AN1498"), attack_object("DET0543")
    assert analytic["id"] in strategy["x_mitre_analytic_refs"]
    assert attack_object("T1573.002")["name"] == "Asymmetric Cryptography"
    statement = "© 2026 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation."
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    assert statement in (ATTACK / "LICENSE.txt").read_text(encoding="utf-8")
    assert statement in notice
    assert "content/data/attack/LICENSE.txt" in notice
    assert {sigma_schema(kind)["type"] for kind in ("detection-rule", "correlation-rules", "filters")} == {"object"}
