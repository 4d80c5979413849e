"""query_string text to its syntax tree, with the classic Lucene parser's rules for what is required (default operator OR).

The classic parser has no precedence: AND makes its two neighbours required, NOT and - make one prohibited, the rest is optional,
and optional clauses matter only where nothing is required (Lucene API, `QueryParserBase.addClause`). Adjacent plain words go
to the analyzer together (Elasticsearch reference, "Query string query", whitespace and operators)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from an1498.errors import Location, SearchSyntaxError, UnsupportedConstruct
from an1498.replay.lucene import tree
from an1498.replay.lucene.tree import Occur

LANGUAGE = "lucene"


class Source:
    """The text of a search and its name, to say where something is."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def location(self, offset: int) -> Location:
        before = self.text[:offset]
        return Location(self.name, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)

    def wrong(self, offset: int, problem: str, remedy: str = "") -> SearchSyntaxError:
        """The error to raise where Elasticsearch refuses the search too."""
        return SearchSyntaxError(LANGUAGE, self.location(offset), problem, remedy)

    def unsupported(self, offset: int, problem: str, remedy: str = "") -> UnsupportedConstruct:
        """The error to raise where Elasticsearch runs the search and replay does not model it."""
        return UnsupportedConstruct(LANGUAGE, self.location(offset), problem, remedy)


@cache
def _parser() -> Lark:
    grammar = files("an1498.replay.lucene").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True)


def parse(source: Source) -> tree.Query | None:
    """None for an empty search, which matches nothing. Raises SearchSyntaxError, UnsupportedConstruct."""
    try:
        parsed = _parser().parse(source.text)
    except UnexpectedInput as error:
        raise _explained(source, error) from None
    query = parsed.children[0]
    return _query(source, query, None) if isinstance(query, Tree) else None


def _explained(source: Source, error: UnexpectedInput) -> SearchSyntaxError:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return source.wrong(len(source.text.rstrip()), "the search ends too early")
    offset = error.token.start_pos if isinstance(error, UnexpectedToken) else error.pos_in_stream
    offset = offset or 0
    found = source.text[offset : offset + 1]
    remedy = {"[": "a range is [low TO high]", "{": "a range is {low TO high}", "/": "escape it as \\/, or close the regular expression"}
    return source.wrong(offset, f"unexpected '{found}'", remedy.get(found, "escape it with a backslash"))


@dataclass(frozen=True, slots=True)
class _Item:
    """A clause with what stands before it. `word` is its raw text where it is a plain word without a field; `star` a lone `*`."""

    conjunction: str
    prohibited: bool
    required: bool
    query: tree.Query
    word: str | None
    star: bool

    @property
    def plain(self) -> bool:
        return self.word is not None and not (self.conjunction or self.prohibited or self.required)


def _query(source: Source, node: Tree[Token], field: str | None) -> tree.Query:
    items = [_item(source, child, field) for child in node.children if isinstance(child, Tree)]
    first = items[0]
    if first.conjunction:
        raise source.wrong(_start(node), f"the search starts with '{first.conjunction}'")
    items = _joined_words(source, items, field)
    if len(items) == 1 and not items[0].prohibited and not items[0].required:
        return items[0].query
    clauses: list[tuple[Occur, tree.Query]] = []
    for item in items:
        conjoined = item.conjunction in ("AND", "&&")
        if clauses and conjoined and clauses[-1][0] is not Occur.MUST_NOT:
            clauses[-1] = (Occur.MUST, clauses[-1][1])
        occur = Occur.MUST_NOT if item.prohibited else Occur.MUST if item.required or conjoined else Occur.SHOULD
        clauses.append((occur, item.query))
    return tree.Boolean(_start(node), tuple(clauses))


def _joined_words(source: Source, items: list[_Item], field: str | None) -> list[_Item]:
    """Plain words in a row become one term; a word before AND, OR or a lone `*` stays out (the parser's multi-term look-ahead)."""
    joined: list[_Item] = []
    position = 0
    while position < len(items):
        words = [items[position]]
        # Only an item that opens a run of its own may start one: a word after AND or OR is a clause by itself.
        if items[position].plain:
            while position + len(words) < len(items):
                following = items[position + len(words)]
                after = items[position + len(words) + 1] if position + len(words) + 1 < len(items) else None
                if not following.plain or (after is not None and (after.conjunction or after.star)):
                    break
                words.append(following)
        if len(words) > 1:
            text = " ".join(word.word or "" for word in words)
            if field is not None and text.startswith((">", "<")):
                raise source.unsupported(words[0].query.at, "several comparisons without an operator", "put AND or OR between them")
            joined.append(replace(words[0], query=tree.Term(words[0].query.at, field, _unescaped(text))))
        else:
            joined.append(words[0])
        position += len(words)
    return joined


def _item(source: Source, node: Tree[Token], field: str | None) -> _Item:
    conjunction, modifier, clause = node.children
    if not isinstance(clause, Tree):
        raise TypeError("an item always has a clause")
    name, operand = clause.children
    own = field if not isinstance(name, Tree) else _unescaped(str(name.children[0]))
    if isinstance(name, Tree) and isinstance(name.children[0], Token) and name.children[0].type == "STAR":
        own = "*"
    if not isinstance(operand, Tree):
        raise TypeError("a clause always has an operand")
    query = _operand(source, operand, own)
    plain = operand.data == "term" and name is None
    return _Item(
        str(conjunction or ""),
        modifier in ("NOT", "-", "!"),
        modifier == "+",
        query,
        str(operand.children[0]) if plain else None,
        operand.data == "star" and name is None,
    )


def _operand(source: Source, node: Tree[Token], field: str | None) -> tree.Query:
    at = _start(node)
    for child in node.children:
        if isinstance(child, Tree) and child.data == "suffix":
            token = child.children[0]
            kind = "a boost" if str(token).startswith("^") else "a fuzzy term or a proximity search"
            offset = token.start_pos if isinstance(token, Token) else at
            raise source.unsupported(offset or 0, kind, "remove it")
    if node.data == "bare":
        raise source.unsupported(at, "an operator followed by a space", "put it next to its term")
    if node.data == "group":
        inner = node.children[0]
        if not isinstance(inner, Tree):
            raise TypeError("a group always has a query")
        return _query(source, inner, field)
    text = str(node.children[0])
    match node.data:
        case "star":
            return tree.All(at) if field in (None, "*") else _exists(source, at, field)
        case "term":
            return _term(source, at, field, _unescaped(text))
        case "quoted":
            unquoted = _unescaped(text[1:-1])
            return _exists(source, at, unquoted) if field == "_exists_" else tree.Phrase(at, _plain(source, at, field), unquoted)
        case "wildcard":
            return tree.Wildcard(at, _plain(source, at, field), text)
        case "regex":
            return tree.Regex(at, _plain(source, at, field), text[1:-1])
        case _:
            return _range(source, at, field, text)


def _term(source: Source, at: int, field: str | None, text: str) -> tree.Query:
    if field == "_exists_":
        return _exists(source, at, text)
    name = _plain(source, at, field)
    if name is not None and text[0] in "<>" and len(text) > 1:
        included = text[1] == "="
        bound = text[2:] if included else text[1:]
        if not bound:
            raise source.unsupported(at, f"'{text}' without a value next to it")
        if text[0] == ">":
            return tree.Range(at, name, bound, None, included, True)
        return tree.Range(at, name, None, bound, True, included)
    return tree.Term(at, name, text)


def _range(source: Source, at: int, field: str | None, text: str) -> tree.Range:
    name = _plain(source, at, field)
    if name is None:
        raise source.unsupported(at, "a range without a field")
    bound = r'"(?:\\"|[^"])+"|[^ \]}"][^ \]}]*'
    found = re.fullmatch(rf"[\[{{]\s*({bound})\s+TO\s+({bound})\s*[\]}}]", text)
    if found is None:
        raise source.wrong(at, "a range is [low TO high]")
    low, high = (_bound(part) for part in found.groups())
    return tree.Range(at, name, low, high, text[0] == "[", text[-1] == "]")


def _bound(text: str) -> str | None:
    if text == "*" or text == '"*"':
        return None
    return _unescaped(text[1:-1] if text.startswith('"') else text)


def _exists(source: Source, at: int, field: str | None) -> tree.Exists:
    if field is None or field == "_exists_" or "*" in field or "?" in field:
        raise source.unsupported(at, f"_exists_ of the pattern '{field}'", "name one field")
    return tree.Exists(at, field)


def _plain(source: Source, at: int, field: str | None) -> str | None:
    """The field of a clause; patterns of field names are refused."""
    if field is not None and ("*" in field or "?" in field):
        raise source.unsupported(at, f"a pattern of field names: '{field}'", "name each field")
    if field == "_exists_":
        raise source.wrong(at, "_exists_ takes the name of a field")
    return field


def _unescaped(text: str) -> str:
    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|([\s\S]))", lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)


def _start(node: Any) -> int:
    tokens = node.scan_values(lambda value: isinstance(value, Token))
    return min((token.start_pos or 0 for token in tokens), default=0)
