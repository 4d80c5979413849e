"""What a Search says beside its text: schedule, fields, deviations, identity; and that compiling is deterministic."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.compiler.build import pack

from an1498.compiler import compile_pack, compile_search
from an1498.compiler.deviations import DEVIATIONS
from an1498.content import load_pack
from an1498.errors import Unsupported, UsageError
from an1498.model import Language
from an1498.replay import eql, esql, lucene, spl

ROOT = Path(__file__).parents[2]
USE = "name: use\n{rank}logsource: {{product: macos, service: unifiedlog}}\ndetection: {{s: {{category: k}}, condition: s}}\n---\n"
TLS = "name: tls\n{rank}detection: {{s: {{server_name: evil}}, condition: s}}\n---\n"
ORDERED = (
    "correlation: {type: temporal_ordered, rules: [use, tls], group-by: [entity], timespan: 5m, "
    "aliases: {entity: {use: host.ip, tls: id.orig_h}}}"
)
COUNT = "correlation: {type: event_count, rules: [tls], group-by: [id.orig_h], timespan: 10m, condition: {gte: 3}}"


def rules(use: str = "", tls: str = "") -> str:
    return USE.format(rank=use) + TLS.format(rank=tls)


def codes(text: str, target: str, language: Language, parameters: str = "") -> list[str]:
    return [deviation.code for deviation in compile_search(pack(text, parameters), "correlation", target, language).deviations]


def test_lookback_of_an_ordered_correlation() -> None:
    """Window 300 + interval 300 + ingest lag 120 + skew."""
    assert compile_search(pack(rules() + ORDERED), "correlation", "splunk", Language.SPL).lookback_s == 720
    skewed = compile_search(pack(rules() + ORDERED, 'clock_skew = "30s"'), "correlation", "splunk", Language.SPL)
    assert (skewed.timespan_s, skewed.interval_s, skewed.lookback_s) == (300, 300, 750)


def test_lookback_of_a_count_and_of_an_event_rule() -> None:
    """A rising edge needs the state at the event before: a second window."""
    built = pack(rules() + COUNT)
    assert compile_search(built, "correlation", "splunk", Language.SPL).lookback_s == 2 * 600 + 300 + 120
    event = compile_search(built, "tls", "splunk", Language.SPL)
    assert (event.timespan_s, event.lookback_s) == (0, 420)


def test_fields_and_groups() -> None:
    built = pack(rules() + ORDERED)
    splunk = compile_search(built, "correlation", "splunk", Language.SPL)
    assert splunk.entity_fields == ("host_ip", "id.orig_h")
    assert splunk.required_fields == ("category", "host_ip", "id.orig_h", "server_name")
    assert (splunk.group_by, splunk.time_field, splunk.kind) == (("entity",), "_time", "correlation")
    elastic = compile_search(built, "correlation", "elastic", Language.ESQL)
    assert elastic.required_fields == ("category", "entity.ip", "event.dataset", "server.name", "source.ip")
    assert elastic.time_field == "@timestamp"
    assert [stage[0] for stage in elastic.stages] == ["use", "tls"]


def test_text_fields_are_required_by_the_name_that_is_read() -> None:
    built = pack("logsource: {product: macos, service: unifiedlog}\ndetection: {s: {eventMessage: x}, condition: s}")
    assert compile_search(built, "rule", "elastic", Language.EQL).required_fields == ("event.dataset", "message.keyword")
    assert compile_search(built, "rule", "elastic", Language.ESQL).required_fields == ("event.dataset", "message")


def test_risk_scores_by_level_and_by_target() -> None:
    built = pack("s: {note: x}\ncondition: s")
    assert compile_search(built, "rule", "splunk", Language.SPL).risk_score == 47
    target = dataclasses.replace(built.targets["splunk"], options={"risk_scores": {"medium": 60}})
    changed = dataclasses.replace(built, targets={**built.targets, "splunk": target})
    assert compile_search(changed, "rule", "splunk", Language.SPL).risk_score == 60


def test_tiebreaker_where_ranks_decrease() -> None:
    ranked = rules("rank: 2\n", "rank: 1\n") + ORDERED
    search = compile_search(pack(ranked), "correlation", "elastic", Language.EQL)
    assert search.tiebreaker == "an1498.rank"
    assert "eql-equal-timestamps" not in codes(ranked, "elastic", Language.EQL)
    for text in (rules() + ORDERED, rules("rank: 1\n", "rank: 1\n") + ORDERED, rules("rank: 1\n", "rank: 2\n") + ORDERED):
        assert compile_search(pack(text), "correlation", "elastic", Language.EQL).tiebreaker == ""
        assert "eql-equal-timestamps" in codes(text, "elastic", Language.EQL)


def test_clock_skew_adds_the_reversed_sequence_in_eql() -> None:
    built = pack(rules() + ORDERED, 'clock_skew = "2s"')
    found = [s for s in compile_pack(built, ["elastic"]).searches if s.rule == "correlation" and s.language is Language.EQL]
    assert len({search.id for search in found}) == 2
    texts = sorted(search.text.splitlines()[0] for search in found)
    assert texts == ["sequence with maxspan=1999ms", "sequence with maxspan=5m"]
    reversed_text = next(search.text for search in found if "1999ms" in search.text)
    assert reversed_text.index("source.ip") < reversed_text.index("entity.ip")
    assert "eql-clock-skew-reversed" in codes(rules() + ORDERED, "elastic", Language.EQL, 'clock_skew = "2s"')


def test_clock_skew_of_three_stages_is_a_declared_miss() -> None:
    three = ORDERED.replace("[use, tls]", "[use, tls, use2]").replace("tls: id.orig_h", "tls: id.orig_h, use2: host.ip")
    text = rules() + USE.format(rank="").replace("name: use", "name: use2") + three
    assert "eql-clock-skew-missed" in codes(text, "elastic", Language.EQL, 'clock_skew = "2s"')
    assert not any(code.startswith("eql-clock-skew") for code in codes(text, "elastic", Language.EQL))


def test_skew_between_stages_of_one_sensor_changes_nothing() -> None:
    one = "correlation: {type: temporal_ordered, rules: [use, use2], group-by: [processID], timespan: 5m}"
    text = USE.format(rank="") + USE.format(rank="").replace("name: use", "name: use2") + one
    assert (
        compile_search(pack(text, 'clock_skew = "2s"'), "correlation", "elastic", Language.ESQL).text
        == compile_search(pack(text), "correlation", "elastic", Language.ESQL).text
    )


def test_deviations_of_fields() -> None:
    built = pack("s: {last_alert: x, cert_chain_fps: y}\ncondition: s")
    found = {deviation.code for deviation in compile_search(built, "rule", "elastic", Language.ESQL).deviations}
    assert found == {"esql-row-limit", "esql-unmapped-field", "esql-array-separator"}
    assert compile_search(built, "rule", "elastic", Language.EQL).deviations == ()


def test_every_deviation_is_one_sentence_or_two() -> None:
    assert all(text.endswith(".") and len(text) < 260 for text in DEVIATIONS.values())


@pytest.mark.parametrize(
    ("correlation", "construct"),
    [
        ("{type: event_count, rules: [tls], timespan: 5m, condition: {gte: 3}}", "group-by"),
        ("{type: event_count, rules: [tls], group-by: [server_name, nonsense], timespan: 5m, condition: {gte: 3}}", "nonsense"),
        ("{type: event_count, rules: [tls], group-by: [cert_chain_fps], timespan: 5m, condition: {gte: 3}}", "several values"),
        (
            "{type: value_count, rules: [tls], group-by: [id.orig_h], timespan: 5m, condition: {gte: 3, field: cert_chain_fps}}",
            "several values",
        ),
        (
            "{type: value_sum, rules: [tls], group-by: [id.orig_h], timespan: 5m, condition: {gte: 3, field: cert_chain_fps}}",
            "several values",
        ),
    ],
)
def test_correlations_that_cannot_be_said(correlation: str, construct: str) -> None:
    from an1498.errors import ContentError

    with pytest.raises((Unsupported, ContentError), match=construct):
        compile_search(pack(rules() + "correlation: " + correlation), "correlation", "splunk", Language.SPL)


def test_unknown_names_are_usage_errors() -> None:
    built = pack("s: {note: x}\ncondition: s")
    with pytest.raises(UsageError, match="no rule"):
        compile_search(built, "nothing", "splunk", Language.SPL)
    with pytest.raises(UsageError, match="known: elastic, splunk"):
        compile_search(built, "rule", "qradar", Language.SPL)


def test_skipped_rules_are_neither_compiled_nor_refused() -> None:
    built = pack(rules() + COUNT)
    target = dataclasses.replace(built.targets["elastic"], options={"skip": {"correlation": "not here"}})
    found = compile_pack(dataclasses.replace(built, targets={"elastic": target}))
    assert {search.rule for search in found.searches} == {"use", "tls"}
    assert not found.refused


def test_the_pack_compiles_for_every_target_and_replay_reads_every_text() -> None:
    built = load_pack(ROOT)
    found = compile_pack(built)
    assert {(s.target, s.rule) for s in found.searches if s.kind == "correlation"} == {
        (target, rule) for target in built.targets for rule in built.correlations
    }
    assert all(refusal.construct.endswith("over a sliding window") for refusal in found.refused)
    for search in found.searches:
        match search.language:
            case Language.SPL:
                spl.prepare(search.text, macros=found.macros[search.target])
            case Language.EQL:
                eql.prepare(search.text, tiebreaker=search.tiebreaker)
            case Language.ESQL:
                esql.prepare(search.text)
            case Language.LUCENE:
                lucene.prepare(search.text)
        assert search.required_fields == tuple(sorted(set(search.required_fields)))


def test_two_processes_compile_the_same_bytes() -> None:
    program = (
        "import hashlib, pathlib\n"
        "from an1498.compiler import compile_pack\n"
        "from an1498.content import load_pack\n"
        f"print(hashlib.sha256(repr(compile_pack(load_pack(pathlib.Path({str(ROOT)!r}))).searches).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(("number", "text"), [(1234567, "1234567"), (3, "3")])
def test_thresholds_keep_all_their_digits(number: int, text: str) -> None:
    built = pack(rules() + COUNT.replace("gte: 3", f"gte: {number}"))
    assert f"event_count>={text}," in compile_search(built, "correlation", "splunk", Language.SPL).text
    assert f"an1498_count >= {text}," in compile_search(built, "correlation", "elastic", Language.ESQL).text


@pytest.mark.parametrize(
    ("number", "text"), [("0.0000001", "0.0000001"), ("-2.5", "-2.5"), ("123456789012345", "123456789012345"), ("0.1", "0.1")]
)
def test_numbers_have_no_exponent(number: str, text: str) -> None:
    rule = "correlation: {type: value_sum, rules: [tls], group-by: [id.orig_h], timespan: 5m, condition: {gte: %s, field: id.resp_p}}"
    built = pack(rules() + rule % number)
    assert f"value_sum>={text}," in compile_search(built, "correlation", "splunk", Language.SPL).text
    assert f"an1498_sum >= {text}," in compile_search(built, "correlation", "elastic", Language.ESQL).text


@pytest.mark.parametrize("kind", ["value_sum", "value_avg", "value_median", "value_percentile"])
def test_calculations_declare_their_rounding(kind: str) -> None:
    extra = ", percentile: 90" if kind == "value_percentile" else ""
    condition = f"{{gte: 3, field: id.resp_p{extra}}}"
    text = rules() + f"correlation: {{type: {kind}, rules: [tls], group-by: [id.orig_h], timespan: 5m, condition: {condition}}}"
    assert "value-floating-point" in codes(text, "splunk", Language.SPL)
    assert "value-floating-point" in codes(text, "elastic", Language.ESQL)
    assert "value-floating-point" not in codes(rules() + COUNT, "splunk", Language.SPL)


def test_a_calculation_with_text_is_refused_where_fields_have_types() -> None:
    text = "correlation: {type: value_avg, rules: [tls], group-by: [id.orig_h], timespan: 5m, condition: {gte: 3, field: subject}}"
    with pytest.raises(Unsupported, match="calculation with 'subject', which zeek/ssl stores as keyword"):
        compile_search(pack(rules() + text), "correlation", "elastic", Language.ESQL)
