"""Lucene query_string: event rules only, as building blocks. Language rules: `lucene_conditions.py`."""

from __future__ import annotations

from an1498.compiler.conditions import EventCondition, with_dataset
from an1498.compiler.correlation import Plan
from an1498.compiler.lucene_conditions import LuceneConditions
from an1498.compiler.refusal import Refusal

TIME_FIELD = "@timestamp"


def event_search(found: EventCondition) -> str:
    """The query of an event rule."""
    return stage_text(found)


def stage_text(found: EventCondition) -> str:
    """The condition alone, for `Search.stages`."""
    return found.text("lucene", _render)


def _render(found: EventCondition) -> str:
    restricted = with_dataset(found)
    return LuceneConditions(restricted.source).text_of(restricted.tree)


def correlation_search(plan: Plan) -> str:
    """Always refused: a query sees one event at a time."""
    raise Refusal(f"the correlation type {plan.correlation.type}", "use eql or esql for correlations")
