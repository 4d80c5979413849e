"""Splunk: the same over the model of its management port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import httpx
import pytest
from tests.deploy.conftest import Bench, Files
from tests.deploy.fake_splunk import FakeSplunk, message
from tests.deploy.kills import killed_at_every_request
from tests.deploy.siem import Reply, reply, writes
from tests.deploy.test_faults import once
from tests.ship.splunk.conf_reader import read_conf

from an1498.deploy import find_drift, plan_rollback
from an1498.errors import ExternalError, UsageError

SNI = "AN1498 - zeek tls no sni - Rule"
BURST = "AN1498 - handshake failure burst - Rule"
SEARCHES = "an1498/default/savedsearches.conf"
MACROS = "an1498/default/macros.conf"
REST = {"enableSched": "is_scheduled", "counttype": "alert_type", "relation": "alert_comparator", "quantity": "alert_threshold"}


def model(bench: Bench) -> FakeSplunk:
    return cast(FakeSplunk, bench.model)


def edited(files: Files, old: str, new: str, name: str = SEARCHES) -> Files:
    assert old.encode() in files[name]
    return {**files, name: files[name].replace(old.encode(), new.encode())}


def drift(bench: Bench) -> dict[str, tuple[str, tuple[str, ...]]]:
    with bench.open() as opened:
        return {str(d.key): (d.kind, d.fields) for d in find_drift(opened.siem, opened.store, opened.lock)}


def install(bench: Bench, files: Files) -> None:
    """What installing the package leaves: default/ of the app, shared as default.meta says."""
    fake = model(bench)
    for path, name in ((SEARCHES, "saved/searches"), (MACROS, "configs/conf-macros")):
        for stanza, settings in read_conf(files[path]).items():
            named = {REST.get(key, key): value for key, value in settings.items()}
            fake.store[name][stanza] = {"app": "an1498", "sharing": "global", "settings": named, "default": True}
    view = files["an1498/default/data/ui/views/an1498_overview.xml"].decode()
    fake.store["data/ui/views"]["an1498_overview"] = {"app": "an1498", "sharing": "app", "settings": {"eai:data": view}, "default": True}


def test_the_whole_app_arrives_and_a_second_apply_writes_nothing(splunk: Bench, pack_files: Mapping[str, Files]) -> None:
    splunk.build(pack_files["splunk"])
    result = splunk.apply()
    assert result.refused == {} and splunk.model.violations == []
    fake = model(splunk)
    built = read_conf(pack_files["splunk"][SEARCHES])
    assert set(fake.store["saved/searches"]) == set(built)
    for name, settings in built.items():
        assert fake.settings(name) == {REST.get(key, key): value for key, value in settings.items()}
    assert {item["sharing"] for path in ("saved/searches", "configs/conf-macros") for item in fake.store[path].values()} == {"global"}
    assert len(fake.store["configs/conf-macros"]) == len(read_conf(pack_files["splunk"][MACROS]))
    splunk.model.log.clear()
    assert splunk.statuses() == {} and drift(splunk) == {} and splunk.apply().written == 0
    assert not [request for request in splunk.model.log if writes(request)]


def test_an_installed_package_is_adopted_and_updated_object_by_object(splunk: Bench, small_splunk: Files) -> None:
    install(splunk, small_splunk)
    assert splunk.statuses() == {}
    assert splunk.apply().written == 0 and len(splunk.lock()["objects"]) == 7
    assert splunk.plan().notes == ()
    splunk.build(edited(small_splunk, "alert.suppress.period = 1020s", "alert.suppress.period = 2000s"))
    assert splunk.statuses() == {f"saved_search/{BURST}": "update"}
    splunk.model.log.clear()
    splunk.apply()
    (post,) = [request for request in splunk.model.log if writes(request)]
    assert post.form() == {"alert.suppress.period": "2000s"}, "only what changed is sent, so that local/ holds no more"
    assert post.path.endswith("/AN1498%20-%20handshake%20failure%20burst%20-%20Rule")


def test_local_tuning_survives_updates(splunk: Bench, small_splunk: Files) -> None:
    splunk.apply()
    fake = model(splunk)
    fake.settings(SNI).update({"disabled": "0", "cron_schedule": "7 * * * *", "action.email": "1"})
    fake.settings("an1498_zeek_tls_no_sni_filter")["definition"] = 'search NOT src="10.0.0.1"'
    fake.settings("an1498_zeek_ssl")["definition"] = "index=ours"
    for title in ("Once", "Twice"):
        splunk.build(edited(small_splunk, "action.risk.param.verbose = 0", f"action.risk.param.verbose = {title}"))
        splunk.apply()
        settings = fake.settings(SNI)
        assert (settings["disabled"], settings["cron_schedule"], settings["action.email"]) == ("0", "7 * * * *", "1")
        assert settings["action.risk.param.verbose"] == title
    assert fake.settings("an1498_zeek_ssl")["definition"] == "index=ours"
    assert drift(splunk) == {
        f"saved_search/{SNI}": ("tuned", ("cron_schedule", "disabled")),
        "macro/an1498_zeek_tls_no_sni_filter": ("tuned", ("definition",)),
        "macro/an1498_zeek_ssl": ("tuned", ("definition",)),
    }
    splunk.apply(SNI, "an1498_zeek_ssl")
    assert fake.settings(SNI)["disabled"] == "1" and fake.settings("an1498_zeek_ssl")["definition"].startswith("(index=zeek")


def test_local_changes_deletions_and_rollback(splunk: Bench, small_splunk: Files) -> None:
    splunk.apply()
    fake = model(splunk)
    first = fake.everything()
    second = edited(small_splunk, "event_count>=10", "event_count>=20")
    blocks = second[SEARCHES].decode().split("\n\n[")
    splunk.build({**second, SEARCHES: "\n\n[".join(block for block in blocks if "no sni" not in block.split("\n")[0]).encode()})
    assert splunk.statuses() == {f"saved_search/{BURST}": "update", f"saved_search/{SNI}": "delete"}
    splunk.apply()
    assert SNI not in fake.store["saved/searches"] and "event_count>=20" in fake.settings(BURST)["search"]
    fake.settings(BURST)["search"] += " | head 1"
    assert drift(splunk) == {f"saved_search/{BURST}": ("changed", ("search",))}
    with splunk.open() as opened:
        plan = plan_rollback(opened, 1, (BURST,))
        splunk.carry_out(opened, plan)
    assert fake.everything() == first and drift(splunk) == {}


def test_a_package_of_another_version_is_noted(splunk: Bench, small_splunk: Files) -> None:
    splunk.build(edited(small_splunk, "version = 0.1.0", "version = 0.2.0", "an1498/default/app.conf"))
    (note,) = splunk.plan().notes
    assert note.startswith("the installed package is version 0.1.0, the build 0.2.0: install its package")


def test_what_the_package_brought_is_not_removed_over_the_api(splunk: Bench, small_splunk: Files) -> None:
    install(splunk, small_splunk)
    splunk.apply()
    blocks = small_splunk[SEARCHES].decode().split("\n\n[")
    splunk.build({**small_splunk, SEARCHES: "\n\n[".join(block for block in blocks if "no sni" not in block.split("\n")[0]).encode()})
    (problem,) = splunk.apply().refused.values()
    assert "cannot be deleted" in problem and "package" in problem


def test_faults(splunk: Bench, small_splunk: Files) -> None:
    model(splunk).installed = False
    with pytest.raises(UsageError, match="the app is not installed; install the package"):
        splunk.plan()
    model(splunk).installed = True
    for answer, match in ((message(401, "call not properly authenticated"), "401"), (message(403, "needs admin_all_objects"), "403")):
        splunk.model.fault = once("/", answer, 99)
        with pytest.raises(ExternalError, match=match):
            splunk.plan()
    splunk.model.fault = once("/servicesNS", reply(200, {"entry": [{}]}), 99)
    with pytest.raises(ExternalError, match="otherwise than its API is described"):
        splunk.plan()
    faults: list[Reply | Exception] = [reply(500, {}), httpx.ReadTimeout("slow"), reply(503, {}), httpx.RemoteProtocolError("reset")]
    for number, wrong in enumerate(faults):
        fault = once("/servicesNS", wrong)
        # Half-way: the object is made, its sharing is not.
        splunk.model.after = lambda request, fault=fault: fault(request) if request.method == "POST" else None
        splunk.model.fault = None
        splunk.build(edited(small_splunk, "AN1498 -", f"AN1498 {number} -"))
        assert splunk.apply().refused == {} and splunk.statuses() == {}
    assert splunk.model.violations == []


def test_an_object_refused_half_way_is_completed(splunk: Bench) -> None:
    refuse = message(400, "no such role")
    splunk.model.fault = lambda request: refuse if request.path.endswith("sni%20-%20Rule/acl") else None
    assert list(splunk.apply().refused.values()) == ["no such role"]
    splunk.model.fault = None
    assert splunk.statuses() == {f"saved_search/{SNI}": "update"}
    assert splunk.apply().refused == {} and drift(splunk) == {}


def test_killed_at_any_request(new_splunk: Callable[[str], Bench], small_splunk: Files) -> None:
    """Two searches and a macro; then one search changes, and one is replaced by a search of another name."""
    macros = small_splunk[MACROS].decode().split("\n\n[")
    files = {**small_splunk, MACROS: "\n\n[".join(macros[:2]).encode(), "an1498/default/data/ui/views/an1498_overview.xml": b"<dashboard/>"}

    def new(name: str) -> Bench:
        bench = new_splunk(name)
        bench.build(files)
        return bench

    assert killed_at_every_request(new, lambda _: None) > 20

    def prepare(bench: Bench) -> None:
        bench.apply()
        model(bench).settings(SNI)["disabled"] = "0"
        bench.build(edited(edited(files, "event_count>=10", "event_count>=20"), "tls no sni -", "tls without sni -"))

    assert killed_at_every_request(lambda name: new(f"again-{name}"), prepare) > 8
