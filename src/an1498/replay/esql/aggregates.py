"""Aggregate functions of STATS (Elasticsearch reference, "ES|QL aggregation functions"): nulls are ignored, every value of a
multivalued field counts.

COUNT_DISTINCT is exact in Elasticsearch only while the number of values stays below its precision threshold (3,000 unless
given), PERCENTILE and MEDIAN only while the t-digest keeps every sample (up to 20,000): beyond, replay refuses at run time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from an1498.replay.algebra import Aggregate, Case, Cast, Expr, Lit, call
from an1498.replay.algebra import Col as SqlCol
from an1498.replay.esql import tree
from an1498.replay.esql.context import Context
from an1498.replay.esql.values import NULL, SPANS, WHOLE, Type, Value

Lower = Callable[[tree.Expression, Context], Value]
_ARITY = {"count": (0, 1), "count_distinct": (1, 2), "percentile": (2, 2), "top": (2, 3)}
_SAMPLES_KEPT = 20_000
_PRECISION = 3000
_MOST_PRECISION = 40_000


@dataclass(slots=True)
class Collector:
    """Gathers the aggregates of one STATS command. `inputs`: the columns before it; `where`: the field's filter, which applies
    to each of the field's aggregates; `new_name` makes column names that nothing else has."""

    inputs: Context
    lower: Lower
    new_name: Callable[[], str]
    where: Expr | None = None
    items: list[tuple[str, Aggregate]] = field(default_factory=list)

    def add(self, node: tree.Function) -> Value:
        least, most = _ARITY.get(node.name, (1, 1))
        if not (node.star and node.name == "count"):
            self.inputs.arity(node, least, most)
        args = [self.lower(argument, self.inputs) for argument in node.arguments]
        return getattr(self, f"_{node.name}")(node, args)  # type: ignore[no-any-return]

    def _aggregate(self, function: str, *args: Expr, distinct: bool = False, where: Expr | None = None) -> Expr:
        conditions = [condition for condition in (self.where, where) if condition is not None]
        name = self.new_name()
        combined = call("and", *conditions) if conditions else None
        self.items.append((name, Aggregate(function, args, distinct, combined)))
        return SqlCol(name)

    def _flattened(self, value: Value) -> Expr:
        """All values of the group as one list; null for none."""
        items = self._aggregate("list", value.expr, where=call("is_not_null", value.expr))
        return call("list_or_null", call("list_flatten", items) if value.multi else items)

    def _number(self, node: tree.Function, value: Value) -> Value:
        return self.inputs.typed(node, value, (Type.LONG, Type.INTEGER, Type.DOUBLE), 1)

    # --- one method per function ---

    def _count(self, _node: tree.Function, args: list[Value]) -> Value:
        if not args or (args[0].is_constant and args[0].type is not Type.NULL):
            counted: Expr = self._aggregate("count_rows")
        elif args[0].multi:
            counted = Cast(call("coalesce", self._aggregate("sum", call("list_length", args[0].expr)), Lit(0)), "BIGINT", safe=False)
        else:
            counted = self._aggregate("count", args[0].expr)
        return Value(counted, Type.LONG)

    def _count_distinct(self, node: tree.Function, args: list[Value]) -> Value:
        threshold = min(self.inputs.whole_literal(node, args, 1), _MOST_PRECISION) if len(args) == 2 else _PRECISION
        value = args[0]
        if value.type in SPANS:
            raise self.inputs.source.wrong(node.at, f"COUNT_DISTINCT does not take {value.type}")
        if value.multi:
            counted: Expr = call("coalesce", call("list_length", call("list_distinct", self._flattened(value))), Lit(0))
        else:
            counted = self._aggregate("count", value.expr, distinct=True)
        too_many = call("fail", Lit(f"an1498-refused: COUNT_DISTINCT of more than {threshold} values, which Elasticsearch estimates"))
        exact = Case(((call("gt", counted, Lit(threshold)), Cast(too_many, "BIGINT")),), counted)
        return Value(Cast(exact, "BIGINT", safe=False), Type.LONG)

    def _sum(self, node: tree.Function, args: list[Value]) -> Value:
        value = self._number(node, args[0])
        item = call("list_sum", value.expr) if value.multi else value.expr
        if value.type in WHOLE:
            return Value(Cast(self._aggregate("sum", item), "BIGINT"), Type.LONG)
        return Value(self._aggregate("sum_compensated", item), Type.DOUBLE)

    def _avg(self, node: tree.Function, args: list[Value]) -> Value:
        total = Cast(self._sum(node, args).expr, "DOUBLE", safe=False)
        return Value(call("finite_or_null", call("div", total, self._count(node, args).expr)), Type.DOUBLE)

    def _extreme(self, node: tree.Function, value: Value, name: str) -> Value:
        if value.type in SPANS or value.type is Type.NULL:
            raise self.inputs.source.wrong(node.at, f"{name.upper()} does not take {value.type}")
        kind = Type.KEYWORD if value.type is Type.TEXT else value.type
        if kind is Type.IP:
            if value.multi:
                raise self.inputs.source.unsupported(node.at, f"{name.upper()} of a multivalued address")
            return Value(self._aggregate(f"{name}_by", value.expr, call("ip_key", value.expr)), kind)
        return Value(self._aggregate(name, call(f"list_{name}", value.expr) if value.multi else value.expr), kind)

    def _min(self, node: tree.Function, args: list[Value]) -> Value:
        return self._extreme(node, args[0], "min")

    def _max(self, node: tree.Function, args: list[Value]) -> Value:
        return self._extreme(node, args[0], "max")

    def _quantile(self, node: tree.Function, value: Value, fraction: float) -> Value:
        number = self._number(node, value)
        doubled = Cast(number.expr, "DOUBLE[]" if number.multi else "DOUBLE", safe=False)
        if number.multi:
            items = self._flattened(Value(doubled, Type.DOUBLE, multi=True))
            size: Expr = call("list_length", items)
            quantile: Expr = call("list_quantile", items, Lit(fraction))
        else:
            size, quantile = self._aggregate("count", doubled), self._aggregate("quantile", doubled, Lit(fraction))
        too_many = call("fail", Lit(f"an1498-refused: a percentile of more than {_SAMPLES_KEPT} values, which Elasticsearch estimates"))
        exact = Case(((call("gt", size, Lit(_SAMPLES_KEPT)), Cast(too_many, "DOUBLE")),), quantile)
        return Value(Cast(exact, "DOUBLE", safe=False), Type.DOUBLE)

    def _median(self, node: tree.Function, args: list[Value]) -> Value:
        return self._quantile(node, args[0], 0.5)

    def _percentile(self, node: tree.Function, args: list[Value]) -> Value:
        percent = args[1].constant
        if isinstance(percent, bool) or not isinstance(percent, int | float):
            raise self.inputs.source.unsupported(node.at, "PERCENTILE with a computed percentage", "write a number")
        if not 0 <= percent <= 100:
            raise self.inputs.source.wrong(node.at, "a percentage lies between 0 and 100")
        return self._quantile(node, args[0], percent / 100)

    def _spread(self, node: tree.Function, value: Value, function: str) -> Value:
        """Of the population, as Elasticsearch computes both; null for no value."""
        if value.multi:
            raise self.inputs.source.unsupported(node.at, f"{node.name.upper()} of a multivalued field", "use MV_EXPAND first")
        number = Cast(self._number(node, value).expr, "DOUBLE", safe=False)
        return Value(self._aggregate(function, number), Type.DOUBLE)

    def _std_dev(self, node: tree.Function, args: list[Value]) -> Value:
        return self._spread(node, args[0], "stdevp")

    def _variance(self, node: tree.Function, args: list[Value]) -> Value:
        return self._spread(node, args[0], "varp")

    def _values(self, _node: tree.Function, args: list[Value]) -> Value:
        """A set, its order undefined in Elasticsearch; here ascending."""
        value = args[0]
        if value.type is Type.NULL:
            return NULL
        kind = Type.KEYWORD if value.type is Type.TEXT else value.type
        if value.multi:
            items: Expr = call("list_distinct", self._flattened(value))
        else:
            items = self._aggregate("list", value.expr, distinct=True, where=call("is_not_null", value.expr))
        return Value(call("list_or_null", call("list_sort", items)), kind, multi=True)

    def _top(self, node: tree.Function, args: list[Value]) -> Value:
        """The first `limit` values in order, duplicates kept."""
        limit = self.inputs.whole_literal(node, args, 1)
        order = self.inputs.text_literal(node, args, 2).upper() if len(args) == 3 else "ASC"
        if limit <= 0 or order not in ("ASC", "DESC"):
            raise self.inputs.source.wrong(node.at, 'TOP takes a positive limit and "asc" or "desc"')
        if args[0].type in SPANS or args[0].type in (Type.NULL, Type.IP):
            raise self.inputs.source.unsupported(node.at, f"TOP of {args[0].type}")
        kind = Type.KEYWORD if args[0].type is Type.TEXT else args[0].type
        ordered = call("list_sort" if order == "ASC" else "list_sort_descending", self._flattened(args[0]))
        return Value(call("list_slice", ordered, Lit(1), Lit(limit)), kind, multi=True)
