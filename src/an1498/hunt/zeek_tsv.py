"""Zeek's TSV logs read by DuckDB: the lines that it can read exactly as `telemetry.zeek` does, and marks on the others."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.hunt.columns import Source
from an1498.hunt.sql import NUMBER, epoch_seconds, integer_odd, is_epoch, line_reader, stage
from an1498.hunt.zeek_sql import address_odd, number_text
from an1498.replay.algebra import literal
from an1498.telemetry.zeek_tsv import Header

_CONTAINERS = ("set[", "vector[", "table[", "list[")


def staged(path: str, source: Source, header: Header, ranges: Sequence[tuple[int, int]]) -> str:
    """A SELECT of every line; those outside `ranges` (first and last line number) and blank ones have no time. The others stand under
    `header`."""
    within = " OR ".join(f'"{NUMBER}" BETWEEN {first:d} AND {last:d}' for first, last in ranges)
    split = f"string_split(CASE WHEN {within} THEN line END, {literal(header.separator)}) AS p"
    types = dict(zip(header.fields, header.types, strict=True))
    used = [field for field in ("ts", *(column.native for column in source.columns)) if field in types]
    cells = [f"nullif(p[{header.fields.index(field) + 1}], {literal(header.unset)}) AS {_cell(header, field)}" for field in used]
    columns: dict[str, str] = {}
    odd = [f"parts <> {len(header.fields)}"]
    for column in source.columns:
        if column.native in types:
            value, is_odd = _value(_cell(header, column.native), types[column.native], header)
            odd.append(f"coalesce({is_odd}, FALSE)")
        else:
            value = "CAST(NULL AS VARCHAR[])" if column.array else "CAST(NULL AS VARCHAR)"
        columns.update(dict.fromkeys(column.indexed, value))
    time = _cell(header, "ts") if types.get("ts") == "time" else "CAST(NULL AS VARCHAR)"
    odd.append(f"NOT coalesce({is_epoch(time)}, FALSE)")
    # Each cell is taken out of its line once, and tested and converted from there.
    reader = f'SELECT "{NUMBER}", len(p) AS parts, {", ".join(cells)} FROM (SELECT "{NUMBER}", {split} FROM ({line_reader(path)}))'
    return stage(reader, source, epoch_seconds(time), columns, [f"(parts IS NOT NULL AND ({' OR '.join(odd)}))"])


def _cell(header: Header, field: str) -> str:
    return f"cell{header.fields.index(field)}"


def _value(cell: str, type_name: str, header: Header) -> tuple[str, str]:
    """(the value as Splunk's text, whether DuckDB cannot say it)."""
    if type_name.startswith(_CONTAINERS):
        if type_name[type_name.index("[") + 1 :].rstrip("]") not in ("string", "enum", "addr", "subnet"):
            return "CAST(NULL AS VARCHAR[])", f"{cell} IS NOT NULL"
        empty, unset = literal(header.empty), literal(header.unset)
        items = f"list_filter(string_split({cell}, {literal(header.set_separator)}), lambda x: x <> {unset})"
        mapped = f"list_transform({items}, lambda x: CASE WHEN x = {empty} THEN '' ELSE x END)"
        whole = f"CASE WHEN {cell} = {empty} THEN NULL ELSE nullif({mapped}, []) END"
        return whole, f"contains({cell}, '\\')" + (
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
            unescaped = f"CASE WHEN contains({cell}, '\\') THEN {_unescaped(cell)} ELSE {cell} END"
            value = f"CASE WHEN {cell} = {literal(header.empty)} THEN '' ELSE {unescaped} END"
            return value, f"(contains({cell}, '\\x') AND regexp_matches({cell}, '\\\\x(00|[89a-fA-F])'))"


def _unescaped(cell: str) -> str:
    r"""`\x2c` → `,` and `\\` → `\`, in one pass from the left, by way of percent escapes. Bytes above 7f are odd before this."""
    safe = f"replace(replace({cell}, '%', '%25'), '\\\\', '%5C')"
    return f"url_decode(regexp_replace({safe}, '\\\\x([0-7][0-9a-fA-F])', '%\\1', 'g'))"
