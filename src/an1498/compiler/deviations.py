"""Every difference between a Sigma rule's meaning and what a search can say. A difference that is not here is a bug."""

from __future__ import annotations

from collections.abc import Iterable

from an1498.model import Deviation

ROW_LIMIT = 10_000
MAX_SIGNALS = 1000
"""Alerts of a rule's run: Kibana's own limit (`xpack.alerting.rules.run.alerts.max`), since an alert beyond it is lost."""

DEVIATIONS = {
    "elastic-millisecond-time": "Elasticsearch keeps milliseconds: two events inside one millisecond count as simultaneous.",
    "eql-equal-timestamps": (
        "EQL orders events of the same millisecond by arrival, where the rule does not order them: such a pair may alert."
    ),
    "eql-clock-skew-reversed": (
        "EQL cannot shift clocks: a second search finds the reversed pair within the clock skew; an event may be part of an alert of each "
        "search."
    ),
    "eql-clock-skew-missed": "EQL cannot shift clocks: a sequence whose events are stamped out of order by clock skew is missed.",
    "esql-row-limit": f"ES|QL returns at most {ROW_LIMIT:,} rows of a run; more are cut.",
    "esql-unmapped-field": (
        "ES|QL refuses a query that names a field which no index has mapped yet: it starts to work with the first event that has it, "
        "or with the bundle's component templates."
    ),
    "esql-array-separator": "ES|QL searches an array as its values joined by line feeds; a value that holds one is searched as two.",
    "value-floating-point": (
        "Sums, averages and interpolated percentiles are double-precision numbers: one that differs from its threshold by no more than "
        "their rounding may fall on either side of it."
    ),
    "range-start": (
        "A count that has held since before a run's lookback shows a rising edge at the start of every run's range. The Splunk app drops "
        "these edges; an ES|QL text cannot, because Kibana gives the range beside the query, not in it."
    ),
    "staged-late-run": (
        "A staged correlation reads what event searches have written: events of a run that ends later than `staging_lag` after its time "
        "are missing from the correlation's run."
    ),
    "staged-event-of-two-stages": (
        "An event that matches two stages raises two alerts of one time: where the rules' ranks do not order the stages, EQL may take them "
        "for a sequence."
    ),
    "staged-max-signals": (
        f"Kibana keeps {MAX_SIGNALS:,} alerts of a run: a building block that matches more events than that in an interval loses the rest "
        "for the correlations."
    ),
    "spl-streamstats-limit": (
        "Splunk's manual bounds streamstats by max_stream_window (10,000 results by default): raise it in limits.conf where one run "
        "finds more matching events."
    ),
}


def declared(codes: Iterable[str]) -> tuple[Deviation, ...]:
    """The deviations of the codes, sorted, each once."""
    return tuple(Deviation(code, DEVIATIONS[code]) for code in sorted(set(codes)))
