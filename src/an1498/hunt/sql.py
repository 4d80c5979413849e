"""Pieces of SQL that the fast readers share. Every text that comes from a file or an option is quoted here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from an1498.hunt.clean import LONG
from an1498.hunt.columns import Source
from an1498.replay.algebra import identifier, literal

NUMBER, ODD, KEPT, TIME = "^_n", "^_odd", "^_kept", "_time"
"""Names of the staged columns: the record's number, whether DuckDB could not read it, whether a search may need it, its time in seconds.
No field has the first three: `identifier` writes "^" only before an upper case letter or a second "^"."""

_ISO = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)"
_EPOCH = r"\d{1,11}(\.\d{1,6})?"


def json_reader(path: str, keys: Iterable[str]) -> str:
    """One row a record, each key as JSON text under its own name; a line that is not a JSON object gives nulls."""
    columns = ", ".join(f"{literal(key)}: 'JSON'" for key in dict.fromkeys(keys))
    options = f"format='newline_delimited', ignore_errors=true, maximum_object_size={2 * LONG}, columns={{{columns}}}"
    return f'SELECT row_number() OVER () AS "{NUMBER}", * FROM read_json({literal(path)}, {options})'


def line_reader(path: str) -> str:
    """One row a line, blank ones included, as the column `line`."""
    options = "delim='\x01\x02\x03\x04', quote='', escape='', comment='', header=false, auto_detect=false, strict_mode=false"
    columns = f"columns={{'line': 'VARCHAR'}}, max_line_size={2 * LONG}"
    return f'SELECT row_number() OVER () AS "{NUMBER}", line FROM read_csv({literal(path)}, {columns}, {options})'


def stage(reader: str, source: Source, time: str, columns: Mapping[str, str], odd: Sequence[str]) -> str:
    """`columns`: indexed field → SQL over the reader's columns."""
    items = [f'"{NUMBER}"', f'({" OR ".join(odd)}) AS "{ODD}"', f"{time} AS {identifier(TIME)}"]
    items += [f"{sql} AS {identifier(name)}" for name, sql in columns.items()]
    constants = [f"{literal(str(value))} AS {identifier(name)}" for name, value in source.layout.constants.items()]
    return f"SELECT {', '.join([*items, *constants])} FROM ({reader})"


# --- JSON --------------------------------------------------------------------------------------------------------------------


def json_string(key: str) -> str:
    """The text of a JSON string; null for null."""
    text = f'CAST("{key}" AS VARCHAR)'
    return f"""CASE WHEN contains({text}, '\\') THEN "{key}"->>'$' ELSE substring({text}, 2, length({text}) - 2) END"""


def json_string_odd(key: str) -> str:
    """Whether a JSON value is there and not a string that SQL can hold."""
    text = f'CAST("{key}" AS VARCHAR)'
    return f"""coalesce(NOT starts_with({text}, '"') OR contains({text}, '\\u0000'), FALSE)"""


def json_integer_odd(key: str) -> str:
    return integer_odd(f'CAST("{key}" AS VARCHAR)', "int")


# --- numbers -----------------------------------------------------------------------------------------------------------------


def integer_odd(text: str, type_name: str) -> str:
    """Whether the text is there and not surely an integer (Zeek's `int`, `count` or `port`) in its plain form."""
    pattern = {"int": "(0|-?[1-9]\\d{0,17})", "count": "(0|[1-9]\\d{0,17})", "port": "(0|[1-9]\\d{0,4})"}[type_name]
    too_large = f" OR TRY_CAST({text} AS INTEGER) > 65535" if type_name == "port" else ""
    return f"coalesce(NOT regexp_full_match({text}, '{pattern}'){too_large}, FALSE)"


# --- times -------------------------------------------------------------------------------------------------------------------


def is_iso(text: str) -> str:
    return f"(regexp_full_match({text}, '{_ISO}') AND TRY_CAST({text} AS TIMESTAMPTZ) IS NOT NULL)"


def iso_seconds(text: str) -> str:
    return f"epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)) / 1000000.0::DOUBLE"


def is_epoch(text: str) -> str:
    return f"regexp_full_match({text}, '{_EPOCH}')"


def epoch_seconds(text: str) -> str:
    """Seconds, to the microsecond."""
    return f"round(TRY_CAST({text} AS DOUBLE) * 1000000) / 1000000"
