"""lark's trees of eval expressions, of eval and where, and of options → the nodes of eval_syntax.py and syntax.py."""

from __future__ import annotations

from lark import Token, Tree

from an1498.replay.spl import eval_syntax, syntax
from an1498.replay.spl.nodes import Node, eval_text, name_text, place, regex_text, tokens
from an1498.replay.spl.source import Source


def assignments(source: Source, tree: Node, _name: str, at: int) -> syntax.Eval:
    pairs = []
    for assignment in tree.children:
        assert isinstance(assignment, Tree)
        target, expression = assignment.children
        assert isinstance(target, Tree) and isinstance(expression, Tree)
        pairs.append((name_text(source, target), expression_node(source, expression)))
    return syntax.Eval(tuple(pairs), at)


def fieldformat(source: Source, tree: Node, name: str, at: int) -> syntax.Fieldformat:
    pairs = assignments(source, tree, name, at).assignments
    if len(pairs) > 1:
        raise source.syntax_error(at, "fieldformat takes one field", "write a fieldformat for each field")
    return syntax.Fieldformat(*pairs[0], at)


def where(source: Source, tree: Node, _name: str, at: int) -> syntax.Where:
    (expression,) = tree.children
    assert isinstance(expression, Tree)
    return syntax.Where(expression_node(source, expression), at)


def expression_node(source: Source, node: Node) -> eval_syntax.Expression:
    at = place(node)
    token = node.children[0] if node.children and isinstance(node.children[0], Token) else None
    operands = [child for child in node.children if isinstance(child, Tree)]
    match node.data:
        case "number":
            return eval_syntax.Number(float(token or "nan"), at)
        case "text":
            return eval_syntax.Text(eval_text(token or ""), at)
        case "quoted_field":
            return eval_syntax.Field((token or "")[1:-1], at)
        case "bare_field":
            name = str(token)
            if name.lower() in ("true", "false", "null"):
                raise source.unsupported(at, f"the bare word '{name}' in an expression", f"write {name.lower()}()")
            return eval_syntax.Field(name, at)
        case "parenthesis":
            return expression_node(source, operands[0])
        case "unary":
            if token == ".":
                raise source.syntax_error(at, "'.' needs a value on its left")
            operand = expression_node(source, operands[0])
            operator = str(token).lower()
            return operand if operator == "+" else eval_syntax.Unary(operator, operand, at)
        case "binary":
            operator = str(next(iter(tokens(node, "XOR", "OR", "AND", "LIKE", "COMPARE", "ADDITIVE", "MULTIPLICATIVE")))).lower()
            _mixed_additions(source, operator, operands[0])
            left, right = (expression_node(source, operand) for operand in operands)
            return eval_syntax.Binary("=" if operator == "==" else operator, left, right, at)
        case "in_list":
            value, arguments = operands
            listed = tuple(expression_node(source, child) for child in arguments.children if isinstance(child, Tree))
            return eval_syntax.Function("in", (expression_node(source, value), *listed), at)
        case "function":
            listed = tuple(expression_node(source, child) for group in operands for child in group.children if isinstance(child, Tree))
            return eval_syntax.Function(str(token).lower(), listed, at)
        case _:
            raise AssertionError(node.data)


def _mixed_additions(source: Source, operator: str, left: Node) -> None:
    """Splunk does not document how `.` and `+` or `-` group, so a mix needs parentheses."""
    if operator in (".", "+", "-") and left.data == "binary":
        inner = [str(token) for token in tokens(left, "ADDITIVE")]
        if inner and (inner[0] == ".") != (operator == "."):
            raise source.unsupported(place(left), f"'{inner[0]}' and '{operator}' without parentheses")


def named_option(source: Source, node: Node) -> tuple[str, str | eval_syntax.Expression]:
    name = str(next(iter(tokens(node, "OPTION")))).lower()
    for child in node.children:
        if isinstance(child, Tree):
            return name, expression_node(source, child)
    value = next(iter(tokens(node, "OPTION_VALUE", "STRING")))
    return name, regex_text(value) if value.type == "STRING" else str(value)


def text_option(source: Source, node: Node) -> tuple[str, str]:
    name, value = named_option(source, node)
    if not isinstance(value, str):
        raise source.unsupported(place(node), f"an expression as the value of option '{name}'")
    return name, value
