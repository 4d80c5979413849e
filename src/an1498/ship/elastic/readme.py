"""README.md of a bundle: what is in it and in which order it goes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from an1498.model import ELASTIC_ASSETS, Entity, LayoutSource, Target
from an1498.ship.assets import TABLE_FIELD
from an1498.ship.elastic.markdown import code
from an1498.ship.elastic.rule import Rule

_HEAD = """# AN1498 for Elastic, target {target}

{rules} rules ({kinds}), all disabled. Needs Elastic Security 8.18 or later; alert suppression needs the subscription that Elastic
asks for it. Written by `an1498 build`; change the content, not these files.

`an1498 apply --target {target}` does steps 1 and 2 but for the roll-over{more}, keeps local tuning and can be rolled back;
the commands here do the same by hand.

## 1. Elasticsearch: fields

Component templates first, then ingest pipelines, then roll the data streams over, so that new indices have the fields:

```sh
"""

_TAIL = """```

A name that begins with `logs-` is what an integration's own index template and pipeline call (`…@custom`). Where the index template is
not Fleet's (Corelight's, or your own), add the component template to its `composed_of`, and call the pipeline at the end of
yours with a `pipeline` processor. A name that begins with `an1498-` always needs both. If a template or pipeline of that name exists
already, merge the bodies by hand: `PUT` replaces.

## 2. Kibana: exception lists, rules, dashboard

In this order: a rule that names an exception list which is not there yet loses it.

```sh
import() { curl -X POST "$KIBANA/api/$1/_import?overwrite=$2" -H 'kbn-xsrf: true' -H "Authorization: ApiKey $KEY" -F "file=@$3"; }
import exception_lists false exceptions.ndjson
import detection_engine/rules true rules.ndjson
import saved_objects true dashboard.ndjson
```

`overwrite=true` also sets rules back to disabled and drops edits made in Kibana; exception lists are kept with `overwrite=false`.

## 3. Enable

Correlations without the tag `Alternative` alert; the alternatives detect the same in ES|QL, enable one of the two. Building blocks
(tag `Rule Type: BBR`) are {blocks}.
"""

_OPTIONAL = "context and optional"
_STAGED = """what the correlations of this staged target read: enable those that a correlation's setup
guide names, in the space whose alerts it reads, and let an exception of theirs excuse an event from the correlations too"""

_ASSETS = f"""
## 4. Assets: whose address it was

The ES|QL correlations of this target join the lookup index `{ELASTIC_ASSETS}`: without it they end in an error, and while it is empty
nothing alerts. Needs LOOKUP JOIN (Elasticsearch 8.18 or later). Once:

```sh
curl -X PUT "$ES/{ELASTIC_ASSETS}" -H 'content-type: application/json' -H "Authorization: ApiKey $KEY" \\
  -d @lookup_index/{ELASTIC_ASSETS}.json
```

Then at least as often as the rules run, from logs that reach to the present: load the new table, and delete what it no longer has.
Until the second call has ended, a host may still be known at an address that it has just lost.

```sh
an1498 assets build /var/log/zeek --cmdb cmdb.csv --since 2026-01-01T00:00:00Z --out assets
curl -X POST "$ES/_bulk?refresh=true" -H 'content-type: application/x-ndjson' -H "Authorization: ApiKey $KEY" \\
  --data-binary @assets/{ELASTIC_ASSETS}.ndjson
TABLE=$(sed -n '2s/.*"{TABLE_FIELD}": "\\([0-9a-f]*\\)".*/\\1/p' assets/{ELASTIC_ASSETS}.ndjson)
curl -X POST "$ES/{ELASTIC_ASSETS}/_delete_by_query?refresh=true" -H 'content-type: application/json' -H "Authorization: ApiKey $KEY" \\
  -d '{{"query": {{"bool": {{"must_not": {{"term": {{"{TABLE_FIELD}": "'"$TABLE"'"}}}}}}}}}}'
```
"""


def readme(target: Target, names: Mapping[str, LayoutSource], rules: Iterable[Rule]) -> str:
    counts = Counter(str(rule["type"]) for rule in rules)
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
    more = ", makes the index of step 4" if target.entity is Entity.LOOKUP else ""
    lines = [_HEAD.format(target=target.name, rules=counts.total(), kinds=kinds, more=more)]
    for folder, api in (("component_templates", "_component_template"), ("ingest_pipelines", "_ingest/pipeline")):
        for name in names:
            quoted = f"{folder}/{name}.json"
            lines.append(
                f'curl -X PUT "$ES/{api}/{name}" -H \'content-type: application/json\' -H "Authorization: ApiKey $KEY" -d @{quoted}\n'
            )
    for name in names:
        if name.startswith("logs-"):
            stream = name.removesuffix("@custom")
            lines.append(f'curl -X POST "$ES/{stream}-default/_rollover" -H "Authorization: ApiKey $KEY"\n')
    assets = _ASSETS if target.entity is Entity.LOOKUP else ""
    listed = "".join(f"\n- {code(name)}: {code(source.index)}" for name, source in names.items())
    tail = _TAIL.replace("{blocks}", _STAGED if target.staging else _OPTIONAL)
    return "".join([*lines, tail, assets, "\n## Names and data\n", listed, "\n"])
