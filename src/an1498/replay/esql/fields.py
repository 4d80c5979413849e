"""Which indexed fields a search reads, so that a table needs no other columns."""

from __future__ import annotations

from collections.abc import Iterable

from an1498.replay.esql import tree
from an1498.replay.esql.parse import columns_of

_ALWAYS = frozenset({"_id", "_index", "_version", "data_stream.type", "data_stream.dataset", "data_stream.namespace"})


def fields_read(query: tree.Query) -> frozenset[str] | None:
    """Names that may be fields (computed columns included, they do no harm); None where the result has all columns."""
    if isinstance(query.source, tree.Row):
        return frozenset()
    names: set[str] = set(_ALWAYS)
    bounded = False
    for command in query.commands:
        match command:
            case tree.Keep(_, patterns):
                if all(pattern.exact for pattern in patterns):
                    bounded = True
                names.update(pattern.name for pattern in patterns if pattern.exact)
                if not bounded and not all(pattern.exact for pattern in patterns):
                    return None
            case tree.Drop(_, patterns):
                if not bounded:
                    return None
                names.update(pattern.name for pattern in patterns if pattern.exact)
            case tree.Stats(_, aggregates, by, inline):
                names |= _of_fields((*aggregates, *by))
                bounded = bounded or not inline
            case tree.Where(_, condition):
                names |= columns_of(condition)
            case tree.Eval(_, fields):
                names |= _of_fields(fields)
            case tree.Dissect(_, expression, _):
                names |= columns_of(expression)
            case tree.MvExpand(_, column):
                names.add(column.name)
            case tree.Rename(_, pairs):
                names.update(old.name for old, _ in pairs)
            case tree.Sort(_, keys):
                names |= set().union(*(columns_of(key.expression) for key in keys))
            case tree.LookupJoin(_, _, on):
                names.update(column.name for column in on)
            case tree.Enrich(_, _, on, _):
                names |= {on.name} if on is not None else set()
            case tree.Limit():
                pass
    if not bounded:
        return None
    return frozenset(names | {name.removesuffix(".keyword") for name in names})


def _of_fields(fields: Iterable[tree.Field]) -> set[str]:
    names: set[str] = set()
    for field in fields:
        names |= columns_of(field.expression)
        if field.where is not None:
            names |= columns_of(field.where)
    return names
