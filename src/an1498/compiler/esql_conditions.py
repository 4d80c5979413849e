"""Per-event conditions in ES|QL. Source of language rules: Elastic documentation, "ES|QL reference" (operators, LIKE and RLIKE,
"Working with NULL values", "Multivalued fields")."""
# ruff: noqa: ARG002 - the parameters are those of the methods that these override

from __future__ import annotations

import re
from typing import Any

from sigma.backends.elasticsearch.elasticsearch_esql import ESQLBackend
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import SigmaCIDRExpression, SigmaNumber, SigmaString

from an1498.compiler.backend import NUMBERS, TEXTS, LayoutAware, address_of, boolean_of, elastic_network, networks, number_of, plain_strings
from an1498.compiler.logic import alternatives, fields_of
from an1498.compiler.patterns import MANY, Pattern, pattern
from an1498.compiler.refusal import Refusal
from an1498.compiler.regex import lucene_pattern, lucene_regex
from an1498.model import FieldType

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# One value of an array from the next, when they are joined to be searched: no value that we know holds a line feed.
SEPARATOR = "\n"


def string(text: str) -> str:
    """A quoted ES|QL string. Raises Refusal for a control character, for which there is no escape."""
    for c in text:
        if (ord(c) < 32 and c not in _ESCAPES) or ord(c) == 127:
            raise Refusal(f"the control character U+{ord(c):04X} in a value", "use the wildcard ? for it")
    return '"' + "".join(_ESCAPES.get(c, c) for c in text) + '"'


def column(name: str) -> str:
    """A column name, in backticks unless it is made of plain identifiers."""
    return name if re.fullmatch(r"[A-Za-z_@]\w*(\.[A-Za-z_]\w*)*", name) else "`" + name.replace("`", "``") + "`"


class EsqlConditions(LayoutAware, ESQLBackend):
    """The official ES|QL backend, corrected where its text would mean something else."""

    language_name = "ES|QL"
    or_token = "OR"
    and_token = "AND"
    not_token = "NOT"

    def escape_and_quote_field(self, field_name: str) -> str:
        return column(field_name)

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        if isinstance(outer, ConditionOR) and isinstance(inner, ConditionAND):
            return False  # right without parentheses, but few readers know
        # convert_condition_not below sets its own parentheses.
        return isinstance(inner, ConditionNOT) or self.is_list(inner) or super(ESQLBackend, self).compare_precedence(outer, inner)

    # "NOT NULL is still NULL": a missing field would make Sigma's `not` false.
    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        inner = cond.args[0]
        absent = " OR ".join(f"{column(field)} IS NULL" for field in fields_of(inner))
        return f"({absent} OR NOT ({self.convert_condition(inner, state)}))"

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        return f"{column(cond.field)} IS NULL"

    def convert_condition_field_eq_val_exists(self, cond: Any, state: Any) -> Any:
        return f"{column(cond.field)} IS {'NOT NULL' if cond.value else 'NULL'}"

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        return self.equals(cond.field, pattern(cond.value))

    # Official: not supported.
    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        return self.equals(cond.field, pattern(cond.value))

    def equals(self, field: str, found: Pattern) -> str:
        row = self.stored(field)
        if row.array:
            return self.array_equals(field, found)
        if row.type is FieldType.IP:
            return f"{column(field)} == {string(address_of(found, field))}"
        if row.type in NUMBERS:
            return f"{column(field)} == {number_of(found, field)}"
        if row.type is FieldType.BOOLEAN:
            return f"{column(field)} == {'true' if boolean_of(found, field) else 'false'}"
        if row.type not in TEXTS:
            raise Refusal(f"a comparison of the {row.type} field '{field}'", "compare a text, number, address or boolean field", field)
        value, found = self.folded(field, found)
        return f"{value} LIKE {string(_like(found))}" if found.wild else f"{value} == {string(found.text)}"

    def folded(self, field: str, found: Pattern) -> tuple[str, Pattern]:
        """`==`, LIKE and IN are case-sensitive: both sides in lower case, unless case cannot matter."""
        return (column(field), found) if found.caseless else (f"TO_LOWER({column(field)})", found.lower())

    def array_equals(self, field: str, found: Pattern) -> str:
        """Operators give null for several values ("Multivalued fields"); Sigma asks whether any of them matches."""
        row = self.stored(field)
        if row.type is FieldType.IP:
            text, found = f"TO_STRING({column(field)})", Pattern((address_of(found, field),))
        elif row.type in TEXTS:
            text, found = self.folded(field, found)
        else:
            raise Refusal(f"a comparison of the array '{field}' of {row.type}", "compare a field that holds one value", field)
        if SEPARATOR in found.text:
            raise Refusal(
                f"a line feed in a value of the array '{field}', which would match across two of its values", "use ? for it", field
            )
        inner = lucene_pattern(found, ignore_case=False, one="[^\n]", many="[^\n]*")
        return f"MV_CONCAT({text}, {string(SEPARATOR)}) RLIKE {string(f'(.*{SEPARATOR})?{inner}({SEPARATOR}.*)?')}"

    # TO_LOWER goes round the field once; arrays, wildcards and mixed types are not for IN.
    def decide_convert_condition_as_in_expression(self, cond: Any, state: Any) -> bool:
        found = alternatives(cond)
        if found is None:
            return False
        row = self.stored(found[0])
        if networks(found[1]):
            return True
        if row.array:
            return False
        if row.type in NUMBERS:
            return all(type(value) in (SigmaNumber, SigmaString) for value in found[1])
        patterns = plain_strings(found[1])
        return patterns is not None and not any(p.wild for p in patterns) and row.type in (FieldType.IP, *TEXTS)

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        field = cond.args[0].field
        if isinstance(cond.args[0].value, SigmaCIDRExpression):
            return self.inside(field, [elastic_network(argument.value, cond.args[0].field) for argument in cond.args])
        kind = self.stored(field).type
        if kind in NUMBERS:
            return f"{column(field)} IN ({', '.join(number_of(argument.value, field) for argument in cond.args)})"
        found = [pattern(argument.value) for argument in cond.args]
        if kind is FieldType.IP:
            return f"{column(field)} IN ({', '.join(string(address_of(p, field)) for p in found)})"
        if all(p.caseless for p in found):
            return f"{column(field)} IN ({', '.join(string(p.text) for p in found)})"
        return f"TO_LOWER({column(field)}) IN ({', '.join(string(p.lower().text) for p in found)})"

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        if self.stored(cond.field).type in NUMBERS and not self.stored(cond.field).array:
            return f"{column(cond.field)} == {number_of(cond.value, cond.field)}"
        return self.equals(cond.field, Pattern((str(cond.value),)))

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        return self.equals(cond.field, Pattern(("true" if cond.value else "false",)))

    # RLIKE matches the whole value and has its own reserved characters and no anchors.
    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        row = self.stored(cond.field)
        if row.type not in TEXTS or row.array:
            raise Refusal(f"a regular expression on the field '{cond.field}', which is not one text", "compare values", cond.field)
        return f"{column(cond.field)} RLIKE {string(lucene_regex(cond.value))}"

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        return self.inside(cond.field, [elastic_network(cond.value, cond.field)])

    def inside(self, field: str, found: list[str]) -> str:
        row = self.stored(field)
        if row.array or row.type not in (FieldType.IP, *TEXTS):
            raise Refusal(f"a network on the field '{field}', which is not one address", "use an address field", field)
        value = column(field) if row.type is FieldType.IP else f"TO_IP({column(field)})"
        return f"CIDR_MATCH({', '.join([value, *map(string, found)])})"

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        row = self.stored(cond.field)
        if row.array or row.type not in (*NUMBERS, *TEXTS):
            raise Refusal(f"a numeric comparison of the field '{cond.field}', which is not one number", "use a numeric field", cond.field)
        value = column(cond.field) if row.type in NUMBERS else f"TO_DOUBLE({column(cond.field)})"
        return f"{value} {self.compare_operators[cond.value.op]} {cond.value.number}"

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        left, right = self.stored(cond.field), self.stored(cond.value.field)
        if left.array or right.array or left.type is not right.type or cond.value.starts_with or cond.value.ends_with:
            raise Refusal("a comparison of two fields that are not single values of one type", "compare with values", cond.field)
        return f"{column(left.indexed)} == {column(right.indexed)}"


def _like(found: Pattern) -> str:
    """LIKE's pattern; "the escape character is backslash"."""
    return "".join(
        "".join("\\" + c if c in "*?\\" else c for c in part) if isinstance(part, str) else ("*" if part is MANY else "?")
        for part in found.parts
    )
