"""regex, rex and the multivalue commands (Search Reference, each command's page)."""

from __future__ import annotations

import re
from dataclasses import replace

from an1498.replay.algebra import (
    Case,
    Col,
    Expr,
    Filter,
    Lambda,
    Lit,
    Unnest,
    call,
)
from an1498.replay.spl import syntax
from an1498.replay.spl.eval_common import subject
from an1498.replay.spl.frame import Frame
from an1498.replay.spl.pcre import PcreError, Regex, translate
from an1498.replay.spl.values import (
    LIST_TYPE,
    TEXT_TYPE,
    Kind,
    Value,
    as_text,
    common_kind,
    convert,
    let,
    non_empty,
    refuse,
)

_TRUE = ("t", "true", "1")


def _translated(frame: Frame, pattern: str, at: int) -> Regex:
    try:
        return translate(pattern)
    except PcreError as error:
        raise frame.context.source.unsupported(at, f"this regular expression: {error}") from None


def regex(frame: Frame, command: syntax.Regex) -> Frame:
    """Keeps the results that match (or, with `!=`, do not match) the unanchored expression. A result without the field
    matches nothing; what `!=` does with it is not documented."""
    regex = _translated(frame, command.pattern, command.at)
    if command.field == "_raw" and not frame.has("_raw"):
        raise frame.context.source.unsupported(command.at, "regex over events without _raw")
    value = as_text(frame.value(command.field, command.at), command.at)
    found: Expr = call("perl_search", subject(value, regex, command.at), Lit(regex.re2))
    if not command.negated:
        return frame.over(Filter(frame.relation, call("coalesce", found, Lit(False))))
    refused = refuse(command.at, "regex != on a field that does not exist", "BOOLEAN")
    return frame.over(Filter(frame.relation, let(found, lambda item: Case(((call("is_null", item), refused),), call("not", item)))))


def rex(frame: Frame, command: syntax.Plain) -> Frame:
    """Named groups become fields; without a match they keep their values. `max_match` (default 1, 0 is unlimited) above 1 gives
    multivalues. An empty or unused group is refused: whether it makes an empty field is not documented."""
    source, at = frame.context.source, command.at
    if command.options.get("mode") == "sed":
        return _sed(frame, command)
    if unknown := set(command.options) - {"field", "max_match"}:
        raise source.unsupported(at, f"option '{min(unknown)}' of rex")
    most = command.options.get("max_match", "1")
    if len(command.words) != 1 or 0 not in command.quoted or not most.isdecimal():
        raise source.syntax_error(at, "rex takes options and one quoted regular expression")
    field = command.options.get("field", "_raw")
    if field == "_raw" and not frame.has("_raw"):
        raise source.unsupported(at, "rex over events without _raw")
    regex = _translated(frame, command.words[0], at)
    named = [(index, name) for index, name in enumerate(regex.groups, 1) if name]
    if not named:
        raise source.syntax_error(at, "rex needs a named group, (?<name>…)")
    value = subject(as_text(frame.value(field, at), at), regex, at)
    pattern = Lit(regex.re2)
    added = []
    for index, name in named:
        kept = frame.value(name, at)
        if most == "1":
            refused = refuse(at, f"rex whose group '{name}' is empty", TEXT_TYPE)
            kind = common_kind([Value(Kind.TEXT, Col(name)), kept])
            extracted = let(
                call("perl_extract", value, pattern, Lit(index)),
                lambda item, refused=refused: Case(((call("eq", item, Lit("")), refused),), item),  # type: ignore[misc]
            )
            new = Value(Kind.TEXT, extracted)
        else:
            refused = refuse(at, f"rex whose group '{name}' is empty", LIST_TYPE)
            kind = Kind.LIST
            every: Expr = call("perl_extract_all", value, pattern, Lit(index))
            if most != "0":
                every = call("list_slice", every, Lit(1), Lit(int(most)))
            checked = let(
                every,
                lambda items, refused=refused: Case(((call("list_contains", items, Lit("")), refused),), items),  # type: ignore[misc]
            )
            new = Value(Kind.LIST, checked)
        matched = call("coalesce", call("perl_search", value, pattern), Lit(False))
        added.append((name, kind, Case(((matched, convert(new, kind, at)),), convert(kept, kind, at))))
    return frame.extend(added, at)


def _sed(frame: Frame, command: syntax.Plain) -> Frame:
    """`rex mode=sed "s/regex/replacement/flags"` and `"y/abc/xyz/"` ("rex", Sed expression): the first match, with `g` every one."""
    source, at = frame.context.source, command.at
    field = command.options.get("field", "_raw")
    if len(command.words) != 1 or set(command.options) - {"field", "mode"} or not frame.has(field):
        raise source.unsupported(at, "these arguments of rex mode=sed")
    expression = command.words[0]
    delimiter = expression[1:2]
    parts = re.split(rf"(?<!\\){re.escape(delimiter)}", expression) if delimiter else []
    if len(parts) != 4 or parts[0] not in ("s", "y") or delimiter.isalnum() or delimiter == "\\":
        raise source.unsupported(at, "this sed expression", "write s/regex/replacement/ or s/regex/replacement/g")
    _, wanted, replacement, flags = (part.replace("\\" + delimiter, delimiter) for part in parts)
    value = as_text(frame.value(field, at), at)
    if parts[0] == "y":
        if len(wanted) != len(replacement) or flags or "\\" in wanted + replacement:
            raise source.unsupported(at, "this sed expression")
        return frame.extend([(field, Kind.TEXT, call("translate_characters", value, Lit(wanted), Lit(replacement)))], at)
    if flags not in ("", "g") or re.search(r"\\(?![1-9](?!\d))|&", replacement):
        raise source.unsupported(at, "this sed expression: flags other than g, or escapes other than \\1 … \\9 in the replacement")
    regex = _translated(frame, wanted, at)
    if regex.matches_empty or any(int(number) > len(regex.groups) for number in re.findall(r"\\([1-9])", replacement)):
        raise source.unsupported(at, "a sed expression that matches the empty text or names a group that it does not have")
    function = "perl_replace_all" if flags else "perl_replace_first"
    return frame.extend([(field, Kind.TEXT, call(function, subject(value, regex, at), Lit(regex.re2), Lit(replacement)))], at)


def mvexpand(frame: Frame, command: syntax.Plain) -> Frame:
    """One result per value, of the first `limit` values if there is one; a result without the field stays as it is."""
    source, at = frame.context.source, command.at
    limit = command.options.get("limit", "0")
    if len(command.words) != 1 or set(command.options) - {"limit"} or not limit.isdecimal():
        raise source.unsupported(at, "mvexpand with anything but one field and limit=<number>")
    (name,) = command.words
    value = frame.value(name, at)
    if value.kind is not Kind.LIST:
        return frame
    if int(limit):
        frame = frame.extend([(name, Kind.LIST, call("list_slice", value.expr, Lit(1), Lit(int(limit))))], at)
    expanded = Unnest(frame.relation, name)
    return replace(frame, relation=expanded, columns={**frame.columns, name: Kind.TEXT})


def makemv(frame: Frame, command: syntax.Plain) -> Frame:
    """Splits a single value at `delim` (default a space); consecutive delimiters count as one unless allowempty."""
    source, at = frame.context.source, command.at
    if len(command.words) != 1 or set(command.options) - {"delim", "allowempty", "tokenizer"} or len(command.options) > 2:
        raise source.unsupported(at, "makemv with anything but delim, allowempty or tokenizer and one field")
    (name,) = command.words
    if "tokenizer" in command.options:
        return _tokens(frame, name, command.options["tokenizer"], at)
    parts: Expr = call("split", as_text(frame.value(name, at), at), Lit(command.options.get("delim", " ")))
    if command.options.get("allowempty", "f").lower() not in _TRUE:
        parts = call("list_filter", parts, Lambda("#part", call("ne", Col("#part"), Lit(""))))
    return frame.extend([(name, Kind.LIST, non_empty(parts))], at)


def _tokens(frame: Frame, name: str, tokenizer: str, at: int) -> Frame:
    """`tokenizer`: each match's first group is a value."""
    regex = _translated(frame, tokenizer, at)
    if not regex.groups or regex.matches_empty:
        raise frame.context.source.unsupported(at, "a tokenizer without a group, or that matches the empty text")
    value = subject(as_text(frame.value(name, at), at), regex, at)
    return frame.extend([(name, Kind.LIST, non_empty(call("perl_extract_all", value, Lit(regex.re2), Lit(1))))], at)


def nomv(frame: Frame, command: syntax.Plain) -> Frame:
    """The values in one text, separated by newlines."""
    if len(command.words) != 1 or command.options:
        raise frame.context.source.unsupported(command.at, "nomv with anything but one field")
    (name,) = command.words
    value = frame.value(name, command.at)
    if value.kind is not Kind.LIST:
        return frame
    return frame.extend([(name, Kind.TEXT, call("list_join", value.expr, Lit(frame.delimiters.get(name, "\n"))))], command.at)
