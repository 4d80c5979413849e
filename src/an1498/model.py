"""The nouns that pass between the packages: immutable, typed, each item of content knows its file and line.

Times are integers: milliseconds since the Unix epoch (`*_ms`) or microseconds (`*_us`); spans are seconds (`*_s`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from an1498.errors import Location

Scalar = str | int | float | bool
RANK_FIELD = "an1498.rank"
"""What ingest stamps to order events of one millisecond: later stages have lower ranks."""


class Language(StrEnum):
    """Query languages that the compiler emits and replay executes."""

    SPL = "spl"
    EQL = "eql"
    ESQL = "esql"
    LUCENE = "lucene"


EVENT_LANGUAGES = (Language.SPL, Language.LUCENE, Language.EQL, Language.ESQL)
"""Of an event rule's searches the first of these is shipped: a building block that finds every event once is enough."""


class FieldType(StrEnum):
    """How a layout stores a field. Splunk stores text only; its layouts use KEYWORD throughout, `_time` apart."""

    KEYWORD = "keyword"
    TEXT = "text"
    LONG = "long"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    IP = "ip"
    DATE = "date"


class Entity(StrEnum):
    """Strategies of design.md section 6: what two sensors' events of one machine have in common."""

    IP = "ip"
    LOOKUP = "lookup"
    COMMUNITY_ID = "community_id"


SPLUNK_ASSETS = "an1498_assets"
SPLUNK_ASSET_COLUMNS = ("start", "end", "ip", "host", "mac", "source")
"""The lookup table of assets and its columns: in [start, end), epoch seconds, `ip` belonged to `host`; `source` says who says so."""

ELASTIC_ASSETS = "an1498-assets"
ELASTIC_ASSET_TYPES: Mapping[str, FieldType] = {
    "an1498_asset_ip": FieldType.IP,
    "an1498_asset_from": FieldType.DATE,
    "an1498_asset_until": FieldType.DATE,
    "an1498_asset_host": FieldType.KEYWORD,
    "an1498_asset_mac": FieldType.KEYWORD,
    "an1498_asset_source": FieldType.KEYWORD,
}
"""The same as an index in lookup mode. LOOKUP JOIN adds its fields to the events', hence names that no event has."""


@dataclass(frozen=True, slots=True)
class LayoutField:
    """One row of a layout's table: a native field, the name and type under which the SIEM stores it.

    `array` is true where one event may carry several values. `mapped` is false where the vendor's index template does not
    know the field, so that a language with strict names needs the optional form (EQL `?field`)."""

    native: str
    indexed: str
    type: FieldType = FieldType.KEYWORD
    array: bool = False
    mapped: bool = True


@dataclass(frozen=True, slots=True)
class RankCase:
    """Events whose native field `field` has one of `values` get this rank."""

    field: str
    values: tuple[Scalar, ...]
    rank: int


class Derivation(StrEnum):
    """How an ingest computes a field from a native one; each is what a vendor's pipeline does (replay/ingest.py says which)."""

    COMMUNITY_ID = "community_id"
    COPY = "copy"
    NOT_EMPTY = "not_empty"
    FILE_NAME = "file_name"
    LOG_LEVEL = "log_level"
    EVENT_CATEGORY = "event_category"
    USABLE_ADDRESS = "usable_address"
    PLAIN_COMMAS = "plain_commas"
    TLS_VERSION = "tls_version"
    TLS_PROTOCOL = "tls_protocol"
    NANOSECONDS = "nanoseconds"
    OUTCOME = "outcome"
    DN_COMMON_NAME = "dn_CN"
    DN_COUNTRY = "dn_C"
    DN_LOCALITY = "dn_L"
    DN_ORGANIZATION = "dn_O"
    DN_ORGANIZATIONAL_UNIT = "dn_OU"
    DN_STATE = "dn_ST"


@dataclass(frozen=True, slots=True)
class DerivedField:
    """A stored field that the ingest computes from the native field `native`. It is not a rule's field: no row of `fields` maps to it,
    or the row's value is replaced by the computed one (which then is what the SIEM stores)."""

    indexed: str
    native: str
    derivation: Derivation
    type: FieldType = FieldType.KEYWORD


@dataclass(frozen=True, slots=True)
class LayoutSource:
    """How a SIEM stores the events of one log source (`product`/`service`).

    `constants` are stored with every event (index, sourcetype, event.dataset …); `index` is the index or data stream pattern
    (ES|QL FROM), `macro` the Splunk macro that stands for the index and sourcetype condition, `macro_definition` its default.
    `time_field` is the indexed field with the event's time. Ingest stamps RANK_FIELD: the first of `rank_cases` that holds,
    else `rank`; at equal times the event with the lower rank sorts first."""

    product: str
    service: str
    fields: tuple[LayoutField, ...]
    constants: Mapping[str, Scalar]
    entity_field: str
    index: str = ""
    macro: str = ""
    macro_definition: str = ""
    time_field: str = "@timestamp"
    rank: int = 1
    rank_cases: tuple[RankCase, ...] = ()
    derived: tuple[DerivedField, ...] = ()

    def by_native(self, native: str) -> LayoutField | None:
        return next((row for row in self.fields if row.native == native), None)

    def by_indexed(self, indexed: str) -> LayoutField | None:
        return next((row for row in self.fields if row.indexed == indexed), None)


@dataclass(frozen=True, slots=True)
class Layout:
    """One telemetry layout, for instance `elastic/zeek`: the pySigma pipeline file and the table inside it."""

    name: str
    backend: str
    pipeline_file: Path
    location: Location
    sources: tuple[LayoutSource, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tuning value of an1498.toml `[parameters]`; durations keep their text ("5m") in `value`."""

    name: str
    value: Scalar | tuple[Scalar, ...]
    location: Location


STAGED_MACRO = "an1498_staged"
"""Splunk's macro for the index of what event searches write, in searches that write there and in searches that read there."""


@dataclass(frozen=True, slots=True)
class Staging:
    """How a staged target works: event rules write what they match, correlations run over that.

    `index` is Splunk's index of the written events, `space` the Kibana space whose building-block alerts are read; `lag_s` is how
    long after its time a run of an event rule may take until its results can be searched."""

    index: str
    space: str
    lag_s: int


@dataclass(frozen=True, slots=True)
class Target:
    """One environment of an1498.toml `[targets.<name>]`. `staging` is None where correlations run over the raw events."""

    name: str
    backend: str
    languages: tuple[Language, ...]
    layouts: tuple[Layout, ...]
    entity: Entity
    interval_s: int
    ingest_lag_s: int
    options: Mapping[str, Any]
    location: Location
    staging: Staging | None = None

    @property
    def macros(self) -> dict[str, str]:
        """Splunk's macros that the target's searches use, with their default definitions, sorted by name."""
        found = {source.macro: source.macro_definition for layout in self.layouts for source in layout.sources if source.macro}
        if self.staging is not None and self.backend == "splunk":
            found[STAGED_MACRO] = f"index={self.staging.index}"
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class EventRule:
    """A Sigma detection rule. `document` is the YAML mapping as written; placeholders and filters are resolved by the compiler."""

    name: str
    id: str
    title: str
    level: str
    product: str
    service: str
    document: Mapping[str, Any]
    location: Location
    key_locations: Mapping[tuple[str | int, ...], Location] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """A Sigma filter document that narrows event rules (trusted endpoints, allowed processes, trusted issuers)."""

    name: str
    id: str
    title: str
    document: Mapping[str, Any]
    location: Location
    key_locations: Mapping[tuple[str | int, ...], Location] = field(repr=False)


class CorrelationType(StrEnum):
    """Sigma 2.1 correlation types."""

    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"
    VALUE_SUM = "value_sum"
    VALUE_AVG = "value_avg"
    VALUE_PERCENTILE = "value_percentile"
    VALUE_MEDIAN = "value_median"


@dataclass(frozen=True, slots=True)
class Condition:
    """`{gte: 5, field: x}`. `bounds` holds (operator, number) pairs, all of which must hold: gt, gte, lt, lte, eq, neq.
    `expression` is the text of a boolean temporal condition instead."""

    bounds: tuple[tuple[str, float], ...] = ()
    fields: tuple[str, ...] = ()
    percentile: float | None = None
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Correlation:
    """A Sigma correlation rule with parameters applied. `rules` are names of event rules or correlations, in order;
    `aliases` maps an alias to {rule name: native field}; `timespan_s` is the window W."""

    name: str
    id: str
    title: str
    level: str
    type: CorrelationType
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan_s: int
    aliases: Mapping[str, Mapping[str, str]]
    condition: Condition
    document: Mapping[str, Any]
    location: Location
    key_locations: Mapping[tuple[str | int, ...], Location] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pack:
    """All content, validated: the only thing that the compiler reads."""

    root: Path
    name: str
    version: str
    attack_version: str
    parameters: Mapping[str, Parameter]
    targets: Mapping[str, Target]
    rules: Mapping[str, EventRule]
    filters: Mapping[str, Filter]
    correlations: Mapping[str, Correlation]

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layouts of all targets, each once."""
        found = {layout.name: layout for target in self.targets.values() for layout in target.layouts}
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Deviation:
    """A declared difference between the Sigma rule's meaning and what a search can say. `code` is stable, `text` one sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """One emitted search: the unit of searches.json (formats.md), plus what replay needs to read its alerts.

    `group_by` names the columns of the alert's group in the result (SPL, ES|QL) or the order of `join_keys` (EQL);
    `time_field` is the result column with the alert's time. `stages` explains, per stage, the rule and its condition text,
    so that a lost event can be traced. `tiebreaker` is the EQL tiebreaker field, empty where none is set.

    On a staged target `staged` is true for a correlation (it reads what the event searches of its stages have written), and
    `staged_as` is the id under which an event search's results are written: Splunk's `source`, Kibana's `rule_id`."""

    rule: str
    id: str
    title: str
    target: str
    language: Language
    kind: str
    text: str
    timespan_s: int
    interval_s: int
    lookback_s: int
    entity_fields: tuple[str, ...]
    required_fields: tuple[str, ...]
    level: str
    risk_score: int
    deviations: tuple[Deviation, ...]
    group_by: tuple[str, ...]
    time_field: str
    stages: tuple[tuple[str, str], ...]
    tiebreaker: str
    location: Location
    staged: bool = False
    staged_as: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """What the agent that ships a log knows about its machine. `ips` is empty where the address is unknown. `timezone` says what the
    local times of a text log mean (`UTC`, `+02:00`, `Europe/Berlin`); empty is UTC."""

    name: str = ""
    id: str = ""
    ips: tuple[str, ...] = ()
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class NativeEvent:
    """One raw record after a telemetry reader: native field names, native types, UTC time in microseconds."""

    product: str
    service: str
    time_us: int
    fields: Mapping[str, Any]
    location: Location
    host: Host | None = None


@dataclass(frozen=True, slots=True, order=True)
class Alert:
    """An alert of a correlation: its last event's time (ms since the epoch) and the group's keys and values, sorted by key."""

    time_ms: int
    group: tuple[tuple[str, str], ...]
