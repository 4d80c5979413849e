"""One TOML file → plain values, each key and list item with its file:line:column.

`tomllib` parses and rejects; because it gives no places, a second scan over the (then valid) text finds where keys and items
stand. TOML 1.0.0, https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path as FilePath

from an1498.content.node import Document, Path
from an1498.content.text import label, read_text
from an1498.errors import ContentError, Location

_ERROR = re.compile(r"(?P<problem>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_STRING = re.compile(r'''"""(?:\\.|(?!""").)*"{3,5}|\'\'\'(?:(?!\'\'\').)*\'{3,5}|"(?:\\.|[^"\\])*"|'[^']*\'''', re.DOTALL)
_BARE = re.compile(r"[^,\]}#\n]*")


def read_toml(path: FilePath) -> Document:
    """The values of a TOML file. Raises ContentError."""
    return parse_toml(read_text(path), label(path))


def parse_toml(text: str, file: str) -> Document:
    """The values of a TOML text; `file` is shown in messages. Raises ContentError."""
    try:
        value = tomllib.loads(text)
        locations = _Scan(text, file).locations
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(text, file, str(error)) from None
    except RecursionError:
        raise ContentError(Location(file), "is nested too deeply", "flatten it", "toml-syntax") from None
    return Document(file, value, locations)


def _syntax_error(text: str, file: str, message: str) -> ContentError:
    found = _ERROR.fullmatch(message)
    if found is None:
        return ContentError(Location(file), f"is not valid TOML: {message}", "correct the syntax", "toml-syntax")
    end = max(1, len(text.splitlines()))
    location = Location(file, int(found["line"] or end), int(found["column"] or 0))
    problem = found["problem"][:1].lower() + found["problem"][1:]
    remedy = (
        "remove one of the two keys or tables"
        if re.search(r"overwrite|twice|declare", problem)
        else "correct the syntax; texts need quotes"
    )
    return ContentError(location, f"is not valid TOML: {problem}", remedy, "toml-syntax")


class _Scan:
    """Places of the keys and items of a text that is known to be valid TOML."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.file = file
        self.at = 0
        self._counted = (0, 1)  # lines are counted once: up to this offset, this line
        self.locations: dict[Path, Location] = {(): Location(file, 1, 1)}
        table: Path = ()
        tables: dict[Path, int] = {}
        while self._skip(_BLANK) and self.at < len(self.text):
            if self.text[self.at] == "[":
                repeated = self.text.startswith("[[", self.at)
                self.at += 2 if repeated else 1
                table = self._key(())
                self.at += 2 if repeated else 1
                if repeated:
                    tables[table] = tables.get(table, -1) + 1
                    table = (*table, tables[table])
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _key(self, base: Path) -> Path:
        """A dotted key at the cursor; its parts are marked where they first stand."""
        path = base
        while True:
            self._skip(_SPACE)
            found = _KEY.match(self.text, self.at)
            if found is None:
                return path
            part = found[0]
            path = (*path, tomllib.loads(f"k = {part}")["k"] if part[0] in "\"'" else part)
            self._mark(path)
            self.at = found.end()
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return path
            self.at += 1

    def _pair(self, base: Path) -> None:
        path = self._key(base)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening in "[{":
            self.at += 1
            index = 0
            while self._skip(_BLANK) and self.text[self.at] not in "]}":
                if opening == "{":
                    self._pair(path)
                else:
                    self._mark((*path, index))
                    self._value((*path, index))
                    index += 1
                self._skip(_BLANK)
                if self.text[self.at] == ",":
                    self.at += 1
            self.at += 1
        elif opening in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_BARE)

    def _mark(self, path: Path) -> None:
        if path not in self.locations:
            offset, line = self._counted
            line += self.text.count("\n", offset, self.at)
            self._counted = (self.at, line)
            self.locations[path] = Location(self.file, line, self.at - self.text.rfind("\n", 0, self.at))
