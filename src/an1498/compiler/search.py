"""Pack × target × language → Search, with everything that the SIEM, the reader and replay need to know about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from uuid import UUID, uuid5

from an1498.compiler import deviations, eql, esql, lucene, spl, staged
from an1498.compiler.conditions import Context, EventCondition, source_of, with_dataset
from an1498.compiler.correlation import Plan
from an1498.compiler.entity import machine_fields
from an1498.compiler.refusal import Refusal
from an1498.compiler.schedule import correlation_schedule, event_schedule
from an1498.compiler.spl_staged import writing_search
from an1498.compiler.window_values import CALCULATED
from an1498.errors import Location, Unsupported, UsageError
from an1498.model import Correlation, CorrelationType, EventRule, FieldType, Language, Pack, Search, Target

_EMITTERS: Mapping[Language, ModuleType] = {Language.SPL: spl, Language.EQL: eql, Language.ESQL: esql, Language.LUCENE: lucene}
# Elastic's defaults per severity; a target's `risk_scores` table overrides them.
RISK_SCORES: Mapping[str, int] = {"informational": 1, "low": 21, "medium": 47, "high": 73, "critical": 99}


@dataclass(frozen=True, slots=True)
class Compilation:
    """All searches of a pack, sorted by target, rule and language; what a language could not say; the macros that searches call."""

    searches: tuple[Search, ...]
    refused: tuple[Unsupported, ...]
    macros: Mapping[str, Mapping[str, str]]


def compile_pack(pack: Pack, targets: Sequence[str] | None = None) -> Compilation:
    """Compile every rule for the targets (default: all). Raises ContentError, UsageError."""
    searches: list[Search] = []
    refused: list[Unsupported] = []
    macros: dict[str, Mapping[str, str]] = {}
    for name in sorted(pack.targets) if targets is None else targets:
        target = _target(pack, name)
        context = Context(pack, target)
        macros[name] = target.macros
        skipped = target.options.get("skip") or {}
        rules: list[EventRule | Correlation] = [*pack.rules.values(), *pack.correlations.values()]
        for rule in rules:
            if rule.name in skipped:
                continue
            for language in target.languages:
                if language is Language.LUCENE and isinstance(rule, Correlation):
                    continue  # a query sees one event: nothing to compile, nothing to report
                try:
                    searches.extend(_compile(context, rule, language))
                except Unsupported as refusal:
                    refused.append(refusal)
    # Stable: a rule's companion search stays behind the search that it completes.
    searches.sort(key=lambda search: (search.target, search.rule, search.language))
    return Compilation(tuple(searches), tuple(refused), macros)


def compile_search(pack: Pack, rule: str, target: str, language: Language) -> Search:
    """One rule in one language. Raises Unsupported, ContentError, UsageError."""
    found = pack.rules.get(rule) or pack.correlations.get(rule)
    if found is None:
        raise UsageError(f"no rule is named '{rule}'")
    return _compile(Context(pack, _target(pack, target)), found, Language(language))[0]


def risk_score(level: str, target: Target) -> int:
    """The number for a rule's level: the target's `risk_scores`, else Elastic's defaults."""
    scores = target.options.get("risk_scores") or {}
    return int(scores.get(level, RISK_SCORES.get(level, RISK_SCORES["low"])))


def _target(pack: Pack, name: str) -> Target:
    if name not in pack.targets:
        raise UsageError(f"no target is named '{name}' (known: {', '.join(sorted(pack.targets))})")
    return pack.targets[name]


def _compile(context: Context, rule: EventRule | Correlation, language: Language) -> list[Search]:
    try:
        if isinstance(rule, EventRule):
            return [_event(context, rule, language)]
        return list(_correlation(context, rule, language))
    except Refusal as refusal:
        place = refusal.location or _place(context, rule, refusal.field)
        raise Unsupported(
            rule=rule.name,
            location=place,
            target=context.target.name,
            language=language,
            construct=refusal.construct,
            remedy=refusal.remedy,
        ) from None


def _event(context: Context, rule: EventRule, language: Language) -> Search:
    emitter = _EMITTERS[language]
    found = context.condition(rule)
    schedule = event_schedule(context.target)
    codes = list(_field_deviations([found], language))
    if language is Language.ESQL:
        codes.append("esql-row-limit")
    score = risk_score(rule.level, context.target)
    written_as, machines = _written_as(context, rule), machine_fields(context.target, found.source)
    text = emitter.event_search(found)
    if written_as and language is Language.SPL:
        text = writing_search(found, written_as, staged.written(context)[rule.name], machines, score)
    return Search(
        rule=rule.name,
        id=rule.id,
        title=rule.title,
        target=context.target.name,
        language=language,
        kind="event",
        text=text,
        timespan_s=schedule.timespan_s,
        interval_s=schedule.interval_s,
        lookback_s=schedule.lookback_s,
        entity_fields=machines,
        required_fields=_required([found], (), language),
        level=rule.level,
        risk_score=score,
        deviations=deviations.declared(codes),
        group_by=(),
        time_field=emitter.TIME_FIELD,
        stages=((rule.name, emitter.stage_text(found)),),
        tiebreaker="",
        location=rule.location,
        staged_as=written_as,
    )


def _written_as(context: Context, rule: EventRule) -> str:
    """Under which id a staged target writes the rule's events; "" where nothing reads them."""
    if context.target.staging is None or rule.name not in staged.written(context):
        return ""
    return staged.staged_as(context.target, rule)


def _correlation(context: Context, rule: Correlation, language: Language) -> Iterator[Search]:
    emitter = _EMITTERS[language]
    resolved = staged.plan(context, rule)
    text = emitter.correlation_search(resolved)
    companion = eql.reversed_search(resolved) if language is Language.EQL else None
    codes = list(_correlation_deviations(resolved, language, companion is not None))
    yield _correlation_search(context, resolved, language, text, rule.id, codes)
    if companion is not None:
        identifier = str(uuid5(UUID(rule.id), "clock skew reversed"))
        search = _correlation_search(context, resolved, language, companion, identifier, codes)
        yield replace(search, stages=tuple(reversed(search.stages)))


def _correlation_search(context: Context, resolved: Plan, language: Language, text: str, identifier: str, codes: Sequence[str]) -> Search:
    emitter = _EMITTERS[language]
    rule = resolved.correlation
    schedule = correlation_schedule(resolved, context.target)
    events = [stage for _, stage in resolved.evidence()]
    conditions = [stage.condition for stage in events]
    entity = tuple(dict.fromkeys(key.indexed for stage in events for key in stage.keys))
    values = [row.indexed for stage in events for row in stage.values]
    if resolved.staged:
        values += staged.READ[context.target.backend]
    return Search(
        rule=rule.name,
        id=identifier,
        title=rule.title,
        target=context.target.name,
        language=language,
        kind="correlation",
        text=text,
        timespan_s=schedule.timespan_s,
        interval_s=schedule.interval_s,
        lookback_s=schedule.lookback_s,
        entity_fields=entity,
        required_fields=_required(conditions, (*entity, *values), language),
        level=rule.level,
        risk_score=risk_score(rule.level, context.target),
        deviations=deviations.declared(codes),
        group_by=rule.group_by,
        time_field=eql.timestamp(resolved) if language is Language.EQL else emitter.TIME_FIELD,
        stages=tuple((stage.name, emitter.stage_text(stage.condition)) for stage in events),
        tiebreaker=eql.tiebreaker(resolved) if language is Language.EQL else "",
        location=rule.location,
        staged=resolved.staged,
    )


def _correlation_deviations(resolved: Plan, language: Language, has_companion: bool) -> Iterator[str]:
    yield from _field_deviations([stage.condition for _, stage in resolved.evidence()], language)
    if any(member.correlation.type in CALCULATED for member in resolved.family()):
        yield "value-floating-point"
    if resolved.stateful:
        yield "range-start"
    if resolved.staged:
        yield "staged-late-run"
        if language is not Language.SPL:
            yield "staged-max-signals"
    if language is Language.SPL:
        yield "spl-streamstats-limit"
        return
    yield "elastic-millisecond-time"
    if language is Language.ESQL:
        yield "esql-row-limit"
    if language is Language.EQL and resolved.correlation.type is CorrelationType.TEMPORAL_ORDERED:
        if not eql.tiebreaker(resolved):
            yield "eql-equal-timestamps"
            if resolved.staged:
                yield "staged-event-of-two-stages"
        if resolved.stages[-1].offset_s:
            yield "eql-clock-skew-reversed" if has_companion else "eql-clock-skew-missed"


def _field_deviations(conditions: Iterable[EventCondition], language: Language) -> Iterator[str]:
    if language is not Language.ESQL:
        return
    for found in conditions:
        for name in found.fields:
            row = found.source.by_indexed(name)
            if row is not None and not row.mapped:
                yield "esql-unmapped-field"
            if row is not None and row.array:
                yield "esql-array-separator"


def _required(conditions: Iterable[EventCondition], more: Iterable[str], language: Language) -> tuple[str, ...]:
    """The fields that the search reads, as indexed, sorted; text fields by the multi-field that the language reads."""
    names = set(more)
    for found in conditions:
        restricted = found if language is Language.SPL else with_dataset(found)
        for name in restricted.fields:
            row = found.source.by_indexed(name)
            analysed = row is not None and row.type is FieldType.TEXT and language in (Language.EQL, Language.LUCENE)
            names.add(f"{name}.keyword" if analysed else name)
    return tuple(sorted(names))


def _place(context: Context, rule: EventRule | Correlation, field: str) -> Location:
    """The line of the rule that names the field, native or indexed; else the rule's own."""
    owners: list[Any] = [rule]
    if isinstance(rule, Correlation):
        owners += [context.pack.rules[name] for name in rule.rules if name in context.pack.rules]
    for owner in owners:
        names = {field}
        if isinstance(owner, EventRule):
            try:
                row = source_of(context.target, owner)[1].by_indexed(field)
            except Refusal:
                row = None
            if row is not None:
                names.add(row.native)
        for path, location in sorted(owner.key_locations.items(), key=lambda item: item[1]):
            if path and field and str(path[-1]).split("|")[0] in names:
                return location  # type: ignore[no-any-return]
    return rule.location
