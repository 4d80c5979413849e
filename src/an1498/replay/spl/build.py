"""lark's trees → the nodes of syntax.py. What the grammar accepts but SPL does not, or replay does not model, stops here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from lark import Token, Tree

from an1498.replay.spl import syntax
from an1498.replay.spl.source import Source

Node = Tree[Token]
Pipelines = Mapping[int, tuple[syntax.Command, ...]]

# Search modifiers that are not fields of an event (Search Reference, "search", and "Time modifiers").
_MODIFIERS = re.compile(
    "(_index_)?(earliest|latest)|(start|end)(time|daysago|hoursago|minutesago)|timeformat|searchtimespan(days|hours|minutes)"
    "|eventtype(tag)?|hosttag|tag|sourcetypetag|saved(search|splunk)|splunk_server(_group)?"
)


def _at(node: Node | Token) -> int:
    return (node.start_pos if isinstance(node, Token) else node.meta.start_pos) or 0


def _trees(node: Node, rule: str) -> Iterator[Node]:
    return (child for child in node.children if isinstance(child, Tree) and child.data == rule)


def _tokens(node: Node, *names: str) -> Iterator[Token]:
    return (child for child in node.children if isinstance(child, Token) and child.type in names)


# --- search ------------------------------------------------------------------------------------------------------------------


def search(source: Source, tree: Node, at: int, pipelines: Pipelines) -> syntax.Search:
    """`pipelines` are the subsearches by the offset of their opening bracket."""
    terms = [_term(source, child, pipelines) for child in tree.children if isinstance(child, Tree)]
    return syntax.Search(terms[0] if terms else syntax.AllOf(()), at)


def _term(source: Source, node: Node, pipelines: Pipelines) -> syntax.Term:
    children = [child for child in node.children if isinstance(child, Tree)]
    match node.data:
        case "all_of" | "any_of":
            for left, right in pairwise(children):
                if left.meta.end_pos == right.meta.start_pos and "group" not in (left.data, right.data):
                    raise source.unsupported(right.meta.start_pos, "two terms without a space between them")
            terms = tuple(_term(source, child, pipelines) for child in children)
            if len(terms) == 1:
                return terms[0]
            return syntax.AllOf(terms) if node.data == "all_of" else syntax.AnyOf(terms)
        case "negation":
            return syntax.Negation(_term(source, children[0], pipelines))
        case "group":
            return _term(source, children[0], pipelines)
        case "comparison":
            field = _search_field(source, children[0])
            return syntax.Comparison(field, str(next(_tokens(node, "OPERATOR"))), _pattern(source, children[1]), _at(node))
        case "membership":
            field = _search_field(source, children[0])
            return syntax.Membership(field, tuple(_pattern(source, child) for child in children[1:]), _at(node))
        case "subsearch":
            return syntax.Subsearch(pipelines[_at(node)], _at(node))
        case "directive":
            return _directive(source, str(node.children[0]), _at(node))
        case _:
            return syntax.Word(_pattern(source, node), _at(node))


def _directive(source: Source, written: str, at: int) -> syntax.Word:
    kind, inner = written[:4], written[5:-1].strip().strip('"')
    if kind not in ("TERM", "CASE") or not inner or "\\" in inner:
        raise source.unsupported(at, f"the directive {written}")
    return syntax.Word(syntax.Pattern(tuple(inner.split("*")), at), at, kind)


def _search_field(source: Source, node: Node) -> str:
    pattern = _pattern(source, node)
    name = pattern.literal
    if not name:
        raise source.unsupported(_at(node), "a field name with wildcards")
    if _MODIFIERS.fullmatch(name) or "::" in name:
        raise source.unsupported(_at(node), f"the search modifier '{name}'")
    return name


def _pattern(source: Source, node: Node) -> syntax.Pattern:
    """A search value. Search Reference, "search", "Quotes and escaping characters": a backslash escapes a quotation mark and
    itself; Search Manual, "Backslashes": it cannot escape an asterisk. Other escapes are not documented, so they are refused."""
    token = node.children[0]
    assert isinstance(token, Token)
    at = _at(token)
    if token.type == "DIRECTIVE":
        raise source.unsupported(at, f"the directive {token} as a field's value")
    quoted = token.type == "STRING"
    written = token[1:-1] if quoted else str(token)
    parts = [""]
    position = 0
    while position < len(written):
        character = written[position]
        if character == "*":
            if not (position and written[position - 1] == "*" and parts[-1] == "" and len(parts) > 1):
                parts.append("")
            position += 1
        elif character == "\\":
            following = written[position + 1 : position + 2]
            if following not in ("\\", '"'):
                raise source.unsupported(
                    at + position + quoted,
                    f"the escape '\\{following}' in a search term",
                    "write \\\\ for a backslash; * cannot be escaped",
                )
            parts[-1] += following
            position += 2
        else:
            parts[-1] += character
            position += 1
    return syntax.Pattern(tuple(parts), at)


# --- eval expressions --------------------------------------------------------------------------------------------------------


def assignments(source: Source, tree: Node, _name: str, at: int) -> syntax.Eval:
    pairs = []
    for assignment in tree.children:
        assert isinstance(assignment, Tree)
        target, expression = assignment.children
        assert isinstance(target, Tree) and isinstance(expression, Tree)
        pairs.append((_name_text(source, target), _expression(source, expression)))
    return syntax.Eval(tuple(pairs), at)


def where(source: Source, tree: Node, _name: str, at: int) -> syntax.Where:
    (expression,) = tree.children
    assert isinstance(expression, Tree)
    return syntax.Where(_expression(source, expression), at)


def _expression(source: Source, node: Node) -> syntax.Expression:
    at = _at(node)
    token = node.children[0] if node.children and isinstance(node.children[0], Token) else None
    operands = [child for child in node.children if isinstance(child, Tree)]
    match node.data:
        case "number":
            return syntax.Number(float(token or "nan"), at)
        case "text":
            return syntax.Text(eval_text(token or ""), at)
        case "quoted_field":
            return syntax.Field((token or "")[1:-1], at)
        case "bare_field":
            name = str(token)
            if name.lower() in ("true", "false", "null"):
                raise source.unsupported(at, f"the bare word '{name}' in an expression", f"write {name.lower()}()")
            return syntax.Field(name, at)
        case "parenthesis":
            return _expression(source, operands[0])
        case "unary":
            if token == ".":
                raise source.syntax_error(at, "'.' needs a value on its left")
            operand = _expression(source, operands[0])
            operator = str(token).lower()
            return operand if operator == "+" else syntax.Unary(operator, operand, at)
        case "binary":
            operator = str(next(iter(_tokens(node, "XOR", "OR", "AND", "LIKE", "COMPARE", "ADDITIVE", "MULTIPLICATIVE")))).lower()
            _mixed_additions(source, operator, operands[0])
            left, right = (_expression(source, operand) for operand in operands)
            return syntax.Binary("=" if operator == "==" else operator, left, right, at)
        case "in_list":
            value, arguments = operands
            listed = tuple(_expression(source, child) for child in arguments.children if isinstance(child, Tree))
            return syntax.Function("in", (_expression(source, value), *listed), at)
        case "function":
            listed = tuple(_expression(source, child) for group in operands for child in group.children if isinstance(child, Tree))
            return syntax.Function(str(token).lower(), listed, at)
        case _:
            raise AssertionError(node.data)


def _mixed_additions(source: Source, operator: str, left: Node) -> None:
    """Splunk does not document how `.` and `+` or `-` group, so a mix needs parentheses."""
    if operator in (".", "+", "-") and left.data == "binary":
        inner = [str(token) for token in _tokens(left, "ADDITIVE")]
        if inner and (inner[0] == ".") != (operator == "."):
            raise source.unsupported(_at(left), f"'{inner[0]}' and '{operator}' without parentheses")


_EVAL_ESCAPES = {"\\": "\\", '"': '"', "t": "\t", "n": "\n", "r": "\r"}


def eval_text(token: str) -> str:
    """A quoted string of eval. Search Manual, "Types of expressions": `\\t` is a tab, a backslash is written `\\\\`. An
    unknown escape keeps its backslash, so that `"\\d"` is the regular expression `\\d`."""
    return re.sub(r"\\(.)", lambda match: _EVAL_ESCAPES.get(match[1], match[0]), token[1:-1], flags=re.DOTALL)


def regex_text(token: str) -> str:
    """A quoted regular expression. Search Manual, "SPL and regular expressions": of two backslashes one is removed before the
    expression is read, and a quotation mark is escaped."""
    return re.sub(r'\\([\\"])', r"\1", token[1:-1])


def _name_text(source: Source, node: Node) -> str:
    token = node.children[0]
    assert isinstance(token, Token)
    name = eval_text(token) if token.type == "STRING" else str(token)[1:-1] if token.type == "SINGLE_QUOTED" else str(token)
    if not name:
        raise source.syntax_error(_at(token), "a field name is empty")
    return name


# --- stats family ------------------------------------------------------------------------------------------------------------


def statistics(source: Source, tree: Node, name: str, at: int) -> syntax.Statistics:
    terms: list[syntax.AggregateTerm] = []
    options: dict[str, str | syntax.Expression] = {}
    by: tuple[str, ...] = ()
    for child in tree.children:
        if not isinstance(child, Tree):
            continue
        if child.data == "option":
            options.update([_option(source, child)])
        elif child.data == "by_clause":
            by = tuple(_name_text(source, field) for field in _trees(child, "field"))
            options.update(_option(source, option) for option in _trees(child, "option"))
        else:
            terms.append(_aggregate(source, child))
    if not terms:
        raise source.syntax_error(at, f"{name} needs an aggregation, for instance count")
    return syntax.Statistics(name, tuple(terms), by, options, at)


def _aggregate(source: Source, node: Node) -> syntax.AggregateTerm:
    function = str(next(iter(_tokens(node, "AGGREGATE", "FIELD"))))
    argument: str | syntax.Expression | None = None
    written = ""
    for child in _trees(node, "eval_argument"):
        argument = _expression(source, next(tree for tree in child.children if isinstance(tree, Tree)))
        written = source.text[child.meta.start_pos : child.meta.end_pos]
    for child in _trees(node, "field_argument"):
        argument = written = _name_text(source, next(_trees(child, "field")))
    renamed = [_name_text(source, field) for field in _trees(node, "field")]
    default = f"{function}({written})" if written else function
    return syntax.AggregateTerm(function.lower(), argument, renamed[0] if renamed else default, _at(node), function)


def _option(source: Source, node: Node) -> tuple[str, str | syntax.Expression]:
    name = str(next(iter(_tokens(node, "OPTION")))).lower()
    for child in node.children:
        if isinstance(child, Tree):
            return name, _expression(source, child)
    value = next(iter(_tokens(node, "OPTION_VALUE", "STRING")))
    return name, regex_text(value) if value.type == "STRING" else str(value)


# --- other commands ----------------------------------------------------------------------------------------------------------


def sort(source: Source, tree: Node, _name: str, at: int) -> syntax.SortCommand:
    limit = 10_000
    for token in _tokens(tree, "SORT_COUNT"):
        limit = int(token)
    for option in _trees(tree, "option"):
        name, value = _option(source, option)
        if name != "limit" or not isinstance(value, str) or not value.isdecimal():
            raise source.syntax_error(_at(option), f"sort has no option '{name}'", "sort knows limit=<number>")
        limit = int(value)
    fields = []
    for node in _trees(tree, "sort_field"):
        sign = next(iter(_tokens(node, "SIGN")), None)
        field = next(_trees(node, "field"))
        if sign is not None and sign.end_pos != _at(node.children[1]) and len(list(_trees(tree, "sort_field"))) > 1:
            raise source.unsupported(_at(sign), f"'{sign} ' with a space before one of several sort fields", "write the sign at each field")
        kind = str(next(iter(_tokens(node, "SORT_KIND")), "auto"))
        fields.append(syntax.SortField(_name_text(source, field), sign == "-", kind, _at(node)))
    return syntax.SortCommand(tuple(fields), limit, any(True for _ in _tokens(tree, "DESCENDING")), at)


def rename(source: Source, tree: Node, _name: str, at: int) -> syntax.Rename:
    pairs = []
    for node in _trees(tree, "rename_pair"):
        old, new = (_name_text(source, field) for field in _trees(node, "field"))
        if old.count("*") != new.count("*") or "**" in old or "**" in new:
            raise source.syntax_error(_at(node), "both names of a rename take the same wildcards")
        pairs.append((old, new))
    return syntax.Rename(tuple(pairs), at)


def lookup(source: Source, tree: Node, _name: str, at: int) -> syntax.LookupCommand:
    options = dict(_text_option(source, option) for option in _trees(tree, "option"))
    table = _name_text(source, next(_trees(tree, "field")))
    keys: list[tuple[str, str]] = []
    outputs: list[tuple[str, str]] = []
    mode = ""
    for child in tree.children:
        if isinstance(child, Token) and child.type == "LOOKUP_OUTPUT":
            mode = str(child).upper()
        elif isinstance(child, Tree) and child.data == "lookup_pair":
            names = [_name_text(source, field) for field in _trees(child, "field")]
            (outputs if mode else keys).append((names[0], names[-1]))
    return syntax.LookupCommand(table, tuple(keys), tuple(outputs), mode, options, at)


def chart(source: Source, tree: Node, name: str, at: int) -> syntax.Chart:
    """`chart <aggregations> [OVER row] [BY row column]`; timechart's row is `_time`."""
    terms: list[syntax.AggregateTerm] = []
    options: dict[str, str | syntax.Expression] = {}
    over: list[str] = []
    by: list[str] = []
    for child in tree.children:
        if not isinstance(child, Tree):
            continue
        if child.data == "option":
            options.update([_option(source, child)])
        elif child.data in ("by_clause", "over_clause"):
            named = [_name_text(source, field) for field in _trees(child, "field")]
            options.update(_option(source, option) for option in _trees(child, "option"))
            over, by = (named, by) if child.data == "over_clause" else (over, named)
        else:
            terms.append(_aggregate(source, child))
    fields = ["_time", *by] if name == "timechart" else [*over, *by]
    if not terms or not 1 <= len(fields) <= 2 or (name == "timechart" and over):
        raise source.unsupported(at, f"this form of {name}", "give an aggregation and one or two fields")
    return syntax.Chart(name, tuple(terms), fields[0], fields[1] if len(fields) > 1 else "", options, at)


def convert(source: Source, tree: Node, _name: str, at: int) -> syntax.Convert:
    options = dict(_text_option(source, option) for option in _trees(tree, "option"))
    if unknown := set(options) - {"timeformat"}:
        raise source.syntax_error(at, f"convert has no option '{min(unknown)}'")
    conversions = []
    for node in _trees(tree, "conversion"):
        names = [_name_text(source, field) for field in _trees(node, "field")]
        conversions.append((str(next(iter(_tokens(node, "CONVERSION")))), names[0], names[-1]))
    return syntax.Convert(tuple(conversions), options.get("timeformat", "%m/%d/%Y %H:%M:%S"), at)


def head(source: Source, tree: Node, _name: str, at: int) -> syntax.Head:
    (expression,) = (child for child in tree.children if isinstance(child, Tree))
    return syntax.Head(_expression(source, expression), at)


def replace(source: Source, tree: Node, _name: str, at: int) -> syntax.Replace:
    pairs = []
    for node in _trees(tree, "replacement"):
        old, new = (_name_text(source, field) for field in _trees(node, "field"))
        if "*" in old + new:
            raise source.unsupported(_at(node), "wildcards in replace")
        pairs.append((old, new))
    return syntax.Replace(tuple(pairs), tuple(_name_text(source, field) for field in _trees(tree, "field")), at)


def top(source: Source, tree: Node, name: str, at: int) -> syntax.Top:
    fields = [_name_text(source, field) for field in _trees(tree, "field")]
    options = dict(_text_option(source, option) for option in _trees(tree, "option"))
    by: tuple[str, ...] = ()
    for clause in _trees(tree, "by_clause"):
        by = tuple(_name_text(source, field) for field in _trees(clause, "field"))
        options.update(_text_option(source, option) for option in _trees(clause, "option"))
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
    for node in _trees(tree, "field"):
        token = node.children[0]
        if isinstance(token, Token) and token.type == "STRING":
            quoted.append(len(words))
            words.append(regex_text(token) if name == "rex" else eval_text(token))
        else:
            words.append(_name_text(source, node))
    options = dict(_text_option(source, option) for option in _trees(tree, "option"))
    renamed = [_name_text(source, next(_trees(alias, "field"))) for alias in _trees(tree, "alias")]
    return syntax.Plain(
        "bin" if name in ("bucket", "discretize") else name,
        tuple(words),
        options,
        at,
        str(next(iter(_tokens(tree, "SIGN")), "")),
        renamed[0] if renamed else "",
        frozenset(quoted),
    )


def _text_option(source: Source, node: Node) -> tuple[str, str]:
    name, value = _option(source, node)
    if not isinstance(value, str):
        raise source.unsupported(_at(node), f"an expression as the value of option '{name}'")
    return name, value


Builder = Callable[[Source, Node, str, int], syntax.Command]
