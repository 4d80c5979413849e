"""What a loaded pack holds: parameters applied, overlays merged, layouts overridden, defaults filled in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from an1498.content import find_root, load_pack
from an1498.errors import ContentError, Location
from an1498.model import CorrelationType, Entity, FieldType, Language, RankCase

CHECKOUT = Path(__file__).parents[2]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_pack_is_typed_and_knows_its_places(root: Path) -> None:
    pack = load_pack(root)
    assert (pack.name, pack.version, pack.attack_version) == ("small", "1.0.0", "19.1")
    assert list(pack.rules) == ["macos_key_use", "zeek_self_signed"]
    rule = pack.rules["macos_key_use"]
    assert (rule.product, rule.service, rule.level) == ("macos", "unifiedlog", "low")
    assert rule.location == Location("rules/endpoint/macos_key_use.yml", 1, 1)
    assert rule.key_locations[("detection", "selection", "eventMessage", 1)] == Location("rules/endpoint/macos_key_use.yml", 23, 9)
    assert list(pack.filters) == ["trusted_endpoints"]
    correlation = pack.correlations["key_use_then_self_signed"]
    assert correlation.type is CorrelationType.TEMPORAL_ORDERED
    assert correlation.rules == ("macos_key_use", "zeek_self_signed")
    assert correlation.aliases == {"entity": {"macos_key_use": "host.ip", "zeek_self_signed": "id.orig_h"}}
    assert correlation.timespan_s == 300
    assert pack.correlations["self_signed_burst"].condition.bounds == (("gte", 5.0),)


def test_targets_have_defaults(root: Path) -> None:
    target = load_pack(root).targets["elastic"]
    assert (target.backend, target.entity, target.interval_s, target.ingest_lag_s) == ("elastic", Entity.IP, 300, 120)
    assert target.languages == (Language.EQL, Language.ESQL, Language.LUCENE)
    assert target.options["skip"] == {"macos_key_use": "told by the umbrella rule"}
    assert target.options["severity"]["informational"] == "low"
    assert target.options["risk_scores"] == {"informational": 1, "low": 21, "medium": 47, "high": 73, "critical": 99}


def test_a_layout_is_read_from_the_pipeline(root: Path) -> None:
    target = load_pack(root).targets["elastic"]
    (layout,) = target.layouts
    assert (layout.name, layout.backend, layout.pipeline_file.name) == ("elastic/both", "elastic", "both.yml")
    macos, zeek = layout.sources
    message = macos.by_native("eventMessage")
    assert message is not None
    assert (message.indexed, message.type, message.array, message.mapped) == ("message", FieldType.TEXT, False, True)
    address = macos.by_indexed("host.ip")
    assert address is not None
    assert (address.type, address.array) == (FieldType.IP, True)
    assert (macos.entity_field, macos.time_field, macos.rank) == ("an1498.entity", "@timestamp", 1)
    assert macos.rank_cases == (RankCase("eventType", ("activityCreateEvent",), 2),)
    assert (zeek.rank, zeek.rank_cases, zeek.constants) == (1, (), {"event.dataset": "zeek.ssl"})
    assert load_pack(root).targets["splunk"].layouts[0].sources[0].time_field == "_time"


def test_parameters_take_the_place_of_literals(root: Path) -> None:
    overlay = root / "site.toml"
    overlay.write_text('[parameters]\ntime_window = "90s"\nhandshake_failure_threshold = 7\n', encoding="utf-8")
    pack = load_pack(root, [overlay])
    ordered = pack.correlations["key_use_then_self_signed"]
    assert ordered.timespan_s == 90
    assert ordered.document["correlation"]["timespan"] == "90s"
    burst = pack.correlations["self_signed_burst"]
    assert burst.condition.bounds == (("gte", 7.0),)
    assert burst.document["correlation"]["condition"] == {"gte": 7}
    assert pack.parameters["time_window"].location == Location("site.toml", 2, 1)


def test_later_overlays_win_and_keep_what_they_do_not_name(root: Path) -> None:
    (root / "a.toml").write_text(
        '[parameters]\ntime_window = "1m"\n[targets.splunk]\ninterval = "1m"\n'
        'macros = {an1498_macos = "index=mac"}\n[targets.splunk.skip]\nself_signed_burst = "no Zeek"\n',
        encoding="utf-8",
    )
    (root / "b.toml").write_text('[targets.splunk]\ninterval = "10m"\nindexes = {"zeek/ssl" = "net"}\n', encoding="utf-8")
    pack = load_pack(root, [root / "a.toml", root / "b.toml"])
    target = pack.targets["splunk"]
    assert target.interval_s == 600
    assert target.options["skip"] == {"self_signed_burst": "no Zeek"}
    macos, zeek = target.layouts[0].sources
    assert macos.macro_definition == "index=mac"
    assert zeek.index == "net"
    assert pack.parameters["time_window"].value == "1m"
    assert pack.targets["elastic"].layouts[0].sources[1].index == "logs-zeek.ssl-*"


def test_an_overlay_may_add_a_target(root: Path) -> None:
    (root / "lab.toml").write_text(
        '[targets.lab]\nbackend = "elastic"\nlayouts = ["elastic/both"]\nlanguages = ["esql"]\n', encoding="utf-8"
    )
    assert load_pack(root, [root / "lab.toml"]).targets["lab"].languages == (Language.ESQL,)


def test_rules_may_be_named_by_id(root: Path) -> None:
    file = root / "rules/correlation/key_use_then_self_signed.yml"
    for _ in range(2):
        edit(file, "zeek_self_signed", "6a3c1f5e-0b54-4b0c-8b0e-0d5a4d8a1002")
    edit(root / "rules/filters/trusted_endpoints.yml", "- zeek_self_signed", "- 6a3c1f5e-0b54-4b0c-8b0e-0d5a4d8a1002")
    correlation = load_pack(root).correlations["key_use_then_self_signed"]
    assert correlation.rules == ("macos_key_use", "zeek_self_signed")
    assert correlation.aliases["entity"]["zeek_self_signed"] == "id.orig_h"


@pytest.mark.parametrize(
    ("condition", "bounds"),
    [
        ("gte: 5\n    lt: 9", (("gte", 5.0), ("lt", 9.0))),
        ("gte: 5\n    eq: 5", (("gte", 5.0), ("eq", 5.0))),
    ],
)
def test_conditions_may_be_ranges(root: Path, condition: str, bounds: tuple[tuple[str, float], ...]) -> None:
    edit(root / "rules/correlation/self_signed_burst.yml", "gte: 5", condition)
    assert load_pack(root).correlations["self_signed_burst"].condition.bounds == bounds


def test_chains_and_boolean_conditions(root: Path) -> None:
    (root / "rules/correlation/chain.yml").write_text(
        "title: Chain\ncorrelation:\n  type: temporal\n  rules: [self_signed_burst, zeek_self_signed]\n"
        "  group-by: [id.orig_h]\n  timespan: 1h\n  condition: self_signed_burst and not zeek_self_signed\n",
        encoding="utf-8",
    )
    chain = load_pack(root).correlations["chain"]
    assert chain.condition.expression == "self_signed_burst and not zeek_self_signed"
    assert (chain.level, chain.id, chain.timespan_s) == ("informational", "", 3600)


def test_a_longer_cycle_names_its_members(root: Path) -> None:
    body = "correlation:\n  type: temporal\n  rules: [{}, zeek_self_signed]\n  group-by: [id.orig_h]\n  timespan: 1h\n"
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (root / f"rules/correlation/{name}.yml").write_text(f"title: {name}\n" + body.format(other), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_pack(root)
    assert caught.value.problem == "correlations form a cycle: a → b → c → a"
    assert str(caught.value.location) == "rules/correlation/a.yml:4:3"


def test_a_root_without_pipelines_uses_the_packaged_ones(root: Path) -> None:
    (root / "pipelines").rename(root / "elsewhere")
    edit(root / "an1498.toml", '["splunk/both"]', '["splunk/logd", "splunk/zeek"]')
    edit(root / "an1498.toml", '["elastic/both"]', '["elastic/unifiedlogs", "elastic/zeek"]')
    pack = load_pack(root)
    assert pack.targets["splunk"].layouts[0].pipeline_file.is_relative_to(CHECKOUT / "pipelines")


def test_find_root(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_root(None) == root
    assert find_root(root) == root
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert find_root(None) == CHECKOUT
    with pytest.raises(ContentError, match=r"has no an1498\.toml"):
        find_root(tmp_path / "empty")


def test_a_root_without_rules_is_refused(root: Path) -> None:
    (root / "rules").rename(root / "elsewhere")
    with pytest.raises(ContentError, match="cannot be listed"):
        load_pack(root)


def test_loading_needs_neither_pysigma_nor_jsonschema(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from an1498.content import load_pack; load_pack(Path()); "
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'sigma', 'jsonschema', 'duckdb', 'lark', 'rich'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
