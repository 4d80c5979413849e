"""What our four subclasses of the official pySigma backends share: field types of the layout, and refusals instead of near misses."""
# ruff: noqa: ARG002 - the parameters are those of the methods that these override

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from sigma.conditions import (
    ConditionOR,
)
from sigma.conversion.state import ConversionState
from sigma.types import SigmaCIDRExpression, SigmaNumber, SigmaString, SigmaType

from an1498.compiler.patterns import Pattern, pattern
from an1498.compiler.refusal import Refusal
from an1498.model import FieldType, LayoutField, LayoutSource

TEXTS = (FieldType.KEYWORD, FieldType.TEXT)
NUMBERS = (FieldType.LONG, FieldType.DOUBLE)


class LayoutAware:
    """Mixin before an official backend. `source` says how the SIEM stores each field of the rule's events."""

    language_name = ""
    source: LayoutSource
    collect_errors = False

    def __init__(self, source: LayoutSource) -> None:
        super().__init__()
        self.source = source

    def stored(self, field: str) -> LayoutField:
        """The layout's row of an indexed field; a constant of the source is a keyword."""
        row = self.source.by_indexed(field)
        return row if row is not None else LayoutField(field, field)

    def text_of(self, node: Any) -> str:
        """The condition's text in this language."""
        return str(self.convert_condition(node, ConversionState()))  # type: ignore[attr-defined]

    def is_list(self, node: Any) -> bool:
        """Whether an OR becomes one "field in list" expression, which needs no parentheses beside AND and OR."""
        return isinstance(node, ConditionOR) and bool(self.decide_convert_condition_as_in_expression(node, None))  # type: ignore[attr-defined]

    # Keyword searches match words or substrings of a raw text that only some stores keep, by rules of tokenisation that differ.
    def convert_condition_val(self, cond: Any, state: Any) -> Any:
        raise Refusal("a keyword search without a field", "name the field, for instance eventMessage|contains")

    def convert_condition_field_eq_val_timestamp_part(self, cond: Any, state: Any) -> Any:
        raise Refusal("a part of a timestamp", "leave it to a filter outside the rule", cond.field)

    def convert_condition_field_eq_query_expr(self, cond: Any, state: Any) -> Any:
        raise Refusal("a raw query expression", "write the condition as fields and values", cond.field)


def plain_strings(values: Sequence[SigmaType]) -> list[Pattern] | None:
    """The patterns of values that are all ordinary strings, else None."""
    found = [pattern(value) for value in values if type(value) is SigmaString]
    return found if len(found) == len(values) else None


def networks(values: Sequence[SigmaType]) -> list[str] | None:
    """Values that are all networks, as text, else None."""
    found = [str(value.network) for value in values if isinstance(value, SigmaCIDRExpression)]
    return found if len(found) == len(values) else None


_MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def elastic_network(value: SigmaCIDRExpression, field: str) -> str:
    """A network as Elasticsearch understands it. Its address fields hold IPv4 addresses as IPv6 ones (Elasticsearch reference, "IP field
    type"; Lucene's InetAddressPoint maps them to ::ffff:0:0/96), so that ::/0 holds them too, which Sigma's does not. Raises Refusal."""
    network = value.network
    if network.version == 6 and network.overlaps(_MAPPED):
        raise Refusal(
            f"the network {network}, which in Elasticsearch has IPv4 addresses too", "use exists: true, or networks such as 2000::/3", field
        )
    return str(network)


def number_of(value: SigmaType | Pattern, field: str) -> str:
    """A Sigma number, or a text that is one, as a literal for a numeric field. Raises Refusal."""
    if isinstance(value, SigmaNumber):
        return str(value.number)
    found = value if isinstance(value, Pattern) else pattern(value)  # type: ignore[arg-type]
    if found.wild:
        raise Refusal(f"a wildcard on the numeric field '{field}'", "give numbers, or use the modifiers lt, lte, gt, gte", field)
    if not re.fullmatch(r"-?\d{1,18}(\.\d{1,9})?", found.text, re.ASCII):
        raise Refusal(f"the text '{found.text[:40]}' for the numeric field '{field}'", "give a number", field)
    return str(SigmaNumber(found.text if "." in found.text else int(found.text)).number)


def boolean_of(found: Pattern, field: str) -> bool:
    """A text for a boolean field. Raises Refusal."""
    match found.text.lower():
        case "true" if not found.wild:
            return True
        case "false" if not found.wild:
            return False
    raise Refusal(f"the text '{found.text[:40]}' for the boolean field '{field}'", "give true or false", field)


def address_of(found: Pattern, field: str) -> str:
    """A text for an address field. Raises Refusal."""
    try:
        if not found.wild:
            return str(ipaddress.ip_address(found.text))
    except ValueError:
        pass
    raise Refusal(
        f"the value '{found.text[:40]}' on the address field '{field}'", "give whole addresses, or networks with the modifier cidr", field
    )
