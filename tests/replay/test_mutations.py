"""Mutated searches over odd events: replay answers or refuses with one line; nothing else happens. Derandomised."""

from __future__ import annotations

import json
import random

import pytest

from an1498.errors import An1498Error
from an1498.model import Language
from an1498.replay import replay_text

TEXTS = {
    "spl": [
        'x=a (y!=1 OR NOT z IN (b*, "c d")) | eval a=if(match(x, "^a"), y+1, null()), b=mvindex(split(x, ","), -1) | table a b',
        "* | stats count dc(x) AS d values(y) BY z | sort - count | head 5 | where count>1",
        '* | rex field=x "(?<p>\\w)(?<q>.*)" | streamstats window=2 global=f sum(y) AS s BY p reset_on_change=t | dedup p',
        "x=* [search y=1 | fields x] | timechart span=1m count BY x limit=0 | untable _time k v",
        "| makeresults count=2 | append [search x=1 | stats max(y) AS m] | join type=left m [search * | stats count BY m]",
    ],
    "eql": [
        'sequence by x with maxspan=1m [any where y > 1] with runs=2 ![process where z : "a*"] [any where true] until [file where true]',
        'any where ?q == null and not x in~ ("A", "b") and length(z) + 1 > 2 | head 3 | tail 1',
        "sample by x [process where true] [any where y == 1]",
    ],
    "esql": [
        'FROM a | WHERE y > 1 OR x LIKE "a*" | STATS c = COUNT(*) WHERE y < 3, m = MAX(y) BY x, b = BUCKET(@timestamp, 1 hour) | SORT c',
        'ROW a = [1, 2], b = "x-y" | MV_EXPAND a | DISSECT b "%{p}-%{q}" | EVAL c = CASE(a == 1, CONCAT(p, q), null), d = a * 2',
        "FROM a | EVAL l = MV_COUNT(x), s = SUBSTRING(z, 1, 2) | KEEP l, s, y* | RENAME s AS t | LIMIT 2",
    ],
    "lucene": ['x:a* AND (y:[1 TO 5} OR NOT z:"b c") -_exists_:q +x:/a.b/', "y:>=2 OR (x:(a b) AND *:*)"],
}
PIECES = [*"()[]{}|\"'`\\,.=!<>:*?~^+-/%&$#@ \n\t0a_\0é", " AND ", " NOT ", " | ", " by ", "1e309", "9" * 30, "null", "```", "/*", '"""']
VALUES = [
    None,
    1,
    -1.5,
    2**70,
    True,
    "",
    "a",
    "A,b",
    "10.0.0.1",
    "a\0b",
    "\ud800",
    "2020-01-01T00:00:00Z",
    [],
    ["a", None],
    [[1], ["x"]],
    {"b": {"c": 1}},
]


@pytest.mark.parametrize("language", TEXTS)
def test_nothing_but_an_answer_or_a_refusal(language: str) -> None:
    source = random.Random(f"mutations of {language}")
    answered = 0
    for _ in range(60):
        text = source.choice(TEXTS[language])
        for _ in range(source.choice((0, 1, 1, 2, 4))):
            start = source.randrange(len(text) + 1)
            end = min(len(text), start + source.randrange(10))
            text = text[:start] + source.choice(["", source.choice(PIECES), text[start:end] * 2]) + text[source.choice((start, end)) :]
        events = [
            {
                "@timestamp": 1,
                "_time": 1,
                "event.category": "process",
                **{field: source.choice(VALUES) for field in source.sample("xyzqm", 3)},
            }
            for _ in range(source.randrange(4))
        ]
        try:
            json.dumps(replay_text(Language(language), text, events))
            answered += 1
        except An1498Error as error:
            assert "\n" not in str(error), text
    assert answered
