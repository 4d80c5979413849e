"""Splunk's macros.conf (Splunk Enterprise Admin Manual, "macros.conf"): search macros without arguments, one stanza each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from an1498.errors import UsageError


def macros_conf(macros: Mapping[str, str]) -> str:
    """The file's text; a line break in a definition becomes a continued line."""
    stanzas = [
        f"[{name}]\ndefinition = {definition.replace(chr(10), chr(92) + chr(10))}\niseval = 0\n"
        for name, definition in sorted(macros.items())
    ]
    return "\n".join(stanzas)


def read_macros_conf(path: Path) -> dict[str, str]:
    """Macro definitions by stanza name, for instance `an1498_zeek_ssl` or `count_by(2)`. Raises UsageError with file:line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: cannot read the macros: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: macros.conf must be UTF-8 text") from error
    macros: dict[str, str] = {}
    stanza = ""
    number = 0
    while number < len(lines):
        first = number
        line = lines[number]
        while line.endswith("\\") and number + 1 < len(lines):
            number += 1
            line = f"{line[:-1]}\n{lines[number]}"
        number += 1
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("[") and text.endswith("]"):
            stanza = text[1:-1].strip()
            continue
        key, equals, value = text.partition("=")
        if not equals or not stanza:
            raise UsageError(f"{path}:{first + 1}: expected '[macro name]' or 'key = value', not {text[:60]!r}")
        if key.strip() == "definition":
            macros[stanza] = value.strip()
        elif key.strip() == "iseval" and value.strip().lower() in ("1", "true"):
            raise UsageError(f"{path}:{first + 1}: macro '{stanza}' is an eval expression (iseval), which replay does not model")
    return macros
