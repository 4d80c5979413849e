"""A query_string search as a condition on one document (true or false, never null).

Every value of a field is matched by itself. keyword: the whole value, case-sensitive. text: the tokens of the standard analyzer.
Numbers, dates, booleans and addresses are compared as such (Elasticsearch reference, "Query string query", "Term query", "Range
query", "IP field type", "Boolean field type", "Standard analyzer")."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from an1498.model import FieldType
from an1498.replay.algebra import Col, Expr, Lambda, Lit, call
from an1498.replay.lucene import tree
from an1498.replay.lucene.dates import address_key, cidr_bounds, date_bounds, is_address
from an1498.replay.lucene.parse import Source
from an1498.replay.lucene.patterns import PatternError, regular_expression, wildcard
from an1498.replay.lucene.tree import Occur
from an1498.replay.table import ColumnType, Schema

_VALUE = "value of a list"  # a lambda's parameter: it would hide a field of that name
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_STRINGS = (FieldType.KEYWORD, FieldType.TEXT)
_METADATA = frozenset({"_id", "_index", "_version", "_source", "_score", "_ignored", "_routing"})
# The standard tokenizer's words in ASCII text (Unicode Annex 29): letters joined by . ' : between letters, digits joined by
# . , ; ' between digits, everything joined by _.
_WORD = r"(?:[A-Za-z](?:[:.']?[A-Za-z])*|[0-9](?:[.,;']?[0-9])*|_)+"
_LONGEST_WORD = 255

Test = Callable[[Expr], Expr]


class _NotOfType(Exception):
    """The text is no value of the field's type."""


@dataclass(frozen=True, slots=True)
class Lowering:
    source: Source
    schema: Schema

    def condition(self, query: tree.Query) -> Expr:
        match query:
            case tree.All():
                return Lit(True)
            case tree.Exists(_, field):
                return self._exists(field)
            case tree.Boolean(_, clauses):
                return self._boolean(clauses)
            case _:
                return self._leaf(query)

    def _boolean(self, clauses: tuple[tuple[Occur, tree.Query], ...]) -> Expr:
        of = {occur: [self.condition(query) for found, query in clauses if found is occur] for occur in Occur}
        tests = list(of[Occur.MUST])
        if not tests and of[Occur.SHOULD]:
            tests.append(call("or", *of[Occur.SHOULD]))
        return call("and", *tests, *(call("not", test) for test in of[Occur.MUST_NOT]))

    def _exists(self, field: str) -> Expr:
        """The field, or any field below it where it is an object."""
        own = self._column(field)
        names = [own[0]] if own is not None else [name for name in self.schema if name.startswith(field + ".")]
        return call("or", *(call("is_not_null", Col(name)) for name in names))

    def _column(self, field: str) -> tuple[str, ColumnType] | None:
        """The column of a field; a multi-field `X.keyword` without a column of its own reads X as a keyword."""
        found = self.schema.get(field)
        if found is not None:
            return field, found
        parent = field.removesuffix(".keyword")
        column = self.schema.get(parent)
        if column is not None and column.type in _STRINGS:
            return parent, ColumnType(FieldType.KEYWORD, column.array)
        return None

    def _leaf(self, query: tree.Term | tree.Phrase | tree.Wildcard | tree.Regex | tree.Range) -> Expr:
        if query.field is None:
            return self._everywhere(query)
        column = self._column(query.field)
        if column is None:
            return Lit(False)  # an unmapped field matches nothing
        try:
            return _any_value(*column, self._test(query, column[1].type))
        except _NotOfType as error:
            raise self.source.wrong(query.at, f"field [{query.field}] of type [{column[1].type}]: {error}") from None

    def _everywhere(self, query: tree.Term | tree.Phrase | tree.Wildcard | tree.Regex | tree.Range) -> Expr:
        """Without a field: any field, and fields of another type just do not match (`default_field` `*` is lenient)."""
        tests: list[Expr] = []
        for name, column in self.schema.items():
            if name in _METADATA:
                continue
            if column.type is FieldType.TEXT and isinstance(query, tree.Wildcard | tree.Regex) and re.search(r"\s", query.pattern):
                raise self.source.unsupported(query.at, "a pattern with a space and no field", "name the field")
            try:
                tests.append(_any_value(name, column, self._test(query, column.type)))
            except _NotOfType:
                continue
        return call("or", *tests)

    def _test(self, query: tree.Term | tree.Phrase | tree.Wildcard | tree.Regex | tree.Range, kind: FieldType) -> Test:
        match query:
            case tree.Range():
                return self._range(query, kind)
            case tree.Wildcard() | tree.Regex():
                return self._pattern(query, kind)
            case _:
                return self._equal(query, kind)

    def _equal(self, query: tree.Term | tree.Phrase, kind: FieldType) -> Test:
        text = query.text
        match kind:
            case FieldType.KEYWORD:
                return lambda value: call("eq", value, Lit(text))
            case FieldType.TEXT:
                return self._analysed(query)
            case FieldType.BOOLEAN:
                if text not in ("true", "false"):
                    raise _NotOfType(f"Can't parse boolean value [{text}], expected [true] or [false]")
                return lambda value: call("eq", value, Lit(text == "true"))
            case FieldType.LONG | FieldType.DOUBLE:
                number = _number(text)
                return lambda value: call("eq", value, Lit(number))
            case FieldType.IP:
                low, high = cidr_bounds(text) or _address(text)
                return lambda value: _between(call("ip_key", value), low, high)
            case FieldType.DATE:
                first, last = self._date(query.at, text)
                return lambda value: _between(value, first, last)

    def _analysed(self, query: tree.Term | tree.Phrase) -> Test:
        """A phrase: its tokens in a row; other text: any of its tokens."""
        words = self._words(query.at, query.text)
        if not words:
            raise self.source.unsupported(query.at, f"'{query.text}' on a text field: the analyzer leaves nothing of it")
        wanted = [" ".join(words)] if isinstance(query, tree.Phrase) else words
        return lambda value: call("or", *(call("contains", _tokens(value), Lit(f" {text} ")) for text in wanted))

    def _words(self, at: int, text: str) -> list[str]:
        if not text.isascii():
            raise self.source.unsupported(at, "text beyond ASCII on a text field", "search the keyword field")
        words = [word.lower() for word in re.findall(_WORD, text) if word.strip("_")]
        if any(len(word) > _LONGEST_WORD for word in words):
            raise self.source.unsupported(at, f"a word of more than {_LONGEST_WORD} characters")
        return words

    def _pattern(self, query: tree.Wildcard | tree.Regex, kind: FieldType) -> Test:
        if kind is FieldType.TEXT:
            if isinstance(query, tree.Regex):
                raise self.source.unsupported(query.at, "a regular expression on a text field", "search the keyword field")
            return self._text_wildcard(query)
        if kind is not FieldType.KEYWORD:
            raise _NotOfType("Can only use wildcard and regexp queries on keyword, text and wildcard fields")
        if isinstance(query, tree.Wildcard):
            re2 = wildcard(query.pattern).re2
            return lambda value: call("regex_full", value, Lit(re2))
        try:
            expression = regular_expression(query.pattern).re2
        except PatternError as error:
            if error.unsupported:
                raise self.source.unsupported(query.at, str(error)) from error
            raise self.source.wrong(query.at, str(error)) from error
        return lambda value: call("regex_full", value, Lit(expression))

    def _text_wildcard(self, query: tree.Wildcard) -> Test:
        """The pattern, in lower case, against single tokens."""
        if not query.pattern.isascii() or re.search(r"[^A-Za-z0-9_*?]", query.pattern):
            raise self.source.unsupported(query.at, "this wildcard on a text field", "search the keyword field")
        inside = query.pattern.lower().replace("*", "[^ ]*").replace("?", "[^ ]")
        return lambda value: call("regex_search", _tokens(value), Lit(f" {inside} "))

    def _range(self, query: tree.Range, kind: FieldType) -> Test:
        if kind is FieldType.TEXT:
            raise self.source.unsupported(query.at, "a range on a text field", "search the keyword field")
        if kind is FieldType.BOOLEAN:
            raise _NotOfType("does not support range queries")
        low: str | int | float | None = query.low
        high: str | int | float | None = query.high
        if kind in (FieldType.LONG, FieldType.DOUBLE):
            low, high = (None if bound is None else _number(bound) for bound in (query.low, query.high))
        elif kind is FieldType.IP:
            low, high = (None if bound is None else _address(bound)[0] for bound in (query.low, query.high))
        elif kind is FieldType.DATE:
            # Missing parts: gt and lte take the last moment of what is written, gte and lt the first.
            low = None if query.low is None else self._date(query.at, query.low)[0 if query.low_included else 1]
            high = None if query.high is None else self._date(query.at, query.high)[1 if query.high_included else 0]

        def test(value: Expr) -> Expr:
            item = call("ip_key", value) if kind is FieldType.IP else value
            tests = [call("is_not_null", item)]
            if low is not None:
                tests.append(call("ge" if query.low_included else "gt", item, Lit(low)))
            if high is not None:
                tests.append(call("le" if query.high_included else "lt", item, Lit(high)))
            return call("and", *tests)

        return test

    def _date(self, at: int, text: str) -> tuple[int, int]:
        """`strict_date_optional_time||epoch_millis`, the default of date fields."""
        if "||" in text or text.startswith("now"):
            raise self.source.unsupported(at, "date mathematics", "write a date")
        bounds = date_bounds(text)
        if bounds is not None:
            return bounds
        if re.fullmatch(r"-?\d+", text, re.ASCII):
            return int(text), int(text)
        raise _NotOfType(f"failed to parse date field [{text}]")


def _any_value(name: str, column: ColumnType, test: Test) -> Expr:
    if column.array:
        return call("coalesce", call("list_any", Col(name), Lambda(_VALUE, test(Col(_VALUE)))), Lit(False))
    return call("coalesce", test(Col(name)), Lit(False))


def _between(value: Expr, low: str | int, high: str | int) -> Expr:
    return call("eq", value, Lit(low)) if low == high else call("and", call("ge", value, Lit(low)), call("le", value, Lit(high)))


def _address(text: str) -> tuple[str, str]:
    if not is_address(text):
        raise _NotOfType(f"'{text}' is not an IP string literal.")
    key = address_key(text)
    return key, key


def _number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise _NotOfType(f'For input string: "{text}"')
    if re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise _NotOfType(f"[{text}] is out of range")
    return number


def _tokens(value: Expr) -> Expr:
    return call("standard_tokens", value, Lit(_WORD))
