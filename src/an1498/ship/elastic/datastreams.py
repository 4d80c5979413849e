"""Names of what Elasticsearch calls for a data stream: `logs-<dataset>@custom` is both an ingest pipeline that an integration's own
pipeline calls at its end, and a component template that the integration's index template includes (Fleet, "Tutorials: Customize data
retention / transform data with custom ingest pipelines")."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from an1498.model import LayoutSource

_STREAM = re.compile(r"logs-([a-z0-9_.]+)-[a-z0-9_.*]+")
_SAFE = re.compile(r"[^a-z0-9_.]+")


def custom_names(sources: Iterable[LayoutSource]) -> dict[str, LayoutSource]:
    """Per pipeline and component template name, the source. A source whose index is not one data stream of its own gets
    `an1498-<product>-<service>`, which its owner must call."""
    named = [(name, source) for source in sources for name in _names(source)]
    counts = Counter(name for name, _ in named)
    return dict(sorted((name if counts[name] == 1 else _own_name(source), source) for name, source in named))


def _names(source: LayoutSource) -> list[str]:
    found = [_STREAM.fullmatch(part.strip()) for part in source.index.split(",")]
    datasets = [match[1] for match in found if match]
    if len(datasets) < len(found):
        return [_own_name(source)]
    return [f"logs-{dataset}@custom" for dataset in dict.fromkeys(datasets)]


def _own_name(source: LayoutSource) -> str:
    return f"an1498-{_SAFE.sub('-', source.product.lower())}-{_SAFE.sub('-', source.service.lower())}"


def names_of(names: Mapping[str, LayoutSource], sources: Iterable[LayoutSource]) -> list[str]:
    """The names under which some of the sources are customised."""
    wanted = {(source.product, source.service) for source in sources}
    return [name for name, source in names.items() if (source.product, source.service) in wanted]
