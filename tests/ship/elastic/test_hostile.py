"""Hostile values change no structure: read back, every file says the value and nothing else."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.ship.elastic.conftest import lines
from tests.ship.elastic.hostile import FRAGMENTS, TEXTS
from tests.ship.pack import searches_of, whole_pack

from an1498.compiler import compile_search
from an1498.errors import Location, Unsupported
from an1498.model import Language, Pack, Parameter, Search
from an1498.replay.prepare import prepare
from an1498.ship.elastic import bundle_files
from an1498.ship.elastic.markdown import block, cell, code, inline, investigate

PAIR = "an1498_public_key_use_then_unrecognised_certificate"
FIRST, SECOND = "macos_public_key_use", "zeek_tls_unrecognised_certificate"
MARKDOWN = MarkdownIt("commonmark").enable("table")

# One example holds 12 values, so that these are far more than a thousand.
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUES = st.lists(TEXTS, min_size=12, max_size=12)


def hostile_content(values: list[str]) -> tuple[Pack, list[Search]]:
    """Three rules with a value in every text that an author writes; titles are never blank, as content demands."""
    pack = whole_pack()
    title, description, triage, author, licence, reference, positive, query, condition, status, analytic, second = values
    texts = {
        "title": title or "x",
        "description": description,
        "triage": triage,
        "author": author,
        "license": licence,
        "references": [reference, "https://example.org"],
        "falsepositives": [positive, "plain"],
        "status": status,
        "mitre": {"analytic": analytic, "detection_strategy": "DET0543"},
    }
    rules = {
        name: replace(pack.rules[name], title=title or "x", document={**pack.rules[name].document, **texts}) for name in (FIRST, SECOND)
    }
    pair = replace(pack.correlations[PAIR], title=second or "x", document={**pack.correlations[PAIR].document, **texts})
    searches = [
        replace(search, title=title or "x", text=query, stages=tuple((name, condition) for name, _ in search.stages))
        for search in searches_of("elastic")
        if search.rule in (PAIR, FIRST, SECOND)
    ]
    return replace(pack, rules=rules, correlations={PAIR: pair}), searches


def shape(value: Any) -> Any:
    """Keys, lengths and types, without the texts."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


@cache
def plain_shapes() -> Mapping[str, Any]:
    pack, searches = hostile_content(["plain"] * 12)
    return {name: shapes(name, content) for name, content in bundle_files(pack, "elastic", searches).items() if shapes(name, content)}


def shapes(name: str, content: bytes) -> Any:
    if name.endswith(".ndjson"):
        return [shape(item) for item in lines(content)]
    return shape(tomllib.loads(content.decode())) if name.endswith(".toml") else None


@MANY
@given(VALUES)
@example([fragment for fragment in FRAGMENTS if "\n" in fragment][:1] * 12)
@example(['"""'] * 12)
@example(['ends with a quote"\n"'] * 12)
@example(["\\"] * 12)
@example(["blank at the end \nof a line\t\n"] * 12)
def test_no_value_changes_the_structure_of_a_file(values: list[str]) -> None:
    pack, searches = hostile_content(values)
    files = bundle_files(pack, "elastic", searches)
    found = {name: shapes(name, content) for name, content in files.items() if shapes(name, content)}
    for own, plain in zip(sorted(found), sorted(plain_shapes()), strict=True):
        assert own == plain
        # A tag that two values share stands once; all else keeps its place.
        assert without_tags(found[own]) == without_tags(plain_shapes()[plain]), own
    assert files["rules.ndjson"].isascii()
    title, description, triage, author, licence, reference, positive, query, *_ = values
    for rule in lines(files["rules.ndjson"]):
        assert rule["query"] == query
        assert rule["name"].removesuffix(" [ES|QL]") == (title or "x")
        assert rule["description"] == (description.strip() or (title or "x"))
        assert rule["author"] == ([author] if author else [])
        assert rule["license"] == licence
        assert rule["references"] == [reference, "https://example.org"]
        assert rule["false_positives"] == [positive, "plain"]
        assert triage.strip() in rule["note"]
        assert rule["enabled"] is False
        document = tomllib.loads(toml_of(files, rule["rule_id"]))
        assert document["rule"] == {key: value for key, value in rule.items() if key in document["rule"]}
        assert {"query", "note", "name", "description"} <= set(document["rule"])


def without_tags(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_tags(item) for key, item in value.items() if key not in ("tags", "author")}
    return [without_tags(item) for item in value] if isinstance(value, list) else value


def toml_of(files: Mapping[str, bytes], rule_id: str) -> str:
    (found,) = (text for name, text in files.items() if name.endswith(".toml") and f'rule_id = "{rule_id}"'.encode() in text)
    return found.decode()


@MANY
@given(TEXTS, TEXTS)
def test_no_value_changes_the_structure_of_a_guide(title: str, query: str) -> None:
    plain = ["plain"] * 12
    hostile = [
        title or "x",
        "plain",
        "plain",
        "plain",
        "plain",
        "plain",
        "plain",
        query or "x",
        query or "x",
        "plain",
        "plain",
        title or "x",
    ]
    notes = [
        [(rule["note"], rule["setup"]) for rule in lines(bundle_files(*built)["rules.ndjson"])]
        for built in ((pack, "elastic", searches) for pack, searches in (hostile_content(plain), hostile_content(hostile)))
    ]
    for usual, changed in zip(*notes, strict=True):
        for one, other in zip(usual, changed, strict=True):
            # Without the buttons, which are no Markdown but Kibana's own.
            assert blocks(without_buttons(one)) == blocks(without_buttons(other))


def blocks(text: str) -> list[tuple[str, str]]:
    return [(token.type, token.tag) for token in MARKDOWN.parse(text)]


def without_buttons(text: str) -> str:
    return re.sub(r"^!\{investigate\{.*$", "button", text, flags=re.MULTILINE)


def kibana_reads(text: str) -> Any:
    """Kibana's tokenizer of the plugin: it counts braces, whether inside a text or not, until the first one that closes nothing."""
    start = "!{investigate"
    assert text.startswith(start)
    depth, body = 0, ""
    for character in text[len(start) :]:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == -1:
            return json.loads(body)
        body += character
    raise AssertionError("the plugin does not end")


@settings(max_examples=300)
@given(TEXTS, TEXTS, TEXTS)
def test_a_button_says_its_label_whatever_it_holds(label: str, description: str, value: str) -> None:
    text = investigate(label, description, [{"source.ip": "{{source.ip}}", "x": value}], 12)
    assert "\n" not in text
    read = kibana_reads(f"{text} and more }}")
    assert (read["label"], read["description"], read["relativeFrom"], read["relativeTo"]) == (label, description, "now-12m", "now")
    assert [(item["field"], item["value"]) for item in read["providers"][0]] == [("source.ip", "{{source.ip}}"), ("x", value)]


def one_line(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


@settings(max_examples=500)
@given(TEXTS)
@example("1. item")
@example("![x](javascript:alert(1))")
def test_inline_text_stays_text(text: str) -> None:
    opened, content, closed = MARKDOWN.parse(inline(text)) or (None, None, None)
    if one_line(text):
        assert opened and content and closed
        assert (opened.type, closed.type) == ("paragraph_open", "paragraph_close")
        assert content.children is not None
        assert {child.type for child in content.children} <= {"text", "text_special"}
        assert "".join(child.content for child in content.children) == one_line(text)
    else:
        assert opened is None


@settings(max_examples=500)
@given(TEXTS)
def test_code_stays_code(text: str) -> None:
    if not one_line(text):
        return
    tokens = MARKDOWN.parse(f"a {code(text)} b")
    assert [(child.type, child.content) for child in tokens[1].children or ()] == [
        ("text", "a "),
        ("code_inline", one_line(text)),
        ("text", " b"),
    ]
    table = MARKDOWN.parse(f"| a | b |\n| --- | --- |\n| {cell(text)} | x |")
    assert sum(token.type == "td_open" for token in table) == 2
    assert sum(token.type == "tr_open" for token in table) == 2


@settings(max_examples=500)
@given(TEXTS)
def test_a_block_ends_where_it_ends(text: str) -> None:
    fence, paragraph_open, after, _ = MARKDOWN.parse(f"{block(text)}\n\nafter")
    assert (fence.type, paragraph_open.type, after.content) == ("fence", "paragraph_open", "after")
    # CommonMark reads every line end as a line feed and U+0000 as U+FFFD.
    assert fence.content == re.sub(r"\r\n?", "\n", f"{text}\n").replace("\0", "\ufffd")


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SUBJECTS = st.lists(TEXTS.filter(str.strip), min_size=40, max_size=40, unique=True)


@pytest.mark.parametrize("language", [Language.EQL, Language.ESQL, Language.LUCENE])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(subjects=SUBJECTS)
def test_certificate_names_of_a_parameter_stay_values(language: Language, subjects: list[str]) -> None:
    """1,440 names as trusted issuers: the query is read back from rules.ndjson and parses, and the file has the rules it had."""
    pack = whole_pack()

    def compiled(values: list[str]) -> Search:
        parameters = {**pack.parameters, "trusted_issuers": Parameter("trusted_issuers", tuple(values), Location("site.toml", 1))}
        return compile_search(replace(pack, parameters=parameters), SECOND, "elastic", language)

    try:
        search = compiled(subjects)
    except Unsupported as refusal:
        # ES|QL has no escape for control characters: refused by name, before anything is written.
        assert language is Language.ESQL
        assert "control character" in refusal.construct
        search = compiled([subject for subject in subjects if not CONTROL.search(subject)])
    (rule,) = lines(bundle_files(pack, "elastic", [search])["rules.ndjson"])
    assert rule["query"] == search.text
    prepare(language, rule["query"])
