"""Empty lists: membership in nothing is false, and what is false leaves the condition as if it had never been there."""

from __future__ import annotations

import pytest
from tests.compiler.build import TARGETS, pack, texts

from an1498.errors import Unsupported
from an1498.model import Language

SELECTION = "selection: {server_name: x}"
PLAIN = f"{SELECTION}\ncondition: selection"


def same(with_parameter: str, without: str) -> bool:
    return texts(with_parameter) == texts(without)


@pytest.mark.parametrize(
    ("with_parameter", "without"),
    [
        (f"{SELECTION}\nfilter: {{note|expand: '%no_names%'}}\ncondition: selection and not filter", PLAIN),
        (
            f"{SELECTION}\nfilter_a: {{note|expand: '%no_names%'}}\nfilter_b: {{note: y}}\ncondition: selection and not 1 of filter_*",
            f"{SELECTION}\nfilter_b: {{note: y}}\ncondition: selection and not 1 of filter_*",
        ),
        (
            f"{SELECTION}\nfilter_a: {{note|expand: '%no_names%'}}\ncondition: selection and not 1 of filter_*",
            PLAIN,
        ),
        (
            f"{SELECTION}\nfilter: {{note|expand: '%no_names%', subject: y}}\ncondition: selection and not filter",
            PLAIN,
        ),
        (
            f"{SELECTION}\nfilter: [{{note|expand: '%no_names%'}}, {{subject: y}}]\ncondition: selection and not filter",
            f"{SELECTION}\nfilter: {{subject: y}}\ncondition: selection and not filter",
        ),
        (
            f"{SELECTION}\nother: {{note|contains|expand: '%no_names%'}}\ncondition: selection or other",
            PLAIN,
        ),
        (f"{SELECTION}\nother: {{note|expand: '%no_names%'}}\ncondition: 1 of them", PLAIN),
        ("selection: {server_name|expand: ['%no_names%', x]}\ncondition: selection", PLAIN),
        ("selection: {server_name: x, note|neq|expand: '%no_names%'}\ncondition: selection", PLAIN),
        (
            f"{SELECTION}\nfilter_a: {{note|expand: '%no_names%'}}\nfilter_b: {{subject: y}}\ncondition: selection and not all of filter_*",
            PLAIN,
        ),
        (
            f"detection:\n  {SELECTION}\n  condition: selection\n---\n"
            "filter: {rules: [rule], excused: {note|expand: '%no_names%'}, condition: not excused}",
            PLAIN,
        ),
    ],
)
def test_an_empty_list_leaves_the_rest(with_parameter: str, without: str) -> None:
    assert same(with_parameter, without)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("selection: {server_name|expand: '%no_names%'}\ncondition: selection", "no event can meet"),
        (f"{SELECTION}\nneeded: {{note|expand: '%no_names%'}}\ncondition: all of them", "no event can meet"),
        ("filter: {server_name|expand: '%no_names%'}\ncondition: not filter", "true for every event"),
        ("selection: {server_name|contains|all|expand: ['%no_names%']}\ncondition: selection", "modifier 'all'"),
        (
            f"detection:\n  {SELECTION}\n  condition: selection\n---\n"
            "filter: {rules: any, only: {note|expand: '%no_names%'}, condition: only}",
            "no event can meet",
        ),
    ],
)
def test_an_empty_list_that_decides_is_refused(rule: str, problem: str) -> None:
    for text in texts(rule).values():
        assert text.startswith("REFUSED") and problem in text and "no_names" in text


def test_a_filled_list_applies() -> None:
    rule = f"{SELECTION}\nfilter: {{note|expand: '%one_name%'}}\ncondition: selection and not filter"
    assert texts(rule) == texts(f"{SELECTION}\nfilter: {{note: only}}\ncondition: selection and not filter")


def test_filters_choose_by_rule_and_log_source() -> None:
    plain = texts(PLAIN)
    rule = f"detection:\n  {SELECTION}\n  condition: selection\n---\n"
    other = "name: other\ndetection: {s: {note: y}, condition: s}\n---\n"
    assert texts(rule + other + "filter: {rules: [other], f: {note: z}, condition: not f}", rule="rule") == plain
    mac = "name: other\nlogsource: {product: macos, service: unifiedlog}\ndetection: {s: {category: y}, condition: s}\n---\n"
    narrowed = "logsource: {product: macos, service: unifiedlog}\nfilter: {rules: any, f: {category: z}, condition: not f}"
    assert texts(rule + mac + narrowed, rule="rule") == plain
    assert texts(rule + other + "filter: {rules: any, f: {note: z}, condition: not f}", rule="rule") != plain


def test_a_filter_is_not_part_of_the_rules_own_quantifiers() -> None:
    rule = "detection:\n  selection: {server_name: x}\n  condition: 1 of them\n---\nfilter: {rules: any, f: {note: z}, condition: not f}"
    assert texts(rule)[Language.SPL] == '`zeek` (server_name="x" NOT note="z")'


def test_refusals_name_rule_line_target_and_remedy() -> None:
    from an1498.compiler import compile_search

    built = pack("name: rule\ndetection:\n  selection:\n    note: fine\n    server_name|re: 'a(?=b)'\n  condition: selection")
    with pytest.raises(Unsupported) as caught:
        compile_search(built, "rule", TARGETS[Language.EQL], Language.EQL)
    refusal = caught.value
    assert (refusal.rule, refusal.target, refusal.language) == ("rule", "elastic", "eql")
    assert refusal.construct == "a lookaround in a regular expression"
    assert refusal.remedy
    assert refusal.exit_code == 1
