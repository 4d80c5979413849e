"""lark's trees of aggregations: stats and its kin, chart and timechart → the nodes of syntax.py."""

from __future__ import annotations

from lark import Tree

from an1498.replay.spl import eval_syntax, syntax
from an1498.replay.spl.build_eval import expression_node, named_option
from an1498.replay.spl.nodes import Node, name_text, place, tokens, trees
from an1498.replay.spl.source import Source


def statistics(source: Source, tree: Node, name: str, at: int) -> syntax.Statistics:
    terms: list[syntax.AggregateTerm] = []
    options: dict[str, str | eval_syntax.Expression] = {}
    by: tuple[str, ...] = ()
    for child in tree.children:
        if not isinstance(child, Tree):
            continue
        if child.data == "option":
            options.update([named_option(source, child)])
        elif child.data == "by_clause":
            by = tuple(name_text(source, field) for field in trees(child, "field"))
            options.update(named_option(source, option) for option in trees(child, "option"))
        else:
            terms.append(_aggregate(source, child))
    if not terms:
        raise source.syntax_error(at, f"{name} needs an aggregation, for instance count")
    return syntax.Statistics(name, tuple(terms), by, options, at)


def _aggregate(source: Source, node: Node) -> syntax.AggregateTerm:
    function = str(next(iter(tokens(node, "AGGREGATE", "FIELD"))))
    argument: str | eval_syntax.Expression | None = None
    written = ""
    for child in trees(node, "eval_argument"):
        argument = expression_node(source, next(tree for tree in child.children if isinstance(tree, Tree)))
        written = source.text[child.meta.start_pos : child.meta.end_pos]
    for child in trees(node, "field_argument"):
        argument = written = name_text(source, next(trees(child, "field")))
    renamed = [name_text(source, field) for field in trees(node, "field")]
    default = f"{function}({written})" if written else function
    return syntax.AggregateTerm(function.lower(), argument, renamed[0] if renamed else default, place(node), function)


def _computed(source: Source, node: Node) -> syntax.AggregateTerm:
    """`eval(<expression of aggregations>) AS name`, of chart and timechart."""
    inner = next(child for child in node.children if isinstance(child, Tree))
    renamed = [name_text(source, field) for field in trees(node, "field")]
    written = source.text[inner.meta.start_pos : inner.meta.end_pos]
    name = renamed[0] if renamed else f"eval({written})"
    return syntax.AggregateTerm("eval", expression_node(source, inner), name, place(inner), "eval")


def chart(source: Source, tree: Node, name: str, at: int) -> syntax.Chart:
    """`chart <aggregations> [OVER row] [BY row column]`; timechart's row is `_time`."""
    terms: list[syntax.AggregateTerm] = []
    options: dict[str, str | eval_syntax.Expression] = {}
    over: list[str] = []
    by: list[str] = []
    for child in tree.children:
        if not isinstance(child, Tree):
            continue
        if child.data == "option":
            options.update([named_option(source, child)])
        elif child.data in ("by_clause", "over_clause"):
            named = [name_text(source, field) for field in trees(child, "field")]
            options.update(named_option(source, option) for option in trees(child, "option"))
            over, by = (named, by) if child.data == "over_clause" else (over, named)
        elif child.data == "computed":
            terms.append(_computed(source, child))
        else:
            terms.append(_aggregate(source, child))
    if name == "timechart" and not by and any(term.function == "eval" for term in terms):
        raise source.syntax_error(at, "timechart of eval() needs a BY clause")
    fields = ["_time", *by] if name == "timechart" else [*over, *by]
    if not terms or not 1 <= len(fields) <= 2 or (name == "timechart" and over):
        raise source.unsupported(at, f"this form of {name}", "give an aggregation and one or two fields")
    return syntax.Chart(name, tuple(terms), fields[0], fields[1] if len(fields) > 1 else "", options, at)
