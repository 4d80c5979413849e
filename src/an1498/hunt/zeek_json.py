"""Zeek's JSON logs read by DuckDB: the records that it can read exactly as `telemetry.zeek` does, and marks on the others."""

from __future__ import annotations

from an1498.hunt.columns import Source
from an1498.hunt.sql import (
    epoch_seconds,
    integer_odd,
    is_epoch,
    is_iso,
    iso_seconds,
    json_reader,
    json_string,
    json_string_odd,
    stage,
)
from an1498.hunt.zeek_sql import address_odd, number_text
from an1498.telemetry.zeek_logs import FIELD_TYPES, OTHER_TYPES


def staged(path: str, source: Source) -> str:
    """A SELECT of every record: its number, whether it is odd, and the columns of `source`.

    A record that spells a field in another way (underscores, nested objects) is odd, and one that names another log."""
    types = FIELD_TYPES.get(source.service, OTHER_TYPES)
    columns: dict[str, str] = {}
    keys, odd = ["ts", "_path"], [_time_odd()]
    other_log = f"lower({json_string('_path')}) NOT IN ('{source.service}', '{source.service}_red')"
    odd.append(f'("_path" IS NOT NULL AND coalesce({other_log}, TRUE))')
    for column in source.columns:
        value, is_odd = _value(column.native, types.get(column.native, "string"))
        keys.append(column.native)
        odd.append(is_odd)
        columns.update(dict.fromkeys(column.indexed, value))
        if "." in column.native:
            for other in (column.native.replace(".", "_"), column.native.split(".")[0]):
                if other not in keys:
                    keys.append(other)
                    odd.append(f'"{other}" IS NOT NULL')
    return stage(json_reader(path, keys), source, _time(), columns, odd)


def _value(key: str, type_name: str) -> tuple[str, str]:
    """(the value as Splunk's text, whether DuckDB cannot say it)."""
    text = f'CAST("{key}" AS VARCHAR)'
    match type_name:
        case "bool":
            return text, f"coalesce({text} NOT IN ('true', 'false'), FALSE)"
        case "int" | "count" | "port":
            return text, integer_odd(text, type_name)
        case "double" | "interval" | "time":
            # A time may be ISO 8601 and an integer is a float all the same; only what is surely a plain decimal is taken.
            return number_text(text), f"coalesce(NOT regexp_full_match({text}, '-?\\d{{1,15}}\\.\\d{{1,9}}'), FALSE)"
        case "addr":
            return json_string(key), f"({json_string_odd(key)} OR {address_odd(json_string(key))})"
        case "string":
            return json_string(key), json_string_odd(key)
        case _:
            element_odd = f"""NOT regexp_full_match({text}, '\\["[^\\\\"]*"(,\\s?"[^\\\\"]*")*\\]') AND {text} <> '[]'"""
            return f"""nullif(from_json({text}, '["VARCHAR"]'), [])""", f"coalesce({element_odd}, FALSE)"


def _time() -> str:
    text, inside = 'CAST("ts" AS VARCHAR)', json_string("ts")
    return f"""CASE WHEN starts_with({text}, '"') THEN {iso_seconds(inside)} ELSE {epoch_seconds(text)} END"""


def _time_odd() -> str:
    text, inside = 'CAST("ts" AS VARCHAR)', json_string("ts")
    return f"""NOT coalesce(CASE WHEN starts_with({text}, '"') THEN {is_iso(inside)} ELSE {is_epoch(text)} END, FALSE)"""
