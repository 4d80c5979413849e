"""Hostile values change no stanza, macro, query, JSON or XML structure: they are escaped, or refused with rule or parameter, place
and remedy."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.ship.pack import whole_pack
from tests.ship.splunk.conf_reader import read_conf
from tests.ship.splunk.hostile import hostile

from an1498.compiler import compile_pack
from an1498.errors import ContentError
from an1498.model import Correlation, EventRule, Pack, Search
from an1498.replay.spl.parse import parse
from an1498.replay.spl.source import read_source
from an1498.replay.spl.syntax import Eval, Multisearch, Where
from an1498.replay.spl.syntax import Search as SearchCommand
from an1498.ship.splunk import app_files
from an1498.ship.splunk.names import saved_search

CORRELATION = "an1498_public_key_use_then_unrecognised_certificate"
EVENTS = ("macos_public_key_use", "zeek_tls_unrecognised_certificate", "zeek_x509_weak_key")
# What a rule's words may change; everything else of the app must stay as it is.
WORDED = re.compile(
    r"description|action\.correlationsearch\.(label|annotations)|action\.risk\.param\._risk_message"
    r"|action\.notable\.param\.(rule_title|rule_description|next_steps)"
)
JSON_KEYS = (
    "action.correlationsearch.annotations",
    "action.notable.param.next_steps",
    "action.notable.param.drilldown_searches",
    "action.risk.param._risk",
)
PLACE = re.compile(r"^[\w./-]+\.(yml|toml):\d+:\d+: .+; .+", re.DOTALL)


def small_pack() -> Pack:
    pack = whole_pack()
    return replace(pack, correlations={CORRELATION: pack.correlations[CORRELATION]}, rules={name: pack.rules[name] for name in EVENTS})


def compiled(pack: Pack) -> tuple[Search, ...]:
    return compile_pack(pack, ("splunk",)).searches


Conf = dict[str, dict[str, str]]


def confs(app: Mapping[str, bytes]) -> dict[str, Conf]:
    return {path: read_conf(content) for path, content in app.items() if path.endswith(".conf")}


def with_words(pack: Pack, source: random.Random) -> Pack:
    """The pack with hostile titles, descriptions, triage, authors, licences, tags and ATT&CK names."""

    def words(document: Mapping[str, Any]) -> dict[str, Any]:
        changed = {name: hostile(source) for name in ("description", "triage", "author", "license") if source.random() < 0.6}
        tags = [*document["tags"], hostile(source)]
        return {**document, **changed, "tags": tags, "mitre": {**document["mitre"], "analytic": hostile(source), hostile(source): "x"}}

    def event(rule: EventRule) -> EventRule:
        title = hostile(source) if source.random() < 0.6 else rule.title
        return replace(rule, title=title, document=words(rule.document))

    def correlation(rule: Correlation) -> Correlation:
        title = hostile(source) if source.random() < 0.6 else rule.title
        return replace(rule, title=title, document=words(rule.document))

    return replace(
        pack,
        rules={name: event(rule) for name, rule in pack.rules.items()},
        correlations={name: correlation(rule) for name, rule in pack.correlations.items()},
    )


def test_words_of_rules() -> None:
    """1,000 packs, each with about 20 hostile texts."""
    pack = small_pack()
    searches = compiled(pack)
    plain = app_files(pack, "splunk", searches)
    expected = confs(plain)
    source = random.Random(1498)
    shipped = refused = 0
    for _ in range(1000):
        changed = with_words(pack, source)
        try:
            app = app_files(changed, "splunk", searches)
        except ContentError as error:
            assert PLACE.match(str(error)), str(error)
            assert "rule '" in str(error)
            refused += 1
            continue
        shipped += 1
        found = confs(app)
        assert found.keys() == expected.keys()
        for path, stanzas in found.items():
            assert list(stanzas) == list(expected[path])
            for name, settings in stanzas.items():
                assert list(settings) == list(expected[path][name])
                for key, text in settings.items():
                    free = (path.endswith("savedsearches.conf") and WORDED.fullmatch(key)) or (
                        path.endswith("app.conf") and key == "author"
                    )
                    assert free or text == expected[path][name][key]
        check_words(changed, found["an1498/default/savedsearches.conf"])
        for path in (
            "an1498/default/data/ui/views/an1498_overview.xml",
            "an1498/metadata/default.meta",
            "an1498/default/data/ui/nav/default.xml",
        ):
            assert app[path] == plain[path]
        assert json.loads(app["an1498/app.manifest"]).keys() == json.loads(plain["an1498/app.manifest"]).keys()
    assert shipped > 100 and refused > 100, (shipped, refused)


def check_words(pack: Pack, stanzas: Conf) -> None:
    """Each text is where it belongs, whole but for its blanks, and no text makes a token."""
    rules: list[EventRule | Correlation] = [*pack.rules.values(), *pack.correlations.values()]
    for rule in rules:
        settings = stanzas[saved_search(rule.name)]
        for key in JSON_KEYS:
            if key in settings:
                assert "\n" not in settings[key]
                json.loads(settings[key])
        assert settings["description"].startswith(" ".join(str(rule.document["description"]).split()))
        if "action.notable.param.rule_title" in settings:
            assert settings["action.notable.param.rule_title"] == f"{' '.join(rule.title.split())}: $entity$"
            assert json.loads(settings["action.notable.param.next_steps"])["data"] == rule.document["triage"].strip()
            assert "$" not in settings["action.notable.param.rule_description"] + settings["action.notable.param.next_steps"]


PARAMETERS = ("allowed_processes", "trusted_issuers", "trusted_doh_endpoints")


def test_parameters_and_subjects_learned_from_logs() -> None:
    """250 packs, each with 15 hostile parameter values, certificate subjects among them: the lookups hold them as they are, and every
    search still is the same pipeline."""
    pack = small_pack()
    expected = {search.rule: shape(search.text) for search in compiled(pack)}
    baseline = confs(app_files(pack, "splunk", compiled(pack)))
    source = random.Random(84)
    shipped = refused = 0
    for _ in range(250):
        values = {name: tuple(dict.fromkeys(hostile(source) for _ in range(5))) for name in PARAMETERS}
        if source.random() < 0.8:  # what is not printable is refused; mostly look at the rest
            values = {name: tuple(text for text in texts if text.isprintable()) or ("x",) for name, texts in values.items()}
        changed = replace(pack, parameters={**pack.parameters, **{n: replace(pack.parameters[n], value=v) for n, v in values.items()}})
        try:
            searches = compiled(changed)
            app = app_files(changed, "splunk", searches)
        except ContentError as error:
            assert PLACE.match(str(error)), str(error)
            refused += 1
            continue
        shipped += 1
        found = confs(app)
        assert {path: list(stanzas) for path, stanzas in found.items()} == {path: list(stanzas) for path, stanzas in baseline.items()}
        macros = {name: settings["definition"] for name, settings in found["an1498/default/macros.conf"].items()}
        for search in searches:
            text = found["an1498/default/savedsearches.conf"][saved_search(search.rule)]["search"]
            assert text.startswith(search.text)
            parse(read_source(text, search.rule, macros))
            assert shape(search.text) == expected[search.rule]
        rows = list(csv.reader(io.StringIO(app["an1498/lookups/an1498_trusted_endpoints.csv"].decode())))
        assert [row[1] for row in rows[1:] if row[0] == "certificate issuer"] == list(values["trusted_issuers"])
        assert [row[1] for row in rows[1:] if row[0] == "server name"] == list(values["trusted_doh_endpoints"])
    assert shipped > 150 and refused > 10, (shipped, refused)


def shape(text: str) -> list[str]:
    """The commands of a search. A condition that the search command cannot say stands in a `where` behind it, so those are left out
    where they follow a search."""
    macros = dict.fromkeys(("an1498_macos_unifiedlog", "an1498_zeek_ssl", "an1498_zeek_x509"), "index=x")
    found: list[str] = []
    for command in parse(read_source(text, "search", macros)):
        if isinstance(command, Multisearch):
            for pipeline in command.pipelines:
                assert isinstance(pipeline[0], SearchCommand) and isinstance(pipeline[-1], Eval)
                assert all(isinstance(middle, Where) for middle in pipeline[1:-1])
            found.append(f"multisearch of {len(command.pipelines)}")
        elif not (isinstance(command, Where) and found == ["Search"]):
            found.append(type(command).__name__)
    return found


def test_a_dashboard_survives_its_names() -> None:
    from an1498.ship.splunk.dashboard import overview

    (layout,) = (layout for layout in whole_pack().targets["splunk"].layouts if layout.name == "splunk/zeek")
    sources = [replace(source, service=f'{source.service}]]></definition>"|`', macro="m&<x>") for source in layout.sources]
    root = ElementTree.fromstring(overview(sources, ["entity"]))
    assert [child.tag for child in root] == ["label", "description", "definition"]
    definition = json.loads(root.findtext("definition") or "")
    assert set(definition) == {"title", "description", "inputs", "defaults", "dataSources", "visualizations", "layout"}


@pytest.mark.parametrize("name", ["a$b$c", "$"])
def test_a_dollar_sign_in_a_layout_is_refused(name: str) -> None:
    pack = small_pack()
    target = pack.targets["splunk"]
    layouts = tuple(
        replace(layout, sources=tuple(replace(s, entity_field=name) if s.service == "conn" else s for s in layout.sources))
        for layout in target.layouts
    )
    changed = replace(pack, targets={"splunk": replace(target, layouts=layouts)})
    with pytest.raises(ContentError, match=r"an1498\.toml:\d+:\d+: target 'splunk' cannot become a Splunk app: a dollar sign"):
        app_files(changed, "splunk", compiled(pack))
