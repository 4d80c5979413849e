"""An interpreter for the part of Painless that the bundle's scripts use, written from the language specification and the sources of the
classes that the scripts call. It runs the script text as it is shipped; anything else of the language is a syntax error here."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lark import Lark, Token, Tree

GRAMMAR = r"""
start: function* statement*
function: TYPE NAME "(" [parameter ("," parameter)*] ")" block
parameter: TYPE NAME
block: "{" statement* "}"
?statement: TYPE NAME "=" expression ";"                       -> declare
    | postfix "=" expression ";"                               -> assign
    | "return" expression ";"                                  -> give
    | "if" "(" expression ")" block ["else" (block | nested)]  -> when
    | "for" "(" TYPE NAME ":" expression ")" block             -> each
    | "try" block "catch" "(" NAME NAME ")" block              -> attempt
    | expression ";"                                           -> run
nested: "if" "(" expression ")" block ["else" (block | nested)] -> when
?expression: disjunction
    | disjunction "?" expression ":" expression                -> ternary
?disjunction: conjunction
    | conjunction ("||" conjunction)+                          -> either
?conjunction: comparison
    | comparison ("&&" comparison)+                            -> both
?comparison: unary
    | unary COMPARE unary                                      -> compare
    | unary "instanceof" CLASS                                 -> instance
?unary: "!" unary                                              -> negate
    | postfix
?postfix: primary
    | postfix "." NAME "(" [arguments] ")"                     -> method
    | postfix "." NAME                                         -> member
    | postfix "[" expression "]"                               -> item
?primary: STRING -> text
    | NUMBER -> number
    | "true" -> yes
    | "false" -> no
    | "null" -> nothing
    | "[" ":" "]" -> empty_map
    | "[" arguments "]" -> items
    | "new" CLASS "(" arguments ")" -> construct
    | NAME "(" arguments ")" -> call
    | NAME -> variable
    | "(" expression ")"
arguments: expression ("," expression)*
TYPE.2: /(def|boolean)\b/
CLASS.2: /(String|List|Map|CIDR)\b/
COMPARE: "==" | "!="
STRING: /'[^'\\]*'/
NUMBER: /\d+/
NAME: /(?!(?:def|boolean|return|if|else|for|try|catch|new|null|true|false|instanceof)\b)[A-Za-z_]\w*/
%ignore /\s+/
"""

_PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=True)
_CLASSES: Mapping[str, type] = {"String": str, "List": list, "Map": dict}


class PainlessError(Exception):
    """The script would fail: a method that the value does not have, a member of null, an exception that it does not catch."""


class IllegalArgumentException(PainlessError):
    """What Elasticsearch's InetAddresses throws for a text that is no address."""


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class CIDR:
    """org.elasticsearch.painless.api.CIDR: bounds are compared as bytes, an IPv4 address beside an IPv6 one as its mapped form.
    Java reads an IPv4-mapped address as the IPv4 address; a scope (`%en0`) is no part of an address."""

    def __init__(self, text: str) -> None:
        address, slash, length = text.partition("/")
        low = _bytes(address)
        if slash:
            network = ipaddress.ip_network(f"{ipaddress.ip_address(low)}/{length}", strict=False)
            self.low, self.high = network.network_address.packed, network.broadcast_address.packed
        else:
            self.low = self.high = low

    def contains(self, text: str) -> bool:
        if text == "":
            return False
        address, low, high = _bytes(text), self.low, self.high
        if len(address) != len(low):
            address, low, high = _wide(address), _wide(low), _wide(high)
        return low <= address <= high


def _bytes(text: str) -> bytes:
    if "%" in text:
        raise IllegalArgumentException(text)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise IllegalArgumentException(text) from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).packed


def _wide(packed: bytes) -> bytes:
    return packed if len(packed) == 16 else b"\0" * 10 + b"\xff\xff" + packed


@cache
def _parsed(source: str) -> Tree[Token]:
    return _PARSER.parse(source)


def execute(source: str, ctx: dict[str, Any], params: Mapping[str, Any]) -> None:
    """Run a script over a document, which it changes."""
    tree = _parsed(source)
    functions = {str(node.children[1]): node for node in _trees(tree) if node.data == "function"}
    frame = _Frame({"ctx": ctx, "params": params}, functions)
    for node in _trees(tree):
        if node.data != "function":
            frame.statement(node)


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


class _Frame:
    def __init__(self, variables: dict[str, Any], functions: Mapping[str, Tree[Token]]) -> None:
        self.variables = variables
        self.functions = functions

    # Statements

    def block(self, tree: Any) -> None:
        for node in _trees(tree):
            self.statement(node)

    def statement(self, node: Any) -> None:
        parts = node.children
        match node.data:
            case "block":
                self.block(node)
            case "declare":
                if str(parts[1]) in self.variables:
                    raise PainlessError(f"variable {parts[1]} is declared twice")
                self.variables[str(parts[1])] = self.value(parts[2])
            case "assign":
                self.assign(parts[0], self.value(parts[1]))
            case "give":
                raise _Return(self.value(parts[0]))
            case "when":
                if self.truth(parts[0]):
                    self.scope(parts[1])
                elif parts[2] is not None:
                    self.scope(parts[2])
            case "each":
                values = self.value(parts[2])
                if not isinstance(values, list):
                    raise PainlessError(f"{values!r} cannot be iterated")
                for value in values:
                    self.scope(parts[3], {str(parts[1]): value})
            case "attempt":
                try:
                    self.scope(parts[0])
                except IllegalArgumentException:
                    if str(parts[1]) not in ("IllegalArgumentException", "RuntimeException", "Exception"):
                        raise
                    self.scope(parts[3])
            case _:
                self.value(node.children[0] if node.data == "run" else node)

    def scope(self, tree: Any, more: Mapping[str, Any] | None = None) -> None:
        """A block's own variables end with it."""
        outer = set(self.variables)
        self.variables.update(more or {})
        try:
            self.statement(tree)
        finally:
            for name in set(self.variables) - outer:
                del self.variables[name]

    def assign(self, place: Any, value: Any) -> None:
        match place.data:
            case "variable":
                name = str(place.children[0])
                if name not in self.variables:
                    raise PainlessError(f"variable {name} is not declared")
                self.variables[name] = value
            case "member":
                self.map_of(place.children[0])[str(place.children[1])] = value
            case "item":
                self.map_of(place.children[0])[self.value(place.children[1])] = value
            case other:
                raise PainlessError(f"cannot assign to {other}")

    # Expressions

    def value(self, node: Any) -> Any:
        parts = node.children
        simple: dict[str, Callable[[], Any]] = {
            "text": lambda: str(parts[0])[1:-1],
            "number": lambda: int(parts[0]),
            "yes": lambda: True,
            "no": lambda: False,
            "nothing": lambda: None,
            "empty_map": dict,
            "items": lambda: self.arguments(parts[0]),
            "ternary": lambda: self.value(parts[1] if self.truth(parts[0]) else parts[2]),
            "either": lambda: any(self.truth(part) for part in parts),
            "both": lambda: all(self.truth(part) for part in parts),
            "negate": lambda: not self.truth(parts[0]),
            "compare": lambda: (operator.eq if parts[1] == "==" else operator.ne)(*map(_comparable, map(self.value, parts[::2]))),
            "instance": lambda: isinstance(self.value(parts[0]), _CLASSES[str(parts[1])]),
            "construct": lambda: CIDR(*self.arguments(parts[1])),
            "member": lambda: self.map_of(parts[0]).get(str(parts[1])),
            "item": lambda: self.map_of(parts[0]).get(self.value(parts[1])),
            "method": lambda: self.method(parts[0], str(parts[1]), self.arguments(parts[2])),
            "call": lambda: self.call(str(parts[0]), self.arguments(parts[1])),
        }
        if node.data == "variable":
            name = str(parts[0])
            if name not in self.variables:
                raise PainlessError(f"variable {name} is not declared")
            return self.variables[name]
        return simple[node.data]()

    def truth(self, node: Any) -> bool:
        value = self.value(node)
        if not isinstance(value, bool):
            raise PainlessError(f"{value!r} is not a boolean")
        return value

    def arguments(self, node: Any) -> list[Any]:
        return [] if node is None else [self.value(part) for part in node.children]

    def map_of(self, node: Any) -> dict[str, Any]:
        value = self.value(node)
        if not isinstance(value, Mapping):
            raise PainlessError(f"{value!r} has no members")
        return value  # type: ignore[return-value]

    def method(self, node: Any, name: str, arguments: list[Any]) -> Any:
        target = self.value(node)
        match target, name, arguments:
            case str(), "equalsIgnoreCase", [str() as other]:
                return target.lower() == other.lower()
            case str(), "equals", [other]:
                return target == other
            case dict(), "remove", [key]:
                return target.pop(key, None)
            case CIDR(), "contains", [str() as text]:
                return target.contains(text)
        raise PainlessError(f"{type(target).__name__} has no method {name}({arguments!r})")

    def call(self, name: str, arguments: list[Any]) -> Any:
        _, _, *parameters, body = self.functions[name].children
        names = [str(parameter.children[1]) for parameter in parameters if isinstance(parameter, Tree)]
        try:
            _Frame(dict(zip(names, arguments, strict=True)), self.functions).block(body)
        except _Return as given:
            return given.value
        raise PainlessError(f"function {name} gives nothing back")


def _comparable(value: Any) -> Any:
    """Java's == of a boolean and a number is never true; Python's may be."""
    return (type(value), value) if isinstance(value, bool) else value
