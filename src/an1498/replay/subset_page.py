"""docs/replay.md from the languages' own tables: `python -m an1498.replay.subset_page > docs/replay.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from an1498.replay.eql.functions import FUNCTIONS as EQL_FUNCTIONS
from an1498.replay.esql.expressions import AGGREGATE_FUNCTIONS
from an1498.replay.esql.expressions import FUNCTIONS as ESQL_FUNCTIONS
from an1498.replay.spl.aggregates import FUNCTIONS as SPL_AGGREGATES
from an1498.replay.spl.eval_functions import FUNCTIONS as SPL_FUNCTIONS
from an1498.replay.spl.parse import COMMANDS as SPL_COMMANDS

_HEAD = """# What replay executes

`an1498 replay` runs a search's text over events in indexed form, on an evaluator of our own (DuckDB below it). It knows a subset of each
language. What is outside it is refused: one line with file, line and column, exit code 2. The same holds where only the events show that
the vendor's documentation does not decide the answer ("a percentile that falls between two values"). Nothing here was run on Splunk or
on Elasticsearch; the rules are those of the vendors' pages that the modules under `src/an1498/replay/` cite, and tests/replay/ shows
them at work.

```sh
an1498 replay --language spl --search hunt.spl --events events.ndjson --lookup assets=assets.csv
```

Events are JSON objects, one a line: nested objects and dotted keys are one field, arrays are multivalues, null and `[]` mean that the
field is missing, `_time` and `@timestamp` are epoch seconds or RFC 3339. The lists below are written from the code
(`python -m an1498.replay.subset_page`).
"""

_SPL = """
## SPL

Fields are text, as Splunk stores them; text that looks like a number is one where a number is needed. Events come newest first. The time
zone is UTC, the time range is all time. `now()` and `makeresults` are the time of the run; a search of the pack, which must give the same
alerts on every run, may not use them.

Commands: {commands}.

Functions of `eval` and `where`: {functions}.

Functions of `stats`, `chart` and their kin: {aggregates}, and `perc<N>`, `p<N>`, `exactperc<N>`, `upperperc<N>`.

| construct | what replay does |
| --- | --- |
| subsearches | among search terms, in `append`, `appendcols`, `appendpipe`, `join`, `multisearch`, `union`; refused above Splunk's limits |
| `union` | of events at the beginning of a search (as `multisearch`), or of results of `stats`, `chart`, `timechart`, `top`, `rare` |
| `join` | `type=inner` or `left`/`outer`, `max=1`; the subsearch must end without `_time` and `_raw` (`table`, `stats`) |
| `chart`, `timechart` | one row and one column field; `timechart` needs `span`; more series than `limit` (Splunk's OTHER) are refused |
| `eval(…)` in them | an expression of aggregations of fields; `timechart` then needs `BY` |
| `bin` | `_time` by a span that divides a day; a number by a whole `span` |
| `lookup` | CSV tables by exact match; several rows of one key give a multivalue |
| `extract`, `kv` | `_raw` by `pairdelim` and `kvdelim`; quotation marks, spaces around keys, a key twice are refused |
| `fieldformat` | the value stays, as in Splunk's exports |
| `printf` | null arguments, fractions for `%d` and widths of text beyond ASCII are refused |
| JSON functions | paths of keys, in `json_extract` `{{<number>}}` and `{{}}`; fields that are JSON numbers, `1.0` from JSON: refused |
| macros | those of the content, or of `--macros FILE`; quotation marks in arguments are refused |
| regular expressions | PCRE without look-around and back-references |
| `NOT`, `!=` on a missing field in `where` | refused: the documentation does not say |
| numbers as text | `1` and `1.0` in one comparison, a rounded number in a text: refused |

Refused, among others: `tstats`, `datamodel`, `from`, `mstats`, `transaction`, `map`, `iplocation`, `eventtype=` and `tag=`, `earliest=` and
`latest=`, `PREFIX()`, `sparkline`, `time_window`, `random()`, `sha512()`, `lookup()`, other `json_` functions. Lookups match exactly: a
definition with `match_type` (wildcards, CIDR) lives in transforms.conf, which replay does not read.
"""

_EQL = """
## EQL

As Elasticsearch reads it, not Endgame: `==` and functions without `~` are case-sensitive, text stands in double quotes, pipes are `head`
and `tail`. The event category is `event.category`, the time `@timestamp` (`--event-category-field`, `--timestamp-field`,
`--tiebreaker-field`).

Functions: {functions}.

Event queries, `sequence` (`by`, `with maxspan`, `with runs`, `until`, missing events `![…]`), `sample`, optional fields `?x`, `in`, `in~`,
`:`, `like`, `like~`, `regex`, `regex~`, arithmetic, null tests. A field that no event and no mapping has is an error, as in Elasticsearch.

Refused: Endgame's `=`, single quotes, `join`, `of` relations, array indexes, functions over arrays, and the pipes `filter`, `unique`,
`unique_count`, `sort`, `count`; comparisons of two fields.
"""

_ESQL = """
## ES|QL

Three-valued logic; a comparison of a multivalue is null; 1,000 rows without `LIMIT`, at most 10,000. Types come from `--mapping FILE`, else
from the values; a field all of whose values are dates with a time is a date, as Elasticsearch's dynamic mapping has it.

Commands: `FROM` (with `METADATA`), `ROW`, `WHERE`, `EVAL`, `STATS`, `INLINE STATS`, `KEEP`, `DROP`, `RENAME`, `SORT`, `LIMIT`, `MV_EXPAND`,
`DISSECT`, `LOOKUP JOIN`, `ENRICH`.

Functions: {functions}.

Aggregate functions: {aggregates}, each with its own `WHERE`.

Refused: `GROK`, `CHANGE_POINT`, `COMPLETION`, `FORK`, `FUSE`, `RERANK`, `SAMPLE`, `SHOW`, `TS`, full-text search (`MATCH`, `QSTR`, `KQL`,
`:`), query parameters, `NOW()`, and every function that is not listed.
"""

_LUCENE = """
## Lucene

The `query_string` query: terms, phrases, `field:value`, `field:(a OR b)`, wildcards, regular expressions, ranges with date math on fixed
dates, `_exists_`, `AND`, `OR`, `NOT`, `+`, `-`. The default field is every field of the events. Clauses combine as Lucene's classic parser
combines them, without precedence. Strings are keywords, as in ECS indices, unless `--mapping FILE` makes a field `text`.

Refused: boosts, fuzzy terms and slop, `now` in dates, patterns of field names, text fields beyond ASCII, and regular expression operators
that RE2 lacks.
"""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def page() -> str:
    """The page's whole text."""
    return "".join(
        [
            _HEAD,
            _SPL.format(commands=_listed(SPL_COMMANDS), functions=_listed(SPL_FUNCTIONS), aggregates=_listed(SPL_AGGREGATES)),
            _EQL.format(functions=_listed(EQL_FUNCTIONS)),
            _ESQL.format(functions=_listed(ESQL_FUNCTIONS), aggregates=_listed(AGGREGATE_FUNCTIONS)),
            _LUCENE,
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
