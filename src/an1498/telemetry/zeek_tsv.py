"""Zeek's TSV logs: header blocks (`#separator \\x09`, `#fields`, `#types`, …) and the lines that follow them.

A file may hold several header blocks, one after the other, where logs were concatenated; each `#separator` starts anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from an1498.telemetry.reject import Malformed, quoted
from an1498.telemetry.zeek_values import Convert, converter, unescape

_REMEDY = "copy the whole file, with its header"


@dataclass(slots=True)
class Header:
    """What the header lines read so far say. `broken` is the first problem in them: then no line below can be read."""

    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    broken: bool = False
    converters: tuple[Convert, ...] = field(default=())

    def read(self, line: str) -> None:
        """Take in a line that begins with `#`. Raises Malformed."""
        try:
            self._read(line)
        except Malformed:
            self.broken = True
            raise

    def _read(self, line: str) -> None:
        if line.startswith("#separator"):
            # Zeek writes a blank here, because the separator is not known before this line; tools that rewrite logs write a tab.
            value = unescape(line[len("#separator") :].strip(" \t")).replace("\\t", "\t")
            if not value or value == "#":
                raise Malformed("#separator names no separator", r"write '#separator \x09'")
            self.separator = value
            return
        key, _, rest = line[1:].partition(self.separator)
        match key:
            case "set_separator":
                self.set_separator = unescape(_given(key, rest))
            case "empty_field":
                self.empty = rest
            case "unset_field":
                self.unset = rest
            case "path":
                self.path = _given(key, rest)
            case "fields":
                self.fields = tuple(_given(key, rest).split(self.separator))
                repeated = next((name for name in self.fields if self.fields.count(name) > 1), None)
                if repeated is not None:
                    raise Malformed(f"#fields has {quoted(repeated)} twice", _REMEDY)
            case "types":
                self.types = tuple(_given(key, rest).split(self.separator))
                if len(self.types) != len(self.fields):
                    raise Malformed(f"#types has {len(self.types)} types for {len(self.fields)} fields", _REMEDY)
                self.converters = tuple(converter(name, self.set_separator, self.empty, self.unset) for name in self.types)

    def record(self, line: str) -> dict[str, Any]:
        """The fields of a data line; unset fields are left out. Raises Malformed."""
        if self.broken:
            raise Malformed("the line stands under a header that cannot be read", _REMEDY)
        if not self.converters:
            missing = "#types" if self.fields else "#fields"
            raise Malformed(f"the line comes before any {missing} line", _REMEDY)
        values = line.split(self.separator)
        if len(values) != len(self.fields):
            raise Malformed(
                f"the line has {len(values)} columns, #fields has {len(self.fields)}", "the line may be cut off; copy the file again"
            )
        found = {}
        for name, convert, value in zip(self.fields, self.converters, values, strict=True):
            if value != self.unset:
                try:
                    found[name] = convert(value)
                except Malformed as error:
                    raise Malformed(f"'{name}': {error.problem}", error.remedy) from None
        return found


def _given(key: str, value: str) -> str:
    if not value:
        raise Malformed(f"#{key} is empty", _REMEDY)
    return value
