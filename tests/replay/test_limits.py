"""Texts that nest or repeat too much, and files that are no events: one located line, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from an1498.cli.program import run
from an1498.errors import An1498Error
from an1498.model import Language
from an1498.replay import replay_text

_DEEP = 1_000


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("spl", "(" * _DEEP + "x=1" + ")" * _DEEP),
        ("spl", "* | eval a=" + "-" * _DEEP + "1"),
        ("spl", "x=1" + " | eval a=1" * _DEEP),
        ("spl", "* | append " + "[search x=1 | append " * _DEEP + "]" * _DEEP),
        ("spl", '* | regex x="' + "(" * _DEEP + "a" + ")" * _DEEP + '"'),
        ("eql", "any where " + "not " * _DEEP + "true"),
        ("eql", "sequence" + " [any where true]" * _DEEP),
        ("esql", "FROM a | WHERE " + "(" * _DEEP + "true" + ")" * _DEEP),
        ("esql", "FROM a" + " | LIMIT 1" * _DEEP),
        ("lucene", "(" * _DEEP + "a:b" + ")" * _DEEP),
        ("lucene", "a:/" + "(" * _DEEP + "x" + ")" * _DEEP + "/"),
        ("spl", "x=\0"),
        ("eql", "any where x == \0"),
        ("esql", "FROM a | WHERE \0"),
        ("lucene", "a:\0["),
        ("spl", ""),
        ("eql", ""),
        ("esql", ""),
    ],
)
def test_a_text_that_cannot_be_executed(language: str, text: str) -> None:
    try:
        replay_text(Language(language), text, [{"_time": 1, "@timestamp": 1, "x": "b", "a": "b"}])
    except An1498Error as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"[1]", b'{"a":', b'{"a":' * 100_000, b"\0", b'{"_stream": 1}', b'{"_time": "soon"}', b'{"_time": NaN}']
)
def test_files_that_are_no_events(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events, search = tmp_path / "events.ndjson", tmp_path / "search.spl"
    events.write_bytes(content)
    search.write_text("*", encoding="utf-8")
    assert run(["replay", "--language", "spl", "--search", str(search), "--events", str(events)]) == 2
    output = capsys.readouterr()
    assert not output.out and len(output.err.strip().splitlines()) == 1


def test_no_events_and_a_long_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events, search = tmp_path / "events.ndjson", tmp_path / "search.spl"
    search.write_text("* | stats count", encoding="utf-8")
    for content, count in (("", 0), ('{"_time": 1, "x": "' + "y" * 5_000_000 + '"}', 1)):
        events.write_text(content, encoding="utf-8")
        assert run(["replay", "--language", "spl", "--search", str(search), "--events", str(events)]) == 0
        assert capsys.readouterr().out == f'{{"count": {count}}}\n'
