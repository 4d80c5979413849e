"""Per-event conditions in SPL: what the `search` command can say exactly, and a `where` clause for the rest.

Sources: Splunk Search Reference, "search" (case-insensitive values, NOT before OR before AND, quotes around values with spaces, pipes,
quotes and brackets, CIDR; "=" compares text: "1" does not match "1.0"; "<" and ">" compare other values than numbers lexicographically);
Splunk Search Manual, "Backslashes" ("The backslash symbol can't be used to escape the asterisk"),
"SPL and regular expressions"; "Comparison and Conditional functions" (match, cidrmatch, isnull).
"""
# ruff: noqa: ARG002 - the parameters are those of the methods that these override

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from sigma.backends.splunk.splunk import SplunkBackend
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import SigmaCompareExpression, SigmaNumber, SigmaString

from an1498.compiler.backend import LayoutAware
from an1498.compiler.logic import Node, alternatives, fields_of, leaves, negated_presence, negation_normal, pushed_down
from an1498.compiler.patterns import ONE, Pattern, pattern
from an1498.compiler.refusal import Refusal
from an1498.compiler.regex import pcre_pattern, pcre_regex


@dataclass(frozen=True, slots=True)
class SplCondition:
    """`search`: terms of the search command, "" for none. `where`: an eval expression that must hold as well, "" for none."""

    search: str
    where: str


_NUMERIC = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*|\s*0x[0-9a-f]+\s*", re.IGNORECASE)
"""What eval may take for a number."""


class NotSearchable(Exception):
    """The `search` command has no exact form for a condition."""


def condition(source: Any, node: Node) -> SplCondition:
    """Terms that `search` can say go there, where they select events; each other operand of the top AND goes to `where`."""
    operands = list(node.args) if isinstance(node, ConditionAND) else [node]
    search, where = SplSearch(source), SplWhere(source)
    terms: list[str] = []
    rest: list[Any] = []
    for operand in operands:
        try:
            text = search.text_of(operand)
            alone = len(operands) == 1 or not isinstance(operand, ConditionOR) or search.is_list(operand)
            terms.append(text if alone else f"({text})")
        except NotSearchable:
            rest.append(operand)
    clause = where.text_of(negation_normal(rest[0] if len(rest) == 1 else ConditionAND(rest))) if rest else ""
    return SplCondition(" ".join(terms), clause)


def string(text: str) -> str:
    """A quoted string: "you must escape" quotes and backslashes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def field(name: str) -> str:
    """A field in an eval expression: always in single quotes, because a dot would be concatenation."""
    return f"'{name}'"


class SplSearch(LayoutAware, SplunkBackend):
    """The official Splunk backend, for terms of the `search` command; raises NotSearchable where its text would mean something else."""

    language_name = "SPL"

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        if not _searchable(pattern(cond.value)):
            raise NotSearchable
        return super().convert_condition_field_eq_val_str(cond, state)

    def decide_convert_condition_as_in_expression(self, cond: Any, state: Any) -> bool:
        found = alternatives(cond)
        return found is not None and {type(value) for value in found[1]} <= {SigmaString, SigmaNumber}

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        for argument in cond.args:
            if isinstance(argument.value, SigmaString) and not _searchable(pattern(argument.value)):
                raise NotSearchable
        return super().convert_condition_as_in_expression(cond, state)

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        if isinstance(outer, ConditionAND) and isinstance(inner, ConditionOR):
            return self.is_list(inner)  # right without parentheses, because OR binds first, but few readers know
        return self.is_list(inner) or bool(super().compare_precedence(outer, inner))

    # `search` ignores case.
    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        raise NotSearchable

    # Official defers with `| regex`, which filters wherever in the condition it stood, or with rex and a helper field.
    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        raise NotSearchable

    # `search` compares a value that is no number too, as text; Sigma's comparison is one of numbers.
    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        raise NotSearchable

    # Official defers with `| where`, and refuses under OR.
    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        raise NotSearchable

    # "NOT binds first", and it covers missing fields, as Sigma's does.
    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        inner = cond.args[0]
        presence = negated_presence(inner)
        if presence is not None:
            return self.convert_condition(presence, state)
        if isinstance(inner, ConditionNOT):
            return self.convert_condition(inner.args[0], state)
        return super().convert_condition_not(cond, state)


class SplWhere(LayoutAware, SplunkBackend):
    """The same conditions as an eval expression, for `| where`; there AND binds tighter than OR, and null is neither true nor false."""

    language_name = "SPL"
    precedence: ClassVar[Any] = (ConditionNOT, ConditionAND, ConditionOR)
    and_token = "AND"
    convert_or_as_in = False

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        # convert_condition_not below sets its own parentheses. AND inside OR needs none here, but in `search` it does: say it always.
        if isinstance(outer, ConditionOR) and isinstance(inner, ConditionAND):
            return False
        return isinstance(inner, ConditionNOT) or bool(super().compare_precedence(outer, inner))

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        inner = cond.args[0]
        names = list(fields_of(inner))
        kinds = {isinstance(leaf.value, SigmaCompareExpression) for leaf in leaves(inner)}
        if len(kinds) > 1:
            return self.convert_condition_group(pushed_down(inner, together=False), state)
        numeric = kinds.pop()
        absent = " OR ".join(f"isnull({self.operand(name, numeric)})" for name in names)
        return f"({absent} OR NOT ({self.convert_condition(inner, state)}))"

    def operand(self, name: str, numeric: bool) -> str:
        """What a test of the field compares, null where it cannot compare: "tonumber" gives null for a text that is no number. It
        takes one value, and `any_value` is never null, so a multivalue field stands for itself."""
        return f"tonumber({field(name)})" if numeric and not self.stored(name).array else field(name)

    def any_value(self, name: str, test: str) -> str:
        """A test of the field, or of any value of a multivalue field ("mvfilter" works on one field at a time)."""
        return f"isnotnull(mvfilter({test}))" if self.stored(name).array else test

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        return self._equals(cond.field, pattern(cond.value))

    def _equals(self, name: str, found: Pattern) -> str:
        """Text alone: eval would compare two values that look like numbers as numbers ("Predicate expressions")."""
        named, name = name, field(name)
        if not found.wild and not _unsafe(found.text) and not _NUMERIC.fullmatch(found.text):
            test = f"{name}={string(found.text)}" if found.caseless else f"lower({name})={string(found.text.lower())}"
        else:
            test = f'match({name}, "{pcre_pattern(found)}")'
        return self.any_value(named, test)

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        return self.convert_condition_field_eq_val_str(cond, state)

    # Splunk stores text, so a number is its digits, as in `search` (and as in a keyword field of Elasticsearch).
    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        return self._equals(cond.field, Pattern((str(cond.value),), cased=True))

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        return self.any_value(cond.field, f'lower({field(cond.field)})="{"true" if cond.value else "false"}"')

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        return self.any_value(cond.field, f'match({field(cond.field)}, "{pcre_regex(cond.value)}")')

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        return self.any_value(cond.field, f'cidrmatch("{cond.value.network}", {field(cond.field)})')

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        return self.any_value(cond.field, f"tonumber({field(cond.field)}){self.compare_operators[cond.value.op]}{cond.value.number}")

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        other = cond.value
        if self.stored(cond.field).array or self.stored(other.field).array or other.starts_with or other.ends_with:
            raise Refusal("a comparison of two fields that are not single values", "compare with values", cond.field)
        return f"{field(cond.field)}={field(other.field)}"

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        return f"isnull({field(cond.field)})"

    def convert_condition_field_eq_val_exists(self, cond: Any, state: Any) -> Any:
        return f"{'isnotnull' if cond.value else 'isnull'}({field(cond.field)})"


def _searchable(found: Pattern) -> bool:
    """Whether the quoted value means the same in `search`: `?` is no wildcard there, every `*` is one, a backtick may start a
    macro, `$name$` is a token of saved searches, and a text with a mask length is a network, not a value."""
    if ONE in found.parts or found.cased or "*" in found.text or _unsafe(found.text):
        return False
    return found.wild or not _network(found.text)


def _unsafe(text: str) -> bool:
    return any(c in "`$" or ord(c) < 32 or ord(c) == 127 for c in text)


def _network(text: str) -> bool:
    if "/" not in text:
        return False
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
