"""Zeek's JSON logs read by DuckDB: the records that it can read exactly as `telemetry.zeek` does, and marks on the others."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.hunt.columns import Source
from an1498.hunt.sql import (
    Staged,
    epoch_seconds,
    integer_odd,
    is_epoch,
    iso_seconds,
    json_reader,
    json_string,
    json_string_odd,
    not_iso,
    raw,
)
from an1498.hunt.zeek_sql import address_odd, number_text
from an1498.telemetry.zeek_logs import FIELD_TYPES, OTHER_TYPES


def staged(paths: Sequence[str], source: Source) -> Staged:
    """A record that spells a field in another way (underscores, nested objects) is odd, and one that names another log."""
    types = FIELD_TYPES.get(source.service, OTHER_TYPES)
    values: dict[str, str] = {}
    keys, odd = ["ts", "_path"], [_time_odd()]
    same_log = f"lower({json_string('_path')}) IN ('{source.service}', '{source.service}_red')"
    odd.append(f"CASE WHEN {raw('_path')} IS NULL THEN FALSE WHEN {same_log} THEN FALSE ELSE TRUE END")
    for column in source.columns:
        value, is_odd = _value(column.native, types.get(column.native, "string"))
        keys.append(column.native)
        odd.append(is_odd)
        values.update(dict.fromkeys(column.indexed, value))
        if "." in column.native:
            for other in (column.native.replace(".", "_"), column.native.split(".")[0]):
                if other not in keys:
                    keys.append(other)
                    odd.append(f"{raw(other)} IS NOT NULL")
    return Staged(json_reader(paths, keys, "JSON"), " OR ".join(odd), _time(), values)


def _value(key: str, type_name: str) -> tuple[str, str]:
    """(the value as Splunk's text, whether DuckDB cannot say it)."""
    text = f"CAST({raw(key)} AS VARCHAR)"
    match type_name:
        case "bool":
            return text, f"{text} NOT IN ('true', 'false')"
        case "int" | "count" | "port":
            return text, integer_odd(text, type_name)
        case "double" | "interval" | "time":
            # A time may be ISO 8601 and an integer is a float all the same; only what is surely a plain decimal is taken.
            return number_text(text), f"NOT regexp_full_match({text}, '-?\\d{{1,15}}\\.\\d{{1,9}}')"
        case "addr":
            return json_string(key), f"({json_string_odd(key)} OR {address_odd(json_string(key))})"
        case "string":
            return json_string(key), json_string_odd(key)
        case _:
            element_odd = f"""NOT regexp_full_match({text}, '\\["[^\\\\"]*"(,\\s?"[^\\\\"]*")*\\]') AND {text} <> '[]'"""
            return f"""nullif(from_json({text}, '["VARCHAR"]'), [])""", f"({element_odd})"


def _time() -> str:
    text, inside = f"CAST({raw('ts')} AS VARCHAR)", json_string("ts")
    return f"""CASE WHEN starts_with({text}, '"') THEN {iso_seconds(inside)} ELSE {epoch_seconds(text)} END"""


def _time_odd() -> str:
    text, inside = f"CAST({raw('ts')} AS VARCHAR)", json_string("ts")
    return f"""CASE WHEN {is_epoch(text)} THEN FALSE WHEN starts_with({text}, '"') THEN {not_iso(inside)} ELSE TRUE END"""
