"""The official pySigma backends' own correlation output, executed by replay.

Their SPL and ES|QL give rows per bucket of time, so a row is a span (`judge.covered`). Their EQL gives sequences and samples of
events, which are moments: the time of the last event. No pipeline is applied: the cases' fields are stored under their own names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sigma.backends.elasticsearch import EqlBackend, ESQLBackend  # type: ignore[attr-defined]
from sigma.backends.splunk import SplunkBackend  # type: ignore[attr-defined]
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError

from an1498.content.durations import seconds
from an1498.errors import SearchSyntaxError, UnsupportedConstruct, UsageError
from an1498.model import Language
from an1498.proof.conformance.cases import ConformanceCase, key_text
from an1498.proof.conformance.fields import field_types
from an1498.proof.conformance.judge import Report, Status, Verdict, covered
from an1498.replay import replay_text
from an1498.replay.table import epoch_microseconds
from an1498.times import time_text

_BACKENDS: Mapping[Language, Callable[[], Any]] = {Language.SPL: SplunkBackend, Language.ESQL: ESQLBackend, Language.EQL: EqlBackend}
_TIME = {Language.SPL: "_time", Language.ESQL: "@timestamp", Language.EQL: "@timestamp"}
_BUCKET = {Language.SPL: "_time", Language.ESQL: "timebucket"}


def verdict(case: ConformanceCase, language: Language) -> Verdict:
    """Convert the case's rules with the official backend, run the last query, compare what it reports."""
    try:
        queries = _BACKENDS[language]().convert(SigmaCollection.from_dicts([dict(document) for document in case.documents]))
    except (SigmaError, NotImplementedError) as refusal:
        return Verdict(Status.REFUSED, reason=str(refusal))
    except TypeError as error:
        return Verdict(Status.ERROR, reason=f"the backend failed: {error}")
    text = str(queries[-1])
    events = [{_TIME[language]: time_text(time), **fields} for time, fields in case.events]
    try:
        rows = replay_text(language, text, events, name=case.name, mapping=field_types(case))
    except UnsupportedConstruct as error:
        return Verdict(Status.REFUSED, reason=f"not executed: {error}", text=text)
    except SearchSyntaxError as error:
        return Verdict(Status.INVALID, reason=str(error), text=text)
    except UsageError as error:
        return Verdict(Status.ERROR, reason=str(error), text=text)
    window_ms = 1000 * (seconds(str(case.correlation["timespan"])) or 0)
    read = _moments if language is Language.EQL else _buckets
    return covered(case.expected, read(case, language, rows, window_ms), window_ms, text)


def _buckets(case: ConformanceCase, language: Language, rows: list[dict[str, Any]], window_ms: int) -> Iterator[Report]:
    for row in rows:
        start = epoch_microseconds(row[_BUCKET[language]]) // 1000
        yield Report(tuple(key_text(row.get(key)) for key in case.group_by), start, start + window_ms - 1)


def _moments(case: ConformanceCase, _language: Language, rows: list[dict[str, Any]], _window_ms: int) -> Iterator[Report]:
    for row in rows:
        group = tuple(key_text(key) for key in row["join_keys"][: len(case.group_by)])
        time = max(case.events[number][0] for number in row["events"])
        yield Report(group, time, time)
