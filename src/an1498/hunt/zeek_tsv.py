"""Zeek's TSV logs read by DuckDB: the lines that it can read exactly as `telemetry.zeek` does, and marks on the others."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.hunt.columns import Source
from an1498.hunt.sql import FILE, HEADER, NUMBER, Staged, epoch_seconds, integer_odd, is_epoch, line_reader
from an1498.hunt.zeek_sql import address_odd, number_text
from an1498.replay.algebra import literal
from an1498.telemetry.zeek_tsv import Header

_CONTAINERS = ("set[", "vector[", "table[", "list[")


def staged(paths: Sequence[str], source: Source, header: Header, ranges: Sequence[tuple[int, int]] = ()) -> Staged:
    """The lines under `header`: those of the line numbers in `ranges` (first and last), or all where no ranges are given. The others, and
    header lines, have no time."""
    within = " OR ".join(f'"{NUMBER}" BETWEEN {first:d} AND {last:d}' for first, last in ranges) or "TRUE"
    split = f"string_split(CASE WHEN NOT starts_with(line, '#') AND ({within}) THEN line END, {literal(header.separator)}) AS p"
    header_line = f"CASE WHEN starts_with(line, '#') THEN line END AS \"{HEADER}\""
    types = dict(zip(header.fields, header.types, strict=True))
    used = [field for field in ("ts", *(column.native for column in source.columns)) if field in types]
    cells = [f"nullif(p[{header.fields.index(field) + 1}], {literal(header.unset)}) AS {_cell(header, field)}" for field in used]
    values: dict[str, str] = {}
    time = _cell(header, "ts") if types.get("ts") == "time" else "CAST(NULL AS VARCHAR)"
    odd = [f'"^_parts" <> {len(header.fields)}', f'("^_parts" IS NOT NULL AND NOT coalesce({is_epoch(time)}, FALSE))']
    for column in source.columns:
        if column.native in types:
            value, is_odd = _value(_cell(header, column.native), types[column.native], header)
            odd.append(is_odd)
        else:
            value = "CAST(NULL AS VARCHAR[])" if column.array else "CAST(NULL AS VARCHAR)"
        values.update(dict.fromkeys(column.indexed, value))
    # Each cell is taken out of its line once, and tested and converted from there.
    escaped = "contains(line, '\\') AS \"^_escaped\""
    lines = f'SELECT "{NUMBER}", "{FILE}", {escaped}, {header_line}, {split} FROM ({line_reader(paths)})'
    reader = f'SELECT "{NUMBER}", "{FILE}", "^_escaped", "{HEADER}", len(p) AS "^_parts", {", ".join(cells)} FROM ({lines})'
    return Staged(reader, " OR ".join(odd), epoch_seconds(time), values, headers=True)


def _cell(header: Header, field: str) -> str:
    return f'"^_cell{header.fields.index(field)}"'


def _value(cell: str, type_name: str, header: Header) -> tuple[str, str]:
    """(the value as Splunk's text, whether DuckDB cannot say it)."""
    if type_name.startswith(_CONTAINERS):
        if type_name[type_name.index("[") + 1 :].rstrip("]") not in ("string", "enum", "addr", "subnet"):
            return "CAST(NULL AS VARCHAR[])", f"{cell} IS NOT NULL"
        empty, unset = literal(header.empty), literal(header.unset)
        items = f"list_filter(string_split({cell}, {literal(header.set_separator)}), lambda x: x <> {unset})"
        mapped = f"list_transform({items}, lambda x: CASE WHEN x = {empty} THEN '' ELSE x END)"
        whole = f"CASE WHEN {cell} = {empty} THEN NULL ELSE nullif({mapped}, []) END"
        return whole, f"""("^_escaped" AND contains({cell}, '\\'))""" + (
            f" OR len(list_filter({items}, lambda x: {address_odd('x')})) > 0" if "addr" in type_name else ""
        )
    match type_name:
        case "bool":
            return f"CASE {cell} WHEN 'T' THEN 'true' WHEN 'F' THEN 'false' END", f"({cell} <> 'T' AND {cell} <> 'F')"
        case "int" | "count" | "port":
            return cell, integer_odd(cell, type_name)
        case "double" | "interval" | "time":
            return number_text(cell), f"NOT regexp_full_match({cell}, '-?\\d{{1,15}}\\.\\d{{1,9}}')"
        case "addr":
            return cell, address_odd(cell)
        case _:
            empty = literal(header.empty)
            plain = f'NOT "^_escaped" AND {cell} IS DISTINCT FROM {empty}'
            value = f"CASE WHEN {plain} THEN {cell} WHEN {cell} = {empty} THEN '' ELSE {_unescaped(cell)} END"
            return value, f"""("^_escaped" AND regexp_matches({cell}, '\\\\x(00|[89a-fA-F])'))"""


def _unescaped(cell: str) -> str:
    r"""`\x2c` → `,` and `\\` → `\`, in one pass from the left, by way of percent escapes. Bytes above 7f are odd before this."""
    safe = f"replace(replace({cell}, '%', '%25'), '\\\\', '%5C')"
    return f"url_decode(regexp_replace({safe}, '\\\\x([0-7][0-9a-fA-F])', '%\\1', 'g'))"
