"""Which columns of which log are kept, and the condition that a record must pass to be kept at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from an1498.errors import UsageError
from an1498.model import Derivation, Entity, LayoutSource, Search, Target
from an1498.replay.prepare import prepare
from an1498.replay.spl import Prepared
from an1498.replay.spl.prefilter import Passing, passing
from an1498.replay.spl.values import Kind

_DETAILS: Mapping[tuple[str, str], str] = {
    ("macos", "unifiedlog"): """
        eventType messageType eventMessage subsystem category processImagePath processID senderImagePath userID
    """,
    ("zeek", "ssl"): """
        uid id.orig_h id.orig_p id.resp_h id.resp_p version cipher curve server_name resumed last_alert next_protocol established
        ssl_history cert_chain_fps cert_chain_fuids subject issuer sni_matches_cert validation_status ja3 ja3s ja4
    """,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A stored field: its native name, the names under which it is stored, whether it holds several values."""

    native: str
    indexed: tuple[str, ...]
    array: bool


@dataclass(frozen=True, slots=True)
class Source:
    """One log source as the hunt keeps it; `passing` says which of its records a search may need."""

    product: str
    service: str
    layout: LayoutSource
    columns: tuple[Column, ...]
    passing: Passing

    @property
    def wanted(self) -> bool:
        return not self.passing.never

    @property
    def plain(self) -> bool:
        """Whether each column but the machine's address is a field of the record, so that SQL can fill it."""
        known = {row.native for row in self.layout.fields} - {"host.ip"}
        computed = [derived for derived in self.layout.derived if derived.derivation is not Derivation.COPY]
        kept = {name for column in self.columns for name in column.indexed}
        return not any(derived.native in known and derived.indexed in kept for derived in computed)

    def native(self, indexed: str) -> str:
        """The native field that is stored under a name; the name itself where none is."""
        return next((column.native for column in self.columns if indexed in column.indexed), indexed)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look for: the searches, parsed, and the log sources that they read."""

    target: Target
    searches: tuple[tuple[Search, Prepared], ...]
    sources: tuple[Source, ...]

    @property
    def fields(self) -> Mapping[str, bool]:
        """Every indexed field of the events' table → whether it holds several values."""
        found: dict[str, bool] = {}
        for source in self.sources:
            for name in source.layout.constants:
                found.setdefault(name, False)
            for column in source.columns:
                for name in column.indexed:
                    found[name] = found.get(name, False) or column.array
        return found

    def source(self, product: str, service: str) -> Source | None:
        return next((one for one in self.sources if (one.product, one.service) == (product, service)), None)

    def skips(self, product: str, service: str) -> bool:
        """Whether no search reads this log."""
        source = self.source(product, service)
        return source is None or not source.wanted


def plan(target: Target, searches: Sequence[Search]) -> Plan:
    """Raises UsageError for a target whose searches are not SPL, SearchSyntaxError where a search cannot be executed."""
    if target.backend != "splunk":
        raise UsageError(f"target '{target.name}' is for {target.backend}; hunt runs SPL: choose a target with backend = \"splunk\"")
    if target.entity is not Entity.IP:
        how = f"target '{target.name}' has entity = \"{target.entity}\"; hunt takes the address that a Mac had at the time for the machine"
        raise UsageError(f'{how}: choose a target with entity = "ip"')
    macros = target.macros
    prepared: list[tuple[Search, Prepared]] = []
    for search in searches:
        one = prepare(search.language, search.text, name=search.rule, macros=macros)
        assert isinstance(one, Prepared)
        prepared.append((search, one))
    needed = frozenset(field for _, one in prepared for field in one.fields or ())
    layouts = [source for layout in target.layouts for source in layout.sources]
    return Plan(target, tuple(prepared), tuple(_source(layout, needed, [one for _, one in prepared]) for layout in layouts))


def _source(layout: LayoutSource, needed: frozenset[str], searches: Sequence[Prepared]) -> Source:
    details = _DETAILS.get((layout.product, layout.service), "").split()
    columns = []
    for row in layout.fields:
        names = (row.indexed, *(d.indexed for d in layout.derived if d.native == row.native and d.derivation is Derivation.COPY))
        computed = {derived.indexed for derived in layout.derived if derived.derivation is not Derivation.COPY}
        kept = tuple(name for name in dict.fromkeys(names) if name not in computed)
        if kept and (row.native in details or any(name in needed for name in kept)):
            columns.append(Column(row.native, kept, row.array))
    columns += [
        Column(derived.native, (derived.indexed,), False)
        for derived in layout.derived
        if derived.derivation is not Derivation.COPY and (derived.indexed in needed or derived.indexed == layout.entity_field)
    ]
    kinds = {name: Kind.LIST if column.array else Kind.TEXT for column in columns for name in column.indexed}
    constants = {name: str(value) for name, value in layout.constants.items()}
    return Source(layout.product, layout.service, layout, tuple(columns), passing(searches, kinds, constants))
