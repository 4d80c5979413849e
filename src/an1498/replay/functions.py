"""The closed table of functions that expressions may call, each with its DuckDB form.

A value is a format string over the rendered arguments, or a function of them where their number varies. A language that needs
another function adds a row here, named for what it does, not for the language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SqlTemplate = str | Callable[[list[str]], str]


def _infix(operator: str, empty: str) -> Callable[[list[str]], str]:
    return lambda args: "(" + f" {operator} ".join(args) + ")" if args else empty


def _function(name: str) -> Callable[[list[str]], str]:
    return lambda args: f"{name}({', '.join(args)})"


SQL_FUNCTIONS: Mapping[str, SqlTemplate] = {
    # logic (three-valued, as in SQL)
    "and": _infix("AND", "TRUE"),
    "or": _infix("OR", "FALSE"),
    "not": "(NOT {0})",
    "is_null": "({0} IS NULL)",
    "is_not_null": "({0} IS NOT NULL)",
    "coalesce": _function("coalesce"),
    # comparison
    "eq": "({0} = {1})",
    "ne": "({0} <> {1})",
    "lt": "({0} < {1})",
    "le": "({0} <= {1})",
    "gt": "({0} > {1})",
    "ge": "({0} >= {1})",
    "in": lambda args: f"({args[0]} IN ({', '.join(args[1:])}))",
    # arithmetic
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "int_div": "({0} // {1})",
    "mod": "({0} % {1})",
    "neg": "(-{0})",
    "floor": "floor({0})",
    "round": _function("round"),
    "abs": "abs({0})",
    # text
    "lower": "lower({0})",
    "upper": "upper({0})",
    "length": "length({0})",
    "concat": _infix("||", "''"),
    "starts_with": "starts_with({0}, {1})",
    "ends_with": "suffix({0}, {1})",
    "contains": "contains({0}, {1})",
    "regex_full": "regexp_full_match({0}, {1}, 's')",
    "regex_search": "regexp_matches({0}, {1}, 's')",
    # lists
    "list_any": "(len(list_filter({0}, {1})) > 0)",
    "list_filter": "list_filter({0}, {1})",
    "list_transform": "list_transform({0}, {1})",
    "list_length": "len({0})",
    "list_concat": _function("list_concat"),
    "list_sort": "list_sort({0})",
    "list_distinct": "list_distinct({0})",
    "list_contains": "list_contains({0}, {1})",
    "list_element": "list_extract({0}, {1})",
    # aggregates and window functions
    "count": _function("count"),
    "count_rows": "count(*)",
    "sum": "sum({0})",
    "avg": "avg({0})",
    "min": "min({0})",
    "max": "max({0})",
    "median": "median({0})",
    "first": "first({0})",
    "last": "last({0})",
    "first_value": "first_value({0})",
    "last_value": "last_value({0})",
    "list": "list({0})",
    "row_number": "row_number()",
}
