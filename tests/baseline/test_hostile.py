"""Strings that an attacker chose stay data: the overlay and the filters match exactly them, in every language, and nothing else."""

from __future__ import annotations

import random
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from sigma.types import SigmaString
from tests.readiness.archives import SECURITY

from an1498.baseline.document import read_proposals, to_yaml
from an1498.baseline.effect import Effect
from an1498.baseline.escaping import sigma_literal, unfit
from an1498.baseline.overlay import filters, overlay_toml
from an1498.baseline.proposals import Proposal
from an1498.compiler import compile_search
from an1498.content import load_pack
from an1498.content.rules import load_rule
from an1498.errors import ContentError, Location
from an1498.model import Filter, Host, Language, NativeEvent
from an1498.replay.alerts import index_streams
from an1498.replay.prepare import prepare

ROOT = Path(__file__).parents[2]
PACK = load_pack(ROOT)
TODAY = date(2026, 1, 15)

_PARTS = list("*?\\\"'%|$`#}{][()/:,<>&=!~aZ0 éß漢😀.-_")
_PARTS += ["%allowed_processes%", "\\*", "\\\\*", '"]\n', '"""', "'''", " OR 1=1", "| delete", " NOT ", "*/ //", "${x}", "{{7*7}}"]
_PARTS += ["!!python", "- ", "# ", "/usr/bin/x", "null", "true", "TO_LOWER", "\u202e", "\x00", "\t", "\x1b[2J", "\ud800"]


def hostile(seed: int) -> str:
    drawn = random.Random(seed)
    return "/" + "".join(drawn.choice(_PARTS) for _ in range(drawn.randint(1, 12)))


VALUES = list(dict.fromkeys(hostile(seed) for seed in range(1100)))
FIT = [value for value in VALUES if not unfit(value)]


def proposal(value: str, parameter: str = "allowed_processes", **more: Any) -> Proposal:
    base = Proposal(
        id="P0001",
        parameter=parameter,
        value=value,
        risks=(),
        matched={"macos_public_key_use": 9},
        hosts=3,
        host_names=(),
        first="2026-01-01T00:00:00Z",
        last="2026-01-02T00:00:00Z",
        also={},
        details={},
        expires=date(2026, 4, 15),
        accepted=True,
    )
    return replace(base, **more)


def test_there_are_enough_values_of_both_kinds() -> None:
    assert len(FIT) >= 500
    assert len(VALUES) - len(FIT) >= 100
    assert all(unfit(text) for text in ("", "  ", "a\nb", "a\x00", "\u202eexe", "\ud800", "x" * 257, "*" * 129))


def test_every_value_is_one_plain_text_to_sigma() -> None:
    for value in FIT:
        parsed = SigmaString(sigma_literal(value))
        assert not parsed.contains_special(), value
        assert "".join(str(part) for part in parsed.s) == value


def test_the_file_of_proposals_gives_every_value_back(tmp_path: Path) -> None:
    file = tmp_path / "proposals.yml"
    every = tuple(proposal(value, id=f"P{number}") for number, value in enumerate(FIT))
    file.write_text(to_yaml(Effect(every, {}, {}, {}), target="splunk", files=1, events=1), encoding="utf-8")
    assert [one.value for one in read_proposals(file)] == FIT


def test_the_overlay_holds_exactly_these_values_and_loads(tmp_path: Path) -> None:
    file = tmp_path / "overlay.toml"
    names = ("allowed_processes", "trusted_issuers", "allowed_launchd_labels")
    accepted = [proposal(value, parameter) for value in FIT for parameter in names]
    file.write_text(overlay_toml(PACK, accepted), encoding="utf-8")
    lists = tomllib.loads(file.read_text(encoding="utf-8"))["parameters"]
    assert set(lists) == set(names)
    loaded = load_pack(ROOT, [file])
    for name in lists:
        before = PACK.parameters[name].value
        assert isinstance(before, tuple)
        assert loaded.parameters[name].value == (*before, *map(sigma_literal, FIT))


def key_use(path: str, number: int) -> NativeEvent:
    fields = {
        "eventType": "activityCreateEvent",
        "eventMessage": "SecKeyCreateSignature",
        "senderImagePath": SECURITY,
        "processImagePath": path,
        "processID": number,
        "host.name": "mac",
        "host.ip": ["10.20.0.42"],
    }
    return NativeEvent(
        "macos", "unifiedlog", 1_768_000_000_000_000 + number, fields, Location("x", number + 1), Host("mac", ips=("10.20.0.42",))
    )


LANGUAGES = [("splunk", Language.SPL), ("elastic", Language.EQL), ("elastic", Language.ESQL), ("elastic", Language.LUCENE)]
BATCH = 60


@pytest.mark.parametrize(("target", "language"), LANGUAGES)
@pytest.mark.parametrize("start", range(0, 540, BATCH))
def test_accepted_values_hide_their_own_events_and_no_others(tmp_path: Path, target: str, language: Language, start: int) -> None:
    """Half of the values are accepted; each has a neighbour that a wildcard, or an escape gone wrong, would hide too."""
    chosen = FIT[start : start + BATCH]
    accepted = chosen[::2]
    file = tmp_path / "overlay.toml"
    file.write_text(overlay_toml(PACK, [proposal(value) for value in accepted]), encoding="utf-8")
    pack = load_pack(ROOT, [file])
    paths = [*chosen, *(value.replace("*", "x").replace("?", "y").replace("\\", "") + "z" for value in accepted)]
    events = [key_use(path, number) for number, path in enumerate(paths)]
    search = compile_search(pack, "macos_public_key_use", target, language)
    prepared = prepare(language, search.text, macros=pack.targets[target].macros)
    lowered = {value.lower() for value in accepted}
    with duckdb.connect() as connection:
        indexed = index_streams(connection, pack.targets[target], [[event] for event in events])
        found = {row.stream for row in prepared.execute(indexed.table)}
    assert found == {number for number, path in enumerate(paths) if path.lower() not in lowered}


def test_filters_load_and_say_the_value_exactly(tmp_path: Path) -> None:
    for number, value in enumerate(FIT):
        also = {"eventMessage": ("SecKeyCreateSignature", value)}
        ((name, text),) = filters(PACK, [proposal(value, also=also)], TODAY).items()
        if number % 10:
            continue
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        loaded = load_rule(file, PACK.parameters)
        assert isinstance(loaded, Filter)
        selection = loaded.document["filter"]["selection"]
        assert selection == {
            "processImagePath": sigma_literal(value),
            "eventMessage": ["SecKeyCreateSignature", sigma_literal(value)],
        }
        assert yaml.safe_load(text)["filter"]["rules"] == ["macos_public_key_use"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"parameter": "payload_entropy_threshold"}, "payload_entropy_threshold"),
        ({"accepted": "yes please"}, "true or false"),
        ({"expires": "soon"}, "not a date"),
        ({"parameter": "trusted_endpoint_addresses"}, "no address"),
        ({"value": "\u202ex"}, "invisible"),
        ({"note": "x"}, "note"),
    ],
)
def test_an_edited_file_is_checked(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    file = tmp_path / "proposals.yml"
    document = yaml.safe_load(to_yaml(Effect((proposal("/usr/local/bin/x"),), {}, {}, {}), target="splunk", files=1, events=1))
    document["proposals"][0] |= change
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContentError, match=problem) as caught:
        read_proposals(file)
    assert caught.value.location.line > 0
