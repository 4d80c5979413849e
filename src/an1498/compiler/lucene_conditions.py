"""Per-event conditions in Lucene's query_string syntax. Source of language rules: Elasticsearch reference, "Query string query"
(reserved characters, "< and > can't be escaped at all", regular expressions between slashes) and "Regular expression syntax"."""
# ruff: noqa: ARG002 - the parameters are those of the methods that these override

from __future__ import annotations

import re
from typing import Any

from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend
from sigma.conditions import ConditionNOT
from sigma.types import CompareOperators, SigmaCIDRExpression, SigmaNumber, SigmaString

from an1498.compiler.backend import NUMBERS, TEXTS, LayoutAware, address_of, boolean_of, elastic_network, networks, number_of
from an1498.compiler.logic import Leaf, alternatives, negated_presence
from an1498.compiler.patterns import Pattern, pattern
from an1498.compiler.refusal import Refusal
from an1498.compiler.regex import lucene_pattern, lucene_regex
from an1498.model import FieldType


def phrase(text: str) -> str:
    """A quoted value: inside quotes only the quote and the backslash are special. On a keyword field it is one whole term."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _expression(text: str) -> str:
    """A regular expression between slashes. No text ends in a backslash (`regex.py`), so no slash is escaped by accident."""
    return "/" + text.replace("/", "\\/") + "/"


class LuceneConditions(LayoutAware, LuceneBackend):
    """The official Lucene backend, corrected where its text would mean something else."""

    language_name = "Lucene"

    def escape_and_quote_field(self, field_name: str) -> str:
        row = self.stored(field_name)
        name = f"{field_name}.keyword" if row.type is FieldType.TEXT else field_name
        return re.sub(r'([+\-=&|!(){}\[\]^"~*?:\\/\s<>])', r"\\\1", name)

    # A clause that is only a negation matches nothing in Lucene, and only Elasticsearch repairs it; `*:*` says what is meant.
    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        inner = cond.args[0]
        presence = negated_presence(inner)
        if presence is not None:
            return self.convert_condition(presence, state)
        if isinstance(inner, ConditionNOT):
            return self.convert_condition(inner.args[0], state)
        single = isinstance(inner, Leaf) or self.is_list(inner)
        return f"*:* AND NOT {self.convert_condition(inner, state) if single else self.convert_condition_group(inner, state)}"

    def convert_condition_and(self, cond: Any, state: Any) -> Any:
        """Beside a positive clause a negation needs no `*:*` of its own."""
        plain = [argument for argument in cond.args if not isinstance(argument, ConditionNOT)]
        if not plain:
            return super().convert_condition_and(cond, state)
        texts = []
        for argument in cond.args:
            text = str(self.convert_condition(argument, state))
            if isinstance(argument, ConditionNOT):
                texts.append(text.removeprefix("*:* AND "))
            else:
                texts.append(text if self.compare_precedence(cond, argument) else f"({text})")
        return " AND ".join(texts)

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        # AND, OR and NOT have no precedence in the classic parser: parentheses around everything but a single clause.
        return isinstance(inner, Leaf) or self.is_list(inner)

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        return f"(*:* AND NOT _exists_:{self.escape_and_quote_field(cond.field)})"

    def convert_condition_field_eq_val_exists(self, cond: Any, state: Any) -> Any:
        if not cond.value:
            return self.convert_condition_field_eq_val_null(cond, state)
        return f"_exists_:{self.escape_and_quote_field(cond.field)}"

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        return f"{self.escape_and_quote_field(cond.field)}:{self.value(cond.field, cond.value)}"

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        return f"{self.escape_and_quote_field(cond.field)}:{self.value(cond.field, cond.value)}"

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        return f"{self.escape_and_quote_field(cond.field)}:{self.value(cond.field, cond.value)}"

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        text = SigmaString("true" if cond.value else "false")
        return f"{self.escape_and_quote_field(cond.field)}:{self.value(cond.field, text)}"

    def value(self, field: str, wanted: Any) -> str:
        kind = self.stored(field).type
        if isinstance(wanted, SigmaCIDRExpression):
            if kind is not FieldType.IP:
                raise Refusal(f"a network on the field '{field}', which is not an address", "use an address field", field)
            return phrase(elastic_network(wanted, field))
        if kind in NUMBERS:
            number = number_of(wanted, field)
            return f'"{number}"' if number.startswith("-") else number
        found = pattern(wanted) if isinstance(wanted, SigmaString) else Pattern((str(wanted),))
        if kind is FieldType.IP:
            return phrase(address_of(found, field))
        if kind is FieldType.BOOLEAN:
            return "true" if boolean_of(found, field) else "false"
        if kind not in TEXTS:
            raise Refusal(f"a comparison of the {kind} field '{field}'", "compare a text, number, address or boolean field", field)
        # Keyword fields are case-sensitive, Sigma is not: a regular expression with a class for each letter is exact.
        if found.text and not found.wild and found.caseless:
            return phrase(found.text)
        return _expression(lucene_pattern(found))

    def decide_convert_condition_as_in_expression(self, cond: Any, state: Any) -> bool:
        found = alternatives(cond)
        if found is None:
            return False
        return bool(networks(found[1])) or all(isinstance(value, SigmaString | SigmaNumber) for value in found[1])

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        field = cond.args[0].field
        return f"{self.escape_and_quote_field(field)}:({' OR '.join(self.value(field, argument.value) for argument in cond.args)})"

    # Lucene matches the whole value; official leaves Sigma's partial match and anchors as they are.
    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        if self.stored(cond.field).type not in TEXTS:
            raise Refusal(f"a regular expression on the field '{cond.field}', which is not text", "compare values", cond.field)
        return f"{self.escape_and_quote_field(cond.field)}:{_expression(lucene_regex(cond.value))}"

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        return f"{self.escape_and_quote_field(cond.field)}:{self.value(cond.field, cond.value)}"

    # On keyword fields a range compares letters, not numbers.
    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        if self.stored(cond.field).type not in NUMBERS:
            raise Refusal(f"a numeric comparison of the field '{cond.field}', which is not a number", "use a numeric field", cond.field)
        number = cond.value.number
        text = {
            CompareOperators.LT: f"[* TO {number}}}",
            CompareOperators.LTE: f"[* TO {number}]",
            CompareOperators.GT: f"{{{number} TO *]",
            CompareOperators.GTE: f"[{number} TO *]",
        }[cond.value.op]
        return f"{self.escape_and_quote_field(cond.field)}:{text}"

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        raise Refusal("a comparison of two fields", "use ES|QL for this rule", cond.field)
