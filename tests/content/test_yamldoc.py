"""YAML and TOML values and places; and no input, however mangled, leads to anything but a ContentError."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from an1498.content import load_pack
from an1498.content.conditions import check_condition
from an1498.content.node import Document
from an1498.content.scenarios import load_scenario
from an1498.content.tomldoc import parse_toml
from an1498.content.yamldoc import parse_yaml
from an1498.errors import ContentError, Location

PACK = Path(__file__).parent / "pack"
FILES = sorted(path.relative_to(PACK) for path in PACK.rglob("*") if path.suffix in (".yml", ".toml"))


def test_yaml_places() -> None:
    document = parse_yaml("a: 1\nb:\n  - x\n  - {c: y, d: [1, 2]}\n", "f.yml")
    assert document.value == {"a": 1, "b": ["x", {"c": "y", "d": [1, 2]}]}
    places = {path: (place.line, place.column) for path, place in document.locations.items()}
    assert places[("b",)] == (2, 1)
    assert places[("b", 1)] == (4, 5)
    assert places[("b", 1, "c")] == (4, 6)
    assert places[("b", 1, "d", 1)] == (4, 19)
    assert document.location(("b", 1, "nothing", "below")) == Location("f.yml", 4, 5)


def test_anchors_and_merge_keys_mean_what_pysigma_reads() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: *a\nd:\n  <<: [*a, *b]\n  x: 9\ne: {<<: *b}\n"
    document = parse_yaml(text, "f.yml")
    assert document.value == yaml.safe_load(text)
    assert document.locations[("d", "z")] == Location("f.yml", 2, 14)


@pytest.mark.parametrize("text", ["yes", "0x1F", "0o17", "017", "1_000", "1:30", "1e3", "1.5e+3", "~", "''", "2026-01-15", "12e03"])
def test_scalars_mean_what_pysigma_reads(text: str) -> None:
    expected = yaml.safe_load(f"a: {text}")["a"]
    value = parse_yaml(f"a: {text}", "f.yml").value["a"]
    assert value == (text if text.startswith("2026") else expected)
    assert type(value) is (str if text.startswith("2026") else type(expected))


def test_toml_places() -> None:
    text = '# c\n[a."b.c"]\nx = [1, [2, """\n]"""], {y = "]"}] # ]\nz.w = \'"\'\n[[t]]\nk = 1\n[[t]]\nk = 2\n'
    document = parse_toml(text, "f.toml")
    assert document.value == tomllib.loads(text)
    places = {path: (place.line, place.column) for path, place in document.locations.items()}
    assert places[("a", "b.c", "x")] == (3, 1)
    assert places[("a", "b.c", "x", 1, 0)] == (3, 10)
    assert places[("a", "b.c", "x", 2, "y")] == (4, 9)
    assert places[("a", "b.c", "z", "w")] == (5, 3)
    assert places[("t", 1, "k")] == (9, 1)


TOML_VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Z"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.-_ \"'#", min_size=1, max_size=4), inner, max_size=3),
    max_leaves=8,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} | {deeper for key, item in inner for deeper in paths(item, (*path, key))}


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {toml(item)}, # ]\n" for item in value) + "]"
    return quoted(value) if isinstance(value, str) else str(value).lower()


@given(st.dictionaries(st.text("ab.-_ \"'#", min_size=1, max_size=4), TOML_VALUES, max_size=4))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_toml_key_and_item_has_a_place(value: dict[str, Any]) -> None:
    text = "".join(f"{quoted(key)} = {toml(item)}\n" for key, item in value.items())
    document = parse_toml(text, "f.toml")
    assert document.value == value
    assert set(document.locations) == paths(value)


@given(data=st.data())
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mangled_content_is_one_error_or_still_content(root: Path, data: st.DataObject) -> None:
    file = root / data.draw(st.sampled_from(FILES))
    before = file.read_bytes()
    mangled = bytearray(before)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(mangled)))
        end = data.draw(st.integers(start, min(len(mangled), start + 20)))
        pieces = [
            b":",
            b"\n",
            b"- ",
            b"[",
            b"}",
            b"'",
            b'"',
            b"&a ",
            b"*a ",
            b"<<: ",
            b"!x ",
            b"|",
            b"\n---\n",
            b"[[",
            b"\0",
            b"\xff",
            b"null",
            b"5",
            b"",
        ]
        mangled[start:end] = data.draw(st.sampled_from(pieces))
    file.write_bytes(bytes(mangled))
    try:
        pack = load_pack(root)
        for scenario in sorted((root / "samples").iterdir()):
            load_scenario(scenario, pack)
    except ContentError as error:
        assert error.remedy
        assert "\n" not in str(error)
        assert error.location.file
    finally:
        file.write_bytes(before)


@given(st.text("()|x1*. andortfhemAND_-", max_size=40))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_conditions_that_pass_are_conditions_for_pysigma(text: str) -> None:
    from sigma.rule import SigmaRule

    document = Document("f.yml", {"condition": text}, {(): Location("f.yml", 1, 1)})
    names = ["x", "x1", "_x"]
    try:
        check_condition(document.root.require("condition"), names, what="selection")
    except ContentError:
        return
    rule = SigmaRule.from_dict(
        {"title": "t", "logsource": {"product": "p"}, "detection": {**{name: {"a": 1} for name in names}, "condition": text}}
    )
    assert rule.detection.parsed_condition[0].parsed is not None
