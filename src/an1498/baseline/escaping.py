r"""Texts from logs as exact values. Whoever writes a log chooses its strings, so none of them may act as a pattern or as syntax.

In Sigma `*` and `?` are wildcards and `\` escapes them and itself (Sigma specification 2.1, "Escaping"); a TOML string ends at `"`.
"""

from __future__ import annotations

import ipaddress

LONGEST = 256
"""Characters of an escaped value: what an1498.toml takes."""


def sigma_literal(text: str) -> str:
    r"""The Sigma value that matches exactly this text (without regard to case): `a*b` → `a\*b`. Every backslash is doubled, so that what
    follows it cannot be escaped."""
    return "".join(f"\\{character}" if character in "\\*?" else character for character in text)


def toml_string(text: str) -> str:
    """A TOML basic string (TOML 1.0, "String"). The text is printable."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unfit(text: str, *, address: bool = False) -> str:
    """Why a text from a log can be no value of a list; empty where it can."""
    if not text.strip():
        return "blank"
    if not text.isprintable():
        return "holds control characters or invisible ones"
    if len(sigma_literal(text)) > LONGEST:
        return f"longer than {LONGEST} characters"
    if address:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return "no address"
    return ""
