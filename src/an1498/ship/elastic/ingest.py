"""Ingest pipelines and component templates, generated from the layout tables (`derived`, `rank`, `unmapped`, text fields).

The vendor's pipeline computes every derived field but those below `an1498.`; ours computes these and the rank. Names and values
reach the Painless scripts only as `params`, so that no value can change a script. What the scripts must compute is what
replay/ingest.py computes; a test runs both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from an1498.content.kibana import CARRIER, carried
from an1498.errors import ContentError
from an1498.model import ELASTIC_ASSET_TYPES, Derivation, FieldType, Layout, LayoutSource, Target
from an1498.ship.assets import TABLE_FIELD
from an1498.ship.elastic.fields import MULTI_FIELD, es_type

OWN = "an1498"
"""The object below which the pack's own fields are stored."""

UNUSABLE = (
    "0.0.0.0/32",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "::/128",
    "::1/128",
    "fe80::/10",
    "ff00::/8",
)
"""Unspecified, loopback, link-local and multicast networks: an address there says nothing about the machine (RFC 6890)."""

# A keyword's longest text: Lucene's limit of 32,766 bytes, divided by UTF-8's four bytes per character.
WHOLE_TEXT = 8191
KEYWORD = 1024

# Painless (Elasticsearch, "Painless language specification"; class CIDR of the shared API). CIDR.contains throws for what is not an
# address, `host.ip` may be one text or a list, and two spellings of one address are one address.
ENTITY_SCRIPT = """\
boolean isUsable(def item, def unusable) {
  if (!(item instanceof String) || item == '') {
    return false;
  }
  try {
    for (def network : unusable) {
      if (new CIDR(network).contains(item)) {
        return false;
      }
    }
    return true;
  } catch (IllegalArgumentException e) {
    return false;
  }
}
def value = ctx;
for (def key : params.path) {
  value = value instanceof Map ? value[key] : null;
}
def found = null;
boolean several = false;
for (def item : value instanceof List ? value : [value]) {
  if (isUsable(item, params.unusable)) {
    if (found == null) {
      found = item;
    } else if (!new CIDR(found).contains(item)) {
      several = true;
    }
  }
}
if (ctx.an1498 == null) {
  ctx.an1498 = [:];
}
if (found == null || several) {
  ctx.an1498.remove(params.field);
} else {
  ctx.an1498[params.field] = found;
}
"""

# Texts compare without regard to case, as Sigma's do. The first case that holds wins.
RANK_SCRIPT = """\
def rank = null;
for (def rule : params.cases) {
  def value = ctx;
  for (def key : rule.path) {
    value = value instanceof Map ? value[key] : null;
  }
  for (def wanted : rule.values) {
    if (rank == null && value != null) {
      if (value instanceof String && wanted instanceof String) {
        if (wanted.equalsIgnoreCase(value)) {
          rank = rule.rank;
        }
      } else if (value == wanted) {
        rank = rule.rank;
      }
    }
  }
}
if (ctx.an1498 == null) {
  ctx.an1498 = [:];
}
ctx.an1498.rank = rank == null ? params.default_rank : rank;
"""

Body = dict[str, Any]


def ingest_pipeline(layout: Layout, source: LayoutSource, version: int, *, staged: bool = False) -> Body:
    """The body of `PUT _ingest/pipeline/<name>`; with `staged`, for a target whose correlations run over alerts. Raises ContentError where
    the table asks for a field that no step computes."""
    return {
        "description": f"AN1498: the machine's address and the order of events of one millisecond ({source.product}/{source.service})",
        "version": version,
        "processors": [*_derived(layout, source), *_carried(source, staged=staged), _rank(source)],
        "on_failure": [{"append": {"field": "error.message", "value": "an1498: {{{_ingest.on_failure_message}}}"}}],
        "_meta": _meta(),
    }


def _derived(layout: Layout, source: LayoutSource) -> Iterable[Body]:
    for row in source.derived:
        if not row.indexed.startswith(f"{OWN}."):
            continue
        native = source.by_native(row.native)
        if native is None or row.derivation not in (Derivation.USABLE_ADDRESS, Derivation.COPY):
            raise ContentError(
                layout.location,
                f"'{row.indexed}' is derived from '{row.native}' by '{row.derivation}', which our ingest pipeline cannot compute",
                "derive fields below 'an1498.' from stored fields, as 'usable_address' or 'copy'",
            )
        if row.derivation is Derivation.COPY:
            yield {"set": {"tag": row.indexed, "field": row.indexed, "copy_from": native.indexed, "ignore_empty_value": True}}
        else:
            params = {"path": native.indexed.split("."), "field": row.indexed.removeprefix(f"{OWN}."), "unusable": list(UNUSABLE)}
            yield {"script": {"tag": row.indexed, "lang": "painless", "source": ENTITY_SCRIPT, "params": params}}


def _carried(source: LayoutSource, *, staged: bool) -> Iterable[Body]:
    """Copies of our fields in ECS fields, which alerts keep; what the sender put there goes."""
    for name, carrier in carried(source).items() if staged else ():
        yield {"remove": {"tag": f"{carrier} of the sender", "field": carrier, "ignore_missing": True}}
        yield {"set": {"tag": carrier, "field": carrier, "copy_from": name, "ignore_empty_value": True}}


def _rank(source: LayoutSource) -> Body:
    if not source.rank_cases:
        return {"set": {"tag": f"{OWN}.rank", "field": f"{OWN}.rank", "value": source.rank}}
    cases = [
        {
            "path": (row.indexed if (row := source.by_native(case.field)) else case.field).split("."),
            "values": list(case.values),
            "rank": case.rank,
        }
        for case in source.rank_cases
    ]
    params = {"cases": cases, "default_rank": source.rank}
    return {"script": {"tag": f"{OWN}.rank", "lang": "painless", "source": RANK_SCRIPT, "params": params}}


def component_template(source: LayoutSource, version: int, *, staged: bool = False) -> Body:
    """The body of `PUT _component_template/<name>`: our own fields, whole texts beside analysed ones, and what the vendor does not map;
    with `staged`, the ECS fields that carry fields of ours too."""
    mappings: dict[str, Body] = {f"{OWN}.rank": {"type": "long"}}
    for derived in source.derived:
        if derived.indexed.startswith(f"{OWN}."):
            mappings[derived.indexed] = {"type": es_type(derived.type)}
    if staged and carried(source):
        mappings[CARRIER] = {"type": es_type(FieldType.IP)}
    for row in source.fields:
        if row.type is FieldType.TEXT:
            whole = {MULTI_FIELD.lstrip("."): {"type": "keyword", "ignore_above": WHOLE_TEXT}}
            mappings[row.indexed] = {"type": es_type(row.type), "fields": whole}
        elif not row.mapped:
            limit = {"ignore_above": KEYWORD} if row.type is FieldType.KEYWORD else {}
            mappings[row.indexed] = {"type": es_type(row.type), **limit}
    return {"template": {"mappings": {"properties": _nested(mappings)}}, "version": version, "_meta": _meta()}


def assets_index() -> Body:
    """The body of `PUT <index>` for the table of assets (Elasticsearch, index modules: `index.mode` lookup has one shard)."""
    types = {**ELASTIC_ASSET_TYPES, TABLE_FIELD: FieldType.KEYWORD}
    properties = {name: {"type": es_type(kind)} for name, kind in types.items()}
    return {"settings": {"index": {"mode": "lookup"}}, "mappings": {"dynamic": False, "properties": properties, "_meta": _meta()}}


def _nested(mappings: Mapping[str, Body]) -> Body:
    """`a.b: {…}` → `a: {properties: {b: {…}}}`."""
    root: Body = {}
    for name, mapping in sorted(mappings.items()):
        *parents, leaf = name.split(".")
        level = root
        for parent in parents:
            level = level.setdefault(parent, {}).setdefault("properties", {})
        level.setdefault(leaf, {}).update(mapping)
    return root


def _meta() -> Body:
    return {"managed_by": "an1498"}


def layout_of(target: Target, source: LayoutSource) -> Layout:
    return next(layout for layout in target.layouts if source in layout.sources)
