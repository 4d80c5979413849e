"""stats, eventstats, streamstats (Search Reference, pages of these names and "Statistical and charting functions")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.replay.spl.helpers import column, in_order, rows

from an1498.errors import SearchSyntaxError, UnsupportedConstruct

HOSTS = [{"_time": 100 - i, "host": h, "n": n} for i, (h, n) in enumerate([("b", 3), ("a", 1), (None, 9), ("b", 3), ("a", None)])]


def test_groups_are_sorted_and_a_null_key_is_dropped() -> None:
    assert rows("* | stats count count(n) sum(n) AS total BY host", HOSTS) == [
        {"host": "a", "count": 2, "count(n)": 1, "total": 1},
        {"host": "b", "count": 2, "count(n)": 2, "total": 6},
    ]


def test_groups_sort_as_text() -> None:
    assert column("* | stats count by x", in_order(9, 10, 100), "x") == ["10", "100", "9"]
    assert column("* | eval y=x*1 | stats count by y", in_order(9, 10, 100), "y") == [10, 100, 9]


def test_a_multivalued_key_counts_in_each_of_its_groups() -> None:
    assert rows("* | stats count by x", in_order(["p", "q"], "q")) == [{"x": "p", "count": 1}, {"x": "q", "count": 2}]


def test_without_by_there_is_one_row_even_for_no_events() -> None:
    assert rows("x=nothing | stats count dc(x) AS d", in_order(1)) == [{"count": 0, "d": 0}]
    assert rows("x=nothing | stats count by x", in_order(1)) == []


@pytest.mark.parametrize(
    ("function", "values", "result"),
    [
        ("count(x)", ["a", None, ["b", "c"]], 3),
        ("dc(x)", ["a", "a", ["b", "a"]], 2),
        ("distinct_count(x)", [1, 2, 2], 2),
        ("values(x)", ["b", "a", "b", None], ["a", "b"]),
        ("values(x)", [10, 9, 100], ["10", "100", "9"]),  # lexicographical
        ("list(x)", ["b", "a", "b", None], ["b", "a", "b"]),
        ("list(x)", list(range(150)), [str(n) for n in range(100)]),  # the first 100
        ("sum(x)", [1, "2.5", "word", None], 3.5),
        ("avg(x)", [1, 2, "word"], 1.5),
        ("mean(x)", [1, 3], 2),
        ("sum(x)", ["word"], None),
        ("min(x)", [10, 9, 100], "9"),
        ("max(x)", ["b", "a"], "b"),
        ("range(x)", [10, 4], 6),
        ("first(x)", [None, "b", "a"], "b"),  # the first seen, which is the most recent
        ("last(x)", ["b", "a", None], "a"),
        ("earliest(x)", ["new", "old"], "old"),
        ("latest(x)", ["new", "old"], "new"),
        ("median(x)", [1, 2, 3], 2),
        ("median(x)", [1, 2, 3, 4], 3),  # "the higher of the two values"
        ("perc50(x)", [1, 2, 3], 2),
        ("min(x)", ["c", 9, "a", 100], "9"),  # "all numbers before non-numeric items"
        ("max(x)", ["c", 9, "a", 100], "c"),
        ("stdev(x)", [2, 4, 4, 4, 5, 5, 7, 9], 2.138089935299395),
        ("var(x)", [7], 0),
        ("stdevp(x)", [2, 4, 4, 4, 5, 5, 7, 9], 2),
        ("varp(x)", [2, 4, 4, 4, 5, 5, 7, 9], 4),
        ("sumsq(x)", [1, 2, "x"], 5),
        ("mode(x)", ["b", "a", "b"], "b"),
        ("earliest_time(x)", ["a", "b", None], 999),
        ("latest_time(x)", [None, "a", "b"], 999),
        ("p95(x)", [5], 5),
        ('count(eval(x="a"))', ["a", "b", None], 1),
        ("sum(eval(x*2))", [1, 2], 6),
        ("sum(eval(if(x>1, 1, 0)))", [1, 2, 3], 2),
        ("max(_time)", [1, 2], 1000),
    ],
)
def test_functions(function: str, values: list[Any], result: Any) -> None:
    assert column(f"* | stats count {function} AS y", in_order(*values), "y") == [result]


def test_names_are_as_written() -> None:
    assert list(rows('* | stats count, dc(x), c(x) sum(eval(x * 2)) values(x) as "all of them"', in_order(1))[0]) == [
        "count",
        "dc(x)",
        "c(x)",
        "sum(eval(x * 2))",
        "all of them",
    ]


def test_eventstats_adds_to_every_event_of_the_group() -> None:
    assert rows("* | eventstats sum(n) AS total dc(host) AS hosts by host | table host n total", HOSTS) == [
        {"host": "b", "n": "3", "total": 6},
        {"host": "a", "n": "1", "total": 1},
        {"host": None, "n": "9", "total": None},
        {"host": "b", "n": "3", "total": 6},
        {"host": "a", "n": None, "total": 1},
    ]


# SPL2 Search Reference, "streamstats command: Overview": data, window=3 average, reset examples.
DATA = [
    {"_time": 100 - i, "host": h, "action": action, "bytes": b}
    for i, (h, action, b) in enumerate(
        [
            ("x", "LOGON", 100),
            ("y", "APP_START", 200),
            ("x", "FILE_DOWNLOAD", 400),
            ("x", "REBOOT", 50),
            ("y", "LOGON", 150),
            ("x", "LOGON", 100),
        ]
    )
]


@pytest.mark.parametrize(
    ("command", "results"),
    [
        ("count AS r", [1, 2, 3, 4, 5, 6]),
        ("count AS r BY host", [1, 1, 2, 3, 2, 4]),
        ("sum(bytes) AS r BY host", [100, 200, 500, 550, 350, 650]),
        ("current=f last(bytes) AS r", [None, "100", "200", "400", "50", "150"]),
        ("current=f last(bytes) AS r BY host", [None, None, "100", "400", "200", "50"]),
        ("current=false count AS r", [0, 1, 2, 3, 4, 5]),
        ("window=3 sum(bytes) AS r", [100, 300, 700, 650, 600, 300]),
        ("window=2 current=f sum(bytes) AS r", [None, 100, 300, 600, 450, 200]),
        # one window over all events, of which each group sees its own
        ("window=2 sum(bytes) AS r BY host", [100, 200, 400, 450, 150, 100]),
        ("window=2 global=t sum(bytes) AS r BY host", [100, 200, 400, 450, 150, 100]),
        # a window for each group
        ("window=2 global=f sum(bytes) AS r BY host", [100, 200, 500, 450, 350, 150]),
        ("window=1 current=f global=f last(action) AS r BY host", [None, None, "LOGON", "FILE_DOWNLOAD", "APP_START", "REBOOT"]),
        ("dc(host) AS r", [1, 2, 2, 2, 2, 2]),
        ("values(host) AS r", ["x", ["x", "y"], ["x", "y"], ["x", "y"], ["x", "y"], ["x", "y"]]),
        ("list(bytes) AS r BY host", ["100", "200", ["100", "400"], ["100", "400", "50"], ["200", "150"], ["100", "400", "50", "100"]]),
        ("first(action) AS r BY host", ["LOGON", "APP_START", "LOGON", "LOGON", "APP_START", "LOGON"]),
        ("max(bytes) AS r", ["100", "200", "400", "400", "400", "400"]),
        ("median(bytes) AS r", [100, 200, 200, 200, 150, 150]),
        ('reset_after=(action="REBOOT") sum(bytes) AS r BY host', [100, 200, 500, 550, 150, 100]),
        ('reset_before=(action="REBOOT") sum(bytes) AS r BY host', [100, 200, 500, 50, 150, 150]),
        ('reset_after="("action="REBOOT"")" sum(bytes) AS r BY host', [100, 200, 500, 550, 150, 100]),
    ],
)
def test_streamstats(command: str, results: list[Any]) -> None:
    assert column(f"* | streamstats {command} | table r", DATA, "r") == results


def test_streamstats_gives_nothing_to_an_event_without_the_by_field() -> None:
    assert column("* | streamstats count AS r by host | table r", HOSTS, "r") == [1, 1, None, 2, 2]


@pytest.mark.parametrize(
    "command",
    [
        "streamstats time_window=5m count",
        "streamstats window=20000 count",
        "streamstats reset_after=(r>2) count AS r",
        "stats sparkline(n)",
        "stats count by h*",
        "stats allnum=t sum(n)",
        "stats dedup_splitvals=t count by host",
        "stats count count",
        "stats sum",
        "stats estdc(n)",
        "eventstats window=3 count",
    ],
)
def test_refused_before_any_event(command: str) -> None:
    with pytest.raises(UnsupportedConstruct):
        rows(f"* | {command}", HOSTS)


@pytest.mark.parametrize(
    ("command", "events", "message"),
    [
        ("stats mode(x)", in_order("a", "b"), "equally frequent"),
        # The text says nearest rank (10), the example prints the interpolated 9.55.
        ("stats perc95(x)", in_order(*range(1, 11)), "falls between two values"),
        ("stats perc50(x)", in_order(1, 2), "falls between two values"),
        ("stats first(x)", in_order(["a", "b"]), "first\\(\\) of a multivalue"),
        ("stats latest(x)", [{"_time": 1, "x": "a"}, {"_time": 1, "x": "b"}], "one time and different values"),
        ("stats median(x)", in_order(*range(1001)), "more than 1,000 distinct"),
        ("eventstats count by x", in_order(["a", "b"]), "a multivalue where one value is needed"),
        ("streamstats window=2 count by host", HOSTS, "a global window over events that lack"),
        ("streamstats count", in_order(*range(10_001)), "more than 10,000 results"),
        ("where x=7 | stats values(x)", in_order(1), "stats without count over no events"),
    ],
)
def test_refused_because_of_the_events(command: str, events: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(UnsupportedConstruct, match=message):
        rows(f"* | {command}", events)


@pytest.mark.parametrize(
    "command", ["stats", "stats by x", "stats count by", "streamstats window=x count", "streamstats current=maybe count"]
)
def test_syntax_errors(command: str) -> None:
    with pytest.raises(SearchSyntaxError):
        rows(f"* | {command}", HOSTS)
