"""What docs/replay.md says is refused is refused, and what it lists is known."""

from __future__ import annotations

import re

import pytest

from an1498.errors import SearchSyntaxError
from an1498.model import Language
from an1498.replay import replay_text, subset_page

EVENTS = [{"_time": 1, "@timestamp": 1, "x": "a", "n": 1, "l": ["a", "b"], "event.category": "process", "_raw": "a"}]

REFUSED = {
    "spl": """
        | tstats count
        | datamodel x
        | from x
        | mstats avg(x)
        * | transaction x
        * | map search="search x=1"
        * | union [search x=1]
        * | extract
        * | iplocation x
        * | fieldformat missing=1
        eventtype=a
        tag=a
        earliest=-1d
        latest=now
        PREFIX(a)
        * | stats sparkline(count)
        * | streamstats time_window=5m count
        * | eval y=random()
        * | eval y=printf("%n", 1)
        * | eval y=lookup("a", "b")
        * | eval y=json_delete("{}", "a")
        * | eval y=sha512(x)
        * | where NOT missing="x"
        * | eval y=if(match(x, "a(?=b)"), 1, 0)
        * | timechart count
        * | bin _time span=7m
    """,
    "eql": """
        any where x = "a"
        any where x == 'a'
        join by x [any where true] [any where true]
        process where child of [process where true]
        any where l[0] == "a"
        any where arrayContains(l, "a")
        any where true | filter x == "a"
        any where true | unique x
        any where true | unique_count x
        any where true | sort x
        any where true | count
        any where x == l
        any where missing == 1
    """,
    "esql": """
        FROM a | GROK x "%{WORD:w}"
        FROM a | CHANGE_POINT n
        FROM a | COMPLETION x
        FROM a | FORK (WHERE true) (WHERE false)
        FROM a | FUSE
        FROM a | RERANK x
        FROM a | SAMPLE 0.5
        SHOW INFO
        TS a
        FROM a | WHERE MATCH(x, "a")
        FROM a | WHERE QSTR("x:a")
        FROM a | WHERE KQL("x:a")
        FROM a | WHERE x : "a"
        FROM a | WHERE x == ?p
        FROM a | EVAL y = NOW()
    """,
    "lucene": """
        x:a^2
        l.\\*:a
        x:a~1
        x:"a b"~2
        @timestamp:[now-1d TO now]
    """,
}


@pytest.mark.parametrize(
    ("language", "text"), [(name, line.strip()) for name, lines in REFUSED.items() for line in lines.strip().splitlines()]
)
def test_refused(language: str, text: str) -> None:
    with pytest.raises(SearchSyntaxError, match=r"^search:\d+:\d+: "):
        replay_text(Language(language), text, EVENTS)


def test_every_listed_command_and_function_is_known() -> None:
    """A name in the lists is one that replay does not call unknown (its arguments may be wrong here)."""
    page = subset_page.page()
    commands, functions, aggregates = (
        re.findall(r"`(\w+)`", re.search(rf"^{start}:(.*)$", page, re.MULTILINE)[1])  # type: ignore[index]
        for start in ("Commands", "Functions of `eval` and `where`", "Functions of `stats`, `chart` and their kin")
    )
    for text in (
        [f"* | {name}" for name in commands]
        + [f"* | eval y={name}()" for name in functions]
        + [f"* | stats {name}(x)" for name in aggregates]
    ):
        try:
            replay_text(Language.SPL, text, EVENTS)
        except Exception as error:  # noqa: BLE001 - the message says whether the name is known
            assert not re.search(r"not model (command|the function|the statistical function)", str(error)), text
