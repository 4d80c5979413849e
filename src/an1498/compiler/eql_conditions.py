"""Per-event conditions in EQL. Source of language rules: Elasticsearch reference, "EQL syntax reference"."""
# ruff: noqa: ARG002 - the parameters are those of the methods that these override

from __future__ import annotations

import re
from typing import Any, ClassVar

from sigma.backends.elasticsearch.elasticsearch_eql import EqlBackend
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import SigmaCIDRExpression, SigmaNumber, SigmaString

from an1498.compiler.backend import NUMBERS, TEXTS, LayoutAware, address_of, boolean_of, elastic_network, networks, number_of, plain_strings
from an1498.compiler.logic import alternatives, fields_of
from an1498.compiler.patterns import MANY, Pattern, pattern
from an1498.compiler.refusal import Refusal
from an1498.compiler.regex import ignores_case, lucene_pattern, lucene_regex
from an1498.model import FieldType

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text: str) -> str:
    """A quoted EQL string; the reference's table of escape sequences, `\\u{…}` for other control characters."""
    return '"' + "".join(_ESCAPES.get(c) or (f"\\u{{{ord(c):02x}}}" if ord(c) < 32 or ord(c) == 127 else c) for c in text) + '"'


def field_name(name: str) -> str:
    """A field, in backticks where it holds a hyphen or space or starts with a numeral ("Escape a field name")."""
    return name if re.fullmatch(r"[A-Za-z_@][\w@.]*", name) else "`" + name.replace("`", "``") + "`"


class EqlConditions(LayoutAware, EqlBackend):
    """The official EQL backend, corrected where its text would mean something else."""

    language_name = "EQL"
    # `not` binds tighter than `and`, `and` than `or`; the official order is saved only by parentheses around everything.
    precedence: ClassVar[Any] = (ConditionNOT, ConditionAND, ConditionOR)
    parenthesize = False

    # "To avoid errors, the field must … be explicitly mapped": an unmapped field needs the optional form `?field`.
    # A text field has no exact values; its keyword multi-field has.
    def escape_and_quote_field(self, field_name_: str) -> str:
        row = self.stored(field_name_)
        name = f"{field_name_}.keyword" if row.type is FieldType.TEXT else field_name_
        return ("" if row.mapped else "?") + field_name(name)

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        if isinstance(outer, ConditionOR) and isinstance(inner, ConditionAND):
            return False  # right without parentheses, but few readers know
        # convert_condition_not below sets its own parentheses.
        return isinstance(inner, ConditionNOT) or self.is_list(inner) or super(EqlBackend, self).compare_precedence(outer, inner)

    # `not` of a comparison with a missing field is not true; Sigma's is.
    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        inner = cond.args[0]
        absent = " or ".join(map(self.absent, fields_of(inner)))
        return f"({absent} or not ({self.convert_condition(inner, state)}))"

    def absent(self, field: str) -> str:
        return f"{self.optional(field)} == null"

    def optional(self, field: str) -> str:
        return "?" + self.escape_and_quote_field(field).removeprefix("?")

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        return self.absent(cond.field)

    # Official: no expression for existence at all.
    def convert_condition_field_eq_val_exists(self, cond: Any, state: Any) -> Any:
        return f"{self.optional(cond.field)} {'!=' if cond.value else '=='} null"

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        return self.equals(cond.field, pattern(cond.value))

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        return self.equals(cond.field, pattern(cond.value))

    def equals(self, field: str, found: Pattern) -> str:
        name = self.escape_and_quote_field(field)
        kind = self.stored(field).type
        if kind is FieldType.IP:
            return f"{name} == {string(address_of(found, field))}"
        if kind in NUMBERS:
            return f"{name} == {number_of(found, field)}"
        if kind is FieldType.BOOLEAN:
            return f"{name} == {'true' if boolean_of(found, field) else 'false'}"
        if kind not in TEXTS:
            raise Refusal(f"a comparison of the {kind} field '{field}'", "compare a text, number, address or boolean field", field)
        if found.cased:
            return self.equals_cased(name, found)
        if not found.text and not found.wild:
            return f'{name} == ""'
        # "case_insensitive: … ASCII case insensitive matching" ("Term query"): other letters need a class each.
        if not found.ascii:
            return f"{name} regex {string(lucene_pattern(found))}"
        if not _wildcards_are_wild(found):
            return f"{name} regex~ {string(lucene_pattern(found, ignore_case=False))}"
        # Official uses the case-sensitive == for values that look like an address; only fields of type ip need that.
        return f"{name} : {string(_wildcard_text(found))}"

    def equals_cased(self, name: str, found: Pattern) -> str:
        # "==: Wildcards are not supported", so it does not say what an asterisk means there.
        if not _wildcards_are_wild(found):
            return f"{name} regex {string(lucene_pattern(found))}"
        return f"{name} like {string(_wildcard_text(found))}" if found.wild else f"{name} == {string(found.text)}"

    # `like~` is for strings only, and knows no escape for a literal `*` or `?`: lists keep to what it can say.
    def decide_convert_condition_as_in_expression(self, cond: Any, state: Any) -> bool:
        found = alternatives(cond)
        if found is None:
            return False
        kind = self.stored(found[0]).type
        if networks(found[1]):
            return True
        if kind in NUMBERS:
            return all(type(value) in (SigmaNumber, SigmaString) for value in found[1])
        if kind not in TEXTS:
            return False
        patterns = plain_strings(found[1])
        return patterns is not None and all(_wildcards_are_wild(p) and p.ascii and p.parts for p in patterns)

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        if isinstance(cond.args[0].value, SigmaCIDRExpression):
            return self.inside(cond.args[0].field, [elastic_network(argument.value, cond.args[0].field) for argument in cond.args])
        name = self.escape_and_quote_field(cond.args[0].field)
        if self.stored(cond.args[0].field).type in NUMBERS:
            return f"{name} in ({', '.join(number_of(argument.value, cond.args[0].field) for argument in cond.args)})"
        found = [pattern(argument.value) for argument in cond.args]
        operator = "like~" if any(p.wild for p in found) else "in~"
        return f"{name} {operator} ({', '.join(string(_wildcard_text(p)) for p in found)})"

    # Official writes field:5, but `:` "can only be used to compare strings".
    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        if self.stored(cond.field).type in NUMBERS:
            return f"{self.escape_and_quote_field(cond.field)} == {number_of(cond.value, cond.field)}"
        return self.equals(cond.field, Pattern((str(cond.value),)))

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        return self.equals(cond.field, Pattern(("true" if cond.value else "false",)))

    # Official: regex~, which ignores case; Sigma's re does not. Both match the whole value, Sigma's anywhere.
    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        if self.stored(cond.field).type not in TEXTS:
            raise Refusal(f"a regular expression on the field '{cond.field}', which is not text", "compare values", cond.field)
        name = self.escape_and_quote_field(cond.field)
        text = str(cond.value.regexp)
        # What a range such as [a-c] means to regex~ is not documented.
        if ignores_case(cond.value) and text.isascii() and "[" not in text:
            return f"{name} regex~ {string(lucene_regex(cond.value, ignore_case_by_operator=True))}"
        return f"{name} regex {string(lucene_regex(cond.value))}"

    # "cidrMatch: … supports only the ip field data type" ("EQL function reference").
    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        return self.inside(cond.field, [elastic_network(cond.value, cond.field)])

    def inside(self, field: str, found: list[str]) -> str:
        if self.stored(field).type is not FieldType.IP:
            raise Refusal(f"a network on the field '{field}', which is not an address", "use an address field", field)
        return f"cidrMatch({', '.join([self.escape_and_quote_field(field), *map(string, found)])})"

    # On strings the operators compare letters, not numbers.
    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        if self.stored(cond.field).type not in NUMBERS:
            raise Refusal(f"a numeric comparison of the field '{cond.field}', which is not a number", "use a numeric field", cond.field)
        operator = self.compare_operators[cond.value.op]
        return f"{self.escape_and_quote_field(cond.field)} {operator} {cond.value.number}"

    # "You also cannot compare a field to another field."
    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        raise Refusal("a comparison of two fields", "use ES|QL for this rule", cond.field)


def _wildcards_are_wild(found: Pattern) -> bool:
    """EQL turns every `*` and `?` of a pattern into a wildcard; there is no escape (StringUtils.toLikePattern), and U+0001 is its
    internal one."""
    return not any(c in found.text for c in "*?\x01")


def _wildcard_text(found: Pattern) -> str:
    return "".join(part if isinstance(part, str) else ("*" if part is MANY else "?") for part in found.parts)
