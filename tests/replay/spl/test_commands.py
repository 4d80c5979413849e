"""Order, and the commands besides search, eval and the stats family (Search Reference, each command's page)."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from tests.replay.spl.helpers import column, in_order, rows

from an1498.errors import SearchSyntaxError, UnsupportedConstruct
from an1498.replay.lookup import Lookup
from an1498.replay.spl import prepare
from an1498.replay.table import load

# --- order of events ---------------------------------------------------------------------------------------------------------


def test_events_come_newest_first_and_of_one_time_the_later_arrival_first() -> None:
    events = [{"_time": 5, "x": "old"}, {"_time": 9, "x": "first"}, {"_time": 9, "x": "second"}, {"_time": 7, "x": "middle"}]
    assert column("* | table x", events, "x") == ["second", "first", "middle", "old"]


def test_multisearch_interleaves_newest_first() -> None:
    events = [{"_time": t, "k": "a" if t % 2 else "b"} for t in (1, 2, 3, 4)]
    found = rows('| multisearch [search k=a | eval s=1] [ | search k=b | eval s="two"] | table _time s k', events)
    assert found == [
        {"_time": 4, "s": "two", "k": "b"},
        {"_time": 3, "s": "1", "k": "a"},
        {"_time": 2, "s": "two", "k": "b"},
        {"_time": 1, "s": "1", "k": "a"},
    ]


def test_multisearch_returns_an_event_once_for_each_search_that_finds_it() -> None:
    assert column("| multisearch [search x=1] [search x=1 OR x=2] | stats count by x", in_order(1, 2), "count") == [2, 1]


@pytest.mark.parametrize(
    ("search", "error"),
    [
        ("| multisearch [search x=1]", SearchSyntaxError),
        ("| multisearch [search x=1] [search x=2 | stats count]", SearchSyntaxError),
        ("| multisearch [search x=1] [search x=2 | head 1]", SearchSyntaxError),
        ("| multisearch [search x=1] [search x=2 | sort x]", SearchSyntaxError),
        ("| multisearch [search x=1] nonsense [search x=2]", SearchSyntaxError),
        ("| multisearch [search x=1] [x=2]", UnsupportedConstruct),
        ("| multisearch [search x=1] [search x=2", SearchSyntaxError),
    ],
)
def test_multisearch_takes_two_or_more_streaming_searches(search: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        prepare(search)


# --- sort --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "values", "result"),
    [
        ("x", [10, 9, 100], ["9", "10", "100"]),
        ("-x", [10, 9, 100], ["100", "10", "9"]),
        ("- x", [10, 9, 100], ["100", "10", "9"]),
        ("+x", ["b", "B", "a"], ["B", "a", "b"]),  # by code point
        ("str(x)", [10, 9, 100], ["10", "100", "9"]),
        ("num(x)", ["10", "9"], ["9", "10"]),
        ("x", ["10.0.0.2", "9.0.0.1", "10.0.0.10"], ["9.0.0.1", "10.0.0.2", "10.0.0.10"]),
        ("ip(x)", ["10.0.0.2", "9.0.0.1"], ["9.0.0.1", "10.0.0.2"]),
        # missing values come last in either direction
        ("x", [2, None, 1], ["1", "2", None]),
        ("-x", [2, None, 1], ["2", "1", None]),
        ("2 x", [3, 1, 2], ["1", "2"]),
        ("limit=2 x", [3, 1, 2], ["1", "2"]),
        ("0 x", [3, 1, 2], ["1", "2", "3"]),
    ],
)
def test_sort(arguments: str, values: list[Any], result: list[Any]) -> None:
    assert column(f"* | sort {arguments} | table x", in_order(*values), "x") == result


def test_sort_by_several_fields_is_stable() -> None:
    events = [{"_time": 100 - i, "a": a, "b": b, "i": i} for i, (a, b) in enumerate([(1, 1), (2, 5), (1, 2), (2, 5), (1, 2)])]
    assert column("* | sort 0 -a, b | table i", events, "i") == ["1", "3", "0", "2", "4"]
    assert column("* | sort 0 a -b | table i", events, "i") == ["2", "4", "0", "1", "3"]


def test_sort_keeps_10000_results_unless_told_otherwise() -> None:
    events = in_order(*range(10_050))
    assert column("* | sort x | stats count", events, "count") == [10_000]
    assert column("* | sort 0 x | stats count", events, "count") == [10_050]


@pytest.mark.parametrize("values", [[10, "b"], ["1a", "2b"], ["10.0.0.1", "host"], [["a", "b"], "c"]])
def test_sort_of_mixtures_is_refused(values: list[Any]) -> None:
    with pytest.raises(UnsupportedConstruct, match=r"sort of text that mixes|multivalue where one"):
        rows("* | sort x", in_order(*values))


@pytest.mark.parametrize("arguments", ["- a b"])
def test_sort_forms_that_are_not_modelled(arguments: str) -> None:
    with pytest.raises(UnsupportedConstruct):
        prepare(f"* | sort {arguments}")


# --- filtering and shaping -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("head 2", ["a", "b"]),
        ("head limit=1", ["a"]),
        ("tail 2", ["b", "a"]),  # the last ones, in reverse order
        ("reverse", ["b", "a", "b", "a"]),
        ("dedup x", ["a", "b"]),
        ("dedup 2 x", ["a", "b", "a", "b"]),
        ("head 3 | tail 1", ["a"]),
    ],
)
def test_heads_and_tails(command: str, result: list[str]) -> None:
    assert column(f"* | {command} | table x", in_order("a", "b", "a", "b"), "x") == result


def test_head_and_tail_are_10_by_default() -> None:
    assert column("* | head | table x", in_order(*range(20)), "x") == [str(n) for n in range(10)]
    assert column("* | tail | table x", in_order(*range(20)), "x") == [str(n) for n in range(19, 9, -1)]


def test_dedup_drops_results_without_the_fields_unless_told_to_keep_them() -> None:
    events = in_order("a", None, "a", None)
    assert column("* | dedup x | table x", events, "x") == ["a"]
    assert column("* | dedup x keepempty=true | table x", events, "x") == ["a", None, None]


def test_table_and_fields() -> None:
    events = [{"_time": 1, "a": 1, "ab": 2, "b": 3}]
    assert rows("* | table b a* nothing", events) == [{"b": "3", "a": "1", "ab": "2", "nothing": None}]
    assert rows("* | fields b, a", events) == [{"b": "3", "a": "1", "_time": 1}]
    assert rows("* | fields - a*", events) == [{"_time": 1, "b": "3"}]
    assert rows("* | fields - _time a", events) == [{"ab": "2", "b": "3"}]


def test_rename_moves_and_overwrites() -> None:
    assert rows('* | rename a AS "new name", b as c | fields - _time', [{"_time": 1, "a": 1, "b": 2, "c": 3}]) == [
        {"new name": "1", "c": "2"}
    ]
    # "It overwrites product_id with null values where pid does not exist for the event."
    events = [{"_time": 2, "pid": 1}, {"_time": 1, "product_id": 2}]
    assert column("* | rename pid AS product_id | table product_id", events, "product_id") == ["1", None]


def test_bin_of_time() -> None:
    events = [{"_time": t} for t in (599.5, 300, 299)]
    assert column("* | bin _time span=5m | table _time", events, "_time") == [300, 300, 0]
    assert rows("* | bucket span=1h _time AS hour | table hour _time", [{"_time": 7300}]) == [{"hour": 7200, "_time": 7300}]
    assert column("* | bin _time span=1d | table _time", [{"_time": 90_000}], "_time") == [86_400]


def test_fillnull() -> None:
    events = [{"_time": 1, "a": 1}, {"_time": 0, "b": 2}]
    assert rows("* | fillnull | fields - _time", events) == [{"a": "1", "b": "0"}, {"a": "0", "b": "2"}]
    assert rows("* | fillnull value=NULL b | table a b", events) == [{"a": "1", "b": "NULL"}, {"a": None, "b": "2"}]


def test_multivalue_commands() -> None:
    events = in_order(["p", "q"], None)
    assert column("* | mvexpand x | table x", events, "x") == ["p", "q", None]
    assert column("* | nomv x | table x", events, "x") == ["p\nq", None]
    assert column('* | makemv delim="," x | table x', in_order("a,,b", "c"), "x") == [["a", "b"], "c"]
    assert column('* | makemv delim="," allowempty=t x | table x', in_order("a,,b"), "x") == [["a", "", "b"]]


def test_regex_keeps_what_matches() -> None:
    assert column(r'* | regex x="^a\d+$" | table x', in_order("a1", "A1", "ab", None), "x") == ["a1"]
    assert column(r'* | regex x!="^a" | table x', in_order("a1", "b"), "x") == ["b"]
    # of two backslashes one is removed before the expression is read
    assert column(r'* | regex x="c:\\\\temp" | table x', in_order(r"c:\temp"), "x") == [r"c:\temp"]


def test_rex_extracts_named_groups() -> None:
    events = in_order("user=ann id=5", "nothing")
    assert rows(r'* | rex field=x "user=(?<user>\w+) id=(?<id>\d+)" | table user id', events) == [
        {"user": "ann", "id": "5"},
        {"user": None, "id": None},
    ]
    assert column(r'* | rex field=x max_match=0 "(?<l>[a-z])" | table l', in_order("a1b2c3"), "l") == [["a", "b", "c"]]
    assert column(r'* | rex field=x max_match=2 "(?<l>[a-z])" | table l', in_order("a1b2c3"), "l") == [["a", "b"]]
    assert column(r'* | eval y="kept" | rex field=x "z(?<y>.)" | table y', in_order("a", "zb"), "y") == ["kept", "b"]


def test_makeresults_has_everything_but_the_time() -> None:
    assert rows('| makeresults count=2 | eval x="a" | streamstats count | table x count', []) == [
        {"x": "a", "count": 1},
        {"x": "a", "count": 2},
    ]
    with pytest.raises(UnsupportedConstruct, match="the time at which the search runs"):
        rows("| makeresults | eval x=_time", [])
    with pytest.raises(UnsupportedConstruct, match="fields - _time"):
        rows("| makeresults | eval x=1", [])


def test_addinfo_tells_the_earliest_boundary_of_all_time_and_nothing_of_the_run() -> None:
    assert column("* | addinfo | where _time>=info_min_time+2 | fields - info_* | table _time", [{"_time": 1}, {"_time": 2}], "_time") == [
        2
    ]
    with pytest.raises(UnsupportedConstruct, match="the time at which the search runs"):
        rows("* | addinfo | eval x=info_max_time | table x", [])
    with pytest.raises(UnsupportedConstruct, match="fields - info_"):
        rows("* | table _time | addinfo", [])
    with pytest.raises(SearchSyntaxError):
        rows("* | addinfo x", [])


# --- lookup --------------------------------------------------------------------------------------------------------------------

ASSETS = {"assets": Lookup("assets", ("ip", "host", "owner"), (("10.0.0.1", "mac-1", "ann"), ("10.0.0.2", "mac-2", None)))}


def test_lookup_adds_the_named_columns() -> None:
    events = in_order("10.0.0.1", "10.0.0.9", None, field="src")
    found = rows("* | lookup assets ip AS src OUTPUT host AS name, owner | table name owner", events, lookups=ASSETS)
    assert found == [{"name": "mac-1", "owner": "ann"}, {"name": None, "owner": None}, {"name": None, "owner": None}]
    assert rows("* | lookup assets ip | table host owner", in_order("10.0.0.2", field="ip"), lookups=ASSETS) == [
        {"host": "mac-2", "owner": None}
    ]


def test_several_matching_rows_give_a_multivalue_in_file_order() -> None:
    many = {"l": Lookup("l", ("k", "v"), (("a", "z"), ("b", "y"), ("a", "x")))}
    found = rows("* | lookup l k AS x OUTPUT v | table v", in_order("a", "b", "c"), lookups=many)
    assert [row["v"] for row in found] == [["z", "x"], "y", None]


def test_lookups_are_case_sensitive_unless_the_table_says_otherwise() -> None:
    for sensitive, expected in ((True, [None]), (False, ["v"])):
        table = {"l": Lookup("l", ("k", "v"), (("a", "v"),), case_sensitive=sensitive)}
        assert [row["v"] for row in rows("* | lookup l k AS x OUTPUT v | table v", in_order("A"), lookups=table)] == expected


def test_outputnew_keeps_and_output_overwrites() -> None:
    table = {"l": Lookup("l", ("k", "v"), (("a", "new"),))}
    events = [{"_time": 2, "x": "a", "v": "old"}, {"_time": 1, "x": "a"}]
    assert [row["v"] for row in rows("* | lookup l k AS x OUTPUTNEW v | table v", events, lookups=table)] == ["old", "new"]
    assert [row["v"] for row in rows("* | lookup l k AS x OUTPUT v | table v", events, lookups=table)] == ["new", "new"]
    with pytest.raises(UnsupportedConstruct, match="lookup without a match"):
        rows("* | lookup l k AS x OUTPUT v", [{"x": "b", "v": "old"}], lookups=table)


def test_lookup_errors() -> None:
    with pytest.raises(SearchSyntaxError, match="lookup 'none' is not defined"):
        prepare("* | lookup none k")
    with pytest.raises(SearchSyntaxError, match="has no column 'mac'"):
        prepare("* | lookup assets mac", lookups=ASSETS)


# --- what a search reads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "fields"),
    [
        ("a=1", None),
        ("a=1 | fields - b", None),
        ("a=1 | table b*", None),
        ("a=1 | table b c", {"_time", "a", "b", "c"}),
        ("a=1 | stats count by b", {"_time", "a", "b"}),
        ("* | eval x=a.b, y=x | table y", {"_time", "a", "b"}),
        ("* | rename a as b | stats count by b", {"_time", "a"}),
        ("word | stats count", {"_time", "_raw"}),
        ("| multisearch [search a=1 | eval k=b] [search c=1 | eval k=d] | table k", {"_time", "a", "b", "c", "d"}),
        ("* | fields a", {"_time", "_raw", "a"}),
        ("* | sort x | streamstats last(y) as z by w | where v=1 | table z", {"_time", "v", "w", "x", "y"}),
    ],
)
def test_fields(search: str, fields: set[str] | None) -> None:
    assert prepare(search).fields == (None if fields is None else frozenset(fields))


@pytest.mark.parametrize(
    "command",
    ["join x [search y=1]", "transaction x", "map search=x", "timechart count", "spath", "collect index=x",
     "bin _time span=1mon", "bin _time span=7m", "bin _time", "dedup x sortby y",
     "makemv tokenizer=x y", "mvexpand x limit=a", 'regex x="a(?!b)"', "fillnull a=b"],
)  # fmt: skip
def test_commands_and_options_that_are_not_modelled(command: str) -> None:
    with pytest.raises(UnsupportedConstruct, match=r"^search:1:\d+: spl: replay does not model"):
        rows(f"x=1 | {command}", [{"x": 1, "_raw": "a"}])


@pytest.mark.parametrize("command", ["table", "rename a", "rex field=x", 'rex field=x "a"', "lookup", "sort", "regex", "eval", "fields"])
def test_incomplete_commands(command: str) -> None:
    with pytest.raises(SearchSyntaxError):
        prepare(f"x=1 | {command}")


def test_streams_do_not_meet() -> None:
    prepared = prepare("* | streamstats count | stats max(count) AS m")
    table = load(duckdb.connect(), "t", [in_order(1, 2), [], in_order(1)], flavour="splunk", fields=prepared.fields)
    with pytest.raises(UnsupportedConstruct, match="over no events"):
        prepared.execute(table)
    prepared = prepare("* | sort x | head 1 | stats count values(x) AS v")
    table = load(duckdb.connect(), "t", [in_order(2, 1), [], in_order(3)], flavour="splunk", fields=prepared.fields)
    assert [(row.stream, dict(row.values)) for row in prepared.execute(table)] == [
        (0, {"count": 1, "v": "1"}),
        (1, {"count": 0, "v": None}),
        (2, {"count": 1, "v": "3"}),
    ]


def test_fillnull_without_names_fills_the_fields_that_a_stream_has() -> None:
    prepared = prepare("* | fillnull | fields - _time")
    table = load(duckdb.connect(), "t", [[{"_time": 2, "a": 1}, {"_time": 1}], [{"_time": 1, "b": 2}]], flavour="splunk")
    assert [(row.stream, dict(row.values)) for row in prepared.execute(table)] == [
        (0, {"a": "1", "b": None}),
        (0, {"a": "0", "b": None}),
        (1, {"a": None, "b": "2"}),
    ]


@pytest.mark.parametrize("command", ["rename x as y, y as z", "rename x as y, z as y"])
def test_renames_that_depend_on_their_order_are_refused(command: str) -> None:
    with pytest.raises(UnsupportedConstruct, match="a rename whose new names are also old names"):
        prepare(f"* | {command}")


def test_a_lookup_by_a_multivalue_is_refused() -> None:
    with pytest.raises(UnsupportedConstruct, match="a multivalue where one value is needed"):
        rows("* | lookup assets ip AS x", in_order(["10.0.0.1", "10.0.0.2"]), lookups=ASSETS)


def test_the_text_of_a_time_with_a_fraction_is_refused() -> None:
    assert column('* | eval x=_time."s" | table x', [{"_time": 5}], "x") == ["5s"]
    with pytest.raises(UnsupportedConstruct, match="a fraction of a second"):
        column('* | eval x=_time."s" | table x', [{"_time": 5.25}], "x")
    assert column("* | eval x=_time+0.5 | table x", [{"_time": 5.25}], "x") == [5.75]


@pytest.mark.parametrize("command", ["multisearch [search a=1] [search b=1]", "makeresults"])
def test_generating_commands_come_first(command: str) -> None:
    with pytest.raises(SearchSyntaxError, match="must be the first"):
        prepare(f"x=1 | {command}")


def test_collect_gives_the_results_that_it_writes() -> None:
    """ "collect": events are added to the index, the results stay; format hec takes no source, marker or addtime."""
    event = [{"_time": 1, "a": "x"}]
    assert rows("* | table a | collect `m` output_format=hec", event, {"m": "index=risk"}) == [{"a": "x"}]
    for text, problem in (
        ("* | collect index=risk", "without output_format=hec"),
        ("* | collect output_format=hec", "without an index"),
        ("* | collect index=risk output_format=hec source=x", "option 'source'"),
        ("* | collect index=risk output_format=hec | table a", "after collect"),
    ):
        with pytest.raises(UnsupportedConstruct, match=problem):
            rows(text, event)


def test_a_time_based_lookup_gives_the_row_that_began_last() -> None:
    """transforms.conf, `time_field`: "the first matching entry in descending order" of time, one match; an entry later than the event, or
    more than max_offset_secs (2,000,000,000) earlier, does not match. Keys stay keys."""
    rows_of = (("300", "c", "k"), ("100", "a", "k"), ("200", None, "k"), ("100", "z", "other"))
    table = {"t": Lookup("t", ("start", "v", "k"), rows_of, time_column="start")}
    events = [{"_time": time, "x": "k"} for time in (2_000_000_301, 300.5, 300, 299.999999, 200, 150, 100, 99.999999)]
    found = rows("* | sort 0 -_time | lookup t k AS x OUTPUT v, start AS began | table v began", events, lookups=table)
    assert [(row["v"], row["began"]) for row in found] == [
        (None, None),
        ("c", "300"),
        ("c", "300"),
        (None, "200"),
        (None, "200"),
        ("a", "100"),
        ("a", "100"),
        (None, None),
    ]
    assert rows("* | lookup t k AS x OUTPUT v | table v", [{"_time": 500, "x": "other"}], lookups=table) == [{"v": "z"}]


def test_a_time_based_lookup_that_splunk_would_read_otherwise_is_refused() -> None:
    for cells, problem in (((("1.5", "a"),), "a time '1.5'"), ((("1", "a"), ("1", "a")), "two rows of one time")):
        table = {"t": Lookup("t", ("start", "k"), cells, time_column="start")}
        with pytest.raises(UnsupportedConstruct, match=problem):
            rows("* | lookup t k AS x OUTPUT start AS began | table began", [{"_time": 5, "x": "a"}], lookups=table)
