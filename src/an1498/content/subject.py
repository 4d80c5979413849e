"""What lints look at: a loaded pack with its documents, layouts and scenarios."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from an1498.content.bindings import bindings, section
from an1498.content.node import Document, Node
from an1498.content.references import Rule, node_of
from an1498.content.scenarios import Scenario
from an1498.content.settings import Settings
from an1498.content.sigma import SigmaResult, run_sigma
from an1498.model import Correlation, EventRule, Filter, Layout, LayoutSource, Pack


@dataclass(frozen=True)
class Subject:
    """`layouts` are all of the content's, also those that no target uses; `pipelines` are their documents, by name."""

    pack: Pack
    settings: Settings
    layouts: Mapping[str, Layout]
    pipelines: Mapping[str, Document]
    scenarios: tuple[Scenario, ...]

    @property
    def alerting(self) -> Iterator[EventRule | Correlation]:
        """Event rules and correlations."""
        yield from self.pack.rules.values()
        yield from self.pack.correlations.values()

    @property
    def documents(self) -> Iterator[Rule]:
        """Event rules, correlations and filters."""
        yield from self.alerting
        yield from self.pack.filters.values()

    def node(self, rule: Rule, *path: str | int) -> Node:
        """The node at a path of a rule's document; a missing key has the value None and its parent's place."""
        return node_of(rule, *path)

    def sources(self, rule: EventRule | Filter) -> list[LayoutSource]:
        """How all layouts store the events of a rule's log source."""
        logsource = rule.document["logsource"]
        wanted = logsource.get("product"), logsource.get("service")
        return [
            source
            for layout in self.layouts.values()
            for source in layout.sources
            if (wanted[0] in (None, source.product)) and (wanted[1] in (None, source.service))
        ]

    def stages(self, correlation: Correlation) -> list[EventRule]:
        """The event rules that a correlation names, in order; chains are left out."""
        return [self.pack.rules[name] for name in correlation.rules if name in self.pack.rules]

    def as_written(self, rule: Rule) -> Mapping[str, object]:
        """The rule's document with the literals of an1498.toml's own values, before overlays."""
        document = copy.deepcopy(dict(rule.document))
        if not isinstance(rule, Filter):
            for path, node in bindings(node_of(rule)).items():
                holder = document[section(node_of(rule))]
                for key in path[:-1]:
                    holder = holder[key]
                parameter = self.settings.defaults.get(node.value)
                if parameter is not None:
                    holder[path[-1]] = parameter.value
        return document

    @cached_property
    def sigma(self) -> SigmaResult:
        """pySigma's own parser and validators over all documents, run once."""
        return run_sigma([(rule, self.as_written(rule)) for rule in self.documents])
