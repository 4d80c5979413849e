"""The Zeek package: its scripts parse and are formatted, and every layout and reader knows the fields that they add."""

from __future__ import annotations

import configparser
import io
import re
from pathlib import Path

import pytest
import yaml
import zeekscript

from an1498.telemetry.zeek_logs import FIELD_TYPES

ROOT = Path(__file__).parents[2]
ZEEK = ROOT / "zeek"
SCRIPTS = sorted((ZEEK / "scripts").glob("*.zeek"))
LOGS = {"SSL::Info": "ssl", "X509::Info": "x509", "Conn::Info": "conn"}


def added_fields() -> dict[str, dict[str, str]]:
    """Log → field → Zeek type, of all `redef record …::Info` in the scripts."""
    found: dict[str, dict[str, str]] = {}
    for script in SCRIPTS:
        for record, body in re.findall(r"redef record (\S+) \+= \{(.*?)\n\};", script.read_text(encoding="utf-8"), re.DOTALL):
            if record in LOGS:
                found.setdefault(LOGS[record], {}).update(re.findall(r"(an1498_\w+): (\w+) &log &optional;", body))
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.name))
def test_parsed_and_formatted(script: Path) -> None:
    parsed = zeekscript.Script(script)
    assert parsed.parse(), f"{script} does not parse"
    out = io.BytesIO()
    parsed.format(out)
    assert out.getvalue() == script.read_bytes(), f"format it: zeek-format -i {script}"


def test_the_parser_refuses_what_is_no_zeek(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.zeek"
    wrong.write_text("event zeek_init( {\n")
    assert not zeekscript.Script(wrong).parse()


def test_every_reader_and_layout_knows_the_fields() -> None:
    added = added_fields()
    assert {log: len(fields) for log, fields in added.items()} == {"conn": 1, "ssl": 8, "x509": 2}
    for log, fields in added.items():
        known = {field: kind for field, kind in FIELD_TYPES[log].items() if field.startswith("an1498_")}
        assert known == fields, log
        for layout in sorted((ROOT / "pipelines").glob("*/*.yml")):
            for source in yaml.safe_load(layout.read_text(encoding="utf-8"))["vars"]["layout"]:
                if source["service"] == log:
                    assert fields.keys() <= source["fields"].keys(), layout


def test_package_metadata() -> None:
    meta = configparser.ConfigParser()
    meta.read(ZEEK / "zkg.meta", encoding="utf-8")
    assert (ZEEK / meta["package"]["script_dir"] / "__load__.zeek").is_file()
    loaded = {f"{name}.zeek" for name in re.findall(r"@load \./(\S+)", (ZEEK / "scripts" / "__load__.zeek").read_text(encoding="utf-8"))}
    assert loaded == {script.name for script in SCRIPTS} - {"__load__.zeek"}
    signatures = re.findall(r"@load-sigs \./(\S+)", (ZEEK / "scripts" / "first-bytes.zeek").read_text(encoding="utf-8"))
    assert signatures == [file.name for file in (ZEEK / "scripts").glob("*.sig")]
