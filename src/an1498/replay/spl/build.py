"""lark's trees of the other commands → the nodes of syntax.py. What the grammar accepts but SPL does not, or replay does not model, stops
here."""

from __future__ import annotations

from collections.abc import Callable

from lark import Token, Tree

from an1498.replay.spl import syntax
from an1498.replay.spl.build_eval import expression_node, named_option, text_option
from an1498.replay.spl.nodes import Node, eval_text, name_text, place, regex_text, tokens, trees
from an1498.replay.spl.source import Source

Builder = Callable[[Source, Node, str, int], syntax.Command]


def sort(source: Source, tree: Node, _name: str, at: int) -> syntax.SortCommand:
    limit = 10_000
    for token in tokens(tree, "SORT_COUNT"):
        limit = int(token)
    for option in trees(tree, "option"):
        name, value = named_option(source, option)
        if name != "limit" or not isinstance(value, str) or not value.isdecimal():
            raise source.syntax_error(place(option), f"sort has no option '{name}'", "sort knows limit=<number>")
        limit = int(value)
    fields = []
    for node in trees(tree, "sort_field"):
        sign = next(iter(tokens(node, "SIGN")), None)
        field = next(trees(node, "field"))
        if sign is not None and sign.end_pos != place(node.children[1]) and len(list(trees(tree, "sort_field"))) > 1:
            raise source.unsupported(
                place(sign), f"'{sign} ' with a space before one of several sort fields", "write the sign at each field"
            )
        kind = str(next(iter(tokens(node, "SORT_KIND")), "auto"))
        fields.append(syntax.SortField(name_text(source, field), sign == "-", kind, place(node)))
    return syntax.SortCommand(tuple(fields), limit, any(True for _ in tokens(tree, "DESCENDING")), at)


def rename(source: Source, tree: Node, _name: str, at: int) -> syntax.Rename:
    pairs = []
    for node in trees(tree, "rename_pair"):
        old, new = (name_text(source, field) for field in trees(node, "field"))
        if old.count("*") != new.count("*") or "**" in old or "**" in new:
            raise source.syntax_error(place(node), "both names of a rename take the same wildcards")
        pairs.append((old, new))
    return syntax.Rename(tuple(pairs), at)


def lookup(source: Source, tree: Node, _name: str, at: int) -> syntax.LookupCommand:
    options = dict(text_option(source, option) for option in trees(tree, "option"))
    table = name_text(source, next(trees(tree, "field")))
    keys: list[tuple[str, str]] = []
    outputs: list[tuple[str, str]] = []
    mode = ""
    for child in tree.children:
        if isinstance(child, Token) and child.type == "LOOKUP_OUTPUT":
            mode = str(child).upper()
        elif isinstance(child, Tree) and child.data == "lookup_pair":
            names = [name_text(source, field) for field in trees(child, "field")]
            (outputs if mode else keys).append((names[0], names[-1]))
    return syntax.LookupCommand(table, tuple(keys), tuple(outputs), mode, options, at)


def convert(source: Source, tree: Node, _name: str, at: int) -> syntax.Convert:
    options = dict(text_option(source, option) for option in trees(tree, "option"))
    if unknown := set(options) - {"timeformat"}:
        raise source.syntax_error(at, f"convert has no option '{min(unknown)}'")
    conversions = []
    for node in trees(tree, "conversion"):
        names = [name_text(source, field) for field in trees(node, "field")]
        conversions.append((str(next(iter(tokens(node, "CONVERSION")))), names[0], names[-1]))
    return syntax.Convert(tuple(conversions), options.get("timeformat", "%m/%d/%Y %H:%M:%S"), at)


def head(source: Source, tree: Node, _name: str, at: int) -> syntax.Head:
    (expression,) = (child for child in tree.children if isinstance(child, Tree))
    return syntax.Head(expression_node(source, expression), at)


def replace(source: Source, tree: Node, _name: str, at: int) -> syntax.Replace:
    pairs = []
    for node in trees(tree, "replacement"):
        old, new = (name_text(source, field) for field in trees(node, "field"))
        if "*" in old + new:
            raise source.unsupported(place(node), "wildcards in replace")
        pairs.append((old, new))
    return syntax.Replace(tuple(pairs), tuple(name_text(source, field) for field in trees(tree, "field")), at)


def top(source: Source, tree: Node, name: str, at: int) -> syntax.Top:
    fields = [name_text(source, field) for field in trees(tree, "field")]
    options = dict(text_option(source, option) for option in trees(tree, "option"))
    by: tuple[str, ...] = ()
    for clause in trees(tree, "by_clause"):
        by = tuple(name_text(source, field) for field in trees(clause, "field"))
        options.update(text_option(source, option) for option in trees(clause, "option"))
    if fields and fields[0].isdecimal():
        options["limit"] = fields.pop(0)
    if not fields:
        raise source.syntax_error(at, f"{name} takes a list of fields")
    return syntax.Top(name, tuple(fields), by, options, at)


def regex(_source: Source, tree: Node, _name: str, at: int) -> syntax.Regex:
    tokens = [child for child in tree.children if isinstance(child, Token)]
    pattern = regex_text(tokens[-1])
    if len(tokens) == 1:
        return syntax.Regex("_raw", False, pattern, at)
    field = str(tokens[0]) if tokens[0].type == "REGEX_FIELD" else eval_text(tokens[0])
    return syntax.Regex(field, tokens[1] == "!=", pattern, at)


def plain(source: Source, tree: Node, name: str, at: int) -> syntax.Plain:
    words: list[str] = []
    quoted: list[int] = []
    for node in trees(tree, "field"):
        token = node.children[0]
        if isinstance(token, Token) and token.type == "STRING":
            quoted.append(len(words))
            words.append(regex_text(token) if name == "rex" else eval_text(token))
        else:
            words.append(name_text(source, node))
    options = dict(text_option(source, option) for option in trees(tree, "option"))
    renamed = [name_text(source, next(trees(alias, "field"))) for alias in trees(tree, "alias")]
    return syntax.Plain(
        "bin" if name in ("bucket", "discretize") else name,
        tuple(words),
        options,
        at,
        str(next(iter(tokens(tree, "SIGN")), "")),
        renamed[0] if renamed else "",
        frozenset(quoted),
    )
