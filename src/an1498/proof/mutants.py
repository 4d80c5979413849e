"""Small, plausible mistakes in the text of a search: the mutants that samples and random streams must tell from the search itself.

A mutant differs from the search at one site (tumbling windows and exchanged stages apart, which take several). Operators are regular
expressions over the text with the inside of its string literals blanked, so that an operator never mistakes a value for syntax.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from an1498.model import Language, Search
from an1498.proof.witnesses import LETTER

Rewrite = Callable[[re.Match[str], Search], Sequence[str]]
"""From a match in the blanked text to the texts that may stand in its place."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed search text. `line` is the number of the changed line, `before` and `after` what changed on it, `context` the
    search's text around the site, which is marked «so»."""

    operator: str
    line: int
    before: str
    after: str
    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """A kind of mistake. `values` says that it looks for whole string literals, which the blanking hides otherwise."""

    name: str
    pattern: re.Pattern[str]
    rewrite: Rewrite
    values: bool = False


def mutants(search: Search) -> Iterator[Mutant]:
    """Every mutant of a search, each text once."""
    seen = {search.text}
    blanked = _blanked(search.text, search.language)
    for operator in OPERATORS[search.language]:
        for match in operator.pattern.finditer(search.text if operator.values else blanked):
            start, end = match.span()
            for replacement in operator.rewrite(match, search):
                mutant = _mutant(search.text, operator.name, start, end, replacement)
                if mutant.text not in seen:
                    seen.add(mutant.text)
                    yield mutant
    for mutant in (*_tumbling(search), *_stages_exchanged(search)):
        if mutant.text not in seen:
            seen.add(mutant.text)
            yield mutant


def _mutant(text: str, operator: str, start: int, end: int, replacement: str) -> Mutant:
    line = text.count("\n", 0, start) + 1
    context = f"{text[max(0, start - 60) : start]}«{text[start:end]}»{text[end : end + 60]}"
    return Mutant(operator, line, text[start:end].strip(), replacement.strip(), text[:start] + replacement + text[end:], context)


_LITERALS = {
    Language.SPL: re.compile(r'"(?:[^"\\]|\\.)*"'),
    Language.EQL: re.compile(r'"(?:[^"\\]|\\.)*"'),
    Language.ESQL: re.compile(r'"(?:[^"\\]|\\.)*"'),
    Language.LUCENE: re.compile(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/'),
}


def _blanked(text: str, language: Language) -> str:
    """The text with every character inside a literal replaced, its length and its quotes kept."""
    return _LITERALS[language].sub(lambda match: match[0][0] + "\0" * (len(match[0]) - 2) + match[0][-1], text)


def _to(*replacements: str) -> Rewrite:
    return lambda match, _search: [match.expand(replacement) for replacement in replacements]


def _operator(name: str, pattern: str, *replacements: str) -> Operator:
    return Operator(name, re.compile(pattern, re.MULTILINE), _to(*replacements))


def _rewriting(name: str, pattern: str, rewrite: Rewrite, *, values: bool = False) -> Operator:
    return Operator(name, re.compile(pattern, re.MULTILINE), rewrite, values)


def _window(scale: int) -> Rewrite:
    """The window one second and one millisecond off, doubled, one bucket wider, in the wrong unit. `scale` is units per second."""

    def rewrite(match: re.Match[str], search: Search) -> Sequence[str]:
        window = search.timespan_s * scale
        if int(match[0]) != window:
            return ()
        step = ("0.001",) if scale == 1 else ("1",)
        near = [f"{search.timespan_s - 1}.999", f"{window}.001"] if scale == 1 else [str(window - int(step[0])), str(window + int(step[0]))]
        wrong_unit = window * 1000 if scale == 1 else search.timespan_s
        return [*near, str(window - scale), str(window + scale), str(window * 2), str(wrong_unit)]

    return rewrite


def _number(match: re.Match[str], search: Search) -> Sequence[str]:
    """A constant in a comparison, one off in both directions; windows have an operator of their own."""
    value = int(match["number"])
    if value in (search.timespan_s, search.timespan_s * 1000):
        return ()
    head = match[0][: match.start("number") - match.start()]
    return [f"{head}{value + 1}", f"{head}{value - 1}"]


def _key_dropped(match: re.Match[str], _search: Search) -> Sequence[str]:
    """Each key of a BY clause left out, and all of them."""
    keys = [key.strip() for key in match["keys"].split(",")]
    without = [", ".join([*keys[:number], *keys[number + 1 :]]) for number in range(len(keys))]
    return [f"{match['head']}{match['by']}{rest}" if rest else match["head"] for rest in without] + [match["head"]]


def _literal_changed(match: re.Match[str], _search: Search) -> Sequence[str]:
    """A text that differs in its last letter, and one without its wildcards."""
    inner = match[0][1:-1]
    if not inner:
        return ()
    changed = [f'"{inner}{LETTER}"'] if not inner.endswith("*") else [f'"{inner[:-1]}{LETTER}*"']
    if re.fullmatch(r"[0-9a-fA-F.:]+/\d+", inner):
        address, bits = inner.split("/")
        return [f'"{address}/{int(bits) + 1 if int(bits) < 32 else int(bits) - 1}"']
    if inner.strip("*") != inner and inner.strip("*"):
        changed += [f'"{inner.lstrip("*")}"', f'"{inner.rstrip("*")}"']
    return [text for text in changed if text != match[0]]


def _lucene_case(match: re.Match[str], _search: Search) -> Sequence[str]:
    """A regular expression whose letter classes are one letter only, and one that lost its wildcards."""
    regex = match[0]
    upper = re.sub(r"\[(.)(.)\]", lambda m: m[1] if m[1].lower() == m[2].lower() else m[0], regex)
    lower = re.sub(r"\[(.)(.)\]", lambda m: m[2] if m[1].lower() == m[2].lower() else m[0], regex)
    return [upper, lower, *([regex.replace(".*", "", 1)] if ".*" in regex and regex.strip("/") != ".*" else [])]


def _stages_swapped(match: re.Match[str], _search: Search) -> Sequence[str]:
    return [f"{match['second']}\n{match['first']}"]


def _other_names(match: re.Match[str], search: Search) -> Sequence[str]:
    """`an1498_s1` becomes each other `an1498_sN` of the search, a stage each other stage."""
    others = sorted(set(re.findall(rf"{re.escape(match['name'])}\d", search.text)) - {match[0]})
    return others[:2]


_COMPARISONS = (
    _operator("<= becomes <", r"<=", "<"),
    _operator(">= becomes >", r">=", ">"),
    _operator("< becomes <=", r"<(?![=>])", "<="),
    _operator("> becomes >=", r"(?<![<=-])>(?!=)", ">="),
)
_LINE = r"^\|[^\n]*\n|\n\|[^\n]*\Z"
_BY = r"(?P<head>[^\n|]*?)(?P<by> {by} )(?P<keys>[\w.@]+(?:, *[\w.@]+)*)"

OPERATORS: Mapping[Language, Sequence[Operator]] = {
    Language.SPL: (
        *_COMPARISONS,
        _rewriting("window", r"(?<![\w.\"/])\d+(?![\w.\"/])", _window(1)),
        _rewriting("constant one off", r"(?:[<>=]=?)(?P<number>\d+)(?![\w.\"/])", _number),
        _operator("NOT dropped", r"\bNOT ", ""),
        _operator("AND and OR swapped", r" AND ", " OR "),
        _operator("AND and OR swapped", r" OR ", " AND ", " "),
        _rewriting("key dropped", _BY.format(by="by"), _key_dropped),
        _operator("grouped by the wrong field", r" by an1498_key_1", " by an1498_time", " by an1498_stage"),
        _rewriting("key of another field", r"'[\w.]+'", lambda _m, s: sorted(set(re.findall(r"an1498_key_\d=('[\w.]+')", s.text)))),
        _operator("key dropped from its stage", r"an1498_key_\d='[^']*'", "an1498_key_none=1"),
        _operator("sort without 0", r"\| sort 0 ", "| sort "),
        _operator("sort by fewer fields", r", -an1498_\w+$", ""),
        _operator("sort reversed", r"(\| sort 0 (?:\w+, )?)-(an1498_\w+)", r"\1\2"),
        _operator("sort reversed", r"(\| sort 0 )(an1498_\w+)", r"\1-\2"),
        _operator("current=f dropped", r" current=f", ""),
        _operator("last becomes first", r"\blast\(", "first("),
        _operator("sum becomes count", r"\bsum\((\w+)\)", r"count(\1)"),
        _operator("isnull negated", r"\bisnotnull\(", "isnull("),
        _operator("isnull negated", r"\bisnull\(", "isnotnull("),
        _operator("coalesce dropped", r"coalesce\((\w+), 0\)", r"\1"),
        _operator("seconds without fraction", r", 6\)", ", 0)"),
        _rewriting("name of another stage", r"(?P<name>an1498_(?:start_|link_))\d", _other_names),
        _operator("= becomes !=", r"(an1498_\w+)=(?=\d)", r"\1!="),
        _operator("line dropped", _LINE, ""),
        _operator("subsearch dropped", r"^ +\[ search [^\n]*\]\n", ""),
        _rewriting("value changed", r'"(?:[^"\\]|\\.)*"', _literal_changed, values=True),
    ),
    Language.EQL: (
        *_COMPARISONS,
        _operator("maxspan dropped", r" with maxspan=\w+", ""),
        _rewriting("maxspan", r"maxspan=\w+", lambda _m, s: [f"maxspan={span}" for span in _spans(s.timespan_s)]),
        _rewriting("stages swapped", r"(?P<first>^  \[[^\n]*)\n(?P<second>  \[[^\n]*)", _stages_swapped),
        _rewriting("stages swapped", r"(?P<first>(?<=\]\n)  \[[^\n]*)\n(?P<second>  \[[^\n]*)", _stages_swapped),
        _operator("stage dropped", r"^  \[[^\n]*\n", ""),
        _operator("not dropped", r"\bnot ", ""),
        _operator("and and or swapped", r" and ", " or "),
        _operator("and and or swapped", r" or ", " and "),
        _operator("case-sensitive", r" : ", " == "),
        _operator("case-sensitive", r"\b(in|like|regex)~", r"\1"),
        _operator("case-sensitive", r" == (?=\"\0)", " != "),
        _rewriting("key dropped", r"(?P<head>\])(?P<by> by )(?P<keys>[?\w.]+(?:, [?\w.]+)*)", _key_dropped),
        _operator("grouped by the wrong field", r"\] by [?\w.]+", "] by event.dataset"),
        _operator("? dropped", r"\?(?=\w)", ""),
        _operator("null negated", r" == null", " != null"),
        _rewriting("constant one off", r" [<>=]=? (?P<number>\d+)", _number),
        _rewriting("value changed", r'"(?:[^"\\]|\\.)*"', _literal_changed, values=True),
    ),
    Language.ESQL: (
        *_COMPARISONS,
        _rewriting("window", r"(?<![\w.\"/])\d+(?![\w.\"/])", _window(1000)),
        _rewriting("constant one off", r" [<>=]=? (?P<number>\d+)", _number),
        _operator("one bucket only", r"MV_APPEND\((an1498_\w+ / \d+(?: - 1)?), (an1498_\w+ / \d+(?: \+ 1)?)\)", r"\1", r"\2"),
        _operator("MAX and MIN swapped", r"\bMAX\(", "MIN("),
        _operator("MAX and MIN swapped", r"\bMIN\(", "MAX("),
        _operator("VALUES becomes MAX", r"\bVALUES\(", "MAX("),
        _operator("SUM becomes COUNT", r"\bSUM\(", "COUNT("),
        _operator("alias dropped", r"\bCASE\(an1498_stage == \d, ([\w.@]+), ([\w.@]+)\)(?=, |$)", r"\1", r"\2"),
        _operator("case-sensitive", r"\bTO_LOWER\(([\w.@]+)\)", r"\1"),
        _operator("NOT dropped", r"\bNOT (?=\()", ""),
        _operator("null guard dropped", r"[\w.]+ IS NULL OR ", ""),
        _operator("IS NULL negated", r"IS NOT NULL", "IS NULL"),
        _operator("IS NULL negated", r"IS NULL", "IS NOT NULL"),
        _operator("AND and OR swapped", r" AND ", " OR "),
        _operator("AND and OR swapped", r"\s+OR ", " AND "),
        _rewriting("name of another stage", r"(?P<name>an1498_s)\d", _other_names),
        _rewriting("key dropped", _BY.format(by="BY"), _key_dropped),
        _operator("grouped by the wrong field", r" BY an1498_key_1", " BY event.dataset"),
        _operator("== becomes !=", r" == ", " != "),
        _operator("stage column lost", r", (an1498_s\d) = CASE\(an1498_stage == \d, an1498_order\)", r", \1 = an1498_order"),
        _operator("line dropped", _LINE, ""),
        _rewriting("value changed", r'"(?:[^"\\]|\\.)*"', _literal_changed, values=True),
    ),
    Language.LUCENE: (
        _operator("NOT dropped", r"\bNOT ", ""),
        _operator("AND and OR swapped", r" AND ", " OR "),
        _operator("AND and OR swapped", r" OR ", " AND "),
        _operator("bound excluded", r"\[(?=[\d*])", "{"),
        _operator("bound excluded", r"(?<=[\d*])\]", "}"),
        _operator("bound included", r"\{(?=[\d*])", "["),
        _operator("bound included", r"(?<=[\d*])\}", "]"),
        _operator("true and false swapped", r":true\b", ":false"),
        _operator("true and false swapped", r":false\b", ":true"),
        _rewriting("case or wildcard", r"/(?:[^/\\]|\\.)*/", _lucene_case, values=True),
        _rewriting("value changed", r'"(?:[^"\\]|\\.)*"', _literal_changed, values=True),
    ),
}


def _spans(window_s: int) -> Sequence[str]:
    return [
        f"{window_s - 1}s",
        f"{window_s + 1}s",
        f"{window_s * 2}s",
        f"{window_s * 1000 - 1}ms",
        f"{window_s * 1000 + 1}ms",
        f"{window_s}h",
        "1s",
    ]


def _stages_exchanged(search: Search) -> Iterator[Mutant]:
    """SPL and ES|QL with the numbers of two neighbouring stages exchanged where events get them; EQL has an operator of its own."""
    stage, number = {
        Language.SPL: (r"\| eval an1498_stage=\d", r"\d$"),
        Language.ESQL: (r"^\| EVAL an1498_stage = .*$", r"(?<=, )\d(?=[,)])"),
    }.get(search.language, ("(?!)", ""))
    for first, second in (("1", "2"), ("2", "3")):
        other = {first: second, second: first}

        def exchanged(match: re.Match[str], other: Mapping[str, str] = other) -> str:
            return re.sub(number, lambda digit: other.get(digit[0], digit[0]), match[0])

        text = re.sub(stage, exchanged, search.text, flags=re.MULTILINE)
        yield Mutant("stages swapped", 0, f"stages {first} and {second}", f"{second} and {first}", text)


def _tumbling(search: Search) -> Iterator[Mutant]:
    """SPL with a bucket of the window's length in every key: what `bin _time` would do. ES|QL: `one bucket only` does the same."""
    null_check = re.compile(r"^\| where isnotnull\(an1498_key_1\).*$", re.MULTILINE)
    if search.language is Language.SPL and null_check.search(search.text):
        text = null_check.sub(lambda match: f"{match[0]}\n| eval an1498_tumble=floor(_time/{search.timespan_s})", search.text)
        text = text.replace("| fields _time,", "| fields _time, an1498_tumble,")
        text = text.replace(" by an1498_key_1", " by an1498_tumble, an1498_key_1")
        yield Mutant("tumbling window", 0, "sliding window", "tumbling window", text)
