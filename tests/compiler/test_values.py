"""Values are data: whatever a rule or a parameter holds, each search finds exactly the events that hold it."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
import yaml
from tests.compiler.build import TARGETS, pack

from an1498.compiler import compile_search
from an1498.errors import Unsupported
from an1498.model import FieldType, Language
from an1498.replay import eql, esql, lucene, spl
from an1498.replay.table import ColumnType, ResultRow, load

HOSTILE = [
    '"',
    'a"b',
    '" OR x="',
    '"] | delete [search "',
    "`macro`",
    "`",
    "$token$",
    "a|b",
    "[search x]",
    "]",
    "(",
    "a b",
    "it's",
    "a\\b",
    "a\\",
    "\\\\",
    "a*b",
    "a?b",
    "*",
    "/",
    "a/b OR c",
    "/.*/",
    "a\\/b",
    "x:y",
    "AND",
    "NOT x",
    "#@&<>~",
    "{}^+-=&&||!",
    "//",
    "--",
    "/*",
    "%name%",
    "null",
    "_",
    "10.0.0.0/8",
    "[C1.1.1.1:2][0x14]",
    "line\nfeed",
    "tab\there",
    "ünïcode ß",
    "日本",
    "42",
    "0x2a",
]
DECOYS = [
    "",
    "x",
    "ab",
    "a",
    "aXb",
    "b",
    "delete",
    "macro",
    "token",
    "line feed",
    "10.0.0.1",
    "y",
    "name",
    "042",
    "42.0",
    "4.2e1",
    "+42",
    " 42",
    "42 ",
    "421",
]
EVENTS = [*HOSTILE, *DECOYS]
MAPPING = {
    "event.dataset": ColumnType(FieldType.KEYWORD),
    "note": ColumnType(FieldType.KEYWORD),
    "fps": ColumnType(FieldType.KEYWORD, array=True),
    "@timestamp": ColumnType(FieldType.DATE),
}


def _run(language: Language, text: str, field: str) -> list[ResultRow]:
    connection = duckdb.connect()
    splunk = language is Language.SPL
    base: dict[str, Any] = {"_time": 1.0, "index": "zeek"} if splunk else {"@timestamp": 1.0, "event.dataset": "zeek"}
    events = [{**base, "_id": str(number), field: [value, "-"] if field == "fps" else value} for number, value in enumerate(EVENTS)]
    table = load(connection, "events", [events], flavour="splunk" if splunk else "elastic", mapping=None if splunk else MAPPING)
    match language:
        case Language.SPL:
            return spl.prepare(text, macros={"zeek": "index=zeek"}).execute(table)
        case Language.EQL:
            return eql.prepare(text).execute(table)
        case Language.ESQL:
            return esql.prepare(text).execute(table)
        case Language.LUCENE:
            return lucene.prepare(text).execute(table)


def _found(language: Language, text: str, field: str = "note") -> set[str]:
    rows = _run(language, text, field)
    return {EVENTS[int(row.values["events"][0] if language is Language.EQL else row.values["_id"])] for row in rows}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_matches_itself_alone(value: str, language: Language) -> None:
    rule = yaml.safe_dump({"selection": {"note": _escaped(value)}, "condition": "selection"}, allow_unicode=True)
    assert _found(language, compile_search(pack(rule), "rule", TARGETS[language], language).text) == {value}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_inside_a_text_and_negated(value: str, language: Language) -> None:
    rule = yaml.safe_dump({"selection": {"note|contains": _escaped(value)}, "condition": "not selection"}, allow_unicode=True)
    expected = {event for event in EVENTS if value.lower() not in event.lower()}
    assert _found(language, compile_search(pack(rule), "rule", TARGETS[language], language).text) == expected


@pytest.mark.parametrize("language", list(Language))
def test_all_hostile_values_in_one_list(language: Language) -> None:
    rule = yaml.safe_dump({"selection": {"note": [_escaped(value) for value in HOSTILE]}, "condition": "selection"}, allow_unicode=True)
    assert _found(language, compile_search(pack(rule), "rule", TARGETS[language], language).text) == set(HOSTILE)


@pytest.mark.parametrize("language", list(Language))
def test_hostile_values_in_an_array(language: Language) -> None:
    values = [value for value in HOSTILE if "\n" not in value]  # declared deviation esql-array-separator
    rule = yaml.safe_dump(
        {"selection": {"cert_chain_fps": [_escaped(value) for value in values]}, "condition": "selection"}, allow_unicode=True
    )
    assert _found(language, compile_search(pack(rule), "rule", TARGETS[language], language).text, "fps") == set(values)


@pytest.mark.parametrize("language", list(Language))
def test_hostile_parameters(language: Language) -> None:
    rule = "selection: {note|expand: '%hostile%'}\ncondition: selection"
    text = compile_search(
        pack(rule, "hostile = ['\"] | delete', '`macro`', '$token$', '[search x]']"), "rule", TARGETS[language], language
    ).text
    assert _found(language, text) == {"`macro`", "$token$", "[search x]"}


@pytest.mark.parametrize("value", HOSTILE)
def test_splunk_text_holds_no_macro_token_or_line_feed_of_a_value(value: str) -> None:
    rule = yaml.safe_dump({"selection": {"note|contains": _escaped(value)}, "condition": "selection"}, allow_unicode=True)
    text = compile_search(pack(rule), "rule", "splunk", Language.SPL).text
    assert text.count("`") == 2
    assert "$" not in text
    assert text.count("\n") == text.count("\n| where ")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("value", [42, "42"])
@pytest.mark.parametrize("negated", [False, True])
def test_a_number_in_a_text_field_is_its_digits(value: int | str, negated: bool, language: Language) -> None:
    """In both forms of SPL: what `search` says, and what stands in `where` because something beside it must."""
    wanted = {event for event in EVENTS if event != "42"} if negated else {"42"}
    for other in ({"note": "absent"}, {"note|cased": "absent"}):
        rule = yaml.safe_dump({"one": {"note": value}, "two": other, "condition": "not (one or two)" if negated else "one or two"})
        text = compile_search(pack(rule), "rule", TARGETS[language], language).text
        assert _found(language, text) == wanted, text
        if language is Language.SPL:
            assert ("| where" in text) == ("note|cased" in other)


def test_a_comparison_with_a_number_passes_over_text() -> None:
    """`search` would compare other text as text, and find "x" above 42."""
    text = compile_search(pack("s: {note|gte: 42}\ncondition: s"), "rule", "splunk", Language.SPL).text
    assert {event for event in _found(Language.SPL, text) if not event.strip("0123456789.e+ ")} >= {"42", "042", "42.0", "4.2e1", "421"}
    assert not {"x", "日本", "null", "10.0.0.1"} & _found(Language.SPL, text)


@pytest.mark.parametrize("value", ["\n", "a\nb"])
def test_a_line_feed_in_an_array_is_refused_in_esql(value: str) -> None:
    """It would match across two values, which are joined by line feeds."""
    rule = yaml.safe_dump({"s": {"cert_chain_fps|contains": value}, "condition": "s"})
    with pytest.raises(Unsupported, match="a line feed in a value of the array 'fps'"):
        compile_search(pack(rule), "rule", "elastic", Language.ESQL)


def test_a_control_character_has_no_form_in_esql() -> None:
    from an1498.compiler.esql_conditions import string
    from an1498.compiler.refusal import Refusal

    with pytest.raises(Refusal, match="U\\+0007"):
        string("bell\a")
