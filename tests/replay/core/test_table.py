"""What loading does to documents: names, types, values that do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pytest

from an1498.errors import UsageError
from an1498.model import FieldType
from an1498.replay.table import ColumnType, Flavour, Schema, load, run


def loaded(documents: list[dict[str, Any]], flavour: Flavour = "elastic", mapping: Schema | None = None) -> list[Mapping[str, Any]]:
    table = load(duckdb.connect(), "t", [documents], flavour=flavour, mapping=mapping)
    return [{name: value for name, value in row.values.items() if name != "_row"} for row in run(table, table.scan())]


def test_nested_and_dotted_names_are_the_same_field() -> None:
    assert loaded([{"a": {"b": 1}}, {"a.b": 2}]) == [{"a.b": 1}, {"a.b": 2}]


def test_null_and_empty_arrays_are_missing() -> None:
    assert loaded([{"a": None, "b": [], "c": "x"}]) == [{"c": "x"}]


def test_one_array_makes_the_column_a_list() -> None:
    assert loaded([{"a": ["x", "y"]}, {"a": "z"}]) == [{"a": ["x", "y"]}, {"a": ["z"]}]


def test_splunk_stores_text() -> None:
    assert loaded([{"n": 1, "f": 1.5, "b": True, "_time": "2026-01-15T10:00:07.25Z"}], "splunk") == [
        {"_time": 1768471207.25, "n": "1", "f": "1.5", "b": "true"}
    ]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, float("inf"), float("nan")])
def test_a_number_beyond_its_column_is_text(number: float) -> None:
    (row,) = loaded([{"id": number}])
    assert row == {"id": {"inf": "Infinity", "nan": "NaN"}.get(str(number), str(number))}


def test_the_greatest_64_bit_integer_stays_a_number() -> None:
    assert loaded([{"id": 2**63 - 1}]) == [{"id": 2**63 - 1}]


def test_text_with_a_null_character_or_a_lone_surrogate() -> None:
    assert loaded([{"a": "x\0y", "b": "\ud800"}]) == [{"a": "x\0y", "b": "\ufffd"}]


def test_a_mapping_coerces_as_elasticsearch_does() -> None:
    mapping = {name: ColumnType(kind) for name, kind in {"l": FieldType.LONG, "d": FieldType.DOUBLE, "b": FieldType.BOOLEAN}.items()}
    assert loaded([{"l": "12", "d": "1.5", "b": "false"}, {"l": 1.9, "d": 2, "b": True}], mapping=mapping) == [
        {"b": False, "d": 1.5, "l": 12},
        {"b": True, "d": 2.0, "l": 1},
    ]


def test_an_address_is_canonical() -> None:
    mapping = {"ip": ColumnType(FieldType.IP)}
    assert loaded([{"ip": "2001:DB8:0::1"}, {"ip": "::ffff:10.0.0.1"}], mapping=mapping) == [{"ip": "2001:db8::1"}, {"ip": "10.0.0.1"}]


@pytest.mark.parametrize(
    ("document", "mapping", "message"),
    [
        ({"l": "many"}, {"l": ColumnType(FieldType.LONG)}, "'many' is not a long"),
        ({"l": 2**63}, {"l": ColumnType(FieldType.LONG)}, "is not a long"),
        ({"b": 2}, {"b": ColumnType(FieldType.BOOLEAN)}, "2 is not a boolean"),
        ({"@timestamp": "yesterday"}, {}, "is not a time"),
        ({"@timestamp": float("nan")}, {}, "is not a time"),
        ({"_ord": 1}, {}, "must not have a field named '_ord'"),
    ],
)
def test_what_cannot_be_loaded(document: dict[str, Any], mapping: Schema, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        loaded([document], mapping=mapping)


def test_an_empty_table_and_a_promised_column() -> None:
    table = load(duckdb.connect(), "t", [[], []], flavour="elastic", mapping={"x": ColumnType(FieldType.LONG)})
    assert list(table.schema) == ["x"]
    assert run(table, table.scan()) == []
