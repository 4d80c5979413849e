"""`eval(avg(x) / max(y))` of chart and timechart: an expression of aggregations (Search Reference, "chart" and "timechart")."""

from __future__ import annotations

from an1498.replay.spl import statistics, syntax
from an1498.replay.spl.aggregates import is_aggregation
from an1498.replay.spl.eval_syntax import Expression, Field, Function, rewritten
from an1498.replay.spl.expressions import Expressions
from an1498.replay.spl.frame import Frame


def grouped(frame: Frame, terms: tuple[syntax.AggregateTerm, ...], by: tuple[str, ...], at: int) -> Frame:
    """The statistics of the terms by the fields; a term `eval` is computed from those that its expression names."""
    if all(term.function != "eval" for term in terms):
        return statistics.lower(frame, syntax.Statistics("stats", terms, by, {}, at))
    inner: dict[tuple[str, str], syntax.AggregateTerm] = {}

    def named(node: Field | Function) -> Expression | None:
        if isinstance(node, Field):
            raise frame.context.source.unsupported(node.at, f"the field '{node.name}' outside an aggregation, in eval() of a chart")
        if not is_aggregation(node.name) or len(node.arguments) != 1:
            return None
        (argument,) = node.arguments
        if not isinstance(argument, Field):
            raise frame.context.source.unsupported(node.at, "an aggregation of anything but a field, in eval() of a chart")
        name = f"{node.name}({argument.name}) of eval"
        inner[node.name, argument.name] = syntax.AggregateTerm(node.name, argument.name, name, node.at, node.name)
        return Field(name, node.at)

    computed = {
        term.name: rewritten(term.argument, named)
        for term in terms
        if term.function == "eval" and term.argument is not None and not isinstance(term.argument, str)
    }
    plain = [term for term in terms if term.function != "eval"]
    taken = [*by, *(term.name for term in terms)]
    if any(term.name in taken for term in inner.values()) or len(set(taken)) < len(taken):
        raise frame.context.source.unsupported(at, "two columns of one name")
    table = statistics.lower(frame, syntax.Statistics("stats", (*plain, *inner.values()), by, {}, at))
    for name, expression in computed.items():
        value = Expressions(table).stored(expression)
        table = table.extend([(name, value.kind, value.expr)], at)
    return table.select([*by, *(term.name for term in terms)], at)
