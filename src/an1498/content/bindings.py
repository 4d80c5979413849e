"""`parameters`: the pack's own key in a rule, by which a parameter of an1498.toml takes the place of a literal.

    parameters: {timespan: time_window, condition.gte: handshake_failure_threshold}     in a correlation
    parameters: {high.an1498_first_bytes_entropy|gte: payload_entropy_threshold}        in an event rule: selection.field|modifiers

Sigma placeholders (`|expand`) stand for texts only, so numbers and spans need this. The literal stays in the file, so that the rule
works with plain sigma-cli; a lint demands that it equals the parameter's default.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from an1498.content.node import Document, Node, suggestion
from an1498.model import Parameter

CORRELATION = "correlation"
DETECTION = "detection"
OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")

_TIMESPAN = ("timespan",)
_IN_CORRELATION = ("timespan", *(f"condition.{operator}" for operator in OPERATORS), "condition.percentile")


def bindings(root: Node) -> dict[tuple[str, ...], Node]:
    """Path inside the rule's `correlation` or `detection` → node with the parameter's name. Raises ContentError."""
    node = root.get("parameters")
    if node is None:
        return {}
    if section(root) == CORRELATION:
        return {tuple(key.split(".")): value for key, value in node.keys(_IN_CORRELATION).items()}
    found: dict[tuple[str, ...], Node] = {}
    for key, value in node.entries().items():
        selection, _, test = key.partition(".")
        if not selection or not test:
            raise value.error(f"'{key}' is not a place in 'detection'", "write selection.field|modifiers: parameter", "unknown-key")
        found[selection, test] = value
    return found


def section(root: Node) -> str:
    """Where in the rule its literals stand."""
    return CORRELATION if root.get(CORRELATION) is not None else DETECTION


def with_parameters(root: Node, parameters: Mapping[str, Parameter]) -> Node:
    """The rule with its parameters' values in place. Raises ContentError."""
    bound = bindings(root)
    if not bound:
        return root
    within = section(root)
    document: dict[str, Any] = copy.deepcopy(root.value)
    for path, node in bound.items():
        name = node.text()
        if name not in parameters:
            raise node.error(f"parameter '{name}' is unknown", suggestion(name, parameters), "unknown-reference")
        holder: Any = document.get(within)
        for key in path[:-1]:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or path[-1] not in holder:
            place = ".".join(path)
            raise node.error(f"'{within}' has no '{place}' for this parameter", "add it there, with the parameter's default as its value")
        value = parameters[name].value
        is_span = within == CORRELATION and path == _TIMESPAN
        if is_span != isinstance(value, str) or isinstance(value, tuple | bool):
            wanted = "a span of time" if is_span else "a number"
            raise node.error(f"parameter '{name}' ({parameters[name].location}) is not {wanted}", "bind another parameter", "wrong-type")
        holder[path[-1]] = value
    return Document(root.document.file, document, root.document.locations).root
