"""Text of a Splunk .conf file (Splunk Admin Manual, "Configuration file structure"): stanzas of `key = value`.

There is one escape only: a backslash at the end of a line continues the value on the next line, and the line break belongs to the value.
Blanks around a value are lost. So a value that a .conf file cannot hold as it is (a line that itself ends in a backslash, blanks at its
ends, control characters) is refused: it would read back as something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MAX_STANZA = 99
"""Longest name of a search that Enterprise Security takes (the limit that Splunk's own content tool, contentctl, keeps to)."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
# C0 and C1 controls, the line and paragraph separators, byte order marks, lone surrogates: readers disagree on them, or lose them.
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


class Unwritable(ValueError):
    """A text that a .conf file cannot hold; `args` are the problem and its remedy. Callers add the rule and its place."""

    @property
    def problem(self) -> str:
        return str(self.args[0])

    @property
    def remedy(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True, slots=True)
class Stanza:
    """One stanza. Settings are written in the order of the mapping."""

    name: str
    settings: Mapping[str, str]


def conf(stanzas: Iterable[Stanza], *, comment: str = "") -> bytes:
    """A file. Raises Unwritable where a name or value would read back as something else, or a stanza's name stands twice."""
    blocks = [f"# {comment}\n"] if comment else []
    seen: set[str] = set()
    for stanza in stanzas:
        # Splunk keeps case in stanza names, but saved searches whose names differ only in case are one object to its REST API.
        if stanza.name.lower() in seen:
            raise Unwritable(f"two stanzas named [{stanza.name}]", "give the rules names that differ in more than case or an1498_")
        seen.add(stanza.name.lower())
        blocks.append("".join([f"[{stanza_name(stanza.name)}]\n", *(_setting(key, value) for key, value in stanza.settings.items())]))
    return "\n".join(blocks).encode()


def stanza_name(name: str) -> str:
    """The name, if it is one. Raises Unwritable."""
    if not name or name != name.strip() or _UNSAFE.search(name) or any(character in name for character in "[]\\\n") or name == "default":
        raise Unwritable(f"the stanza name {name[:60]!r}", "use letters, digits, spaces, '_' and '-'")
    return name


def value(text: str) -> str:
    """A value as written after `key = `. Raises Unwritable."""
    if text != text.strip():
        raise Unwritable("blanks at the beginning or end of a value, which Splunk drops", "remove them")
    found = _UNSAFE.search(text)
    if found:
        raise Unwritable(f"the character U+{ord(found[0]):04X}", "remove it, or write it in words")
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.rstrip().endswith("\\"):
            raise Unwritable("a line that ends in a backslash, which continues a .conf value", "let the line end in something else")
        if number and line.lstrip().startswith(("#", ";")):
            raise Unwritable(f"a line that begins with {line.lstrip()[0]!r}, a comment in a .conf file", "begin the line otherwise")
    return "\\\n".join(lines)


def _setting(key: str, text: str) -> str:
    if not _KEY.fullmatch(key):
        raise Unwritable(f"the setting name {key[:60]!r}", "use letters, digits, '_', '.' and '-'")
    return f"{key} = {value(text)}".rstrip() + "\n"
