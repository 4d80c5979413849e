"""A reader of Splunk .conf files, written from Splunk's manual and not from ship/splunk/conf.py.

Splunk Admin Manual, "Configuration file structure" and "How to edit a configuration file": a stanza begins with `[name]` on a line of its
own; settings are `key = value`; a line whose first character that is not blank is `#` is a comment; a backslash right before the line
break continues the value with the next line; blanks around names, keys and values do not count. Anything else is an error here: Splunk
would drop it silently.
"""

from __future__ import annotations


class Broken(Exception):
    """The text is no .conf file, or says a thing twice."""


def read_conf(content: bytes) -> dict[str, dict[str, str]]:
    """Settings by stanza. Line breaks are `\\n` only."""
    stanzas: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    lines = iter(content.decode("utf-8").split("\n"))
    for physical in lines:
        logical = physical
        while logical.endswith("\\"):
            following = next(lines, None)
            if following is None:
                raise Broken("a continued line is the last")
            logical = f"{logical[:-1]}\n{following}"
        stripped = logical.strip()
        if not stripped or stripped.startswith("#"):
            if "\n" in logical:
                raise Broken("a comment that continues")
            continue
        if stripped.startswith("["):
            if not stripped.endswith("]") or "\n" in stripped:
                raise Broken(f"no stanza: {stripped!r}")
            name = stripped[1:-1]
            if name in stanzas or "[" in name or "]" in name or not name.strip():
                raise Broken(f"a stanza that is there twice or has no clear name: {name!r}")
            current = stanzas[name] = {}
            continue
        key, equals, text = logical.partition("=")
        if not equals or current is None or "\n" in key or not key.strip():
            raise Broken(f"neither stanza nor setting: {logical!r}")
        if key.strip() in current:
            raise Broken(f"set twice: {key.strip()}")
        current[key.strip()] = text.strip()
    return stanzas
