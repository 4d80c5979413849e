"""Investigation guide (`note`) and setup guide (`setup`) of a rule, in Markdown, from the rule's triage text and the layouts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from an1498.compiler.alerts_index import index as alerts_index
from an1498.compiler.entity import machine_fields
from an1498.content.kibana import carried
from an1498.model import ELASTIC_ASSETS, Entity, FieldType, Language, LayoutSource, Pack, Search, Target
from an1498.ship.elastic.datastreams import custom_names, names_of
from an1498.ship.elastic.fields import distinct_sources, indexed_names, key_fields, stages, target_sources
from an1498.ship.elastic.markdown import block, cell, code, inline, investigate
from an1498.ship.elastic.selection import LANGUAGE_NAMES, Selected

_CODE = re.compile(r"`([^`\n]+)`")


def note(pack: Pack, selected: Selected, searches: Mapping[tuple[str, Language], Search]) -> str:
    """`searches` are the target's, by rule and language: a correlation's guide shows the query of each of its stages."""
    search = selected.search
    rule = pack.rules.get(search.rule) or pack.correlations[search.rule]
    parts = ["## Triage and analysis", str(rule.document.get("triage") or "").strip()]
    parts += list(_field_table(pack, search, parts[1]))
    parts += ["### Investigation queries", *_buttons(pack, search), *_stage_queries(pack, search, searches)]
    return "\n\n".join(part for part in parts if part)


def _field_table(pack: Pack, search: Search, triage: str) -> Iterator[str]:
    """The triage text names fields as the raw logs do; here they are called otherwise."""
    rows: dict[str, dict[str, None]] = {}
    for source in distinct_sources(pack, search):
        for name in dict.fromkeys(_CODE.findall(triage)):
            for indexed in indexed_names(source, name):
                if indexed != name:
                    rows.setdefault(name, {})[indexed] = None
    if rows:
        lines = [f"| {cell(name)} | {', '.join(cell(field) for field in fields)} |" for name, fields in rows.items()]
        yield "### Field names\n\n| in the raw log | in Elasticsearch |\n| --- | --- |\n" + "\n".join(lines)


def _buttons(pack: Pack, search: Search) -> Iterator[str]:
    minutes = -(-2 * search.lookback_s // 60)
    seen: set[str] = set()
    for stage in stages(pack, search):
        keys = key_fields(pack, search, stage)
        if not keys or stage.source.index in seen:
            continue
        seen.add(stage.source.index)
        where = {"event.dataset": str(stage.source.constants["event.dataset"])} if "event.dataset" in stage.source.constants else {}
        for name, field in keys.items():
            shown = carried(stage.source).get(field, field) if search.staged else field
            where[field] = f"{{{{{name if search.language is Language.ESQL else shown}}}}}"
        label = f"{stage.source.product}/{stage.source.service}: all records of this group"
        yield investigate(label, f"What else the log has around the time of: {search.title}", [where], minutes)


def _stage_queries(pack: Pack, search: Search, searches: Mapping[tuple[str, Language], Search]) -> Iterator[str]:
    conditions = dict(search.stages)
    for stage in stages(pack, search):
        lucene = searches.get((stage.rule.name, Language.LUCENE))
        text, language = (lucene.text, Language.LUCENE) if lucene else (conditions.get(stage.rule.name, ""), search.language)
        if text:
            heading = f"**{inline(stage.rule.title)}** ({LANGUAGE_NAMES[language]} in {code(stage.source.index)}):"
            yield f"{heading}\n\n{block(text)}"


def setup(pack: Pack, selected: Selected) -> str:
    """What must be there before the rule works, and where its search means less than the rule."""
    search = selected.search
    sources = distinct_sources(pack, search)
    target = pack.targets[search.target]
    custom = names_of(custom_names(target_sources(target)), sources)
    lines = ["## Setup", "", "Install the bundle's component templates and ingest pipelines first, then roll the data streams over:", ""]
    lines += [f"- {code(name)}" for name in custom]
    lines += _staged(pack, selected)
    lines += ["", "The rule reads:" if not search.staged else "These building blocks read:", ""]
    lines += [f"- {code(source.index)} ({inline(source.product)}/{inline(source.service)}{_details(target, source)})" for source in sources]
    if ELASTIC_ASSETS in search.text:
        lines += [
            "",
            f"The rule also reads the lookup index {code(ELASTIC_ASSETS)}, whose address it was: the bundle's README says how to fill it.",
        ]
        lines += ["Without it the rule runs into an error, and while it is empty nothing alerts."]
    lines += _remarks(selected)
    if search.deviations:
        lines += ["", "Where the query means less than the rule:", ""]
        lines += [f"- {code(deviation.code)}: {inline(deviation.text)}" for deviation in search.deviations]
    return "\n".join(lines)


def _staged(pack: Pack, selected: Selected) -> Sequence[str]:
    """A staged correlation reads alerts: those of which rules, and where."""
    search = selected.search
    if not search.staged:
        return ()
    alerts = alerts_index(pack.targets[search.target])
    head = f"The rule reads {code(alerts)}: the alerts of these building blocks. Enable them with it:"
    return ("", head, "", *(f"- {inline(stage.rule.title)}" for stage in stages(pack, search)))


def _details(target: Target, source: LayoutSource) -> str:
    notes = []
    for machine in machine_fields(target, source):
        looked_up = target.entity is Entity.LOOKUP and machine == source.entity_field
        notes.append(f"the machine is {'the host that had ' if looked_up else ''}{code(machine)}")
    whole = [row.indexed for row in source.fields if row.type is FieldType.TEXT]
    if whole:
        notes.append(f"needs {', '.join(code(f'{name}.keyword') for name in whole)}")
    unmapped = [row.indexed for row in source.fields if not row.mapped]
    if unmapped:
        notes.append(f"not mapped by the vendor: {', '.join(map(code, unmapped))}")
    return "".join(f"; {text}" for text in notes)


def _remarks(selected: Selected) -> Sequence[str]:
    search = selected.search
    remarks: list[str] = []
    if search.kind == "event":
        remarks += ["", "A building block: context for the correlations, not an alert. Its alerts are hidden unless asked for."]
    if search.tiebreaker:
        source = "which begins with the rule's rank" if search.staged else "which the ingest pipelines set"
        remarks += ["", f"Events of one millisecond are ordered by {code(search.tiebreaker)}, {source}."]
    if selected.companion:
        remarks += ["", "The same stages in the reverse order within the clock skew. Enable it together with the rule of the same name."]
    if selected.instead_of:
        preferred = LANGUAGE_NAMES[selected.instead_of]
        remarks += ["", f"Detects the same as the {preferred} rule of this name. Enable one of the two, not both."]
    return remarks
