"""What the pages of Splunk's Search Reference say and print, on small data of our own: one line per rule, under the page's name.

The pages are those of the SPL Search Reference 9.4 and 10.0 (help.splunk.com, "spl-search-reference"); the rule is in the comment.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.replay.spl.helpers import Events, in_order, rows

from an1498.errors import An1498Error, UnsupportedConstruct
from an1498.model import Language
from an1498.replay import replay_text
from an1498.replay.lookup import Lookup


def records(fields: str, *lines: str) -> list[dict[str, Any]]:
    """Events in this order; a dash is a field that is missing."""
    names = fields.split()
    cells = [dict(zip(names, line.split(), strict=True)) for line in lines]
    return [{"_time": 1000 - n, **{name: value for name, value in row.items() if value != "-"}} for n, row in enumerate(cells)]


SALES = records("shop quarter sold", "a q1 10", "b q1 20", "a q2 30", "b q2 5")
HOSTS = records("host key left right", "one 1 x -", "one 2 y -", "two 1 - z")
TIMES = [{"_time": 0, "h": "a", "x": 1}, {"_time": 10, "h": "b", "x": 2}, {"_time": 125, "h": "a", "x": 9}]


EVAL_FUNCTIONS = [
    # Conversion functions
    ('tonumber("0A4", 16)', 164),
    ('tonumber("101", 2)', 5),
    ('tonumber("xyz")', None),
    ('tostring(15, "hex")', "0xF"),
    ('tostring(9, "binary")', "1001"),
    ('tostring(12345.6789, "commas")', "12,345.68"),
    ('tostring(615, "duration")', "00:10:15"),
    ('tostring(100615, "duration")', "1+03:56:55"),
    ("tostring(1==1)", "True"),
    # printf: C's specifiers, flags, width and precision; `*` takes them from the arguments
    ('printf("%c,%c", 65, "Foo")', "A,F"),
    ('printf("%d,%i,%d", -2, +4, 30)', "-2,4,30"),
    ('printf("%x,%X,%#x", 10, 10, 10) . printf(" %o,%#o %u", 255, 255, 99)', "a,A,0xa 377,0377 99"),
    ('printf("%s%z", "foo", "bar")', "foobar"),
    ('printf("%\'d|%-4d|%04d|%+4d|% -4d|%*d", 12345, 1, 2, 3, 4, 5, 123)', "12,345|1   |0002|  +3| 4  |  123"),
    ('printf("%.2f %f %e %g %G %.3g", 3.14159, 2, 12345.678, 0.5, 1000000, pi())', "3.14 2.000000 1.234568e+04 0.5 1E+06 3.14"),
    ('printf("%.*f|%5.1s|%-5s|%%|", 2, 1.005, "abc", word)', "1.00|    a|w    |%|"),
    ('printf("%d of it", x)', "1 of it"),
    ('printf("%x,%X,%p", 10, 10, 10) . printf("%.3A %*.*e", pi(), 9, 2, pi())', "a,A,A0X1.922P+1  3.14e+00"),
    ('printf("%.4d|%6.3d|%+ d|%.2g", 5, -5, 1, 123)', "0005|  -005|+1|1.2e+02"),
    # Date and Time functions, in UTC
    ('strptime("2018-08-13T20:17:13.123Z", "%Y-%m-%dT%H:%M:%S.%3QZ")', 1534191433.123),
    ('strptime("2018-01-01 00:00:00 -0500", "%Y-%m-%d %H:%M:%S %z")', 1514782800),
    ('strptime(nothing, "%F")', None),
    ('relative_time(1500000000, "-1d@d")', 1499904000),
    ('relative_time(1500000000, "@w0")', 1499558400),  # weeks snap to Sunday
    ('relative_time(1500000000, "@w1")', 1499644800),
    ('relative_time(1500000000, "-1mon@mon+1d")', 1496361600),
    ('relative_time(1500000000, "@q")', 1498867200),
    ('relative_time(1500000000, "-1y@y")', 1451606400),
    # Informational functions
    ('typeof(12) + typeof("string") + typeof(1==2) + typeof(nothing)', "NumberStringBooleanInvalid"),
    ('if(isbool(1==2) AND isstr("a") AND NOT isstr(5), "y", "n")', "y"),
    # Comparison and Conditional functions
    ('if(searchmatch("x=1 OR y=2"), "found", "not")', "found"),
    ('if(searchmatch("x=3"), "found", "not")', "not"),
    # Statistical eval functions: "string values are greater than number values"
    ('max(1, 3, 7, "foo")', "foo"),
    ('min(1, 3, 7, "foo")', 1),
    ('min("b", "a")', "a"),
    # Mathematical functions
    ("round(2.555, 2)", 2.56),
    ("round(3.5)", 4),
    ("exact(3.25*2)", 6.5),
    ("hypot(3, 4)", 5),
    ("acos(1) + sin(0)", 0),
    ("asin(2)", None),
    # Text functions
    ('substr("string", 1, 3) . substr("string", -3)', "string"),
    ('substr("string", len("string")-2)', "ing"),
    ('urldecode("http%3A%2F%2Fwww.splunk.com%2Fdownload%3Fr%3Dheader")', "http://www.splunk.com/download?r=header"),
    (r'replace("1/12/2019", "^(\d{1,2})/(\d{1,2})/", "\2/\1/")', "12/1/2019"),
    # Multivalue eval functions
    ("mvrange(1, 11, 2)", ["1", "3", "5", "7", "9"]),
    ('mvcount(mvrange(1514834731, 1524134919, "7d"))', 16),
    ("mvrange(3, 3)", None),
    ('mvzip(split("a,b,c", ","), split("1,2", ","))', ["a,1", "b,2"]),  # as Python's zip
    ('mvzip(split("a,b", ","), split("1,2", ","), "|")', ["a|1", "b|2"]),
    ('mvindex(split("a,b,c", ","), mvcount(split("a,b,c", ","))-2)', "b"),
    # JSON functions
    ('json_object("name", "maria", "n", 1, "b", true(), "z", null(), "w", word)', '{"name":"maria","n":1,"b":true,"z":null,"w":"w"}'),
    (
        'json_object("team", json_object("size", 2, "who", json_array("a", "b")), "m", split("p,q", ","))',
        '{"team":{"size":2,"who":["a","b"]},"m":["p","q"]}',
    ),
    (r'json_array("say \"hi\"", 1.5, nothing)', r'["say \"hi\"",1.5,null]'),
    ("json_array()", "[]"),
    ('json_extract(j, "a.b")', "1"),
    ('json_extract(j, "a")', '{"b":1}'),  # an object as its text
    ('json_extract(j, "l{1}") + 1', 3),  # arrays count from 0; a number is a number
    ('json_extract(j, "o{}.n")', '["p","q"]'),  # {} is every element
    ('json_extract(json_array(json_object("b", json_array(1, 2)), json_object("b", json_array(3))), "{}.b{}")', "[1,2,3]"),
    ('json_extract(json_object("b", json_array(json_object("n", "p"), json_object("n", "q"))), "b{}")', '[{"n":"p"},{"n":"q"}]'),
    ('json_extract(json_object("a", null()), "a")', None),  # a JSON null is a null
    ('json_object("nested", j)', '{"nested":{"a":{"b":1},"l":["x",2],"o":[{"n":"p"},{"n":"q"}]}}'),
    ('json_array_to_mv(json_array("a", 1), true())', ['"a"', "1"]),
    ("json_array_to_mv(word)", None),
    ('json_set(json_object("a", 1), "b.c.d", 2)', '{"a":1,"b":{"c":{"d":2}}}'),  # keys of the chain are created
    ('json_append(json_object("a", 1, "o", json_object("k", 2)), "a", "b", "o", "c")', '{"a":[1,"b"],"o":[{"k":2},"c"]}'),
    ('json_extract(j, "no.such")', None),
    ('json_extract(nothing, "a")', None),
    ('json_extract("[{\\"n\\": 1}, {\\"n\\": 2}]", "{}.n")', "[1,2]"),
    ('json_extract(nothing, "{}.a{}")', None),
    ("json_keys(j)", '["a","l","o"]'),
    ('if(json_valid(j), "valid", "invalid")', "valid"),
    ('if(json_valid("{\\"a\\":"), "valid", "invalid")', "invalid"),
    ('json_array_to_mv(json_array("a", 3, json_object("k", "v")))', ["a", "3", '{"k":"v"}']),
    ('mv_to_json_array(split("x,7", ","))', '["x","7"]'),  # types are not inferred unless asked for
    ('json_set(json_object("a", 1), "b", "x", "a", 2)', '{"a":2,"b":"x"}'),
    ('json_set(json_object("a", json_object("c", 1)), "a.d", json_array(2))', '{"a":{"c":1,"d":[2]}}'),
    ('json_append(json_object("a", json_array("p")), "a", "q", "a", json_array("r"))', '{"a":["p","q",["r"]]}'),
    ('json_append(json_object("a", json_array()), "a", 1)', '{"a":[1]}'),
    # Text and strings: `+` concatenates two strings
    ('"a" + "b"', "ab"),
    ('word + "!"', "w!"),
]


@pytest.mark.parametrize(("expression", "result"), EVAL_FUNCTIONS)
def test_evaluation_functions(expression: str, result: Any) -> None:
    event = {"_time": 1, "x": "1", "word": "w", "j": '{"a": {"b": 1}, "l": ["x", 2], "o": [{"n": "p"}, {"n": "q"}]}'}
    assert rows(f"* | eval r={expression} | table r", [event]) == [{"r": result}]


COMMANDS: list[tuple[str, str, Events, Any]] = [
    # streamstats: reset_on_change begins anew when the BY fields change
    ("streamstats", "streamstats count by s reset_on_change=true | table count", in_order(*"ddnnndn", field="s"), [1, 2, 1, 2, 3, 1, 1]),
    ("streamstats", 'streamstats sum(x) as t by h reset_after="("a==\\"boot\\"")" | table t',
     records("h x a", "x 100 on", "y 200 start", "x 400 load", "x 50 boot", "y 150 on", "x 100 on"), [100, 200, 500, 550, 150, 100]),
    ("streamstats", 'streamstats sum(x) as t by h reset_before="("a==\\"boot\\"")" | table t',
     records("h x a", "x 100 on", "y 200 start", "x 400 load", "x 50 boot", "y 150 on", "x 100 on"), [100, 200, 500, 50, 150, 150]),
    ("streamstats", "streamstats avg(x) as m window=3 | table m", in_order(3, 6, 9, 12), [3, 4.5, 6, 9]),
    # stats: a wildcard stands for each field that it matches
    ("stats", "stats avg(*delay) by h", records("h delay xdelay", "a 1 2", "a 3 4"), [{"h": "a", "avg(delay)": 2, "avg(xdelay)": 3}]),
    ("stats", "stats sum(x*) as total*", records("x1 x2", "1 2", "3 4"), [{"total1": 4, "total2": 6}]),
    # chart: rows by one field, columns by the other; the missing counts are 0
    ("chart", "chart sum(sold) over shop by quarter", SALES, [{"shop": "a", "q1": 10, "q2": 30}, {"shop": "b", "q1": 20, "q2": 5}]),
    ("chart", "where sold>7 | chart count by shop quarter", SALES, [{"shop": "a", "q1": 1, "q2": 1}, {"shop": "b", "q1": 1, "q2": 0}]),
    ("chart", "chart max(sold) range(sold) by shop", SALES,
     [{"shop": "a", "max(sold)": "30", "range(sold)": 20}, {"shop": "b", "max(sold)": "20", "range(sold)": 15}]),
    ("chart", 'chart count(eval(shop="a")) as A by quarter', SALES, [{"quarter": "q1", "A": 1}, {"quarter": "q2", "A": 1}]),
    ("chart", "chart eval(avg(sold)/max(sold)) AS ratio BY shop quarter", SALES,
     [{"shop": "a", "q1": 1, "q2": 1}, {"shop": "b", "q1": 1, "q2": 1}]),
    ("chart", "chart eval(avg(sold) / max(sold)) as ratio by quarter", SALES,
     [{"quarter": "q1", "ratio": 0.75}, {"quarter": "q2", "ratio": 17.5 / 30}]),
    ("chart", "chart count eval(round(sum(sold) / 7, 0)) as r over shop by quarter", SALES,
     [{"shop": "a", "count: q1": 1, "count: q2": 1, "r: q1": 1, "r: q2": 4},
      {"shop": "b", "count: q1": 1, "count: q2": 1, "r: q1": 3, "r: q2": 1}]),
    ("timechart", "timechart span=1m eval(round(avg(x),2)) BY h", [*TIMES, {"_time": 126, "h": "a", "x": 2.25}],
     [{"_time": 0, "a": 1, "b": 2}, {"_time": 60, "a": None, "b": None}, {"_time": 120, "a": 5.63, "b": None}]),
    ("timechart", "timechart span=1m eval(max(x) * count(x)) by h", TIMES,
     [{"_time": 0, "a": 1, "b": 2}, {"_time": 60, "a": None, "b": None}, {"_time": 120, "a": 9, "b": None}]),
    # timechart: spans without events are filled; events without the BY field are the series NULL
    ("timechart", "timechart span=1m avg(x) as m", TIMES, [{"_time": 0, "m": 1.5}, {"_time": 60, "m": None}, {"_time": 120, "m": 9}]),
    ("timechart", "timechart span=1m count by h", [*TIMES, {"_time": 130}],
     [{"_time": 0, "a": 1, "b": 1, "NULL": 0}, {"_time": 60, "a": 0, "b": 0, "NULL": 0}, {"_time": 120, "a": 1, "b": 0, "NULL": 1}]),
    # top and rare
    ("top", "top limit=2 h", in_order(*"aaabbc", field="h"),
     [{"h": "a", "count": 3, "percent": 50}, {"h": "b", "count": 2, "percent": 33.333333}]),
    ("top", "top 1 h by g showperc=f countfield=n", records("h g", "a 1", "a 1", "b 2"),
     [{"g": "1", "h": "a", "n": 2}, {"g": "2", "h": "b", "n": 1}]),
    ("rare", "rare h showperc=f", in_order(*"aab", field="h"), [{"h": "b", "count": 1}, {"h": "a", "count": 2}]),
    # xyseries and untable are each other's inverse
    ("xyseries", "table shop quarter sold | xyseries shop quarter sold | untable shop q v | head 2", SALES,
     [{"shop": "a", "q": "q1", "v": "10"}, {"shop": "a", "q": "q2", "v": "30"}]),
    ("transpose", "stats sum(sold) as s by shop | transpose header_field=shop", SALES, [{"column": "s", "a": "40", "b": "25"}]),
    ("transpose", "stats count by shop | transpose", SALES,
     [{"column": "shop", "row 1": "a", "row 2": "b"}, {"column": "count", "row 1": "2", "row 2": "2"}]),
    ("addtotals", "head 1 | table shop a b | addtotals", records("shop a b", "s 1 2"), [{"shop": "s", "a": "1", "b": "2", "Total": 3}]),
    ("addcoltotals", "table shop sold | addcoltotals labelfield=shop label=ALL | tail 1", SALES, [{"shop": "ALL", "sold": "65"}]),
    # mvcombine: equal but for one field; nomv uses its delimiter
    ("mvcombine", "table h v | mvcombine v", records("h v", "a 1", "a 2", "b 3"), [{"h": "a", "v": ["1", "2"]}, {"h": "b", "v": "3"}]),
    ("mvcombine", 'table h v | mvcombine delim="," v | nomv v', records("h v", "a 1", "a 2"), [{"h": "a", "v": "1,2"}]),
    # running commands
    ("accum", "accum x as t | table t", in_order(1, "n", 3), [1, None, 4]),
    ("delta", "delta x as d | table d", in_order(1, 4, 9), [None, 3, 5]),
    ("delta", "delta x p=2 | fields delta* | fields - _*", in_order(1, 4, 9), [None, None, 8]),
    ("autoregress", "autoregress x p=1-2 | table x_p1 x_p2 | tail 1", in_order(1, 4, 9), [{"x_p1": "4", "x_p2": "1"}]),
    ("filldown", "filldown x | table x", in_order("a", None, "b", None), ["a", "a", "b", "b"]),
    ("uniq", "table x | uniq", in_order(1, 1, 2, 1), ["1", "2", "1"]),
    ("dedup", "dedup x consecutive=true | table x", in_order(1, 1, 2, 1), ["1", "2", "1"]),
    # dedup: sorted before, which determines what is retained
    ("dedup", "dedup h sortby -x | table x", records("h x", "a 1", "b 2", "a 3"), ["3", "2"]),
    ("dedup", "dedup 1 h sortby +g - x | table x", records("h g x", "a 1 1", "b 1 2", "a 1 3", "b 0 4"), ["4", "3"]),
    ("head", "head (x<3) | table x", in_order(1, 2, 3, 1), ["1", "2"]),
    ("sort", "sort x desc | table x", in_order(1, 10, 2), ["10", "2", "1"]),
    # multivalues
    ("makemv", 'makemv tokenizer="([^,]+),?" x | table x', in_order("a,b,,c"), [["a", "b", "c"]]),
    ("mvexpand", 'makemv delim="," x | mvexpand x limit=2 | table x', in_order("a,b,c"), ["a", "b"]),
    # a second search
    ("append", "search host=one | stats count | append [search host=two | stats count]", HOSTS, [2, 1]),
    ("appendpipe", 'stats count by host | appendpipe [stats sum(count) as count | eval host="all"]', HOSTS,
     [{"host": "one", "count": 2}, {"host": "two", "count": 1}, {"host": "all", "count": 3}]),
    ("appendcols", "search host=one | stats count as a | appendcols [search host=two | stats count as b]", HOSTS, [{"a": 2, "b": 1}]),
    # union: appends results, interleaves events by time
    ("union", "stats count by host | union [search host=two | stats count] [| search host=one | stats count]", HOSTS,
     [{"host": "one", "count": 2}, {"host": "two", "count": 1}, {"host": None, "count": 1}, {"host": None, "count": 2}]),
    # extract: each character of the lists separates; a value with the delimiter is not extracted
    ("extract", 'extract pairdelim="|;", kvdelim="=:" | table a b c', [{"_time": 1, "_raw": "a:1|b=x y;c=http://h"}],
     [{"a": "1", "b": "x y", "c": None}]),
    ("kv", 'kv pairdelim="," kvdelim="=" | where a>5 | table b', [{"_time": 1, "_raw": "a=10,b=z"}, {"_time": 0, "_raw": "b=y"}], ["z"]),
    # fieldformat: the value stays
    ("fieldformat", 'fieldformat x="<" . x . ">" | where x>2 | table x', in_order(1, 3), ["3"]),
    ("join", "search host=one | table key left | join key [search host=two | table key right]", HOSTS,
     [{"key": "1", "left": "x", "right": "z"}]),
    ("join", "search host=one | table key left | join type=left key [search host=two | table key right]", HOSTS,
     [{"key": "1", "left": "x", "right": "z"}, {"key": "2", "left": "y", "right": None}]),
    ("subsearch", "search host=one [search host=two | fields key] | table left", HOSTS, ["x"]),
    ("subsearch", "search host=one NOT [search host=two | fields key] | table left", HOSTS, ["y"]),
    ("subsearch", "search host=one [search host=three | fields key] | table left", HOSTS, []),
    # rewriting
    ("rename", "rename P.* as * | table a b", [{"_time": 1, "P.a": 1, "P.b": 2}], [{"a": "1", "b": "2"}]),
    ("replace", 'replace "0" WITH "Critical", "1" WITH "Error" IN x | table x', in_order(0, 1, 2), ["Critical", "Error", "2"]),
    ("strcat", 'strcat a "/" b c | table c', records("a b", "1 2", "1 -"), ["1/2", "1/"]),
    ("foreach", "foreach n* [eval <<FIELD>>=<<FIELD>>*2] | table n1 n2", records("n1 n2", "1 2"), [{"n1": 2, "n2": 4}]),
    ("foreach", 'foreach n_* [eval m_<<MATCHSTR>>="<<FIELD>>"] | table m_*', records("n_a n_b", "1 2"), [{"m_a": "n_a", "m_b": "n_b"}]),
    ("bin", "bin span=10 x as b | table b", in_order(5, 15, 99), ["0-10", "10-20", "90-100"]),
    ("convert", 'convert timeformat="%Y-%m-%dT%H:%M:%S" ctime(_time) as c | table c', [{"_time": 0.5}], ["1970-01-01T00:00:00"]),
    ("convert", "convert dur2sec(d) rmcomma(n) num(z) | table d n z", [{"_time": 0, "d": "00:10:15", "n": "1,000,000.00", "z": "x"}],
     [{"d": 615, "n": "1000000.00", "z": None}]),
    ("rex", r'rex field=x mode=sed "s/(\d{4}-){3}/XXXX-XXXX-XXXX-/g" | table x', in_order("1234-5678-9012-3456"), ["XXXX-XXXX-XXXX-3456"]),
    ("rex", r'rex field=x mode=sed "s/a/b/" | rex field=x mode=sed "y/xz/12/" | table x', in_order("aaxz"), ["ba12"]),
    ("spath", "spath path=a.b | spath output=z path=l{}.i | table a.b z",
     [{"_time": 0, "_raw": '{"a":{"b":1.0},"l":[{"i":"x"},{"i":"y"}]}'}],
     [{"a.b": "1.0", "z": ["x", "y"]}]),
    ("spath", "spath input=j | table a.b l{}", [{"_time": 0, "j": '{"a":{"b":true},"l":[1,2]}'}], [{"a.b": "true", "l{}": ["1", "2"]}]),
    ("spath", "spath input=j | table a o", [{"_time": 2, "j": '{"a": [1]}', "o": "x"}, {"_time": 1, "j": '{"b": null}', "o": ["y", "z"]}],
     [{"a": None, "o": "x"}, {"a": None, "o": ["y", "z"]}]),
    # CASE and TERM: letters' case; major breakers on both sides
    ("search", "search CASE(Foo) | table _raw", [{"_time": 1, "_raw": "Foo bar"}, {"_time": 0, "_raw": "foo bar"}], ["Foo bar"]),
    ("search", "search TERM(10.0.0.1) | table _raw", [{"_time": 1, "_raw": "from 10.0.0.1 on"}, {"_time": 0, "_raw": "ip=10.0.0.1"}],
     ["from 10.0.0.1 on"]),
]  # fmt: skip


@pytest.mark.parametrize(("page", "command", "events", "result"), COMMANDS, ids=[f"{case[0]}-{n}" for n, case in enumerate(COMMANDS)])
def test_commands(page: str, command: str, events: Events, result: Any) -> None:  # noqa: ARG001 - the page names the test
    found = rows(f"* | {command}", events)
    assert (found if result and isinstance(result[0], dict) else [value for row in found for value in row.values()]) == result


def test_generating_commands() -> None:
    """makeresults and inputlookup do not look at the events."""
    lookup = {"l": Lookup("l", ("a", "b"), (("1", None), ("2", "x")))}
    assert rows("| inputlookup l.csv | where isnull(b)", [], lookups=lookup) == [{"a": "1", "b": None}]
    assert rows('| makeresults format=csv data="name,age\nClaudia,32\nAlex,29" | where age>30', []) == [{"name": "Claudia", "age": "32"}]
    assert rows('| makeresults format=json data="[{\\"name\\":\\"wei\\", \\"age\\":25}, {\\"age\\":2}]" | stats sum(age) as s', []) == [
        {"s": 27}
    ]
    assert rows("| makeresults count=3 | streamstats count | stats sum(count) as s", []) == [{"s": 6}]


def test_union_at_the_beginning() -> None:
    """Streaming searches as multisearch: newest first; results of transforming ones one after the other."""
    events = [{"_time": time, "h": host} for time, host in ((1, "a"), (2, "b"), (3, "a"))]
    assert [row["h"] for row in rows("| union [search h=a] [search h=b | eval z=1]", events)] == ["a", "b", "a"]
    assert rows("| union [search h=b | stats count], [search h=a | stats count]", events) == [{"count": 1}, {"count": 2}]


def test_the_time_of_the_run() -> None:
    """`an1498 replay` runs now; a search without a run has no now."""
    text = '| makeresults | eval same=if(_time=now(), 1, 0), day=relative_time(now(), "@d") % 86400 | table same day'
    assert replay_text(Language.SPL, text, []) == [{"same": 1, "day": 0}]
    with pytest.raises(UnsupportedConstruct, match=r"the search runs"):
        rows(text, [])


@pytest.mark.parametrize(
    ("command", "events"),
    [
        ("mvcombine x y", in_order(1)),
        ("chart count by x span=5", in_order(1)),
        ("timechart count", TIMES),
        ("chart count over y by x", [{"x": str(n), "y": 1, "_time": n} for n in range(11)]),
        ("top limit=1 x", in_order("a", "b")),
        ("top x", in_order(["a", "b"])),
        ("join max=0 x [search y=1 | table x]", in_order(1)),
        ("join x [search y=1]", in_order(1)),
        ("append [search x=1] [search x=2]", in_order(1)),
        ("append maxout=5 [search x=1]", in_order(1)),
        ("search [search x=* | fields x]", in_order("a*")),
        ("search [search x=* | rename x as query]", in_order("a")),
        ("search [makeresults]", in_order("a")),
        ("replace a with b in x", in_order("A")),
        ("replace a* with b in x", in_order("A")),
        ('rex mode=sed field=x "s/a/b/2"', in_order("a")),
        ("convert auto(x)", in_order("1")),
        ("bin span=10 x", in_order(-5)),
        ("spath input=x", in_order("no json")),
        ("spath input=x path=a{0}", in_order("{}")),
        ("spath input=x", [{"_time": 1, "x": '{"a": 1}', "a": "b"}]),
        ("spath input=x path=a", in_order('{"a": {"b": 1}}')),
        ("foreach x [eval <<ITEM>>=1]", in_order(1)),
        ("foreach x [union [search x=1 | stats count]]", in_order(1)),
        ("appendpipe [union [search x=1 | stats count] [search x=1 | stats count]]", in_order(1)),
        ("union [search x=1 | stats count]", in_order(1)),
        ("stats count | union [search x=1]", in_order(1)),
        ("stats count | union maxout=5 [search x=1 | stats count]", in_order(1)),
        ("dedup x sortby x", in_order(1)),
        ("fieldformat y=1", in_order(1)),
        ("fieldformat x=random()", in_order(1)),
        ("timechart span=1m eval(max(x))", in_order(1)),
        ("chart eval(x / max(x)) by x", in_order(1)),
        ('extract pairdelim=";" kvdelim="="', [{"_time": 1, "_raw": 'a="x;y"'}]),
        ('extract pairdelim=";" kvdelim="="', [{"_time": 1, "_raw": "a=1; b=2"}]),
        ('extract pairdelim=";" kvdelim="="', [{"_time": 1, "_raw": "a=1", "a": "2"}]),
        ("extract", [{"_time": 1, "_raw": "a=1"}]),
        ('eval r=printf("%d", x)', in_order(1.5)),
        ('eval r=printf("%d", x)', in_order("word")),
        ('eval r=printf("%d", y)', in_order(1)),
        ('eval r=printf("%d", 1, 2)', in_order(1)),
        ('eval r=printf("%d %d", 1)', in_order(1)),
        ('eval r=printf("%n", x)', in_order(1)),
        ('eval r=printf("%.0d", x)', in_order(0)),
        ('eval r=printf("100%")', in_order(1)),
        ('eval r=printf("%5s", x)', in_order("é")),
        ('eval r=json_object("a", x)', in_order("7")),  # a string or a number?
        ('eval r=json_object("a", 1, "a", 2)', in_order(1)),
        ('eval r=json_extract(x, "a")', in_order("no json")),
        ('eval r=json_extract(x, "a")', in_order('{"a": 1.0}')),
        ('eval r=json_extract(x, "a")', in_order('{"a": true}')),
        ('eval r=json_extract(x, "a{}.b")', in_order('{"a": [{"b": 1}, {}]}')),
        ("eval r=json_keys(x)", in_order("[1]")),
        ("eval r=json_keys(x)", in_order('{"a": 1, "a": 2}')),
        ('eval r=json_extract(x, "b.a")', in_order('{"b": {"a": 1, "a": 2}}')),
        ("eval r=if(json_valid(x), 1, 0)", in_order("1")),
        ('eval r=json_set(x, "a.b", 1)', in_order('{"a": "text"}')),
        ('eval r=json_extract(x, "{0}")', in_order('{"a": [1]}')),
        ('eval r=json_extract(x, "{}")', in_order('{"a": [1]}')),
        ('eval r=json_extract(x, "a.b")', in_order('{"a": [1]}')),
        ('eval r=json_set(x, "a", 1)', in_order('{"b": 1e5}')),
        ('eval r=json_append(x, "b", 1)', in_order('{"a": 1}')),
        ("eval r=mv_to_json_array(x, true())", in_order(["a", "b"])),
        ("stats perc95(x)", in_order(*range(1, 11))),
        ("xyseries x y z", [{"_time": 1, "x": 1, "y": 1, "z": 1}, {"_time": 2, "x": 1, "y": 1, "z": 2}]),
        ("transpose", in_order(1)),
    ],
)
def test_refused(command: str, events: Events) -> None:
    with pytest.raises(An1498Error, match=r"^search:1:\d+: spl: "):
        rows(f"* | {command}", events)


@pytest.mark.parametrize(
    "command",
    [
        "eval '#by0'=1",
        'rename x as "_ord"',
        'stats count as "#1r"',
        "chart count over x by y",
        "transpose header_field=y",
        "top x countfield=_row",
    ],
)
def test_names_that_replay_uses_itself_are_refused(command: str) -> None:
    with pytest.raises(An1498Error, match=r"^search:1:\d+: spl: replay does not model a field named"):
        rows(f"* | fields x y | fields - _time | {command}", [{"_time": 1, "x": "a", "y": "_stream"}])


def test_what_a_template_or_a_quoted_search_refuses_is_placed_there() -> None:
    with pytest.raises(An1498Error, match=r"^search:1:\d+: spl: .*random"):
        rows("x=1 | foreach x [eval y=random()]", in_order(1))
    with pytest.raises(An1498Error, match=r"^search:1:\d+: spl: .*PREFIX"):
        rows('x=1 | eval y=if(searchmatch("PREFIX(a)"), 1, 0)', in_order(1))
