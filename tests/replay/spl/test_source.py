"""Macros and comments (Knowledge Manager Manual, "Use search macros in searches"; Search Manual, "Add comments to searches")."""

from __future__ import annotations

import pytest
from tests.replay.spl.helpers import column

from an1498.errors import SearchSyntaxError, UnsupportedConstruct
from an1498.replay.spl import prepare
from an1498.replay.spl.source import read_source

MACROS = {
    "base": "(index=zeek sourcetype=ssl)",
    "outer": "`base` x=1",
    "iis_search(fragment)": 'cs_username!="-" uri=/$fragment$/',
    "between(low,high)": "x>=$low$ x<=$high$",
    "loop": "`loop`",
}


@pytest.mark.parametrize(
    ("search", "expanded"),
    [
        ("`base` y=2", "(index=zeek sourcetype=ssl) y=2"),
        ("`outer`", "(index=zeek sourcetype=ssl) x=1"),
        # the manual's example, with the argument named and not
        ("`iis_search(fragment=TM)`", 'cs_username!="-" uri=/TM/'),
        ("`iis_search(TM)`", 'cs_username!="-" uri=/TM/'),
        ("`between(1, 5)`", "x>=1 x<=5"),
        # "Macros inside of quoted values are not expanded."
        ('"audit`users`local"', '"audit`users`local"'),
        ('x=1 ```a `comment` "``` y=2', "x=1   y=2"),
        (r'x="a\"`b`" `base`', r'x="a\"`b`" (index=zeek sourcetype=ssl)'),
    ],
)
def test_expansion(search: str, expanded: str) -> None:
    assert read_source(search, "search", MACROS).text == expanded


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("x=1\n  `none`", "search:2:3: spl: macro 'none' is not defined"),
        ("`base(1)`", r"macro 'base\(1\)' is not defined"),
        ("`loop`", "nests too deep"),
        ("`base", "search:1:1: spl: a macro call is not closed"),
        ("x=1 ```c", "search:1:5: spl: a comment is not closed"),
        ('x="1', "search:1:3: spl: a quotation mark is not closed"),
        ("`a b`", "is not a macro call"),
    ],
)
def test_errors(search: str, message: str) -> None:
    with pytest.raises(SearchSyntaxError, match=message):
        prepare(search, macros=MACROS)


def test_arguments_that_are_not_modelled() -> None:
    with pytest.raises(UnsupportedConstruct, match="quotation marks in a macro's arguments"):
        prepare('`between("1", 2)`', macros=MACROS)
    with pytest.raises(UnsupportedConstruct, match="without its arguments' names"):
        prepare("`m(1)`", macros={"m(1)": "x=$a$"})


def test_an_error_inside_a_macro_points_at_its_call() -> None:
    with pytest.raises(UnsupportedConstruct, match=r"^search:1:5: spl: .*'tag'"):
        prepare("x=1 `m`", macros={"m": "y=2 tag=z"})


def test_a_macro_may_hold_commands() -> None:
    assert column("x=* `top`", [{"_time": 1, "x": 1}, {"_time": 2, "x": 2}], "x", {"top": "| head 1 | table x"}) == ["2"]
