"""A rule on one target, in words: what it means, how far it looks back and why, what deviates, which fields it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from an1498.compiler import compile_search
from an1498.compiler.entity import is_entity
from an1498.compiler.schedule import settled_s
from an1498.content.durations import text as span_text
from an1498.errors import Unsupported
from an1498.model import Correlation, CorrelationType, Entity, EventRule, Language, LayoutSource, Pack, Search, Target

_BOUNDS = {"gt": "more than", "gte": "at least", "lt": "fewer than", "lte": "at most", "eq": "exactly", "neq": "not"}
_COUNTED = {
    CorrelationType.EVENT_COUNT: "{} events",
    CorrelationType.VALUE_COUNT: "{} different values of {}",
    CorrelationType.VALUE_SUM: "a sum of {} over {}",
    CorrelationType.VALUE_AVG: "an average of {} over {}",
    CorrelationType.VALUE_MEDIAN: "a median of {} over {}",
    CorrelationType.VALUE_PERCENTILE: "a percentile of {} over {}",
}

_ENTITY: Mapping[Entity, tuple[str, ...]] = {
    Entity.IP: ("entity is the address, as the layouts' entity fields have it",),
    Entity.LOOKUP: (
        "entity is the host: where an event has its name, that name in lower case without its domain; where it has an address only, the",
        "host that had the address at the event's time, by the table of assets (an1498 assets build). An address that nobody or several",
        "hosts had then is no key",
    ),
    Entity.COMMUNITY_ID: ("entity is the flow: its community ID, for stages of network sensors only",),
}


def explanation(pack: Pack, rule: EventRule | Correlation, target: Target) -> Iterator[str]:
    """The lines of `an1498 explain`."""
    searches: dict[Language, Search] = {}
    refusals: list[Unsupported] = []
    for language in target.languages:
        try:
            searches[language] = compile_search(pack, rule.name, target.name, language)
        except Unsupported as refusal:
            refusals.append(refusal)
    yield f"{rule.name}: {rule.title}"
    yield f"target {target.name}, level {rule.level}, {rule.location}"
    yield ""
    yield "Meaning"
    yield from _indented(_correlation(pack, rule, target) if isinstance(rule, Correlation) else _event(rule))
    if searches:
        first = next(iter(searches.values()))
        yield ""
        yield "Lookback"
        yield from _indented(_lookback(pack, rule, first, target))
        yield ""
        yield from _staging(target, searches.values())
        yield "Fields needed"
        yield from _indented(_fields(pack, rule, target, searches.values()))
    yield ""
    yield "Languages"
    for language in target.languages:
        yield from _indented(_language(language, searches.get(language), refusals))


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _event(rule: EventRule) -> Iterator[str]:
    yield f"every event of {rule.product}/{rule.service} that the rule's detection matches; context, not an alert by itself"
    description = str(rule.document.get("description", "")).strip()
    yield from description.splitlines()


def _correlation(pack: Pack, rule: Correlation, target: Target) -> Iterator[str]:
    window = span_text(rule.timespan_s)
    match rule.type:
        case CorrelationType.TEMPORAL_ORDERED:
            yield f"in this order, within {window} from the first to the last event (both ends included):"
        case CorrelationType.TEMPORAL:
            yield f"in any order, within a sliding window of {window}: {rule.condition.expression or 'all of'}"
        case _:
            yield f"{_condition(rule)} within a sliding window of {window}, over events of:"
    for number, name in enumerate(rule.rules, 1):
        stage = pack.rules.get(name)
        where = f" ({stage.product}/{stage.service})" if stage else ""
        yield f"  {number}. {name}{where}: {stage.title if stage else pack.correlations[name].title}"
    yield "of one group: " + ", ".join(_group(rule, key) for key in rule.group_by)
    if any(is_entity(rule, key) for key in rule.group_by):
        yield from _ENTITY[target.entity]
    yield "an event without a group key never counts; keys compare exactly"
    if rule.type is CorrelationType.TEMPORAL_ORDERED:
        yield "events of the same time are not in order; a newer first event replaces a pending older one; a complete sequence uses up"
        yield "its events and gives one alert, at the time of its last event"
        yield from _skew(pack)
    else:
        yield "one alert per rising edge: the first event at which the condition holds after it did not"


def _condition(rule: Correlation) -> str:
    numbers = " and ".join(f"{_BOUNDS[operator]} {number:g}" for operator, number in rule.condition.bounds)
    return _COUNTED[rule.type].format(numbers, " and ".join(rule.condition.fields))


def _group(rule: Correlation, key: str) -> str:
    fields = rule.aliases.get(key)
    if not fields:
        return key
    return f"{key} ({', '.join(f'{native} of {name}' for name, native in fields.items())})"


def _skew(pack: Pack) -> Iterator[str]:
    skew = pack.parameters.get("clock_skew")
    value = str(skew.value) if skew else "0s"
    yield f"clock_skew = {value}: a later stage from another sensor may be stamped up to that much before the stage that it follows;"
    yield "choose the largest difference that you measure between the Macs' clocks and the sensor's (see docs/semantics.md)"


def _windows(pack: Pack, rule: Correlation, owner: str = "") -> list[tuple[str, int]]:
    """The rule's window, then of the correlations among its stages those of the one that reaches back farthest."""
    ordered = rule.type is CorrelationType.TEMPORAL_ORDERED
    why = "" if ordered or owner else " (the state before the first new event)"
    own = (f"{'' if ordered else '2 × '}{owner}window{why}", rule.timespan_s * (1 if ordered else 2))
    inner = [_windows(pack, pack.correlations[name], f"{name}'s ") for name in rule.rules if name in pack.correlations]
    return [own, *max(inner, key=lambda terms: sum(span for _, span in terms), default=[])]


def _lookback(pack: Pack, rule: EventRule | Correlation, search: Search, target: Target) -> Iterator[str]:
    terms = _windows(pack, rule) if isinstance(rule, Correlation) else []
    terms += [("interval", target.interval_s), ("ingest lag", target.ingest_lag_s)]
    if search.staged and target.staging is not None:
        terms += [("event rules' interval", target.interval_s), ("staging lag", target.staging.lag_s)]
    if isinstance(rule, Correlation):
        terms.append(("clock skew", search.lookback_s - sum(span for _, span in terms)))
    yield " + ".join(f"{name} {span}s" for name, span in terms) + f" = {search.lookback_s}s"
    yield f"runs every {span_text(target.interval_s)}; the same alert seen by two runs is suppressed by group and time"
    if search.staged:
        ago = span_text(settled_s(target, staged=True))
        yield f"ends {ago} ago, when the event rules have written everything until then (ingest lag, their interval, staging lag)"


def _staging(target: Target, searches: Iterable[Search]) -> Iterator[str]:
    """What a staged target writes, and where correlations read it."""
    if target.staging is None:
        return
    found = list(searches)
    store = f"index={target.staging.index}" if target.backend == "splunk" else f"alerts of space '{target.staging.space}'"
    yield "Staged"
    for name in dict.fromkeys(search.staged_as for search in found if search.staged_as):
        yield f"  what it matches is written to {store} as '{name}'"
    if any(search.staged for search in found):
        yield f"  reads what the event rules of its stages have written to {store}: enable them together"
    elif not any(search.staged_as for search in found):
        yield "  no correlation of the target reads its events: they are not written"
    yield ""


def _fields(pack: Pack, rule: EventRule | Correlation, target: Target, searches: Iterable[Search]) -> Iterator[str]:
    required = {name.removesuffix(".keyword") for search in searches for name in search.required_fields}
    if isinstance(rule, Correlation) and target.staging is not None:
        yield f"of written events: {', '.join(sorted(required))}; the event rules of its stages need theirs"
        return
    used = {(found.product, found.service) for found in _event_rules(pack, rule)}
    for layout in target.layouts:
        for source in layout.sources:
            if (source.product, source.service) in used:
                yield f"{layout.name}, {source.product}/{source.service} ({source.index or source.macro_definition}):"
                yield from _indented(iter(_source_fields(source, required)))


def _event_rules(pack: Pack, rule: EventRule | Correlation) -> Iterator[EventRule]:
    """The rule, or the event rules that a correlation and those among its stages refer to."""
    if isinstance(rule, EventRule):
        yield rule
        return
    for name in rule.rules:
        yield from _event_rules(pack, pack.correlations[name] if name in pack.correlations else pack.rules[name])


def _source_fields(source: LayoutSource, required: set[str]) -> list[str]:
    rows = [row for row in source.fields if row.indexed in required]
    width = max((len(row.indexed) for row in rows), default=0)
    lines = [f"{row.indexed:<{width}}  {row.native}{'' if row.mapped else '  (not in the vendor mapping)'}" for row in rows]
    if source.entity_field in required and source.by_indexed(source.entity_field) is None:
        lines.append(f"{source.entity_field:<{width}}  the machine's address, set at ingest (see docs/telemetry.md)")
    return lines


def _language(language: Language, search: Search | None, refusals: Sequence[Unsupported]) -> Iterator[str]:
    if search is not None:
        yield f"{language}: " + ("exact" if not search.deviations else f"with {_deviations(len(search.deviations))}")
        yield from (f"  {deviation.code}: {deviation.text}" for deviation in search.deviations)
        if search.tiebreaker:
            yield f"  run it with the tiebreaker field {search.tiebreaker}"
        return
    for refusal in refusals:
        if refusal.language == language:
            yield f"{language}: cannot say it: {refusal.construct}; {refusal.remedy}"


def _deviations(number: int) -> str:
    return "1 declared deviation:" if number == 1 else f"{number} declared deviations:"
