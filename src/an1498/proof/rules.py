"""Random Sigma detections over the native fields of both sensors, and events that hang on them.

Drawn from everything that `sigma_match` defines: wildcards and their escapes, contains / startswith / endswith, lists, `all`, `cased`,
`re`, `cidr`, numbers and comparisons, booleans, null, `exists`, nested NOT / AND / OR, `1 of` and `all of`. The texts are those on
which query languages stumble: quotation marks, backslashes, pipes, backticks, dollars, brackets, line feeds, letters beyond ASCII.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sigma.conditions import ConditionFieldEqualsValueExpression
from sigma.rule import SigmaRule
from sigma.types import (
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExpansion,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaType,
    SpecialChars,
)

MAC, ZEEK = ("macos", "unifiedlog"), ("zeek", "ssl")
Sensor = tuple[str, str]
Document = dict[str, Any]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fieldset:
    """A sensor's fields by kind of value. Fields that a layout's ingest rewrites are left out: the reference sees native values."""

    texts: tuple[str, ...]
    arrays: tuple[str, ...]
    numbers: tuple[str, ...]
    booleans: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.texts, *self.arrays, *self.numbers, *self.booleans, *self.addresses)


FIELDS: Mapping[Sensor, Fieldset] = {
    MAC: Fieldset(("eventMessage", "category", "subsystem", "processImagePath", "host.name"), (), ("processID", "threadID"), (), ()),
    ZEEK: Fieldset(
        ("server_name", "cipher", "validation_status", "last_alert", "next_protocol"),
        ("cert_chain_fps",),
        ("id.orig_p", "id.resp_p"),
        ("established", "resumed"),
        ("id.orig_h", "id.resp_h"),
    ),
}

_ATOMS = (
    *("alpha", "Beta", "GAMMA", "a", "Z", "x1", "42", "0", "1.5", "-1", "true", "null", "AND", "not", "OR", "TO", "é", "Ж", "日本", "ß"),
    *("*", "?", "\\", '"', "'", "|", "`", "$", "$x$", "\n", "\t", " ", "  ", "[", "]", "(", ")", "{", "}", "=", ",", ":", ";", "#", "~"),
    *("^", "+", "-", "/", "//", "&&", "||", "!", "<", ">", "@", "%", ".", ".*", "\\*", "\\\\", "\\n", "_", '"""', "```", "*/", "/*"),
)
_REGEXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("alpha", ("alpha", "xalphax", "ALPHA", "alph")),
    ("^alpha", ("alpha", "alphax", "xalpha", "Alpha")),
    ("alpha$", ("alpha", "xalpha", "alphax", "alphA", "alpha\n")),
    ("^alpha$", ("alpha", "alphax", "xalpha", "ALPHA", "x\nalpha")),
    ("al.ha", ("alpha", "al?ha", "alha", "al\nha")),
    ("a.*z", ("az", "a--z", "za", "a\nz", "AZ")),
    ("^[a-c]+[0-9]{2,3}$", ("ab12", "c123", "d12", "a1", "AB12")),
    ("(foo|bar)baz", ("foobaz", "xbarbaz", "baz", "fooBaz")),
    ("colou?r", ("color", "colour", "colouur", "Color")),
    ("[^x]y", ("ay", "xy", "y", "Xy")),
    (r"\.com", ("a.com", "acom", "a.COM")),
    (r"\d+", ("1", "a22b", "none", "٣")),
    (r"^\w+$", ("abc_1", "a-b", "é")),
    (r"\\x", ("\\x", "x", "\\\\x")),
    (r"\$[a-z]", ("$a", "a$", "$A")),
    ('say "hi"', ('say "hi"', "say hi", 'x say "hi" y')),
    ("a/b", ("a/b", "xa/bx", "ab")),
    ("a{2}b", ("aab", "ab", "aaab")),
    ("x|y", ("x", "ay", "z", "X")),
    ("#~<@&>", ("#~<@&>", "a#~<@&>b", "#~")),
    ("é+", ("é", "ée", "e", "É")),
    ("^$", ("", "x", "\n")),
    ("'it''s'", ("'it''s'", "its")),
    ("(?:ab)+c", ("ababc", "abc", "c")),
    ("a|^b$", ("xax", "b", "bb")),
)
_NETWORKS = ("10.0.0.0/8", "10.1.2.0/24", "192.168.1.4/30", "203.0.113.9/32", "0.0.0.0/0", "2001:db8::/32", "fe80::/10", "::1/128", "::/0")
_ADDRESSES = (
    "10.0.0.1",
    "10.1.2.3",
    "10.1.3.3",
    "192.168.1.5",
    "192.168.1.8",
    "203.0.113.9",
    "2001:db8::5",
    "fe80::1",
    "::1",
    "2001:db9::1",
)
_NUMBERS = (0, 1, -1, 42, 443, 8443, 65535, 2**31, 10)
_PRESENT = ("", "x")


def draw_rule(rng: random.Random, sensor: Sensor, name: str) -> Document:
    """A Sigma rule that pySigma accepts."""
    selections = {
        f"{prefix}{number}": _selection(rng, FIELDS[sensor])
        for prefix, most in (("sel_", 2), ("other_", 1))
        for number in range(rng.randint(prefix == "sel_", most))
    }
    return {
        "title": name,
        "name": name,
        "logsource": {"product": sensor[0], "service": sensor[1]},
        "detection": {**selections, "condition": _condition(rng, list(selections))},
    }


def _condition(rng: random.Random, names: Sequence[str]) -> str:
    choice = rng.random()
    if choice < 0.15:
        return rng.choice(("1 of sel_*", "all of sel_*", "1 of them", "all of them", "not 1 of sel_*", "not all of them"))
    if choice < 0.3:
        return names[0] if rng.random() < 0.6 else f"not {names[0]}"
    return _expression(rng, names, 2)


def _expression(rng: random.Random, names: Sequence[str], depth: int) -> str:
    if depth == 0 or rng.random() < 0.3:
        text = rng.choice(names)
    else:
        parts = [_expression(rng, names, depth - 1) for _ in range(rng.choice((2, 2, 3)))]
        text = "(" + f" {rng.choice(('and', 'or'))} ".join(parts) + ")"
    return f"not {text}" if rng.random() < 0.3 else text


def _selection(rng: random.Random, fields: Fieldset) -> Any:
    if rng.random() < 0.15:
        return [_items(rng, fields) for _ in range(2)]
    return _items(rng, fields)


def _items(rng: random.Random, fields: Fieldset) -> Document:
    items: Document = {}
    for _ in range(rng.choice((1, 1, 2))):
        key, value = _item(rng, fields)
        items[key] = value
    return items


def _item(rng: random.Random, fields: Fieldset) -> tuple[str, Any]:
    field = rng.choice([*fields.texts, *fields.texts, *fields.names])
    if rng.random() < 0.1:
        return rng.choice(((field, None), (f"{field}|exists", rng.random() < 0.5)))
    if field in fields.numbers:
        return _number_item(rng, field)
    if field in fields.booleans:
        return field, rng.choice((True, False))
    if field in fields.addresses:
        return _address_item(rng, field)
    return _text_item(rng, field)


def _number_item(rng: random.Random, field: str) -> tuple[str, Any]:
    if rng.random() < 0.5:
        return f"{field}|{rng.choice(('lt', 'lte', 'gt', 'gte'))}", rng.choice(_NUMBERS)
    return field, _one_or_more(rng, lambda: rng.choice((rng.choice(_NUMBERS), str(rng.choice(_NUMBERS)))))


def _address_item(rng: random.Random, field: str) -> tuple[str, Any]:
    if rng.random() < 0.6:
        return f"{field}|cidr", _one_or_more(rng, lambda: rng.choice(_NETWORKS))
    return field, _one_or_more(rng, lambda: rng.choice(_ADDRESSES))


def _text_item(rng: random.Random, field: str) -> tuple[str, Any]:
    if rng.random() < 0.08:
        return field, _one_or_more(rng, lambda: rng.choice((42, -1, 0, 1.5)))
    if rng.random() < 0.2:
        regex = _one_or_more(rng, lambda: rng.choice(_REGEXES)[0])
        return f"{field}|re{rng.choice(('', '', '|i'))}", regex
    key = field + rng.choice(("", "", "|contains", "|contains", "|startswith", "|endswith"))
    value = _one_or_more(rng, lambda: _pattern(rng))
    if isinstance(value, list) and rng.random() < 0.3:
        key += "|all"
    if rng.random() < 0.15:
        key += "|cased"
    return key, value


def _one_or_more(rng: random.Random, draw: Any) -> Any:
    return draw() if rng.random() < 0.6 else [draw() for _ in range(rng.choice((2, 2, 3)))]


def _text(rng: random.Random) -> str:
    return "".join(rng.choice(_ATOMS) for _ in range(rng.choice((1, 1, 2, 2, 3, 4))))


def _pattern(rng: random.Random) -> str:
    """A Sigma string: literal text, escaped, with wildcards between."""
    parts = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = _text(rng)
        parts.append(text if rng.random() < 0.15 else "".join("\\" + c if c in "*?\\" else c for c in text))
        if rng.random() < 0.35:
            parts.append(rng.choice("*?"))
    if rng.random() < 0.15:
        parts.insert(0, rng.choice("*?"))
    return "".join(parts)


# --- events ----------------------------------------------------------------------------------------------------------------------


def draw_events(rng: random.Random, sensor: Sensor, rule: SigmaRule, count: int) -> list[Fields]:
    """Events of the rule's sensor with the values that the rule asks for, values beside them, other values and none."""
    fields = FIELDS[sensor]
    pools: dict[str, list[Any]] = {}
    for condition in rule.detection.parsed_condition:
        for leaf in _leaves(condition.parsed):
            pools.setdefault(leaf.field, []).extend(_values(rng, leaf.value))
    return [_event(rng, fields, pools) for _ in range(count)]


def _leaves(node: Any) -> Iterator[ConditionFieldEqualsValueExpression]:
    if isinstance(node, ConditionFieldEqualsValueExpression):
        yield node
    else:
        for argument in node.args:
            yield from _leaves(argument)


def _event(rng: random.Random, fields: Fieldset, pools: Mapping[str, list[Any]]) -> Fields:
    event: Fields = {}
    for name in fields.texts:
        if rng.random() < (0.85 if name in pools else 0.4):
            event[name] = _text_value(rng, pools.get(name, []))
    for name in fields.arrays:
        if rng.random() < 0.8:
            event[name] = [_text_value(rng, pools.get(name, [])) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    for name in fields.numbers:
        if rng.random() < 0.8:
            event[name] = rng.choice([value for value in pools.get(name, []) if isinstance(value, int)] + list(_NUMBERS))
    for name in fields.booleans:
        if rng.random() < 0.8:
            event[name] = rng.random() < 0.5
    for name in fields.addresses:
        if rng.random() < 0.8:
            event[name] = _address(rng, pools.get(name, []))
    return event


def _text_value(rng: random.Random, pool: Sequence[Any]) -> str:
    if not pool or rng.random() < 0.1:
        return _text(rng)
    text = str(rng.choice(pool))
    match rng.randrange(10):
        case 0:
            return text.swapcase()
        case 1:
            return text[1:]
        case 2:
            return text[:-1]
        case 3:
            return rng.choice(_ATOMS) + text
        case 4:
            return text + rng.choice(_ATOMS)
        case 5:
            return str(rng.choice(pool)) + text
        case _:
            return text


def _address(rng: random.Random, pool: Sequence[Any]) -> str:
    return str(rng.choice([*_ADDRESSES, *filter(_is_address, pool)]))


def _is_address(value: Any) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return isinstance(value, str)


def _values(rng: random.Random, value: SigmaType) -> Iterator[Any]:
    """Values that satisfy a comparison or lie beside it."""
    match value:
        case SigmaExpansion():
            for single in value.values:
                yield from _values(rng, single)
        case SigmaString():
            for filling in ("", "xY", _text(rng)):
                yield "".join(
                    part if isinstance(part, str) else (filling if part is SpecialChars.WILDCARD_MULTI else (filling or "q")[0])
                    for part in value.s
                )
        case SigmaRegularExpression():
            yield from next((samples for regex, samples in _REGEXES if regex == str(value.regexp)), _PRESENT)
        case SigmaBool():
            yield bool(value.boolean)
        case SigmaNumber():
            yield from (value.number, int(value.number) + 1, f"0{value.number}", f"{value.number}.0", f"{value.number}e0")
        case SigmaCompareExpression():
            number = int(value.number.number)
            yield from (number - 1, number, number + 1)
        case SigmaCIDRExpression():
            network = ipaddress.ip_network(value.cidr, strict=False)
            for number in (int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1):
                if 0 <= number < 2**network.max_prefixlen:
                    yield str(type(network[0])(number))
