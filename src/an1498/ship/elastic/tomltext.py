"""TOML 1.0 text of nested dicts, lists, texts, whole numbers and booleans. The standard library only reads TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
# Control characters must be escaped; the line ends that only Unicode knows are, so that a line stays a line for every reader.
_UNSAFE = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')


def toml(document: Mapping[str, Any]) -> bytes:
    """UTF-8 text. Keys without a value (None) are left out; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    return ("\n".join(_table(document, ())).strip("\n") + "\n").encode()


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    nested = {key: value for key, value in table.items() if isinstance(value, Mapping) or _is_tables(value)}
    for key, value in table.items():
        if key not in nested and value is not None:
            yield f"{_key(key)} = {_value(value, 0)}"
    for key, value in nested.items():
        name = ".".join(map(_key, (*path, key)))
        if isinstance(value, Mapping):
            yield f"\n[{name}]"
            yield from _table(value, (*path, key))
        else:
            for item in value:
                yield f"\n[[{name}]]"
                yield from _table(item, (*path, key))


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _short(name)


def _value(value: Any, depth: int) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _long(value) if "\n" in value and not depth else _short(value)
        case list():
            items = [_value(item, depth + 1) for item in value]
            single = f"[{', '.join(items)}]"
            return single if len(single) <= 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} has no TOML form here")


def _short(text: str) -> str:
    return f'"{_escaped(text)}"'


def _long(text: str) -> str:
    """A multi-line basic string. Its first line break is dropped by the reader, so one stands there; whatever could end or change
    it is escaped, also a blank at a line's end, which editors remove."""
    lines = [re.sub(r"[ \t]$", lambda blank: "\\u0020" if blank[0] == " " else "\\t", _escaped(line)) for line in text.split("\n")]
    body = "\n".join(lines).replace('\\"', '"')
    # Three quotes end the text; one before the closing ones is no quote to readers of TOML 0.4 (pytoml, which detection-rules uses).
    return '"""\n' + re.sub(r'"(?="")|"\Z', '\\\\"', body) + '"""'


def _escaped(text: str) -> str:
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"
    return _ESCAPES.get(character) or f"\\u{ord(character):04X}"
