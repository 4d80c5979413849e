"""rename, replace and strcat (Search Reference, each command's page)."""

from __future__ import annotations

from dataclasses import replace as changed

from an1498.replay.algebra import Case, Col, Expr, Lit, Select, call
from an1498.replay.spl import syntax
from an1498.replay.spl.frame import Frame, filled, wildcard
from an1498.replay.spl.values import TEXT_TYPE, Kind, as_text, refuse


def _expanded(frame: Frame, pairs: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Pairs with wildcards as one pair per field that matches; each asterisk of the new name takes what the old one's stood for."""
    found: list[tuple[str, str]] = []
    for old, new in pairs:
        if "*" not in old:
            found.append((old, new))
            continue
        if frame.open:
            frame.context.read.add("*")
        pattern = wildcard(old)
        for name in frame.columns:
            match = pattern.fullmatch(name)
            if match is not None and (old[0] != "*" or name[0] != "_"):
                found.append((name, filled(new, match.groups())))
    return found


def rename(frame: Frame, command: syntax.Rename) -> Frame:
    """A field that does not exist renames to a field without values: an existing field of the new name is overwritten
    ("rename", Usage)."""
    pairs = [pair for pair in _expanded(frame, command.pairs) if pair[0] != pair[1]]
    sources, targets = [old for old, _ in pairs], [new for _, new in pairs]
    if set(sources) & set(targets) or len(set(targets)) < len(targets):
        raise frame.context.source.unsupported(command.at, "a rename whose new names are also old names")
    for old, new in pairs:
        value = frame.value(old, command.at)
        order = [new if name == old else name for name in frame.columns if name != new]
        if old not in frame.columns:
            order.append(new)
        extended = frame.extend([(new, value.kind, value.expr)], command.at)
        columns = {name: extended.columns[name] for name in order if name in extended.columns}
        relation = Select(extended.relation, tuple((name, Col(name)) for name in columns))
        frame = changed(extended, relation=relation, columns=columns, removed=extended.removed | {old})
    return frame


def replace(frame: Frame, command: syntax.Replace) -> Frame:
    """Whole values, the first pair that fits. Whether letters' case matters is not documented: refused where it would."""
    at = command.at
    if not command.fields and frame.open:
        frame.context.read.add("*")
    names = command.fields or tuple(name for name, kind in frame.columns.items() if kind is Kind.TEXT and not name.startswith("_"))
    items = []
    for name in names:
        value = as_text(frame.value(name, at), at)
        folded = [call("and", call("eq", call("lower", value), Lit(old.lower())), call("ne", value, Lit(old))) for old, _ in command.pairs]
        doubtful = (call("or", *folded), refuse(at, "replace of a value that differs in upper and lower case", TEXT_TYPE))
        chosen = tuple((call("eq", value, Lit(old)), Lit(new)) for old, new in command.pairs)
        items.append((name, Kind.TEXT, Case((*chosen, doubtful), value)))
    return frame.extend(items, at)


def strcat(frame: Frame, command: syntax.Plain) -> Frame:
    """`strcat a "text" b result`: the values one after the other; a field without a value is left out, with allrequired=t the result."""
    source, at = frame.context.source, command.at
    if len(command.words) < 3 or set(command.options) - {"allrequired"} or len(command.words) - 1 in command.quoted:
        raise source.syntax_error(at, "strcat takes two or more fields or strings and the result's name")
    parts: list[Expr] = []
    for place, word in enumerate(command.words[:-1]):
        parts.append(Lit(word) if place in command.quoted else as_text(frame.value(word, at), at))
    if command.options.get("allrequired", "f").lower() not in ("t", "true", "1"):
        parts = [call("coalesce", part, Lit("")) for part in parts]
    return frame.extend([(command.words[-1], Kind.TEXT, call("concat", *parts))], at)
