"""Elastic docs, "EQL function reference": the values that its examples give, on literals and on fields."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from an1498.errors import SearchSyntaxError, UnsupportedConstruct, UsageError
from an1498.replay.eql.functions import FUNCTIONS

PATH = r"C:\Windows\System32\cmd.exe"
Matching = Callable[..., list[int]]

TRUE = [
    "add(4, 5) == 9",
    "subtract(10, 2) == 8",
    "multiply(2, 2.5) == 5",
    "divide(4, 2) == 2",
    "divide(4, 3) == 1",
    "divide(4, 3.0) > 1.33",
    "modulo(10, 6) == 4",
    "modulo(-10, 6) == -4",
    r'between(path, "System32\\", ".exe") == "cmd"',
    r'between(path, "workspace", ".exe") == ""',
    r'between~(path, "SYSTEM32\\", ".EXE") == "cmd"',
    'between("a-b-c-d", "-", "-") == "b"',
    'between("a-b-c-d", "-", "-", true) == "b-c"',
    'between("a-b", "-", "-") == ""',
    'concat("process is ", "regsvr32.exe") == "process is regsvr32.exe"',
    'concat("regsvr32.exe", " ", 42) == "regsvr32.exe 42"',
    'concat("got ", true) == "got true"',
    'concat("alone") == "alone"',
    'endsWith("regsvr32.exe", ".exe")',
    'not endsWith("regsvr32.exe", ".EXE")',
    'endsWith~("regsvr32.exe", ".EXE")',
    r'endsWith(path, "\\cmd.exe")',
    'indexOf("url.domain", ".") == 3',
    'indexOf("url.domain", ".", 4) == null',
    'indexOf("a.b.c", ".", 2) == 3',
    'indexOf~("abcabc", "C", 3) == 5',
    'indexOf(path, "cmd") == 20',
    'length("explorer.exe") == 12',
    'length("") == 0',
    'length("a😀") == 3',
    "length(path) == 27",
    'number("1337") == 1337',
    'number("42.5") == 42.5',
    'number("deadbeef", 16) == 3735928559',
    'number("0xdeadbeef", 16) == 3735928559',
    'number("-32.5") == -32.5',
    'number("1010", 2) == 10',
    'number("-3.14", 10) == -3.14',
    'number("  1337  ") == 1337',
    "number(padded) == 13.5",
    'number("0xdeadbeef", null) == 3735928559',
    'indexOf("url.domain", ".", -6) == 3',
    'indexOf("url.domain", ".", 30) == null',
    'indexOf("url", "") == 0',
    'indexOf("url", "", 9) == null',
    'substring(path, 24, null) == "exe"',
    "cidrMatch(ip, null) == null",
    'startsWith("", "")',
    'between("", "a", "b") == ""',
    "modulo(10, 0.5) == 0",
    "modulo(10, -6) == 4",
    "number(digits) == 42",
    "number(digits, 16) == 66",
    "number(digits, 5) == 22",
    'startsWith("regsvr32.exe", "regsvr32")',
    'not startsWith("regsvr32.exe", "RegSvr32")',
    'startsWith~("regsvr32.exe", "RegSvr32")',
    r'startsWith~(path, "c:\\")',
    'string(42) == "42"',
    'string(true) == "true"',
    'string("x") == "x"',
    'string(4.5) == "4.5"',
    'string(n) == "7"',
    'stringContains(path, "System32")',
    'not stringContains(path, "system32")',
    'stringContains~(path, "system32")',
    'substring("start regsvr32.exe", 6) == "regsvr32.exe"',
    'substring("start regsvr32.exe", 0, 5) == "start"',
    'substring("start regsvr32.exe", 6, 14) == "regsvr32"',
    'substring("start regsvr32.exe", -4) == ".exe"',
    'substring("start regsvr32.exe", -4, -1) == ".ex"',
    'substring("abc", 2, 1) == ""',
    'substring("abc", 1, 100) == "bc"',
    'substring("abc", -100, 2) == "ab"',
    'substring(path, -3) == "exe"',
    'cidrMatch(ip, "192.168.0.0/16")',
    'not cidrMatch(ip, "10.0.0.0/8")',
    'cidrMatch(ip, "192.168.0.0/16", "10.0.0.0/8")',
    'cidrMatch(ip, "0.0.0.0/0")',
    'cidrMatch(ip, "::/0")',
    'cidrMatch(ip6, "2001:db8::/32")',
    'not cidrMatch(ip6, "0.0.0.0/0")',
    # functions are found in any case, as in test_extra.toml sequenceWithVersionConcat
    'CONCAT("a", "b") == "ab"',
    # null in, null out
    "length(?nowhere) == null",
    "concat(path, null) == null",
    "substring(?nowhere, 1) == null",
    "add(n, null) == null",
    "string(null) == null",
    "number(null) == null",
    'not (startsWith(?nowhere, "a") or startsWith(path, "D"))',
]


@pytest.mark.parametrize("condition", TRUE)
def test_documented_results(matching: Matching, condition: str) -> None:
    document = {"path": PATH, "n": 7, "digits": "42", "padded": " 13.5 ", "ip": "192.168.152.12", "ip6": "2001:db8::7"}
    assert matching(condition, [document], mapping={"ip": "ip", "ip6": "ip"}) == [0]


def test_every_function_has_an_example() -> None:
    text = " ".join(TRUE).lower()
    assert [name for name in FUNCTIONS if f"{name}(" not in text] == []


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ('number("x") == 1', "cannot convert ['x'] to a number"),
        ('number("12", 2) == 1', "cannot convert ['12'] to a number"),
        ('cidrMatch(ip, "10.0.0.0/33")', "cannot read ['10.0.0.0/33'] as an address block"),
        ('cidrMatch(ip, "10.0.0.1")', "cannot read ['10.0.0.1'] as an address block"),
        ("cidrMatch(ip, path)", "takes address blocks as literals"),
        ('substring(path, "1") == "x"', "argument 1 of [substring] must be [numeric]"),
        ("startsWith(path, 1)", "argument 2 of [startsWith] must be [string]"),
        ('between(path, "a") == ""', "expects 3 to 4 arguments, found 2"),
        ('concat() == ""', "expects at least 1 arguments, found 0"),
    ],
)
def test_wrong_arguments(matching: Matching, condition: str, message: str) -> None:
    with pytest.raises(SearchSyntaxError) as raised:
        matching(condition, [{"path": PATH, "ip": "10.0.0.1"}])
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "condition",
    [
        'stringContains(path, "")',
        'indexOf(path, "x", null) == 1',
        "substring(path, null) == path",
        'between(path, "", "x") == ""',
        'between(path, path, path) == ""',
        'string(f) == "0.1"',
        'string(@timestamp) == ""',
        "number(path, n) == 1",
    ],
)
def test_refused_arguments(matching: Matching, condition: str) -> None:
    with pytest.raises(UnsupportedConstruct):
        matching(condition, [{"path": PATH, "f": 0.1, "n": 3}])


@pytest.mark.parametrize("condition", ["number(path) == 1", "number(path, 16) == 1"])
def test_text_that_is_no_number_fails_the_search(matching: Matching, condition: str) -> None:
    with pytest.raises(UsageError, match="not a number"):
        matching(condition, [{"path": PATH}])
