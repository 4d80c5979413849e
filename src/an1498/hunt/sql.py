"""Pieces of SQL that the fast readers share. Every text that comes from a file or an option is quoted here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from an1498.hunt.clean import LONG
from an1498.hunt.columns import Source
from an1498.replay.algebra import identifier, literal

NUMBER, FILE, ODD, HEADER, TIME = "^_n", "^_file", "^_odd", "^_header", "_time"
"""Names of the staged columns: the record's number among those of all files that are read together, its file's place among them (from 0),
whether DuckDB could not read it, the text of a header line, the time in seconds. No field has the first four: `identifier` writes "^" only
before an upper case letter or a second "^"."""

_DATE = r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
_CLOCK = r"[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
# Every text of this form is a time for Python and for DuckDB, whatever the month.
_SURELY_ISO = rf"{_DATE}{_CLOCK}(Z|[+-](0\d|1[0-4]):?[0-5]\d)"
_ISO = rf"\d{{4}}-\d\d-\d\d{_CLOCK}(Z|[+-]\d\d:?\d\d)"
_EPOCH = r"\d{1,11}(\.\d{1,6})?"


@dataclass(frozen=True, slots=True)
class Staged:
    """How DuckDB reads records. `reader` is a SELECT with NUMBER, FILE and columns of its own (their names begin with `^_`, see `raw`);
    `odd`, `time` and `values` (indexed field → value) are SQL over its columns. `headers`: whether it has the column HEADER."""

    reader: str
    odd: str
    time: str
    values: Mapping[str, str]
    headers: bool = False

    def select(self, source: Source, ends: Sequence[int]) -> str:
        """The records that count: the odd ones, those that a search may need, and the last of each file, whose number must be the one in
        `ends`. The hint is asked of what stands in the line; the other columns are made, and the whole condition is asked, only of what
        passes it."""
        odd = f'"{ODD}"'
        hint, condition = source.passing.hint, source.passing.condition
        names = {f'"{NUMBER}"': "", f'"{FILE}"': "", f'"{ODD}"': f"coalesce({self.odd}, FALSE)", identifier(TIME): self.time}
        names |= {identifier(name): "" if name in hint.fields else sql for name, sql in self.values.items()}
        names |= {identifier(name): literal(str(value)) for name, value in source.layout.constants.items()}
        names |= {f'"{HEADER}"': ""} if self.headers else {}
        always = [f'"{NUMBER}" >= {of_file(ends)}', *([f'"{HEADER}" IS NOT NULL'] if self.headers else [])]
        asked = _more((identifier(name), self.values[name]) for name in sorted(hint.fields))
        near = f"SELECT {asked} FROM ({self.reader})"
        near = f"SELECT {_more((identifier(name), sql) for name, sql in hint.shared)} FROM ({near})"
        items = ", ".join(f"{sql} AS {name}" if sql else name for name, sql in names.items())
        passed = f"SELECT {items} FROM ({near}) WHERE {_either(*always, self.odd, hint.sql)}"
        passed = f"SELECT {_more((identifier(name), sql) for name, sql in condition.shared)} FROM ({passed})"
        return f"SELECT {', '.join(names)} FROM ({passed}) WHERE {_either(*always, odd, condition.sql)}"


def _more(columns: Iterable[tuple[str, str]]) -> str:
    return ", ".join(["*", *(f"{sql} AS {name}" for name, sql in columns)])


def _either(*conditions: str) -> str:
    return " OR ".join(f"({one})" for one in conditions)


def of_file(values: Sequence[int] | Sequence[str | None]) -> str:
    """The value that belongs to the record's file."""
    if all(value == values[0] for value in values):
        return literal(values[0])
    return f'list_extract([{", ".join(literal(value) for value in values)}], CAST("{FILE}" AS BIGINT) + 1)'


def raw(key: str) -> str:
    """The reader's own column for a key of the records."""
    return f'"^_{key}"'


def json_reader(paths: Sequence[str], keys: Iterable[str], sql_type: str) -> str:
    """One row a record, each key under `raw`; a line that is not a JSON object gives nulls. As `VARCHAR` a key is its string's text, or the
    JSON text of what is no string; as `JSON` it is JSON text always."""
    names = list(dict.fromkeys(keys))
    columns = ", ".join(f"{literal(key)}: '{sql_type}'" for key in names)
    options = f"format='newline_delimited', ignore_errors=true, maximum_object_size={2 * LONG}, columns={{{columns}}}"
    listed = ", ".join(f'"{key}" AS {raw(key)}' for key in names)
    return f"SELECT {_NUMBERED}, {listed} FROM read_json([{', '.join(map(literal, paths))}], {options})"


def line_reader(paths: Sequence[str]) -> str:
    """One row a line, blank ones included, as the column `line`."""
    options = "delim='\x01\x02\x03\x04', quote='', escape='', comment='', header=false, auto_detect=false, strict_mode=false"
    columns = f"columns={{'line': 'VARCHAR'}}, max_line_size={2 * LONG}"
    return f"SELECT {_NUMBERED}, coalesce(line, '') AS line FROM read_csv([{', '.join(map(literal, paths))}], {columns}, {options})"


_NUMBERED = f'row_number() OVER () AS "{NUMBER}", file_index AS "{FILE}"'


# --- JSON --------------------------------------------------------------------------------------------------------------------


def json_string(key: str) -> str:
    """The text of a JSON string in a column of type JSON; null for null."""
    text = f"CAST({raw(key)} AS VARCHAR)"
    return f"CASE WHEN contains({text}, '\\') THEN {raw(key)}->>'$' ELSE substring({text}, 2, length({text}) - 2) END"


def json_string_odd(key: str) -> str:
    """Whether a JSON value is there and not a string that SQL can hold."""
    text = f"CAST({raw(key)} AS VARCHAR)"
    escaped = f"CASE WHEN contains({text}, '\\') THEN contains({text}, '\u0000') ELSE FALSE END"
    return f"""(NOT starts_with({text}, '"') OR {escaped})"""


def text_odd(text: str) -> str:
    """Whether a value that was read as VARCHAR may not have been a string: its text is JSON, so it must be looked at in the line."""
    number = f"{text} < ':' AND ({text} >= '0' OR ({text} >= '-' AND {text} < '.'))"
    list_or_object = f"({text} >= '[' AND {text} < '\\') OR ({text} >= '{{' AND {text} < '|')"
    words = " OR ".join(f"{text} = '{word}'" for word in ("true", "false", "Infinity", "-Infinity", "NaN"))
    return f"((({number}) OR {list_or_object}) AND json_valid({text})) OR {words}"


# --- numbers -----------------------------------------------------------------------------------------------------------------


def integer_odd(text: str, type_name: str) -> str:
    """Whether the text is there and not surely an integer (Zeek's `int`, `count` or `port`) in its plain form."""
    sql_type = {"int": "BIGINT", "count": "UBIGINT", "port": "USMALLINT"}[type_name]
    return f"coalesce(CAST(TRY_CAST({text} AS {sql_type}) AS VARCHAR) <> {text}, {text} IS NOT NULL)"


# --- times -------------------------------------------------------------------------------------------------------------------


def not_iso(text: str) -> str:
    """True or false, never null."""
    known = f"regexp_full_match({text}, '{_ISO}')"
    return f"CASE WHEN regexp_full_match({text}, '{_SURELY_ISO}') THEN FALSE WHEN {known} THEN {iso_seconds(text)} IS NULL ELSE TRUE END"


def iso_seconds(text: str) -> str:
    return f"epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)) / 1000000.0::DOUBLE"


def is_epoch(text: str) -> str:
    return f"regexp_full_match({text}, '{_EPOCH}')"


def epoch_seconds(text: str) -> str:
    """Seconds, to the microsecond."""
    return f"round(TRY_CAST({text} AS DOUBLE) * 1000000) / 1000000"
