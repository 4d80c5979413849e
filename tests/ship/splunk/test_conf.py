"""What the writer writes, an independent reader reads back; what it cannot write, it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ship.splunk.conf_reader import Broken, read_conf

from an1498.ship.splunk.conf import Stanza, Unwritable, conf

HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "\\",
                "\n",
                "\\\n",
                "[stanza]",
                "[",
                "]",
                "=",
                " = ",
                "#",
                ";",
                "`",
                "|",
                "$x$",
                '"',
                "'",
                " ",
                "\t",
                "\r",
                "\x00",
                "\x85",
                "\u2028",
            ]
        ),
        st.sampled_from(["search", "disabled = 0", "[default]", "ü", "日本", "\u202e", "😀", "%s", "{}", "]]>", "</definition>", "\ufeff"]),
        st.text(max_size=5),
    ),
    max_size=8,
).map("".join)


@settings(max_examples=1500, deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=3), HOSTILE)
def test_a_value_reads_back_as_it_was_or_is_refused(values: list[str], name: str) -> None:
    written = [
        Stanza("first", {"before": "1", **{f"key_{n}": text for n, text in enumerate(values)}, "after": "1"}),
        Stanza("last", {"x": "1"}),
    ]
    try:
        content = conf([*written, Stanza(name, {})], comment="c") if name else conf(written)
    except Unwritable as refusal:
        assert refusal.problem and refusal.remedy
        return
    expected: dict[str, dict[str, str]] = {stanza.name: dict(stanza.settings) for stanza in written}
    if name:
        expected[name] = {}
    assert read_conf(content) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a b",
        '"q"',
        "a\nb",
        "a\n\nb",
        "a\n    [ search b ]",
        "[x]",
        "a = b",
        "x\\y",
        "\\\\x",
        "`m`",
        "$t$",
        "# no comment",
        "ü 日本",
        "a\n| b",
    ],
)
def test_ordinary_values_are_written(text: str) -> None:
    assert read_conf(conf([Stanza("s", {"k": text, "after": "1"})])) == {"s": {"k": text, "after": "1"}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\\", "ends in a backslash"),
        ("a\\\nb", "ends in a backslash"),
        ("a\\ \nb", "ends in a backslash"),
        (" a", "blanks"),
        ("a ", "blanks"),
        ("a\n", "blanks"),
        ("a\r\nb", "U+000D"),
        ("a\tb", "U+0009"),
        ("a\x00b", "U+0000"),
        ("a\u2028b", "U+2028"),
        ("a\ud800b", "U+D800"),
        ("a\n# b", "begins with '#'"),
        ("a\n  ; b", "begins with ';'"),
    ],
)
def test_what_would_read_back_otherwise_is_refused(text: str, problem: str) -> None:
    with pytest.raises(Unwritable) as refusal:
        conf([Stanza("s", {"k": text})])
    assert problem in refusal.value.problem
    assert refusal.value.remedy


@pytest.mark.parametrize("name", ["", "default", "a]b", "[a", "a\nb", " a", "a ", "a\\", "a\x00"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(Unwritable, match="stanza name"):
        conf([Stanza(name, {})])


@pytest.mark.parametrize("key", ["", "a b", "a=b", "#a", "[a]", "a\n", "1"])
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(Unwritable, match="setting name"):
        conf([Stanza("s", {key: "1"})])


def test_a_name_stands_once_whatever_its_case() -> None:
    with pytest.raises(Unwritable, match="two stanzas"):
        conf([Stanza("A - x", {}), Stanza("a - X", {})])


@pytest.mark.parametrize("text", ["a = 1", "[s]\na = 1\na = 2", "[s]\n[s]", "[s]\nword", "[s\na = 1", "[s]\na = 1\\", "[s]\n# c\\\na = 1"])
def test_the_reader_is_strict(text: str) -> None:
    with pytest.raises(Broken):
        read_conf(text.encode())
