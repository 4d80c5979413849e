"""FROM (Elasticsearch reference, "ES|QL source commands"; "ES|QL metadata fields")."""

from __future__ import annotations

from an1498.replay.algebra import Cast as SqlCast
from an1498.replay.algebra import Col as SqlCol
from an1498.replay.algebra import Expr, Extend, Filter, Lit, call
from an1498.replay.esql import tree
from an1498.replay.esql.pipeline import Pipeline
from an1498.replay.esql.values import OF_FIELD, SQL_TYPE, Type, Value
from an1498.replay.lucene.patterns import wildcard
from an1498.replay.table import ROW

_METADATA = {"_id": Type.KEYWORD, "_index": Type.KEYWORD, "_version": Type.LONG}
_METADATA_FIELDS = frozenset({*_METADATA, "_source", "_ignored", "_index_mode", "_score", "_tsid"})
_DATA_STREAM = ("data_stream.type", "data_stream.dataset", "data_stream.namespace")


def from_indices(pipeline: Pipeline, command: tree.From) -> None:
    """Every mapped field, by name. Elasticsearch reads keyword and ip fields from doc values: sorted and without duplicates;
    numbers, dates and booleans sorted ("ES|QL multivalued fields", duplicate values)."""
    computed: list[tuple[str, Expr]] = []
    for name, column in pipeline.table.schema.items():
        kind = OF_FIELD[column.type]
        if column.array and kind is not Type.TEXT:
            values: Expr = SqlCol(name)
            computed.append((name, call("list_sort", call("list_distinct", values) if kind in (Type.KEYWORD, Type.IP) else values)))
        if name not in _METADATA_FIELDS:
            pipeline.scope[name] = Value(SqlCol(name), kind, column.array)
    index = _index_name(pipeline)
    for node in command.metadata:
        if node.name not in _METADATA:
            raise pipeline.source.unsupported(node.at, f"METADATA {node.name}", f"replay knows {', '.join(_METADATA)}")
        internal = pipeline.new_name()
        computed.append((internal, _metadata(pipeline, node.name, index)))
        pipeline.scope[node.name] = Value(SqlCol(internal), _METADATA[node.name])
    if computed:
        pipeline.relation = Extend(pipeline.relation, tuple(computed))
    if index is not None:
        pipeline.relation = Filter(pipeline.relation, _in_indices(pipeline, command, index))


def _metadata(pipeline: Pipeline, name: str, index: Expr | None) -> Expr:
    """The column of the documents, else what is known of them: the place in the stream as `_id`, 1 as `_version`."""
    sql_type = SQL_TYPE[_METADATA[name]]
    if name == "_index":
        return index if index is not None else Lit(None, sql_type)
    default = SqlCast(SqlCol(ROW), sql_type, safe=False) if name == "_id" else Lit(1, sql_type)
    stored = pipeline.table.schema.get(name)
    return default if stored is None or stored.array else call("coalesce", SqlCast(SqlCol(name), sql_type), default)


def _index_name(pipeline: Pipeline) -> Expr | None:
    """Where the documents say which index or data stream they are in: the text that FROM's patterns are matched with."""
    schema = pipeline.table.schema
    names: list[Expr] = []
    if "_index" in schema and not schema["_index"].array:
        names.append(SqlCol("_index"))
    if all(part in schema and not schema[part].array for part in _DATA_STREAM):
        kind, dataset, namespace = (SqlCol(part) for part in _DATA_STREAM)
        names.append(call("concat", kind, Lit("-"), dataset, Lit("-"), namespace))
    return call("coalesce", *names, Lit(None, "VARCHAR")) if names else None


def _in_indices(pipeline: Pipeline, command: tree.From, index: Expr) -> Expr:
    """The index is matched by a pattern and by no exclusion (`-name`) after it; a document that names no index is kept."""
    found: Expr = Lit(False)
    for text in ",".join(command.patterns).split(","):
        if ":" in text:
            raise pipeline.source.unsupported(command.at, f"the remote cluster in '{text}'")
        excluded = text.startswith("-")
        pattern = wildcard(text[1:] if excluded else text)
        matches = call("eq", index, Lit(pattern.literal)) if pattern.literal is not None else call("regex_full", index, Lit(pattern.re2))
        found = call("and", found, call("not", matches)) if excluded else call("or", found, matches)
    return call("or", call("is_null", index), found)
